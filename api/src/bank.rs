//! What the platform asks of the bank's adapter, over HTTP below one base address.
//!
//! An order is named by the operation that it is for, and naming it again has no second effect: `POST orders` takes
//! [`Order`] and answers [`OrderStatus`], `GET orders/{id}` answers it again (404: never heard of it),
//! `POST orders/{id}/cancel` makes sure that an order which was not carried out never will be, `POST orders/{id}/refund`
//! gives back what one took; all answer [`OrderStatus`]. The bank may tell the same thing unasked: a [`Notice`] at the
//! platform's `POST /v1/bank/notices`, as often as it likes and in any order.
//!
//! `POST customers` takes [`OpenCustomer`], `POST customers/{id}/close` [`CloseCustomer`], `PUT customers/{id}/password`
//! [`SetPassword`], `POST customers/{id}/password/check` [`CheckPassword`]; `POST customers/{id}/cards` takes [`NewCard`] and answers [`CardChallenge`],
//! `POST customers/{id}/cards/{card}/confirm` takes [`CardCode`], `DELETE customers/{id}/cards/{card}` unbinds;
//! `PUT customers/{id}/mandates/{mandate}` takes [`NewMandate`], `DELETE` of it ends it. These
//! answer 204 where nothing else is said. A refusal is 422 with [`Refusal`]; of an order it is an answer like others. `GET key` answers the bytes of the key
//! certificate,
//! `GET statements/{yyyy-mm-dd}` the day's [`StatementRow`]s.

use crate::operation::Refusal;
use crate::wallet::SealedField;
use crate::{Base64Url, Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Money to be moved, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Order {
    /// The operation's id.
    pub id: Uuid,
    /// Whose wallet and cards.
    pub customer: Uuid,
    /// Which way.
    pub direction: OrderDirection,
    /// The part out of the wallet, or into it.
    pub wallet: Fen,
    /// The part off the bank card, or onto it; fee included. Into the wallet goes what is left without the fee; onto the
    /// card goes what leaves the wallet, and there is no fee.
    pub card_amount: Fen,
    /// The fee in it.
    pub fee: Fen,
    /// The bank card, where there is a part of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub card: Option<Uuid>,
    /// What arrives. The bank refuses an order of other parts.
    pub arrives: Fen,
    /// Why the bank may do it.
    pub authority: Authority,
}

/// Why the bank may carry out an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Authority {
    /// The payment password, as the phone sealed it to the order and what arrives.
    Password {
        /// The seal.
        password: SealedField,
    },
    /// A mandate that the holder gave, for orders to the school within its limits.
    Mandate {
        /// Which.
        mandate: Uuid,
    },
}

/// A mandate for orders to the school without the password: `PUT customers/{id}/mandates/{operation}`. It ends with `DELETE` of
/// the same address, which is answered like the first time when it is gone, and with the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewMandate {
    /// The most of an order, by what arrives.
    pub single: Fen,
    /// The most of a day, in the school's time zone, by what arrives.
    pub day: Fen,
    /// The payment password, sealed to the mandate's number and an amount of `day`.
    pub password: SealedField,
}

/// Which way an order moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderDirection {
    /// From wallet and card to the school.
    ToSchool,
    /// From the card into the wallet.
    IntoWallet,
    /// From the wallet onto the card.
    OntoCard,
}

/// How an order stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderStatus {
    /// Which order.
    pub id: Uuid,
    /// How it stands.
    #[serde(flatten)]
    pub state: OrderState,
}

/// How an order stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderState {
    /// Taken, and not yet decided.
    Pending,
    /// The money has moved.
    Done {
        /// When.
        at: UnixMillis,
        /// The bank's own number for it.
        trace: String,
    },
    /// No money has moved and none will.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The money had moved and is back.
    Reversed {
        /// When it came back.
        at: UnixMillis,
        /// The bank's own number for it.
        trace: String,
    },
}

/// What the bank tells unasked, signed by its notice key over the tag `YIKA1.notice` and the bytes of `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Notice {
    /// The number of the bank's key.
    pub kid: u16,
    /// An [`OrderStatus`] as JSON.
    pub status: Base64Url,
    /// r‖s, 64 bytes.
    pub signature: Base64Url,
}

/// A wallet to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OpenCustomer {
    /// The operation that the seals are bound to.
    pub operation: Uuid,
    /// The number under which the bank will know the holder.
    pub customer: Uuid,
    /// Name and number of the identity document, sealed.
    pub identity: SealedField,
    /// The payment password, sealed.
    pub password: SealedField,
}

/// A wallet to be closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CloseCustomer {
    /// The operation that the seal is bound to.
    pub operation: Uuid,
    /// The payment password, sealed.
    pub password: SealedField,
}

/// A new payment password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetPassword {
    /// The operation that the seals are bound to.
    pub operation: Uuid,
    /// How the holder shows that it may be changed.
    #[serde(flatten)]
    pub change: crate::wallet::ChangePassword,
}

/// A payment password to be checked, for something that moves no money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckPassword {
    /// The operation that the seal is bound to.
    pub operation: Uuid,
    /// The payment password, sealed.
    pub password: SealedField,
}

/// A card to be bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewCard {
    /// The operation that the seal is bound to, and the number of the binding.
    pub operation: Uuid,
    /// Card number, name, identity number and phone number, sealed.
    pub card: SealedField,
}

/// A code is on its way to the holder's phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CardChallenge {
    /// The bank's name.
    pub bank: LocalizedText,
    /// The last four digits of the card's number.
    pub tail: String,
    /// Where the code went, masked.
    pub phone_masked: String,
    /// Until when it is good.
    pub expires_at: UnixMillis,
    /// Tries that are left.
    pub tries_left: u8,
}

/// What is sealed as identity, in JSON. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityData {
    /// The holder's name.
    pub name: String,
    /// The number of the identity document.
    pub id_number: String,
}

/// What is sealed as bank card, in JSON. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardData {
    /// The card's number.
    pub number: String,
    /// Its holder's name.
    pub name: String,
    /// The number of the identity document.
    pub id_number: String,
    /// The phone that the bank knows.
    pub phone: String,
}

impl std::fmt::Debug for IdentityData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityData(…)")
    }
}

impl std::fmt::Debug for CardData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardData(…)")
    }
}

/// The code that the holder read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CardCode {
    /// The operation that the seal is bound to.
    pub operation: Uuid,
    /// The code, sealed.
    pub code: SealedField,
}

/// One row of a day's statement: money that moved, or moved back, that day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatementRow {
    /// The order.
    pub id: Uuid,
    /// Which way.
    pub direction: OrderDirection,
    /// Whether it is the way back.
    pub is_reversal: bool,
    /// The part of the wallet.
    pub wallet: Fen,
    /// The part of the card, fee included.
    pub card_amount: Fen,
    /// The fee in it.
    pub fee: Fen,
    /// When.
    pub at: UnixMillis,
    /// The bank's own number for it.
    pub trace: String,
}
