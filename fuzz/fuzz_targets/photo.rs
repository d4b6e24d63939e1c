//! Photos: files of every kind that is read, and what passes for one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_face::{MAX_PIXELS, decode};

// Only what escapes counts: that others' decoders panic within is caught, and their fuzzers' business.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| {
    if let Ok(picture) = decode(data) {
        let view = picture.upright();
        assert!(view.width > 0 && view.height > 0);
        assert!(u64::from(view.width) * u64::from(view.height) <= MAX_PIXELS);
        view.thumbnail(32);
    }
});
