//! Faces, whole or as bodies that are signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::Faces;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    open_and_encode(
        data,
        (8, "YIKA1.faces"),
        |bytes| Faces::open(bytes, &SCHOOL.keyset),
        |list| Some(Faces::unsigned(list.header(), list.entries()).preimage().to_vec()),
    );
});
