/* A gate's face engine in C: argument 1 is an enrolled home whose platform delivers two portraits. */

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

static YikaFace face;

int main(int argc, char **argv) {
  YikaTerminal *terminal = NULL;
  uint8_t first[YIKA_REFERENCE_BYTES];
  int count = 0;
  CHECK(argc == 2);
  CHECK(yika_terminal_open(argv[1], &terminal) == YIKA_STATUS_DONE);
  CHECK(yika_terminal_next_face(terminal, NULL) == YIKA_STATUS_MISUSE);

  /* Nobody before the first sync. */
  CHECK(yika_terminal_next_face(terminal, &face) == YIKA_STATUS_REFUSED);
  CHECK(face.length == 0);

  CHECK(yika_terminal_sync(terminal) == YIKA_STATUS_DONE);
  while (yika_terminal_next_face(terminal, &face) == YIKA_STATUS_DONE) {
    CHECK(face.length > 2 && face.jpeg[0] == 0xff && face.jpeg[1] == 0xd8);
    CHECK(count == 0 || memcmp(face.reference, first, sizeof first) > 0);
    memcpy(first, face.reference, sizeof first);
    count++;
  }
  CHECK(count == 2);

  /* After the last there is none, nothing of it is left, and the next round begins anew. */
  CHECK(face.length == 0 && face.jpeg[0] == 0);
  CHECK(yika_terminal_next_face(terminal, &face) == YIKA_STATUS_DONE);

  yika_terminal_close(terminal);
  puts("done");
  return 0;
}
