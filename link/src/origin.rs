//! Where the platform is: an HTTPS origin, or a cleartext one on this very machine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A platform's address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Url", into = "Url")]
pub struct Origin(Url);

/// Why something is no platform's address.
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
    /// The origin `url`.
    ///
    /// # Errors
    ///
    /// [`OriginError::Malformed`] where it has a path, query, fragment or user, or another scheme;
    /// [`OriginError::Cleartext`] where it is `http://` to anywhere but a loopback address.
    pub fn new(url: Url) -> Result<Self, OriginError> {
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_bare || !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Malformed);
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => Ok(Self(url)),
            ("http", Some(host)) if is_loopback(&host) => Ok(Self(url)),
            ("http", Some(_)) => Err(OriginError::Cleartext),
            _ => Err(OriginError::Malformed),
        }
    }

    /// The origin as a URL with the path `/`.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL of a path, which begins with a slash.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// Whether it is reached over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::new(Url::parse(text).map_err(|_| OriginError::Malformed)?)
    }
}

impl TryFrom<Url> for Origin {
    type Error = OriginError;

    fn try_from(url: Url) -> Result<Self, OriginError> {
        Self::new(url)
    }
}

impl From<Origin> for Url {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

/// Scheme, host and port, without a slash at the end.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
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
            "http://192.168.1.2:8080",
            "http://127.0.0.1.example",
            "http://[2001:db8::1]",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError::Cleartext), "{text}");
        }
        for text in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9",
            "https://card.school.example",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "card.school.example",
            "ftp://a.example",
            "mailto:a@b",
            "https://a.example/x",
            "https://a.example/?q",
            "https://u@a.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError::Malformed), "{text}");
        }
    }

    #[test]
    fn an_origin_is_told_one_way_however_it_was_written() {
        let origin: Origin = "https://A.example:443/".parse().unwrap();
        assert_eq!(origin.to_string(), "https://a.example");
        assert_eq!(origin.join("/v1/time").as_str(), "https://a.example/v1/time");
    }
}
