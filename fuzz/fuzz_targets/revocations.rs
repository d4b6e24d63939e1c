//! Revocations, whole or as bodies that are signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::Revocations;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    open_and_encode(
        data,
        (4, "YIKA1.revoke"),
        |bytes| Revocations::open(bytes, &SCHOOL.keyset),
        |list| {
            Some(
                Revocations::unsigned(list.header(), list.entries())
                    .preimage()
                    .to_vec(),
            )
        },
    );
});
