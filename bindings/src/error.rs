//! The one error that shells see: the core's, variant by variant, with typed fields. The stable code, whether trying again
//! helps, and the text for logs are the core's too; a test holds the two enums together.

use yika_core::CoreError;

use crate::refusals::{InputField, MoneyReason, MoneyRefusal};
pub use yika_core::{InternalFault, PhotoFault, PlatformRefusal, TrustFault};

use crate::types::{ProblemCode, UnixMillis};

/// Why the phone could not do what was asked. Switch on the variant and own the words; `code()` is the variant's stable
/// name, for logs and for looking words up. The text of `toString()` (Kotlin) or `description` (Swift) is English, for
/// people who read logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum YikaError {
    /// No campus card is bound to this phone: bind one while online.
    #[error("no campus card is bound; bind one while online")]
    NotBound,
    /// A card is bound, but the phone has no credential yet: synchronise while online.
    #[error("this phone has no credential yet; synchronise while online")]
    NotEnrolled,
    /// The session ended: sign in again. Codes that are still valid go on.
    #[error("the sign-in has expired; sign in again")]
    SessionExpired,
    /// The credential has ended, for the form of code asked for.
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
    /// The store was restored from a backup, so that codes might repeat: synchronise before showing codes.
    #[error("the store was restored from a copy; synchronise while online before showing codes")]
    StoreRestored,
    /// The store was damaged; what was there is kept aside.
    #[error("the phone's data was damaged and set aside; bind the card again while online")]
    StoreDamaged {
        /// The path that the damaged file was moved to.
        kept: Option<String>,
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
        /// What was being done, for logs.
        operation: String,
    },
    /// The time is before what this phone has already seen, whichever clock is believed.
    #[error("the phone's time is impossible; connect, or set it automatically")]
    ClockImpossible,
    /// No such account, or the credential cannot pay from it.
    #[error("no such account, or codes cannot pay from it")]
    AccountUnknown,
    /// The keystore dropped the key because the way to unlock the phone changed: bind again.
    #[error("the key was invalidated; bind the card again")]
    KeyInvalidated,
    /// The key has gone from the keystore: bind again.
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
    /// Too many wrong fingers or faces: unlock the phone with its passcode first.
    #[error("biometrics are locked out; unlock the phone with its passcode first")]
    BiometricLocked,
    /// The holder cancelled the unlocking.
    #[error("unlocking was cancelled")]
    BiometricCancelled,
    /// The phone has no usable keystore, or the port that stands for it failed in an undeclared way.
    #[error("the keystore is unavailable")]
    KeyUnavailable,
    /// The network could not be reached, or no answer came.
    #[error("cannot reach the network; try again when connected")]
    Network,
    /// No secure connection: the server's certificate is not one that this phone accepts.
    #[error("no secure connection; change the network")]
    Tls,
    /// The root key that the platform tells is not the one that this phone trusts the school by: it may be another platform
    /// that answers.
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
        /// What is wrong, for logs.
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
    /// The platform and this version do not understand each other: update the app.
    #[error("the platform's answer is not understood; update the app")]
    AppOutdated,
    /// The address of the platform is not a plain `https://` origin.
    #[error("the platform's address is not a plain https:// origin")]
    InvalidPlatformUrl,
    /// The address of the platform is cleartext HTTP, and not on this very machine.
    #[error("cleartext http:// is allowed to a loopback address only; use https://")]
    CleartextRefused,
    /// Money does not move, for a reason that the holder can understand. Nothing was charged. `code()` is the reason's.
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
    /// The holder has not agreed to the text that is in force about face photos: show it, and ask.
    #[error("the holder has not agreed to the text in force; show it, and ask")]
    ConsentRequired,
    /// The platform refused for a reason that this version has no own error for.
    #[error("the platform refused the request: {refusal}")]
    Refused {
        /// What it said.
        refusal: PlatformRefusal,
    },
    /// A fault in this library, or in what a port answered. Nothing that a user does helps.
    #[error("internal fault: {fault}")]
    Internal {
        /// Which.
        fault: InternalFault,
    },
}

/// What the platform said when it refused.
#[uniffi::remote(Record)]
pub struct PlatformRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The problem's stable code; absent where the answer was no problem document.
    pub code: Option<ProblemCode>,
    /// Under what the platform's log has more.
    pub reference: Option<String>,
}

/// Why a photo can't be opened.
#[uniffi::remote(Enum)]
pub enum PhotoFault {
    /// It is no JPEG, PNG or WebP.
    UnknownKind,
    /// It is damaged.
    Damaged,
    /// It has too many bytes or pixels.
    TooLarge,
    /// It is no portrait as they are made here.
    NoPortrait,
    /// The camera's frame is not of the size that was said.
    Frame,
}

/// What is wrong with something that the school should have signed for this phone.
#[uniffi::remote(Enum)]
pub enum TrustFault {
    /// The keyset is not signed by the school's root key.
    Keyset,
    /// The keyset is older than one that this phone has seen.
    KeysetOlder,
    /// The keyset may not be relied on any more.
    KeysetEnded,
    /// The keyset has no such key for credentials now.
    Issuer,
    /// The signature is not that key's, or for another school.
    Signature,
    /// It is for another key than this phone's.
    DeviceKey,
    /// It has not the pseudonym that was asked for.
    Pseudonym,
    /// It has not the epoch that was asked for.
    Epoch,
    /// It has not begun, or is older than the one in use.
    Times,
    /// The bank's root key is another than the one that this phone trusts the bank by.
    BankRoot,
    /// The bank's keys are not signed by its root.
    BankKeys,
    /// The bank's keys may not be relied on any more.
    BankKeysEnded,
}

/// Faults that no user can do anything about.
#[uniffi::remote(Enum)]
pub enum InternalFault {
    /// A thread or task ended before it answered.
    TaskEnded,
    /// A thread, runtime or HTTP client could not be started.
    Runtime,
    /// A value could not be encoded.
    Encoding,
    /// The keystore's signature does not verify under the key that it enrolled.
    BadSignature,
    /// The clock port failed.
    Clock,
    /// The operating system gave no random bytes.
    Random,
}

#[uniffi::export]
impl YikaError {
    /// The variant's stable name, such as `not_bound`: for logs, and for finding words.
    pub fn code(&self) -> String {
        self.stable_code().to_owned()
    }

    /// Whether the same call can succeed later without the holder doing anything but trying again.
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

impl YikaError {
    const fn stable_code(&self) -> &'static str {
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
}

impl From<CoreError> for YikaError {
    fn from(error: CoreError) -> Self {
        match error {
            CoreError::NotBound => Self::NotBound,
            CoreError::NotEnrolled => Self::NotEnrolled,
            CoreError::SessionExpired => Self::SessionExpired,
            CoreError::CredentialExpired {
                since,
                short_form_until,
            } => Self::CredentialExpired {
                since,
                short_form_until,
            },
            CoreError::PhoneLost => Self::PhoneLost,
            CoreError::CardFrozen => Self::CardFrozen,
            CoreError::CredentialRevoked => Self::CredentialRevoked,
            CoreError::StoreRestored => Self::StoreRestored,
            CoreError::StoreDamaged { kept } => Self::StoreDamaged {
                kept: kept.map(|path| path.display().to_string()),
            },
            CoreError::StoreBusy => Self::StoreBusy,
            CoreError::StorageFull => Self::StorageFull,
            CoreError::StorageFailed { operation } => Self::StorageFailed {
                operation: operation.to_owned(),
            },
            CoreError::ClockImpossible => Self::ClockImpossible,
            CoreError::AccountUnknown => Self::AccountUnknown,
            CoreError::KeyInvalidated => Self::KeyInvalidated,
            CoreError::KeyMissing => Self::KeyMissing,
            CoreError::KeyLocked => Self::KeyLocked,
            CoreError::KeyBusy => Self::KeyBusy,
            CoreError::NoScreenLock => Self::NoScreenLock,
            CoreError::BiometricLocked => Self::BiometricLocked,
            CoreError::BiometricCancelled => Self::BiometricCancelled,
            CoreError::KeyUnavailable => Self::KeyUnavailable,
            CoreError::Network => Self::Network,
            CoreError::Tls => Self::Tls,
            CoreError::RootKeyMismatch => Self::RootKeyMismatch,
            CoreError::Untrusted { fault } => Self::Untrusted { fault },
            CoreError::ServerBusy { retry_at } => Self::ServerBusy { retry_at },
            CoreError::Forbidden => Self::Forbidden,
            CoreError::AppOutdated => Self::AppOutdated,
            CoreError::InvalidPlatformUrl => Self::InvalidPlatformUrl,
            CoreError::CleartextRefused => Self::CleartextRefused,
            CoreError::Money { refusal } => Self::Money { refusal },
            CoreError::InvalidInput { field } => Self::InvalidInput { field },
            CoreError::WeakPassword => Self::WeakPassword,
            CoreError::Photo { fault } => Self::Photo { fault },
            CoreError::ConsentRequired => Self::ConsentRequired,
            CoreError::Refused { refusal } => Self::Refused { refusal },
            CoreError::Internal { fault } => Self::Internal { fault },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// One of each variant, with everything in it that can be.
    fn every_core_error() -> Vec<CoreError> {
        let mut all = every_variant();
        all.extend(MoneyReason::ALL.iter().map(|&reason| reason.into()));
        all
    }

    fn every_variant() -> Vec<CoreError> {
        let at = UnixMillis(1_795_000_000_000);
        let refusal = PlatformRefusal {
            status: 422,
            code: Some(ProblemCode::InvalidKeyProof),
            reference: Some("r".into()),
        };
        vec![
            CoreError::NotBound,
            CoreError::NotEnrolled,
            CoreError::SessionExpired,
            CoreError::CredentialExpired {
                since: at,
                short_form_until: Some(at),
            },
            CoreError::PhoneLost,
            CoreError::CardFrozen,
            CoreError::CredentialRevoked,
            CoreError::StoreRestored,
            CoreError::StoreDamaged {
                kept: Some("aside".into()),
            },
            CoreError::StoreBusy,
            CoreError::StorageFull,
            CoreError::StorageFailed { operation: "journal" },
            CoreError::ClockImpossible,
            CoreError::AccountUnknown,
            CoreError::KeyInvalidated,
            CoreError::KeyMissing,
            CoreError::KeyLocked,
            CoreError::KeyBusy,
            CoreError::NoScreenLock,
            CoreError::BiometricLocked,
            CoreError::BiometricCancelled,
            CoreError::KeyUnavailable,
            CoreError::Network,
            CoreError::Tls,
            CoreError::RootKeyMismatch,
            CoreError::Untrusted {
                fault: TrustFault::Signature,
            },
            CoreError::ServerBusy { retry_at: Some(at) },
            CoreError::Forbidden,
            CoreError::AppOutdated,
            CoreError::InvalidPlatformUrl,
            CoreError::CleartextRefused,
            CoreError::InvalidInput {
                field: InputField::CardNumber,
            },
            CoreError::WeakPassword,
            CoreError::Photo {
                fault: PhotoFault::Damaged,
            },
            CoreError::Refused { refusal },
            CoreError::Internal {
                fault: InternalFault::BadSignature,
            },
        ]
    }

    #[test]
    fn an_error_crosses_with_the_cores_code_text_and_advice_on_trying_again() {
        for core in every_core_error() {
            let crossed = YikaError::from(core.clone());
            assert_eq!(crossed.code(), core.code());
            assert_eq!(crossed.to_string(), core.to_string());
            assert_eq!(crossed.retryable(), core.retryable(), "{}", core.code());
        }
    }

    #[test]
    fn no_two_errors_have_the_same_code() {
        let codes: HashSet<_> = every_core_error()
            .into_iter()
            .map(|core| YikaError::from(core).code())
            .collect();
        assert_eq!(codes.len(), every_core_error().len());
    }
}
