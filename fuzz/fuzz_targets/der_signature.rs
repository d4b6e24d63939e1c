//! Signatures as key stores return them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::Signature;

fuzz_target!(|data: &[u8]| {
    if let Ok(signature) = Signature::from_raw_or_der(data) {
        assert_eq!(Signature::from_raw_or_der(signature.as_bytes()), Ok(signature));
    }
});
