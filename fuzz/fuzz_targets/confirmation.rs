//! What terminals ask to be confirmed, as phones scan it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::confirmation::Confirmation;

fuzz_target!(|data: &[u8]| {
    if let Ok(asked) = Confirmation::from_text(data) {
        let text = asked.to_text();
        assert_eq!(Confirmation::from_text(text.as_bytes()), Ok(asked));
        assert!(
            data.to_ascii_uppercase()
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        );
    }
});
