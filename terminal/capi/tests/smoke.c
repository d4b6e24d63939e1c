/* A till in C: argument 1 is an enrolled home, 2 and 3 are payment codes, the second later than the first. */

#include "yika_terminal.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                                         \
  do {                                                                                           \
    if (!(condition)) {                                                                          \
      fprintf(stderr, "line %d: not so: %s (last error: %s)\n", __LINE__, #condition, yika_last_error()); \
      return 1;                                                                                  \
    }                                                                                            \
  } while (0)

int main(int argc, char **argv) {
  YikaTerminal *terminal = NULL;
  YikaTerminal *second = NULL;
  YikaVerdict verdict;
  uint64_t number = 99;
  const uint8_t sale[YIKA_SALE_BYTES] = {7};
  CHECK(argc == 4);

  /* Wrong calls say what is wrong, and leave nothing behind. */
  CHECK(yika_terminal_open(NULL, &terminal) == YIKA_STATUS_MISUSE && terminal == NULL);
  CHECK(strstr(yika_last_error(), "home") != NULL);
  CHECK(yika_terminal_open(argv[1], NULL) == YIKA_STATUS_MISUSE);
  CHECK(yika_terminal_open("/nowhere/at/all", &terminal) != YIKA_STATUS_DONE && terminal == NULL);
  CHECK(strlen(yika_last_error()) > 0);
  CHECK(yika_terminal_verify_payment(NULL, argv[2], 1250, NULL, &verdict) == YIKA_STATUS_MISUSE);
  yika_terminal_close(NULL);

  CHECK(yika_terminal_open(argv[1], &terminal) == YIKA_STATUS_DONE && terminal != NULL);
  CHECK(strlen(yika_last_error()) == 0);
  CHECK(yika_terminal_sync(terminal) == YIKA_STATUS_DONE);
  CHECK(yika_terminal_verify_payment(terminal, NULL, 1250, NULL, &verdict) == YIKA_STATUS_MISUSE);
  CHECK(yika_terminal_verify_payment(terminal, argv[2], 1250, NULL, NULL) == YIKA_STATUS_MISUSE);
  CHECK(yika_terminal_void_last(terminal, &number) == YIKA_STATUS_REFUSED && number == 99);
  CHECK(strlen(yika_last_error()) > 0);

  /* Refused, with a reason in words. */
  CHECK(yika_terminal_verify_payment(terminal, "no code", 1250, NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(!verdict.is_approved && strcmp(verdict.reason, "MALFORMED") == 0 && strlen(verdict.message) > 0);
  CHECK(yika_terminal_verify_identity(terminal, argv[2], NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(strcmp(verdict.reason, "WRONG_KIND") == 0);

  /* Approved once; asked again for the same sale, the same answer; for another sale, a replay. */
  CHECK(yika_terminal_verify_payment(terminal, argv[2], 1250, sale, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.is_approved && !verdict.is_repeated && verdict.amount_fen == 1250 && verdict.record == 1);
  CHECK(verdict.account_slot == 1 && verdict.holder_class == 1 && verdict.time_ms > 0);
  CHECK(verdict.reason[0] == '\0' && memcmp(verdict.sale, sale, sizeof sale) == 0);
  CHECK(yika_terminal_verify_payment(terminal, argv[2], 1250, sale, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.is_approved && verdict.is_repeated && verdict.record == 1);
  CHECK(yika_terminal_verify_payment(terminal, argv[2], 1251, sale, &verdict) == YIKA_STATUS_MISUSE);
  CHECK(yika_terminal_verify_payment(terminal, argv[2], 1250, NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(strcmp(verdict.reason, "REPLAY") == 0);

  /* Taken back once; handed in. */
  CHECK(yika_terminal_verify_payment(terminal, argv[3], 300, NULL, &verdict) == YIKA_STATUS_DONE);
  CHECK(yika_terminal_void_last(terminal, &number) == YIKA_STATUS_DONE && number == 300);
  CHECK(yika_terminal_void_last(terminal, NULL) == YIKA_STATUS_REFUSED);
  CHECK(yika_terminal_upload(terminal, &number) == YIKA_STATUS_DONE && number == 0);

  /* A replay is one also after the terminal was closed and opened. */
  yika_terminal_close(terminal);
  CHECK(yika_terminal_open(argv[1], &second) == YIKA_STATUS_DONE);
  CHECK(yika_terminal_verify_payment(second, argv[3], 300, NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(strcmp(verdict.reason, "REPLAY") == 0);
  yika_terminal_close(second);
  puts("done");
  return 0;
}
