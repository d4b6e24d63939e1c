//! The e-wallet: money of the holder at the bank, with the debit cards bound to it.
//!
//! `GET /v1/wallet` answers [`Wallet`]. `POST /v1/wallet` opens one ([`OpenWallet`]), `POST /v1/wallet/close` closes it
//! ([`CloseWallet`]). `POST /v1/wallet/cards` begins binding a card ([`BindCard`], answers [`CardBinding`]),
//! `POST /v1/wallet/cards/{id}/confirm` ends it with the code from the bank's message ([`ConfirmCard`]),
//! `PUT /v1/wallet/cards/{id}/default` and `DELETE /v1/wallet/cards/{id}` do what they say. `PUT /v1/wallet/password`
//! changes the payment password ([`ChangePassword`]), `PUT /v1/wallet/limits` the limits ([`crate::limit::SetLimits`]). Each answers [`Wallet`] and takes an idempotency key.
//!
//! Passwords and card data are [`SealedField`]s: encrypted on the phone to a key that the bank's root signed. The
//! platform passes them on and cannot read them. The root comes with the app, or from `GET /v1/school/bank`
//! ([`SchoolBank`]) when the phone is first bound, and stays.

use crate::account::Balance;
use crate::{Base64Url, Fen, FenError, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A field that only the bank can read: HPKE (RFC 9180) to the bank's key, bound to the operation that it is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedField {
    /// The number of the bank's key.
    pub kid: u16,
    /// The encapsulated key, 65 bytes, and the ciphertext.
    pub bytes: Base64Url,
}

/// `GET /v1/school/bank`, open to everyone: the bank of the school's wallets, and what it offers to every holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SchoolBank {
    /// The compressed P-256 key (33 bytes) that vouches for the bank's keys: its root. Phones pin it.
    pub root_key: Base64Url,
    /// The certificate of the bank's keys, signed by the root.
    pub bank_key: Base64Url,
    /// The terms that opening a wallet accepts.
    pub terms: Terms,
    /// The least amount of a top-up.
    pub least: Fen,
    /// The most of one top-up.
    pub single: Fen,
    /// The most of a holder's top-ups of a day, in the school's time zone.
    pub day: Fen,
    /// Amounts to offer for a top-up, the smallest first.
    pub presets: Vec<Fen>,
    /// What the bank takes for a payment off a bank card.
    pub fee: CardFee,
}

/// The holder's wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Wallet {
    /// Whether there is one.
    pub status: WalletStatus,
    /// The number under which the bank knows the holder, before the wallet is opened too: seals are bound to it.
    pub customer: Uuid,
    /// Under which account its bills stand; absent before it is opened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account_id: Option<Uuid>,
    /// What is in it; absent before it is opened. What operations under way may take off is `pending`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub balance: Option<Balance>,
    /// The bound cards, the default one first.
    pub cards: Vec<BankCard>,
    /// The limits that the server enforces.
    pub limits: TopUpLimits,
    /// What the bank takes for a payment off a bank card.
    pub fee: CardFee,
    /// The certificate of the bank's keys, signed by the bank's root: fields are sealed to them.
    pub bank_key: Base64Url,
    /// Why it can't be closed now; empty where it can.
    pub close_blockers: Vec<CloseBlocker>,
    /// The terms that opening one accepts.
    pub terms: Terms,
}

/// Whether there is a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WalletStatus {
    /// Never opened.
    None,
    /// In use.
    Open,
    /// Stopped by the bank or the card office.
    Frozen,
    /// Closed. It can be opened again.
    Closed,
}

/// A debit card that is bound to the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BankCard {
    /// The binding.
    pub id: Uuid,
    /// The bank's name.
    pub bank: LocalizedText,
    /// The last four digits of its number.
    pub tail: String,
    /// Whether it pays where none is named.
    pub is_default: bool,
}

/// Limits of a holder's top-ups, and of utility payments by way of the bank, in the school's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TopUpLimits {
    /// The least amount.
    pub least: Fen,
    /// The most of one top-up.
    pub single: Fen,
    /// The most of a day.
    pub day: Fen,
    /// What is used of today's, operations under way included.
    pub day_used: Fen,
    /// Above which the holder can't set `single`.
    pub most_single: Fen,
    /// Above which the holder can't set `day`.
    pub most_day: Fen,
}

/// What a payment off a bank card costs: ten-thousandths of it, rounded up to a fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CardFee {
    /// Ten-thousandths of the part off the bank card without the fee itself; 0 for none.
    pub per_ten_thousand: u16,
}

impl CardFee {
    /// The fee on a part of this size, which doesn't include it.
    ///
    /// # Errors
    /// Where the product leaves 64 bits.
    pub fn on(self, part: Fen) -> Result<Fen, FenError> {
        let rate = i64::from(self.per_ten_thousand);
        let product = part.get().checked_mul(rate).ok_or(FenError::Overflow)?;
        Ok(Fen::new(product / 10_000 + i64::from(product % 10_000 > 0)))
    }
}

/// What stands against closing the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CloseBlocker {
    /// There is money in it.
    Money {
        /// How much.
        amount: Fen,
    },
    /// Operations have not reached their end.
    PendingOperations {
        /// How many.
        count: u64,
    },
}

/// What is accepted by opening a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Terms {
    /// Their version.
    pub version: u32,
    /// Their text.
    pub text: LocalizedText,
}

/// `POST /v1/wallet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenWallet {
    /// The version of the terms that the holder accepted.
    pub terms_version: u32,
    /// Name and number of the identity document, sealed.
    pub identity: SealedField,
    /// The payment password, sealed.
    pub password: SealedField,
}

/// `POST /v1/wallet/close`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseWallet {
    /// The payment password, sealed.
    pub password: SealedField,
}

/// `POST /v1/wallet/cards`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindCard {
    /// Card number, name, identity number and phone number, sealed.
    pub card: SealedField,
}

/// A card that waits for the code which the bank sent to the holder's phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CardBinding {
    /// The binding.
    pub id: Uuid,
    /// The bank's name.
    pub bank: LocalizedText,
    /// The last four digits of the card's number.
    pub tail: String,
    /// Where the code went, masked by the bank.
    pub phone_masked: String,
    /// Until when the code is good.
    pub expires_at: UnixMillis,
    /// Tries that are left.
    pub tries_left: u8,
}

/// `POST /v1/wallet/cards/{id}/confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmCard {
    /// The code from the bank's message, sealed.
    pub code: SealedField,
}

/// `PUT /v1/wallet/password`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChangePassword {
    /// With the one that holds now.
    Old {
        /// The one that holds now, sealed.
        old: SealedField,
        /// The new one, sealed.
        new: SealedField,
    },
    /// Without it, by the identity data given when the wallet was opened.
    Identity {
        /// Name and number of the identity document, sealed.
        identity: SealedField,
        /// The new one, sealed.
        new: SealedField,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_rounded_up_to_a_fen() {
        let fee = CardFee { per_ten_thousand: 25 };
        for (part, expected) in [(0, 0), (1, 1), (399, 1), (400, 1), (401, 2), (20_000, 50)] {
            assert_eq!(fee.on(Fen::new(part)), Ok(Fen::new(expected)), "{part}");
        }
        assert_eq!(fee.on(Fen::new(i64::MAX)), Err(FenError::Overflow));
        assert_eq!(CardFee { per_ten_thousand: 0 }.on(Fen::new(5)), Ok(Fen::ZERO));
    }
}
