//! Where the platform is: an HTTPS origin, or a cleartext one on this very machine.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A platform's address.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no platform's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not an `http` or `https` URL, or one with a path, query, fragment or user.
    #[error("not the address of a platform; write it like https://card.school.example")]
    Malformed,
    /// `http` to another machine.
    #[error("the platform must be reached over https; http is for this machine only")]
    Cleartext,
}

impl Origin {
    /// The address without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::Malformed)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_bare || !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Malformed);
        }
        let is_loopback = match url.host().ok_or(OriginError::Malformed)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        match url.scheme() {
            "https" => Ok(Self(url.origin().ascii_serialization())),
            "http" if is_loopback => Ok(Self(url.origin().ascii_serialization())),
            "http" => Err(OriginError::Cleartext),
            _ => Err(OriginError::Malformed),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleartext_is_refused_except_to_this_machine() {
        for text in [
            "http://card.school.example",
            "http://10.0.0.1:8080",
            "http://127.0.0.1.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError::Cleartext), "{text}");
        }
        for text in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9",
            "https://card.school.example",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_more_than_an_origin_is_refused() {
        for text in [
            "",
            "card.school.example",
            "ftp://a.example",
            "https://a.example/x",
            "https://a.example/?q",
            "https://u@a.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError::Malformed), "{text}");
        }
        assert_eq!(
            "https://A.example:443/".parse::<Origin>().unwrap().as_str(),
            "https://a.example"
        );
    }
}
