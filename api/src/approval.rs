//! Step-up: how holders show that they are there, for what the session alone must not do.
//!
//! Either by the payment password, which the bank checks, or by an approval: a signature under a key that the phone's keystore
//! uses only after it has seen finger, face or screen lock, each time. `PUT /v1/sessions/current/approval-key` takes
//! [`SetApprovalKey`], once with the password, and answers [`ApprovalKey`]; `DELETE` on it forgets the key, as the end of the
//! phone's time with this holder does. What is signed says what is approved ([`Act`]), so that an approval is good for
//! nothing else. Where no money moves, and nothing that bounds it, a fresh sign-in at the host shows it too: who has no wallet has
//! neither of the others.

use crate::credential::KeyStorage;
use crate::wallet::SealedField;
use crate::{Base64Url, Fen, UnixMillis};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// How the holder shows to be there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepUp {
    /// By the payment password.
    Password {
        /// It, sealed for the bank to this request's idempotency key and an amount of 0.
        password: SealedField,
    },
    /// By the phone's approval key.
    Approval {
        /// Its signature over [`approval_text`]: ES256, r‖s, 64 bytes.
        signature: Base64Url,
    },
    /// By having signed in at the host just now: only for what says so.
    SignIn {
        /// The host's ID token, which says by `auth_time` (OpenID Connect Core 1.0, section 2) when that was.
        id_token: String,
    },
}

impl fmt::Debug for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "StepUp::Password(…)",
            Self::Approval { .. } => "StepUp::Approval(…)",
            Self::SignIn { .. } => "StepUp::SignIn(…)",
        })
    }
}

/// `PUT /v1/sessions/current/approval-key`: from now on this phone may approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetApprovalKey {
    /// The P-256 key as an uncompressed SEC1 point.
    pub public_key: Base64Url,
    /// Where it lives. One in software is refused: it would ask nobody.
    pub storage: KeyStorage,
    /// The key's signature over [`approval_text`] of [`Act::ApprovalKey`]: r‖s, 64 bytes.
    pub proof: Base64Url,
    /// The payment password, sealed for the bank to this request's idempotency key and an amount of 0.
    pub password: SealedField,
}

/// The key with which a phone approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApprovalKey {
    /// Where it lives.
    pub storage: KeyStorage,
    /// Since when it approves.
    pub since: UnixMillis,
}

/// What is approved. Its text is the last line of what is signed: amounts in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// That this key approves from now on: `approval-key`.
    ApprovalKey,
    /// Limits of payments off card accounts: `spend-limits SINGLE DAY`.
    SpendLimits {
        /// The most of one payment.
        single: Fen,
        /// The most of a day.
        day: Fen,
    },
    /// Limits of top-ups: `top-up-limits SINGLE DAY`.
    TopUpLimits {
        /// The most of one top-up.
        single: Fen,
        /// The most of a day.
        day: Fen,
    },
    /// A payment off a card account above the holder's own limits: `pay-utility AMOUNT PLACE ACCOUNT`.
    PayUtility {
        /// How much.
        amount: Fen,
        /// The bound place that gets it.
        place: Uuid,
        /// The card account that pays.
        account: Uuid,
    },
    /// That something is found again: `report-found SUSPENSION`.
    ReportFound {
        /// What ends.
        suspension: Uuid,
    },
    /// That another phone is signed out: `remove-device DEVICE`.
    RemoveDevice {
        /// Which one.
        device: Uuid,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApprovalKey => write!(f, "approval-key"),
            Self::SpendLimits { single, day } => write!(f, "spend-limits {} {}", single.get(), day.get()),
            Self::TopUpLimits { single, day } => write!(f, "top-up-limits {} {}", single.get(), day.get()),
            Self::PayUtility {
                amount,
                place,
                account,
            } => write!(f, "pay-utility {} {place} {account}", amount.get()),
            Self::ReportFound { suspension } => write!(f, "report-found {suspension}"),
            Self::RemoveDevice { device } => write!(f, "remove-device {device}"),
        }
    }
}

/// What an approval signs: four lines, none ended. `school` is its domain, `operation` the request's idempotency key.
pub fn approval_text(school: &str, operation: Uuid, act: Act) -> String {
    format!("yika approval 1\n{school}\n{operation}\n{act}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_says_what_is_approved() {
        let act = Act::SpendLimits {
            single: Fen::new(5_000),
            day: Fen::new(20_000),
        };
        assert_eq!(
            approval_text("campus.example", Uuid::nil(), act),
            "yika approval 1\ncampus.example\n00000000-0000-0000-0000-000000000000\nspend-limits 5000 20000"
        );
        let act = Act::PayUtility {
            amount: Fen::new(1),
            place: Uuid::nil(),
            account: Uuid::max(),
        };
        assert!(approval_text("campus.example", Uuid::nil(), act).ends_with(
            "\npay-utility 1 00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff"
        ));
    }
}
