/* A library desk in C: argument 1 is an enrolled home, 2 and 3 are identity codes of one holder, the second later than
 * the first, 4 is the identity code of somebody whom the directory doesn't know, 5 is the holder's payment code. */

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
  YikaVerdict verdict;
  CHECK(argc == 6);
  CHECK(yika_terminal_open(argv[1], &terminal) == YIKA_STATUS_DONE);

  /* Refused before the first sync: nobody is named. */
  CHECK(yika_terminal_verify_identity(terminal, argv[2], NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(strcmp(verdict.reason, "UNKNOWN") == 0);
  CHECK(verdict.holder == YIKA_HOLDER_NOT_ASKED && verdict.holder_number[0] == '\0');

  /* With a directory the holder's number is told, and again for the next code. */
  CHECK(yika_terminal_sync(terminal) == YIKA_STATUS_DONE);
  CHECK(yika_terminal_verify_identity(terminal, argv[2], NULL, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.holder == YIKA_HOLDER_KNOWN && strcmp(verdict.holder_number, "20260001") == 0);
  CHECK(yika_terminal_verify_identity(terminal, argv[2], NULL, &verdict) == YIKA_STATUS_REFUSED);
  CHECK(verdict.holder == YIKA_HOLDER_NOT_ASKED && verdict.holder_number[0] == '\0');
  CHECK(yika_terminal_verify_identity(terminal, argv[3], NULL, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.holder == YIKA_HOLDER_KNOWN);

  /* Approved, though the directory doesn't know who it is. */
  CHECK(yika_terminal_verify_identity(terminal, argv[4], NULL, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.is_approved && verdict.holder == YIKA_HOLDER_UNKNOWN && verdict.holder_number[0] == '\0');

  /* Nobody asks who pays a fee. */
  CHECK(yika_terminal_verify_payment(terminal, argv[5], 300, NULL, &verdict) == YIKA_STATUS_DONE);
  CHECK(verdict.holder == YIKA_HOLDER_NOT_ASKED && verdict.holder_number[0] == '\0');

  yika_terminal_close(terminal);
  puts("done");
  return 0;
}
