/* The Yika terminal in C: verifies campus codes offline. Generated from the Rust sources; do not edit. */

#ifndef YIKA_TERMINAL_H
#define YIKA_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The size of a portrait's name.
 */
#define YIKA_REFERENCE_BYTES 16

/**
 * The most bytes that a portrait has.
 */
#define YIKA_PORTRAIT_BYTES 100000

/**
 * The size of a sale's number.
 */
#define YIKA_SALE_BYTES 16

/**
 * The size of a reason's code with its NUL.
 */
#define YIKA_REASON_BYTES 24

/**
 * The size of a reason's text with its NUL.
 */
#define YIKA_MESSAGE_BYTES 128

/**
 * The size of a holder's number with its NUL.
 */
#define YIKA_NUMBER_BYTES 33

/**
 * How a call ended: the same numbers as the exit codes of the command line.
 */
typedef enum {
  /**
   * Done, or approved.
   */
  YIKA_STATUS_DONE = 0,
  /**
   * Refused.
   */
  YIKA_STATUS_REFUSED = 1,
  /**
   * Called wrongly, or not enrolled: `yika_last_error` says what.
   */
  YIKA_STATUS_MISUSE = 2,
  /**
   * Could not be done: `yika_last_error` says why.
   */
  YIKA_STATUS_FAILED = 3,
} YikaStatus;

/**
 * Whether the number of the holder is known whose identity a library desk approved.
 */
typedef enum {
  /**
   * Nobody asked: refused, a payment, or no library desk.
   */
  YIKA_HOLDER_NOT_ASKED = 0,
  /**
   * `holder_number` has it.
   */
  YIKA_HOLDER_KNOWN = 1,
  /**
   * The directory doesn't know this holder.
   */
  YIKA_HOLDER_UNKNOWN = 2,
  /**
   * The directory is out of date: sync.
   */
  YIKA_HOLDER_OUT_OF_DATE = 3,
  /**
   * The desk has no directory: sync.
   */
  YIKA_HOLDER_NO_DIRECTORY = 4,
} YikaHolder;

/**
 * An open terminal.
 */
typedef struct YikaTerminal YikaTerminal;

/**
 * What the terminal says of a code. Fields that don't apply are zero.
 */
typedef struct {
  /**
   * Whether the code is approved, and that is on the disk.
   */
  bool is_approved;
  /**
   * Whether it had been approved for this sale before, and nothing was recorded now.
   */
  bool is_repeated;
  /**
   * Who it was: 1 student, 2 staff, 3 visitor, 4 other; 0 when refused.
   */
  uint8_t holder_class;
  /**
   * From which account of the card was paid, 1 to 8; 0 for an identity.
   */
  uint8_t account_slot;
  /**
   * Why it was refused: a stable code such as "REPLAY", NUL-terminated; empty when approved.
   */
  char reason[YIKA_REASON_BYTES];
  /**
   * The same for people, in English, NUL-terminated; empty when approved.
   */
  char message[YIKA_MESSAGE_BYTES];
  /**
   * With "STALE" and "FUTURE": the code's time less the terminal's, in seconds.
   */
  int64_t offset_s;
  /**
   * The number of the sale.
   */
  uint8_t sale[YIKA_SALE_BYTES];
  /**
   * When it was approved, by the terminal's clock, in Unix milliseconds.
   */
  uint64_t time_ms;
  /**
   * What was paid, in fen; 0 for an identity.
   */
  uint64_t amount_fen;
  /**
   * The number of the payment's record in the terminal's journal, from 1; 0 for an identity.
   */
  uint64_t record;
  /**
   * Whether the holder's number is known. It had no say in the decision.
   */
  YikaHolder holder;
  /**
   * The holder's number, NUL-terminated; empty where it is not known.
   */
  char holder_number[YIKA_NUMBER_BYTES];
} YikaVerdict;

/**
 * A portrait. All zero before the first.
 */
typedef struct {
  /**
   * Its name. A new portrait of the same holder has another one.
   */
  uint8_t reference[YIKA_REFERENCE_BYTES];
  /**
   * How many bytes `jpeg` has; 0 for no portrait.
   */
  uint32_t length;
  /**
   * The JPEG file.
   */
  uint8_t jpeg[YIKA_PORTRAIT_BYTES];
} YikaFace;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens the enrolled terminal in the folder `home`, and puts its handle into `*terminal`, or NULL if it can't.
 *
 * The home belongs to this process until the handle is closed.
 *
 * # Safety
 *
 * `home` must be NULL or a NUL-terminated string, `terminal` NULL or valid for writing a pointer.
 */
YikaStatus yika_terminal_open(const char *home,
                              YikaTerminal **terminal);

/**
 * Closes a terminal. NULL is allowed and does nothing.
 *
 * # Safety
 *
 * `terminal` must be NULL or a handle from `yika_terminal_open` that was not closed yet and that no other thread uses.
 */
void yika_terminal_close(YikaTerminal *terminal);

/**
 * Decides about a payment code, without network. `YIKA_STATUS_DONE` is "approved", and it is on the disk;
 * `YIKA_STATUS_REFUSED` is "refused". With both, `*verdict` says more; otherwise it is left alone.
 *
 * `sale` is the till's own number for the sale, 16 bytes: asked again with the same one, the terminal answers as before.
 * NULL stands for a new random one, which the verdict tells. `amount_fen` is in fen (1/100 yuan).
 *
 * # Safety
 *
 * `terminal` must be NULL or an open handle, `code` NULL or a NUL-terminated string, `sale` NULL or readable for
 * 16 bytes, `verdict` NULL or valid for writing.
 */
YikaStatus yika_terminal_verify_payment(const YikaTerminal *terminal,
                                        const char *code,
                                        uint64_t amount_fen,
                                        const uint8_t *sale,
                                        YikaVerdict *verdict);

/**
 * Decides about an identity code, without network. At a library desk the verdict tells the holder's number, or why it
 * is not known. Otherwise as `yika_terminal_verify_payment`.
 *
 * # Safety
 *
 * As for `yika_terminal_verify_payment`.
 */
YikaStatus yika_terminal_verify_identity(const YikaTerminal *terminal,
                                         const char *code,
                                         const uint8_t *sale,
                                         YikaVerdict *verdict);

/**
 * Takes the last payment back, within ten minutes, and puts its amount into `*amount_fen` (NULL if not wanted).
 * `YIKA_STATUS_REFUSED`: the payment stands, and `yika_last_error` says why.
 *
 * # Safety
 *
 * `terminal` must be NULL or an open handle, `amount_fen` NULL or valid for writing.
 */
YikaStatus yika_terminal_void_last(const YikaTerminal *terminal,
                                   uint64_t *amount_fen);

/**
 * Fetches lists and time from the platform, and what belongs to its kind of terminal. Uses the network and blocks until it is done.
 *
 * # Safety
 *
 * `terminal` must be NULL or an open handle.
 */
YikaStatus yika_terminal_sync(const YikaTerminal *terminal);

/**
 * Puts the next portrait that a gate or a POS may use now into `*face`: the first where `face->length` is 0, else the
 * one after `face->reference`. `YIKA_STATUS_REFUSED`: there is none, or none any more, and `*face` is all zero. So it is
 * where the lease of the portraits is over or the time is not confirmed.
 *
 * An engine that makes something of portraits asks for all of them again after each sync, and forgets what it made of
 * those that don't come any more.
 *
 * # Safety
 *
 * `terminal` must be NULL or an open handle, `face` NULL or a whole struct that was set, to zeros or by this function.
 */
YikaStatus yika_terminal_next_face(const YikaTerminal *terminal,
                                   YikaFace *face);

/**
 * Hands in what was sold, and puts the number of records that the platform has not answered for into `*pending` (NULL
 * if not wanted). Uses the network and blocks until it is done; after an error the next upload goes on where it ended.
 *
 * # Safety
 *
 * `terminal` must be NULL or an open handle, `pending` NULL or valid for writing.
 */
YikaStatus yika_terminal_upload(const YikaTerminal *terminal,
                                uint64_t *pending);

/**
 * What went wrong in the last call on this thread, in English; empty if nothing did, or if a code was refused (the
 * verdict says why). Never NULL, and valid until the next call on this thread.
 */
const char *yika_last_error(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* YIKA_TERMINAL_H */
