//! Settled marks, whole or as bodies that are signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::SettledMark;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    open_and_encode(
        data,
        (7, "YIKA1.mark"),
        |bytes| SettledMark::open(bytes, &SCHOOL.keyset),
        |_| None,
    );
});
