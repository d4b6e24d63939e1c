//! What the platform is told about the bank, and what wallets and top-ups allow.

use super::{ConfigError, PublicOrigin};
use crate::clock::{MINUTE, SECOND};
use std::time::Duration;
use url::Url;
use yika_api::wallet::{CardFee, Terms};
use yika_api::{Base64Url, Fen, LocalizedText};
use yika_format::{ExpandedKey, PublicKey};

/// Where the bank's adapter is.
#[derive(Clone, Debug)]
pub struct BankConfig {
    /// The base address of the adapter.
    pub url: Url,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// The bank's root, which vouches for its keys.
    pub root: ExpandedKey,
}

impl BankConfig {
    /// The adapter at this address, which has ten seconds to answer, of a bank with this root: a compressed point in
    /// base64url. TLS is required except for loopback.
    ///
    /// # Errors
    /// Where it is no address, or one without TLS, or the root is no key.
    pub fn at(url: &str, root: &str) -> Result<Self, ConfigError> {
        PublicOrigin::of_url(url)?;
        let root = Base64Url::decode(root)
            .and_then(|bytes| bytes.to_array())
            .and_then(|bytes| PublicKey::from_compressed(bytes).ok())
            .and_then(|key| key.expand().ok())
            .ok_or_else(|| ConfigError::BankRoot(root.to_owned()))?;
        Ok(Self {
            url: Url::parse(url).map_err(|_| ConfigError::Origin(url.to_owned()))?,
            timeout: Duration::from_secs(10),
            root,
        })
    }
}

/// What wallets and top-ups allow.
#[derive(Clone, Debug)]
pub struct WalletPolicy {
    /// The least amount of an operation.
    pub least: Fen,
    /// The most of one top-up.
    pub single: Fen,
    /// The most of a holder's top-ups of a day.
    pub day: Fen,
    /// Amounts to offer for a top-up. Phones are told those that one top-up may be of.
    pub presets: Vec<Fen>,
    /// What the bank takes for a payment off a bank card.
    pub fee: CardFee,
    /// What opening a wallet accepts.
    pub terms: Terms,
    /// When the bank is asked what.
    pub times: OperationTimes,
}

/// When the bank is told or asked, and what is waited for. By the platform's clock, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct OperationTimes {
    /// For how long an order that the bank has not heard of is sent again before it is called off.
    pub patience_ms: i64,
    /// The pause after the first silence; each further one doubles it.
    pub first_pause_ms: i64,
    /// The longest pause.
    pub longest_pause_ms: i64,
    /// After how long another server takes over what one was at. Above the bank's time to answer.
    pub lease_ms: i64,
    /// How long a reply waits for the operation's end.
    pub reply_wait: Duration,
    /// How often servers look for what is due.
    pub poll: Duration,
}

impl Default for OperationTimes {
    /// Two minutes of patience, pauses of 1 s to 5 minutes, a minute's lease, replies within 4 s.
    fn default() -> Self {
        Self {
            patience_ms: 2 * MINUTE,
            first_pause_ms: SECOND,
            longest_pause_ms: 5 * MINUTE,
            lease_ms: MINUTE,
            reply_wait: Duration::from_secs(4),
            poll: Duration::from_millis(500),
        }
    }
}

impl Default for WalletPolicy {
    /// Top-ups of ¥1 to ¥1,000, ¥3,000 a day, without a fee; ¥50, ¥100, ¥200 and ¥500 are offered.
    fn default() -> Self {
        Self {
            least: Fen::new(100),
            single: Fen::new(100_000),
            day: Fen::new(300_000),
            presets: [5_000, 10_000, 20_000, 50_000].map(Fen::new).to_vec(),
            fee: CardFee { per_ten_thousand: 0 },
            terms: Terms {
                version: 1,
                text: LocalizedText {
                    zh: "电子钱包由合作银行提供，资金由银行保管。".to_owned(),
                    en: "The wallet is the bank's, which keeps the money in it.".to_owned(),
                },
            },
            times: OperationTimes::default(),
        }
    }
}
