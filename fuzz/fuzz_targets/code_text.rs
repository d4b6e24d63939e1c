//! Texts of codes, as scanners type them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::code::Code;

fuzz_target!(|data: &[u8]| {
    if let Ok(code) = Code::from_text(data) {
        let text = match &code {
            Code::Short(code) => code.to_text(),
            Code::Full(code) => code.to_text(),
        };
        assert_eq!(Code::from_text(text.as_bytes()), Ok(code));
        assert!(
            data.to_ascii_uppercase()
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        );
    }
});
