//! Credentials by themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_format::credential::Credential;

fuzz_target!(|data: &[u8]| {
    if let Ok(credential) = Credential::decode(data) {
        assert_eq!(credential.to_bytes(), data);
    }
});
