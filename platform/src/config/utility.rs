//! What the platform is told about the utilities.

use super::{ConfigError, PublicOrigin};
use std::time::Duration;
use url::Url;

/// Where the utilities' adapter is.
#[derive(Clone, Debug)]
pub struct UtilityConfig {
    /// The base address of the adapter.
    pub url: Url,
    /// How long it may take to answer.
    pub timeout: Duration,
}

impl UtilityConfig {
    /// The adapter at this address, which has ten seconds to answer. TLS is required except for loopback.
    ///
    /// # Errors
    /// Where it is no address, or one without TLS.
    pub fn at(url: &str) -> Result<Self, ConfigError> {
        PublicOrigin::of_url(url)?;
        Ok(Self {
            url: Url::parse(url).map_err(|_| ConfigError::Origin(url.to_owned()))?,
            timeout: Duration::from_secs(10),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_that_others_could_listen_to_is_refused() {
        assert!(UtilityConfig::at("http://127.0.0.1:9000/meters").is_ok());
        assert!(UtilityConfig::at("https://meters.example/v1").is_ok());
        for url in ["http://meters.example", "meters", ""] {
            assert!(UtilityConfig::at(url).is_err(), "{url}");
        }
    }
}
