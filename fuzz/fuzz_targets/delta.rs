//! Deltas, whole or as bodies that are signed well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::lists::Delta;
use yika_fuzz::{SCHOOL, open_and_encode};

fuzz_target!(|data: &[u8]| {
    open_and_encode(
        data,
        (3, "YIKA1.delta"),
        |bytes| Delta::open(bytes, &SCHOOL.keyset),
        |delta| {
            let unsigned = Delta::unsigned(delta.header(), delta.upserts(), delta.deletes());
            Some(unsigned.preimage().to_vec())
        },
    );
});
