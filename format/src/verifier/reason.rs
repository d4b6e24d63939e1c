//! Why a code is refused: a closed set, in the order of the checks.

/// Why a code is refused. Earlier variants are checked earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reason {
    /// The text or bytes are no canonical code.
    #[error("not a readable code; scan again")]
    Malformed,
    /// No accepted school has this issuer key for credentials, now.
    #[error("issued by an unknown key; update the terminal's keyset")]
    IssuerUnknown,
    /// The issuer's signature does not verify.
    #[error("the credential is not genuine")]
    IssuerSignature,
    /// The table doesn't know this pseudonym, or not yet this epoch, or is out of date.
    #[error("unknown credential; ask the holder to show the full code")]
    Unknown,
    /// The credential begins later.
    #[error("the credential is not valid yet; check the terminal's time")]
    NotYet,
    /// The certificate, or the row, has ended.
    #[error("the credential has expired; the phone must go online once")]
    Expired,
    /// The certificate's key is not the one that the table has.
    #[error("the credential's key contradicts the table")]
    KeyConflict,
    /// The certificate's attributes are not those that the table has for the same epoch.
    #[error("the credential's attributes contradict the table")]
    AttributeConflict,
    /// The algorithm is not the one that the table has, or not one that this terminal verifies.
    #[error("the code uses another algorithm than enrolled")]
    Profile,
    /// The epoch is below the lowest accepted one.
    #[error("this credential was revoked")]
    Revoked,
    /// A confirmed payment's code came without a confirmation that this terminal asked for.
    #[error("the code answers a confirmation that this terminal did not ask for")]
    NotAsked,
    /// The device's signature does not verify.
    #[error("the code is not genuine")]
    DeviceSignature,
    /// The revocations are missing or out of date, and the school doesn't allow it without.
    #[error("the terminal's revocation list is out of date; connect the terminal")]
    ListsStale,
    /// The terminal does not know the time well enough to take money.
    #[error("the terminal's time is not confirmed; connect the terminal")]
    NoTime,
    /// The code was shown too long ago.
    #[error("the code is too old; ask for the current one")]
    Stale,
    /// The code claims a time to come.
    #[error("the phone's time is ahead; ask the holder to go online or to correct the time")]
    Future,
    /// The code is older than this terminal's memory.
    #[error("the code is older than this terminal's installation; wait for the next one")]
    BeforeInstall,
    /// This code, or a later one of this holder, was accepted here.
    #[error("this code was used already; wait for the next one")]
    Replay,
    /// Identity where a payment is asked for, or the other way round.
    #[error("wrong kind of code; ask for the right one")]
    WrongKind,
    /// The credential is not good at this place.
    #[error("the card is not valid here")]
    Scope,
    /// The code is for another group of sites.
    #[error("the code is for another site")]
    Site,
    /// The code names an account that the credential has not.
    #[error("this account cannot pay; choose another")]
    Account,
    /// The amount is not above zero, passes a limit, or is not the one that the holder confirmed.
    #[error("over the limit for offline payments; confirm on the phone or pay online")]
    Limit,
    /// The terminal could not record the approval.
    #[error("the terminal cannot store the payment; nothing was taken")]
    Storage,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 24] = [
        Self::Malformed,
        Self::IssuerUnknown,
        Self::IssuerSignature,
        Self::Unknown,
        Self::NotYet,
        Self::Expired,
        Self::KeyConflict,
        Self::AttributeConflict,
        Self::Profile,
        Self::Revoked,
        Self::NotAsked,
        Self::DeviceSignature,
        Self::ListsStale,
        Self::NoTime,
        Self::Stale,
        Self::Future,
        Self::BeforeInstall,
        Self::Replay,
        Self::WrongKind,
        Self::Scope,
        Self::Site,
        Self::Account,
        Self::Limit,
        Self::Storage,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::IssuerUnknown => "ISSUER_UNKNOWN",
            Self::IssuerSignature => "ISSUER_SIG",
            Self::Unknown => "UNKNOWN",
            Self::NotYet => "NOT_YET",
            Self::Expired => "EXPIRED",
            Self::KeyConflict => "KEY_CONFLICT",
            Self::AttributeConflict => "ATTR_CONFLICT",
            Self::Profile => "PROFILE",
            Self::Revoked => "REVOKED",
            Self::NotAsked => "NOT_ASKED",
            Self::DeviceSignature => "DEVICE_SIG",
            Self::ListsStale => "LISTS_STALE",
            Self::NoTime => "NO_TIME",
            Self::Stale => "STALE",
            Self::Future => "FUTURE",
            Self::BeforeInstall => "BEFORE_INSTALL",
            Self::Replay => "REPLAY",
            Self::WrongKind => "WRONG_KIND",
            Self::Scope => "SCOPE",
            Self::Site => "SITE",
            Self::Account => "ACCOUNT",
            Self::Limit => "LIMIT",
            Self::Storage => "STORAGE",
        }
    }
}

/// A refusal: why, and for time how far off the code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The code's time less the terminal's, in seconds; for [`Reason::Stale`] and [`Reason::Future`].
    pub offset_s: Option<i64>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            offset_s: None,
        }
    }
}
