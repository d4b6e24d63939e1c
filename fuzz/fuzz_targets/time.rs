//! Signed times, whole or as bodies that are signed well; the nonce is taken from the body, so that answers are reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::SignedTime;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    let nonce = data.first_chunk::<16>().copied().unwrap_or_default();
    open_and_encode(
        data,
        (5, "YIKA1.time"),
        |bytes| SignedTime::open(bytes, &SCHOOL.keyset, &nonce),
        |_| None,
    );
});
