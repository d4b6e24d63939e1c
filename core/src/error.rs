//! What can go wrong, as one closed enum with stable codes. Shells switch on the variants and own the words; the texts here
//! are for people who read logs. Nothing secret ever gets into one.

use std::fmt;
use std::path::PathBuf;

use yika_api::{ProblemCode, UnixMillis};
use yika_link::OriginError;

use crate::http::HttpError;
use crate::ports::{ClockError, KeyError, WitnessError};
use crate::store::StoreError;
use crate::trust::TrustFault;
use crate::wallet::{InputField, MoneyReason, MoneyRefusal};

/// Why the phone could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// No campus card is bound to this phone.
    #[error("no campus card is bound; bind one while online")]
    NotBound,
    /// A card is bound, but the phone has no credential yet.
    #[error("this phone has no credential yet; synchronise while online")]
    NotEnrolled,
    /// The session ended (expired, or ended by the host). Codes that are still valid go on.
    #[error("the sign-in has expired; sign in again")]
    SessionExpired,
    /// The credential has ended, for this form of code.
    #[error("the code's credential has expired; synchronise while online")]
    CredentialExpired {
        /// When the form asked for ended.
        since: UnixMillis,
        /// Until when the short code is still taken, where only the full one has ended.
        short_form_until: Option<UnixMillis>,
    },
    /// This phone was reported lost: it shows no codes.
    #[error("this phone is reported lost; report it found, or ask the card office")]
    PhoneLost,
    /// The card is frozen: it shows no codes.
    #[error("the card is frozen; report it found, or ask the card office")]
    CardFrozen,
    /// The credential was revoked for good; only a new one helps.
    #[error("the credential was revoked; synchronise while online, or ask the card office")]
    CredentialRevoked,
    /// The store was restored from a backup, so that codes might repeat: a new epoch is needed first.
    #[error("the store was restored from a copy; synchronise while online before showing codes")]
    StoreRestored,
    /// The store was damaged; what was there is kept aside.
    #[error("the phone's data was damaged and set aside; bind the card again while online")]
    StoreDamaged {
        /// Where the damaged file was put.
        kept: Option<PathBuf>,
    },
    /// Another process has the store open.
    #[error("another process has this store open; close it first")]
    StoreBusy,
    /// No space is left, so no code can be made durable before it is shown.
    #[error("no storage space is left; free some")]
    StorageFull,
    /// The storage failed in another way.
    #[error("the storage failed ({operation}); try again")]
    StorageFailed {
        /// What was being done.
        operation: &'static str,
    },
    /// The time is before what this phone has already seen, whichever clock is believed.
    #[error("the phone's time is impossible; connect, or set it automatically")]
    ClockImpossible,
    /// No such account, or the credential cannot pay from it.
    #[error("no such account, or codes cannot pay from it")]
    AccountUnknown,
    /// The keystore dropped the key because the way to unlock the phone changed.
    #[error("the key was invalidated; bind the card again")]
    KeyInvalidated,
    /// The key has gone from the keystore.
    #[error("the key is missing from the keystore; bind the card again")]
    KeyMissing,
    /// The holder must unlock the key first.
    #[error("the key is locked; unlock it first")]
    KeyLocked,
    /// The keystore did not answer in time.
    #[error("the keystore is busy; try again")]
    KeyBusy,
    /// The phone has no screen lock, which the key needs.
    #[error("the phone has no screen lock; set one first")]
    NoScreenLock,
    /// Too many wrong fingers or faces.
    #[error("biometrics are locked out; unlock the phone with its passcode first")]
    BiometricLocked,
    /// The holder cancelled the unlocking.
    #[error("unlocking was cancelled")]
    BiometricCancelled,
    /// The phone has no usable keystore.
    #[error("the keystore is unavailable")]
    KeyUnavailable,
    /// The network could not be reached, or no answer came.
    #[error("cannot reach the network; try again when connected")]
    Network,
    /// No secure connection: the server's certificate is not one this phone accepts.
    #[error("no secure connection; change the network")]
    Tls,
    /// The root key that the platform tells is not the one that this phone trusts the school by.
    #[error(
        "the platform's root key is not the school's; check the address, try another network, or update the app"
    )]
    RootKeyMismatch,
    /// Something that the school should have signed for this phone is not right. Nothing was changed: codes go on with the
    /// credential there is.
    #[error(
        "the school does not vouch for the platform's answer ({fault}); try another network, or ask the card office"
    )]
    Untrusted {
        /// What is wrong.
        fault: TrustFault,
    },
    /// The platform is busy, or asked for patience.
    #[error("the service is busy; try again shortly")]
    ServerBusy {
        /// When it is worth trying again, where the platform said so.
        retry_at: Option<UnixMillis>,
    },
    /// The platform does not let this holder do this.
    #[error("not allowed")]
    Forbidden,
    /// The platform and this version do not understand each other.
    #[error("the platform's answer is not understood; update the app")]
    AppOutdated,
    /// The address of the platform is not one.
    #[error("the platform's address is not a plain https:// origin")]
    InvalidPlatformUrl,
    /// The address of the platform is cleartext HTTP, and not on this very machine.
    #[error("cleartext http:// is allowed to a loopback address only; use https://")]
    CleartextRefused,
    /// Money does not move, for a reason that the holder can understand. Nothing was charged.
    #[error("not possible: {refusal}")]
    Money {
        /// Why.
        refusal: MoneyRefusal,
    },
    /// Something typed in is not of its form.
    #[error("{field} is not right; check it")]
    InvalidInput {
        /// What.
        field: InputField,
    },
    /// The payment password is one that others guess at once.
    #[error("the payment password is too easy to guess; choose another")]
    WeakPassword,
    /// A photo or a camera's frame can't be opened.
    #[error("cannot open the photo ({fault}); choose another")]
    Photo {
        /// Why.
        fault: PhotoFault,
    },
    /// The holder has not agreed to the text that is in force about face photos.
    #[error("the holder has not agreed to the text in force; show it, and ask")]
    ConsentRequired,
    /// The platform refused the request for a reason that this version has no own error for.
    #[error("the platform refused the request: {refusal}")]
    Refused {
        /// What it said.
        refusal: PlatformRefusal,
    },
    /// A fault in this library or in what a port answered.
    #[error("internal fault: {fault}")]
    Internal {
        /// Which.
        fault: InternalFault,
    },
}

/// What the platform said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The problem's code; absent where the answer was no problem document.
    pub code: Option<ProblemCode>,
    /// Under what the platform's log has more.
    pub reference: Option<String>,
}

impl fmt::Display for PlatformRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("no problem document", ProblemCode::as_str);
        write!(f, "{} {code}", self.status)?;
        self.reference
            .as_ref()
            .map_or(Ok(()), |reference| write!(f, " ({reference})"))
    }
}

/// Faults that no user can do anything about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InternalFault {
    /// A thread or task ended before it answered.
    #[error("a task ended early")]
    TaskEnded,
    /// A thread, runtime or HTTP client could not be started.
    #[error("the runtime could not be started")]
    Runtime,
    /// A value could not be encoded.
    #[error("a value could not be encoded")]
    Encoding,
    /// A signature does not verify under the key that should have made it.
    #[error("the keystore's signature does not verify")]
    BadSignature,
    /// The clock port failed.
    #[error("the clock could not be read")]
    Clock,
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Random,
}

impl CoreError {
    /// The stable code, by which shells find their words.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotBound => "not_bound",
            Self::NotEnrolled => "not_enrolled",
            Self::SessionExpired => "session_expired",
            Self::CredentialExpired { .. } => "credential_expired",
            Self::PhoneLost => "phone_lost",
            Self::CardFrozen => "card_frozen",
            Self::CredentialRevoked => "credential_revoked",
            Self::StoreRestored => "store_restored",
            Self::StoreDamaged { .. } => "store_damaged",
            Self::StoreBusy => "store_busy",
            Self::StorageFull => "storage_full",
            Self::StorageFailed { .. } => "storage_failed",
            Self::ClockImpossible => "clock_impossible",
            Self::AccountUnknown => "account_unknown",
            Self::KeyInvalidated => "key_invalidated",
            Self::KeyMissing => "key_missing",
            Self::KeyLocked => "key_locked",
            Self::KeyBusy => "key_busy",
            Self::NoScreenLock => "no_screen_lock",
            Self::BiometricLocked => "biometric_locked",
            Self::BiometricCancelled => "biometric_cancelled",
            Self::KeyUnavailable => "key_unavailable",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::RootKeyMismatch => "root_key_mismatch",
            Self::Untrusted { .. } => "untrusted",
            Self::ServerBusy { .. } => "server_busy",
            Self::Forbidden => "forbidden",
            Self::AppOutdated => "app_outdated",
            Self::InvalidPlatformUrl => "invalid_platform_url",
            Self::CleartextRefused => "cleartext_refused",
            Self::Money { refusal } => refusal.reason.as_str(),
            Self::InvalidInput { .. } => "invalid_input",
            Self::WeakPassword => "weak_password",
            Self::Photo { .. } => "unreadable",
            Self::ConsentRequired => "consent_required",
            Self::Refused { .. } => "refused",
            Self::Internal { .. } => "internal",
        }
    }

    /// Whether the same call can succeed later without the user doing anything but trying again.
    pub fn retryable(&self) -> bool {
        if let Self::Money { refusal } = self {
            return matches!(
                refusal.reason,
                MoneyReason::BankUnavailable | MoneyReason::UtilityUnavailable
            );
        }
        matches!(
            self,
            Self::Network
                | Self::Tls
                | Self::ServerBusy { .. }
                | Self::KeyBusy
                | Self::KeyLocked
                | Self::BiometricCancelled
                | Self::StoreBusy
                | Self::StorageFailed { .. }
        )
    }
}

/// Why a photo can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoFault {
    /// It is no JPEG, PNG or WebP.
    #[error("not a JPEG, PNG or WebP")]
    UnknownKind,
    /// It is damaged.
    #[error("damaged")]
    Damaged,
    /// It has too many bytes or pixels.
    #[error("too large")]
    TooLarge,
    /// It is no portrait as they are made here.
    #[error("not a portrait as they are made here")]
    NoPortrait,
    /// The camera's frame is not of the size that was said.
    #[error("a camera's frame of another size than was said")]
    Frame,
}

impl From<PhotoFault> for CoreError {
    fn from(fault: PhotoFault) -> Self {
        Self::Photo { fault }
    }
}

impl From<KeyError> for CoreError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Invalidated => Self::KeyInvalidated,
            KeyError::Missing => Self::KeyMissing,
            KeyError::Full => Self::StorageFull,
            KeyError::Locked => Self::KeyLocked,
            KeyError::LockedOut => Self::BiometricLocked,
            KeyError::Cancelled => Self::BiometricCancelled,
            KeyError::NoScreenLock => Self::NoScreenLock,
            KeyError::Busy => Self::KeyBusy,
            KeyError::Unavailable => Self::KeyUnavailable,
        }
    }
}

impl From<ClockError> for CoreError {
    fn from(_: ClockError) -> Self {
        Self::Internal {
            fault: InternalFault::Clock,
        }
    }
}

impl From<WitnessError> for CoreError {
    fn from(error: WitnessError) -> Self {
        match error {
            WitnessError::Full => Self::StorageFull,
            WitnessError::Unavailable => Self::StorageFailed { operation: "witness" },
        }
    }
}

impl From<StoreError> for CoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::StoreBusy,
            StoreError::Full => Self::StorageFull,
            StoreError::Damaged => Self::StoreDamaged { kept: None },
            StoreError::Newer => Self::AppOutdated,
            StoreError::Failed { operation } => Self::StorageFailed { operation },
            StoreError::Encoding => Self::Internal {
                fault: InternalFault::Encoding,
            },
            StoreError::Random => Self::Internal {
                fault: InternalFault::Random,
            },
            StoreError::Key(error) => error.into(),
        }
    }
}

impl From<OriginError> for CoreError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Malformed => Self::InvalidPlatformUrl,
            OriginError::Cleartext => Self::CleartextRefused,
        }
    }
}

impl From<MoneyRefusal> for CoreError {
    fn from(refusal: MoneyRefusal) -> Self {
        Self::Money { refusal }
    }
}

impl From<MoneyReason> for CoreError {
    fn from(reason: MoneyReason) -> Self {
        MoneyRefusal::of(reason).into()
    }
}

impl From<TrustFault> for CoreError {
    fn from(fault: TrustFault) -> Self {
        Self::Untrusted { fault }
    }
}

impl From<HttpError> for CoreError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable | HttpError::Network => Self::Network,
            HttpError::Tls => Self::Tls,
            HttpError::CertificateTime => Self::ClockImpossible,
            HttpError::TooLarge | HttpError::Malformed => Self::AppOutdated,
            HttpError::Client => Self::Internal {
                fault: InternalFault::Runtime,
            },
            HttpError::Sign(error) => error.into(),
            HttpError::Problem(refusal) => (*refusal).into(),
            HttpError::Token(_) => Self::AppOutdated,
        }
    }
}

impl From<crate::http::Refusal> for CoreError {
    fn from(refusal: crate::http::Refusal) -> Self {
        if let Some(refusal) = MoneyRefusal::told(&refusal) {
            return refusal.into();
        }
        match refusal.code {
            Some(ProblemCode::SessionExpired) => Self::SessionExpired,
            Some(ProblemCode::DeviceLost) => Self::PhoneLost,
            Some(ProblemCode::CardFrozen) => Self::CardFrozen,
            Some(ProblemCode::Forbidden) => Self::Forbidden,
            Some(ProblemCode::RateLimited | ProblemCode::ServerBusy | ProblemCode::OperationInProgress) => {
                Self::ServerBusy {
                    retry_at: refusal.retry_at,
                }
            }
            None if matches!(refusal.status, 429 | 502 | 503 | 504) => Self::ServerBusy { retry_at: None },
            code => {
                let crate::http::Refusal {
                    status, reference, ..
                } = refusal;
                Self::Refused {
                    refusal: PlatformRefusal {
                        status,
                        code,
                        reference,
                    },
                }
            }
        }
    }
}
