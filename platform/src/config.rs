//! What a platform is told at its start: whose school it is, where it keeps things, whom it trusts, what it allows.

mod bank;
mod card;
mod database;
mod face;
mod merchant;
mod utility;

pub use bank::{BankConfig, OperationTimes, WalletPolicy};
pub use card::CardSystem;
pub use database::{DatabaseUrl, PostgresUrl};
pub use face::FacePolicy;
pub use merchant::MerchantPolicy;
pub use utility::UtilityConfig;

use crate::http::HttpLimits;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;
use yika_api::LocalizedText;
use yika_api::credential::{CodePolicy, KeyStorage};

/// Everything that a platform is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the server keys. Made at first start, readable by its owner only. All servers of one database have it
    /// or a copy.
    pub data_dir: PathBuf,
    /// Where the books are.
    pub database: DatabaseUrl,
    /// The origin under which clients reach this platform; proofs of possession are checked against it.
    pub public_origin: PublicOrigin,
    /// Whose platform this is.
    pub school: SchoolConfig,
    /// Whose ID tokens are exchanged here.
    pub host: HostConfig,
    /// Who may enrol a terminal.
    pub terminal_enrolment: TerminalEnrolment,
    /// What credentials allow.
    pub credentials: CredentialPolicy,
    /// The bank that holds the wallets; without one none is offered.
    pub bank: Option<BankConfig>,
    /// The utilities that holders pay; without them none are offered.
    pub utility: Option<UtilityConfig>,
    /// What wallets and top-ups allow.
    pub wallet: WalletPolicy,
    /// What face photos are for, and how long they are kept where.
    pub faces: FacePolicy,
    /// How soon the school's card system stops a plastic card.
    pub cards: CardSystem,
    /// What people at stalls may do.
    pub merchants: MerchantPolicy,
    /// What a connection may take.
    pub http: HttpLimits,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a database that this build can open. What was written is not repeated: it may hold a password.
    #[error(
        "cannot use this database: {0}; write sqlite:// and the path of a file, or \
         postgres://user:password@host:port/name"
    )]
    Database(&'static str),
    /// Not an origin.
    #[error("{0:?} is not an origin; write a scheme and a host, like https://card.campus.example")]
    Origin(String),
    /// Cleartext on an address that others can reach.
    #[error(
        "will not serve cleartext on {0}; listen on loopback, or say --behind-tls-proxy where a proxy ends TLS"
    )]
    Cleartext(SocketAddr),
    /// Not a public key.
    #[error("{0:?} is not the bank's root; write the 33 bytes of a compressed P-256 key in base64url")]
    BankRoot(String),
    /// No such time zone.
    #[error("{0:?} is not the IANA name of a time zone")]
    TimeZone(String),
    /// A public origin without TLS.
    #[error("the public origin {0:?} has no TLS; only loopback may go without")]
    InsecureOrigin(String),
    /// A setting without which others than loopback may not be served.
    #[error("{0} must be given to serve others than loopback")]
    Missing(&'static str),
    /// No folder for the server keys, where the database is not a file that they could lie beside.
    #[error("--data must be given with postgres://: the folder of the server keys")]
    NoDataFolder,
    /// Not a lower-case DNS name.
    #[error("{0:?} is not a lower-case DNS name")]
    Domain(String),
}

/// Scheme, host and port under which clients reach the platform, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin(String);

impl PublicOrigin {
    /// Reads an origin. TLS is required except for loopback.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let refused = || ConfigError::Origin(text.to_owned());
        let url = Url::parse(text).map_err(|_| refused())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || !matches!(url.scheme(), "http" | "https") {
            return Err(refused());
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(ConfigError::InsecureOrigin(text.to_owned()));
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The origin of a whole URL, under the same rule.
    pub(crate) fn of_url(text: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(text).map_err(|_| ConfigError::Origin(text.to_owned()))?;
        Self::parse(&url.origin().ascii_serialization())
    }

    /// The origin's text, such as `https://card.campus.example`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whose platform this is.
#[derive(Clone, Debug)]
pub struct SchoolConfig {
    /// Lower-case DNS name; covered by every signature.
    pub domain: String,
    /// The school's name.
    pub name: LocalizedText,
    /// IANA name of the zone in which days are counted.
    pub time_zone: String,
}

impl SchoolConfig {
    /// Refuses a domain that is not a lower-case DNS name, whose hash would be another school's, and a zone that is none.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(ConfigError::TimeZone(self.time_zone.clone()));
        }
        let label = |part: &str| {
            !part.is_empty()
                && part.len() <= 63
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match self.domain.split('.').all(label) && self.domain.len() <= 253 {
            true => Ok(()),
            false => Err(ConfigError::Domain(self.domain.clone())),
        }
    }
}

/// The host app's identity provider.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The `iss` of its ID tokens; its discovery document stands below it.
    pub issuer: String,
    /// The `aud` that an ID token must carry.
    pub audience: String,
}

/// Who may enrol a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEnrolment {
    /// Anyone who reaches the platform. For trials.
    Open,
    /// Whoever has a one-use code from the card office.
    CodeRequired,
}

/// What credentials allow, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CredentialPolicy {
    /// Rotation of codes.
    pub codes: CodePolicy,
    /// Hours from a certificate's start to its end, 1–255.
    pub certificate_hours: u8,
    /// Days from enrolment to the end of the row in the terminals' table.
    pub row_days: u16,
    /// Limits where the code key lives in hardware.
    pub hardware_limits: Limits,
    /// Limits where the code key lives in the app's store.
    pub software_limits: Limits,
}

/// Limits of payments that terminals approve offline, in units of 10 fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For one payment.
    pub per_use: u16,
    /// For all payments of a credential in one group of terminals until they are settled.
    pub cumulative: u16,
}

impl CredentialPolicy {
    /// The limits for a key that lives there.
    pub fn limits(&self, storage: KeyStorage) -> Limits {
        match storage {
            KeyStorage::Software => self.software_limits,
            KeyStorage::Tee | KeyStorage::SecureElement => self.hardware_limits,
        }
    }
}

impl Default for CredentialPolicy {
    /// Codes turn every 20 s and live 30 s; certificates live ten days, rows 45; software keys ¥200 a payment and ¥400
    /// in all, hardware keys ¥300 and ¥600.
    fn default() -> Self {
        Self {
            codes: CodePolicy {
                rotation_s: 20,
                code_life_s: 30,
                renew_below_percent: 75,
            },
            certificate_hours: 240,
            row_days: 45,
            hardware_limits: Limits {
                per_use: 3000,
                cumulative: 6000,
            },
            software_limits: Limits {
                per_use: 2000,
                cumulative: 4000,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_without_tls_or_with_a_root_that_is_no_key_is_refused() {
        // The base point of P-256, and a text that is on no curve.
        let (root, none) = ("A2sX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW", "A2sX0fLhLEJH");
        assert!(BankConfig::at("http://127.0.0.1:9000/bank", root).is_ok());
        assert!(BankConfig::at("https://bank.example", root).is_ok());
        assert!(BankConfig::at("http://bank.example", root).is_err());
        assert!(matches!(
            BankConfig::at("https://bank.example", none),
            Err(ConfigError::BankRoot(_))
        ));
    }

    #[test]
    fn an_origin_with_more_than_a_host_or_without_tls_is_refused() {
        for text in [
            "",
            "campus",
            "https://a.example/x",
            "https://a.example/?q",
            "ftp://a.example",
            "https://u@a.example",
        ] {
            assert_eq!(
                PublicOrigin::parse(text),
                Err(ConfigError::Origin(text.to_owned())),
                "{text}"
            );
        }
        for text in [
            "http://a.example",
            "http://10.0.0.1:8080",
            "http://localhost.a.example",
        ] {
            assert_eq!(
                PublicOrigin::parse(text),
                Err(ConfigError::InsecureOrigin(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn loopback_may_go_without_tls() {
        for (text, origin) in [
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
            ("http://[::1]:4000", "http://[::1]:4000"),
            ("http://localhost", "http://localhost"),
            ("https://card.campus.example:443", "https://card.campus.example"),
        ] {
            assert_eq!(PublicOrigin::parse(text).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn a_domain_that_would_hash_differently_is_refused() {
        let school = |domain: &str| SchoolConfig {
            domain: domain.to_owned(),
            name: LocalizedText {
                zh: "学".into(),
                en: "S".into(),
            },
            time_zone: "Asia/Shanghai".into(),
        };
        for domain in [
            "",
            "Demo.example",
            "demo..example",
            "demo.example.",
            "-a.example",
            "d mo.example",
            "校.example",
        ] {
            assert!(school(domain).validate().is_err(), "{domain}");
        }
        assert!(school("demo.yika.example").validate().is_ok());
    }
}
