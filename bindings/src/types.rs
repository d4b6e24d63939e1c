//! The values that cross: how money, instants, ids and names look in Kotlin and Swift. The types themselves are the core's;
//! what is declared here must agree with them field by field, or this crate doesn't compile.

use url::Url;
use yika_core::{CoreError, InternalFault};

use crate::error::YikaError;

pub use uuid::Uuid;
pub use yika_api::{Fen, LocalizedText, ProblemCode, UnixMillis};
pub use yika_core::{Authority, Origin as PlatformUrl, SpkiPin};
pub use yika_format::{PublicKey as RootKey, Slot};

uniffi::custom_type!(
    /// An amount of money in fen (1/100 yuan), never a fraction: 1250 is ¥12.50.
    Fen,
    i64,
    { remote, lower: |fen| fen.get(), try_lift: |fen| Ok(Fen::new(fen)) }
);

uniffi::custom_type!(
    /// An instant: milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis,
    i64,
    { remote, lower: |instant| instant.0, try_lift: |ms| Ok(UnixMillis(ms)) }
);

uniffi::custom_type!(
    /// An id in the lower-case text form of RFC 9562, such as `0198c9a1-6a5c-7cc4-b4c8-5ad3a1b2c3d4`.
    Uuid,
    String,
    {
        remote,
        lower: |id| id.to_string(),
        // Accounts are all that a shell names by an id, and no account has a malformed one.
        try_lift: |text| Ok(Uuid::parse_str(&text).map_err(|_| YikaError::AccountUnknown)?),
    }
);

uniffi::custom_type!(
    /// The number 1–8 by which a code names an account.
    Slot,
    u8,
    { remote, lower: |slot| slot.get(), try_lift: |slot| Ok(Slot::new(slot).map_err(|_| YikaError::AccountUnknown)?) }
);

uniffi::custom_type!(
    /// The platform's address, such as `https://card.example.edu`: an origin without a path. `http://` is taken to loopback
    /// addresses only.
    PlatformUrl,
    String,
    { remote, lower: |url| url.url().to_string(), try_lift: |text| Ok(platform_url(&text)?) }
);

fn platform_url(text: &str) -> Result<PlatformUrl, YikaError> {
    let url = Url::parse(text).map_err(|_| YikaError::InvalidPlatformUrl)?;
    Ok(PlatformUrl::new(url).map_err(CoreError::from)?)
}

uniffi::custom_type!(
    /// The SHA-256 (32 bytes) of a certificate's SubjectPublicKeyInfo, as in RFC 7469.
    SpkiPin,
    Vec<u8>,
    { remote, lower: |pin| pin.0.to_vec(), try_lift: |bytes| Ok(spki_pin(bytes)?) }
);

fn spki_pin(bytes: Vec<u8>) -> Result<SpkiPin, YikaError> {
    // A pin of another length is a mistake of the app's, which no holder can do anything about.
    let malformed = YikaError::Internal {
        fault: InternalFault::Encoding,
    };
    bytes.try_into().map(SpkiPin).map_err(|_| malformed)
}

uniffi::custom_type!(
    /// The certificate (X.509, DER) of an authority that a school runs itself.
    Authority,
    Vec<u8>,
    { remote, lower: |authority| authority.as_der().to_vec(), try_lift: |bytes| Ok(authority(bytes)?) }
);

fn authority(der: Vec<u8>) -> Result<Authority, YikaError> {
    // As a pin's.
    Authority::from_der(der).map_err(|_| YikaError::Internal {
        fault: InternalFault::Encoding,
    })
}

uniffi::custom_type!(
    /// A school's root key: a compressed P-256 key of 33 bytes.
    RootKey,
    Vec<u8>,
    { remote, lower: |key| key.as_bytes().to_vec(), try_lift: |bytes| Ok(root_key(bytes)?) }
);

fn root_key(bytes: Vec<u8>) -> Result<RootKey, YikaError> {
    // As a pin's.
    let malformed = YikaError::Internal {
        fault: InternalFault::Encoding,
    };
    let bytes = bytes.try_into().map_err(|_| malformed.clone())?;
    RootKey::from_compressed(bytes).map_err(|_| malformed)
}

uniffi::custom_type!(
    /// The stable text of a problem that the platform named, such as `rate_limited`; `unknown` for one that this version
    /// does not know.
    ProblemCode,
    String,
    { remote, lower: |code| code.as_str().to_owned(), try_lift: |text| Ok(problem_code(&text)) }
);

fn problem_code(text: &str) -> ProblemCode {
    ProblemCode::ALL
        .iter()
        .copied()
        .find(|code| code.as_str() == text)
        .unwrap_or(ProblemCode::Unknown)
}

/// A name in the two languages of the screens.
#[uniffi::remote(Record)]
pub struct LocalizedText {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_no_phone_should_talk_to_are_typed_errors() {
        for text in [
            "",
            "card.example.edu",
            "ftp://card.example.edu",
            "https://card.example.edu/path",
            "https://a@b",
        ] {
            assert_eq!(platform_url(text), Err(YikaError::InvalidPlatformUrl), "{text}");
        }
        assert_eq!(
            platform_url("http://card.example.edu"),
            Err(YikaError::CleartextRefused)
        );
        assert!(platform_url("https://card.example.edu").is_ok());
        assert!(platform_url("http://127.0.0.1:8080").is_ok());
    }

    #[test]
    fn a_pin_of_another_length_is_refused() {
        let refused = Err(YikaError::Internal {
            fault: InternalFault::Encoding,
        });
        assert_eq!(spki_pin(vec![7; 31]), refused);
        assert_eq!(spki_pin(vec![7; 33]), refused);
        assert_eq!(spki_pin(vec![7; 32]), Ok(SpkiPin([7; 32])));
    }

    #[test]
    fn an_authority_that_is_no_certificate_is_refused() {
        let fault = InternalFault::Encoding;
        assert_eq!(authority(vec![0x30, 0]), Err(YikaError::Internal { fault }));
    }

    #[test]
    fn a_root_key_of_another_form_is_refused() {
        let refused = Err(YikaError::Internal {
            fault: InternalFault::Encoding,
        });
        assert_eq!(root_key(vec![2; 32]), refused);
        assert_eq!(root_key(vec![4; 33]), refused);
        assert_eq!(root_key(vec![2; 33]).unwrap().as_bytes(), &[2; 33]);
    }

    #[test]
    fn a_problem_of_a_newer_platform_is_unknown_and_the_others_read_back() {
        assert_eq!(problem_code("teapot"), ProblemCode::Unknown);
        for &code in ProblemCode::ALL {
            assert_eq!(problem_code(code.as_str()), code);
        }
    }
}
