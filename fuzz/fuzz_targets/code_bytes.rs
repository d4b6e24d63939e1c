//! Bytes of codes, as sale records keep them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::code::Code;

fuzz_target!(|data: &[u8]| {
    if let Ok(code) = Code::from_bytes(data) {
        assert_eq!(code.to_bytes(), data);
    }
});
