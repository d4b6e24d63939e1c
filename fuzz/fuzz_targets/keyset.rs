//! Keysets, whole or as bodies that are signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::Keyset;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    open_and_encode(
        data,
        (1, "YIKA1.keyset"),
        |bytes| Keyset::open(bytes, &SCHOOL.root),
        |keyset| {
            let entries: Vec<_> = keyset.entries().copied().collect();
            Some(Keyset::unsigned(keyset.header(), &entries).preimage().to_vec())
        },
    );
});
