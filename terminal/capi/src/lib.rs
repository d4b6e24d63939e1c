//! C ABI of the terminal library, for vendors whose firmware is not Rust.
//!
//! A handle for an open terminal, functions that answer with a [`YikaStatus`], and the text of what went wrong last on
//! this thread. `include/yika_terminal.h` is generated from here. A home is enrolled once with the command line
//! (`yika-terminal enroll`). A handle may be used by several threads at the same time: verifying goes on while another
//! thread syncs or uploads.
//!
//! No panic crosses into C: it becomes [`YikaStatus::Failed`].

#![cfg(target_os = "linux")]
// A C ABI is raw pointers and unmangled names. Each `unsafe` says what makes it sound.
#![allow(unsafe_code)]

mod call;
mod face;
mod verdict;

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use yika_format::Amount;
use yika_terminal::{Purpose, Request, SaleId, Terminal, TerminalOptions, new_sale_id};

use call::{CallError, call, online};
pub use call::{YikaStatus, yika_last_error};
pub use face::{YIKA_PORTRAIT_BYTES, YIKA_REFERENCE_BYTES, YikaFace};
pub use verdict::{
    YIKA_MESSAGE_BYTES, YIKA_NUMBER_BYTES, YIKA_REASON_BYTES, YIKA_SALE_BYTES, YikaHolder, YikaVerdict,
};

/// An open terminal.
#[derive(Debug)]
pub struct YikaTerminal {
    terminal: Terminal,
}

/// Opens the enrolled terminal in the folder `home`, and puts its handle into `*terminal`, or NULL if it can't.
///
/// The home belongs to this process until the handle is closed.
///
/// # Safety
///
/// `home` must be NULL or a NUL-terminated string, `terminal` NULL or valid for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_open(
    home: *const c_char,
    terminal: *mut *mut YikaTerminal,
) -> YikaStatus {
    call(|| {
        if terminal.is_null() {
            return Err(CallError::Null("terminal"));
        }
        // SAFETY: not NULL, so by the caller's promise valid for writing.
        unsafe { terminal.write(std::ptr::null_mut()) };
        // SAFETY: the caller promises that `home` is NULL or NUL-terminated.
        let home = unsafe { string(home, "home") }?;
        let home = Path::new(OsStr::from_bytes(home));
        let opened = Terminal::open(home, &TerminalOptions::default())?;
        let handle = Box::into_raw(Box::new(YikaTerminal { terminal: opened }));
        // SAFETY: as above.
        unsafe { terminal.write(handle) };
        Ok(YikaStatus::Done)
    })
}

/// Closes a terminal. NULL is allowed and does nothing.
///
/// # Safety
///
/// `terminal` must be NULL or a handle from `yika_terminal_open` that was not closed yet and that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_close(terminal: *mut YikaTerminal) {
    call(|| {
        if !terminal.is_null() {
            // SAFETY: not NULL, so by the caller's promise it came from `Box::into_raw` and nobody else has it.
            drop(unsafe { Box::from_raw(terminal) });
        }
        Ok(YikaStatus::Done)
    });
}

/// Decides about a payment code, without network. `YIKA_STATUS_DONE` is "approved", and it is on the disk;
/// `YIKA_STATUS_REFUSED` is "refused". With both, `*verdict` says more; otherwise it is left alone.
///
/// `sale` is the till's own number for the sale, 16 bytes: asked again with the same one, the terminal answers as before.
/// NULL stands for a new random one, which the verdict tells. `amount_fen` is in fen (1/100 yuan).
///
/// # Safety
///
/// `terminal` must be NULL or an open handle, `code` NULL or a NUL-terminated string, `sale` NULL or readable for
/// 16 bytes, `verdict` NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_verify_payment(
    terminal: *const YikaTerminal,
    code: *const c_char,
    amount_fen: u64,
    sale: *const u8,
    verdict: *mut YikaVerdict,
) -> YikaStatus {
    let purpose = Purpose::Payment {
        amount: Amount(amount_fen),
    };
    // SAFETY: the caller promises the same of these pointers.
    unsafe { verify(terminal, code, purpose, sale, verdict) }
}

/// Decides about an identity code, without network. At a library desk the verdict tells the holder's number, or why it
/// is not known. Otherwise as `yika_terminal_verify_payment`.
///
/// # Safety
///
/// As for `yika_terminal_verify_payment`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_verify_identity(
    terminal: *const YikaTerminal,
    code: *const c_char,
    sale: *const u8,
    verdict: *mut YikaVerdict,
) -> YikaStatus {
    // SAFETY: the caller promises the same of these pointers.
    unsafe { verify(terminal, code, Purpose::Identity, sale, verdict) }
}

/// Takes the last payment back, within ten minutes, and puts its amount into `*amount_fen` (NULL if not wanted).
/// `YIKA_STATUS_REFUSED`: the payment stands, and `yika_last_error` says why.
///
/// # Safety
///
/// `terminal` must be NULL or an open handle, `amount_fen` NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_void_last(
    terminal: *const YikaTerminal,
    amount_fen: *mut u64,
) -> YikaStatus {
    call(|| {
        // SAFETY: the caller promises that it is NULL or an open handle.
        let terminal = unsafe { opened(terminal) }?;
        let void = terminal.void_last()?;
        // SAFETY: the caller promises that it is NULL or valid for writing.
        unsafe { put(amount_fen, void.amount.0) };
        Ok(YikaStatus::Done)
    })
}

/// Fetches lists and time from the platform, and what belongs to its kind of terminal. Uses the network and blocks until it is done.
///
/// # Safety
///
/// `terminal` must be NULL or an open handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_sync(terminal: *const YikaTerminal) -> YikaStatus {
    call(|| {
        // SAFETY: the caller promises that it is NULL or an open handle.
        let terminal = unsafe { opened(terminal) }?;
        online(terminal.sync())?;
        Ok(YikaStatus::Done)
    })
}

/// Puts the next portrait that a gate or a POS may use now into `*face`: the first where `face->length` is 0, else the
/// one after `face->reference`. `YIKA_STATUS_REFUSED`: there is none, or none any more, and `*face` is all zero. So it is
/// where the lease of the portraits is over or the time is not confirmed.
///
/// An engine that makes something of portraits asks for all of them again after each sync, and forgets what it made of
/// those that don't come any more.
///
/// # Safety
///
/// `terminal` must be NULL or an open handle, `face` NULL or a whole struct that was set, to zeros or by this function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_next_face(
    terminal: *const YikaTerminal,
    face: *mut YikaFace,
) -> YikaStatus {
    call(|| {
        // SAFETY: the caller promises that it is NULL or an open handle.
        let terminal = unsafe { opened(terminal) }?;
        // SAFETY: the caller promises that it is NULL or whole and set, and nobody else has it during the call.
        let face = unsafe { face.as_mut() }.ok_or(CallError::Null("face"))?;
        let next = terminal.face_after(face.place());
        face.put(next.as_ref());
        Ok(if next.is_some() {
            YikaStatus::Done
        } else {
            YikaStatus::Refused
        })
    })
}

/// Hands in what was sold, and puts the number of records that the platform has not answered for into `*pending` (NULL
/// if not wanted). Uses the network and blocks until it is done; after an error the next upload goes on where it ended.
///
/// # Safety
///
/// `terminal` must be NULL or an open handle, `pending` NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn yika_terminal_upload(
    terminal: *const YikaTerminal,
    pending: *mut u64,
) -> YikaStatus {
    call(|| {
        // SAFETY: the caller promises that it is NULL or an open handle.
        let terminal = unsafe { opened(terminal) }?;
        online(terminal.upload())?;
        let records = terminal.status()?.pending_records;
        // SAFETY: the caller promises that it is NULL or valid for writing.
        unsafe { put(pending, records) };
        Ok(YikaStatus::Done)
    })
}

/// # Safety
///
/// As for [`yika_terminal_verify_payment`].
unsafe fn verify(
    terminal: *const YikaTerminal,
    code: *const c_char,
    purpose: Purpose,
    sale: *const u8,
    verdict: *mut YikaVerdict,
) -> YikaStatus {
    call(|| {
        // SAFETY: the caller promises that it is NULL or an open handle.
        let terminal = unsafe { opened(terminal) }?;
        // SAFETY: the caller promises that it is NULL or NUL-terminated.
        let code = unsafe { string(code, "code") }?;
        // SAFETY: the caller promises that it is NULL or readable for 16 bytes; an array of bytes has no alignment.
        let sale = unsafe { sale.cast::<[u8; YIKA_SALE_BYTES]>().as_ref() };
        if verdict.is_null() {
            // Before anything is recorded that could not be told.
            return Err(CallError::Null("verdict"));
        }
        let sale = sale.map_or_else(new_sale_id, |bytes| SaleId(*bytes));
        let answer = YikaVerdict::new(&terminal.verify(code, Request { purpose, sale })?, sale);
        // SAFETY: the caller promises that it is NULL or valid for writing.
        unsafe { put(verdict, answer) };
        Ok(if answer.is_approved {
            YikaStatus::Done
        } else {
            YikaStatus::Refused
        })
    })
}

/// # Safety
///
/// `terminal` must be NULL or an open handle that stays open for `'a`.
unsafe fn opened<'a>(terminal: *const YikaTerminal) -> Result<&'a Terminal, CallError> {
    // SAFETY: this function's own promise.
    let handle = unsafe { terminal.as_ref() };
    Ok(&handle.ok_or(CallError::Null("terminal"))?.terminal)
}

/// # Safety
///
/// `text` must be NULL or a NUL-terminated string that stays as it is for `'a`.
unsafe fn string<'a>(text: *const c_char, name: &'static str) -> Result<&'a [u8], CallError> {
    if text.is_null() {
        return Err(CallError::Null(name));
    }
    // SAFETY: not NULL, so by this function's own promise it is NUL-terminated.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Writes without looking at what was there before: C need not have set it.
///
/// # Safety
///
/// `to` must be NULL or valid for writing.
unsafe fn put<T: Copy>(to: *mut T, value: T) {
    if !to.is_null() {
        // SAFETY: not NULL, so by this function's own promise valid for writing.
        unsafe { to.write(value) };
    }
}
