//! How bytes, instants and bilingual names travel in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Bytes as unpadded base64url text (RFC 4648, section 5). `Debug` shows the length only: some of them are secret.
#[derive(Clone, Default, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]*$", example = "3q2-7w")]
pub struct Base64Url(pub Vec<u8>);

impl Base64Url {
    /// The bytes as an array, if there are exactly `N`.
    pub fn to_array<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }

    /// The text form.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Reads the text form; `None` where it isn't canonical unpadded base64url.
    pub fn decode(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok().map(Self)
    }
}

impl<T: Into<Vec<u8>>> From<T> for Base64Url {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Base64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Url({} bytes)", self.0.len())
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| de::Error::custom("expected unpadded base64url"))
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = i64, example = 1795000000000i64)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The instant `ms` milliseconds later, held at the ends of the range.
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// A name in the two languages of the screens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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
    fn padded_or_foreign_alphabets_are_refused() {
        for text in ["3q2+7w", "3q2-7w==", "3q2-7", "3q2 7w", "3q2-7x"] {
            assert!(
                serde_json::from_str::<Base64Url>(&format!("{text:?}")).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn bytes_survive_the_round_trip_and_stay_out_of_debug() {
        let bytes = Base64Url::from([0xde, 0xad, 0xbe, 0xef]);
        let json = serde_json::to_string(&bytes).unwrap();
        assert_eq!(json, "\"3q2-7w\"");
        assert_eq!(serde_json::from_str::<Base64Url>(&json).unwrap(), bytes);
        assert_eq!(format!("{bytes:?}"), "Base64Url(4 bytes)");
        assert_eq!(bytes.to_array::<3>(), None);
    }
}
