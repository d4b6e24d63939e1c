//! The e-wallet: money at the school's bank, and the debit cards bound to it. What the holder types is a byte array, so that the
//! shell can overwrite its own copy; here it is overwritten once it is encrypted to the bank.

use zeroize::{Zeroize as _, Zeroizing};

use yika_core::wallet::{CardDetails, Identity, NewPaymentPassword, PasswordProof, PaymentPassword, SmsCode};

use crate::accounts::Balance;
use crate::error::YikaError;
use crate::refusals::InputField;
use crate::types::{Fen, LocalizedText, UnixMillis, Uuid};

pub use yika_core::wallet::{
    BankCard, CardBinding, CardFee, CloseBlocker, Terms, TopUpLimits, Wallet, WalletStatus,
};

/// The e-wallet. What changes it asks the bank at once, through the platform, which cannot read passwords, codes, identity
/// and card data. Moving money is `operations()`.
///
/// All of it may fail with `Money`, `Untrusted` where the bank's keys are not the bank's, `InvalidInput`, `SessionExpired`,
/// `Network` and the like, and `NotBound`. Where it is not known whether something was done, as after `Network`, `sync`
/// tells.
#[derive(uniffi::Object)]
pub struct WalletService {
    pub(crate) core: yika_core::WalletService,
}

#[uniffi::export]
impl WalletService {
    /// The wallet as last told. Touches the disk; no network.
    pub async fn get(&self) -> Result<Wallet, YikaError> {
        Ok(self.core.get().await?)
    }

    /// Brings the wallet up to date. Touches the network and the disk.
    pub async fn sync(&self) -> Result<Wallet, YikaError> {
        Ok(self.core.synchronise().await?)
    }

    /// Opens the wallet: the terms of that version accepted, the holder identified, the payment password (six digits) set.
    /// Touches the network and the disk. Fails with `WeakPassword`, too.
    pub async fn open(
        &self,
        terms_version: u32,
        identity: IdentityInput,
        password: Vec<u8>,
    ) -> Result<Wallet, YikaError> {
        let password = NewPaymentPassword::new(text(password, InputField::PaymentPassword)?)?;
        Ok(self
            .core
            .open(terms_version, identity.into_core()?, password)
            .await?)
    }

    /// Closes the wallet, if nothing stands against it: see `close_blockers`. Touches the network and the disk.
    pub async fn close(&self, password: Vec<u8>) -> Result<Wallet, YikaError> {
        Ok(self.core.close(payment_password(password)?).await?)
    }

    /// Sets another payment password with the one that holds now. Touches the network and the disk. Fails with
    /// `WeakPassword`, too.
    pub async fn change_password(&self, old: Vec<u8>, new: Vec<u8>) -> Result<Wallet, YikaError> {
        let proof = PasswordProof::Old(payment_password(old)?);
        self.set_password(proof, new).await
    }

    /// Sets another payment password where it is forgotten, by the identity given when the wallet was opened. Touches the
    /// network and the disk. Fails with `WeakPassword`, too.
    pub async fn reset_password(&self, identity: IdentityInput, new: Vec<u8>) -> Result<Wallet, YikaError> {
        let proof = PasswordProof::Identity(identity.into_core()?);
        self.set_password(proof, new).await
    }

    /// Begins binding a debit card: the bank sends a code to the phone that it knows. Touches the network.
    pub async fn begin_card(&self, card: CardInput) -> Result<CardBinding, YikaError> {
        Ok(self.core.begin_card(card.into_core()?).await?)
    }

    /// Binds the card with the code (six digits) of the bank's message. Touches the network and the disk.
    pub async fn confirm_card(&self, binding: Uuid, code: Vec<u8>) -> Result<Wallet, YikaError> {
        let code = SmsCode::new(text(code, InputField::SmsCode)?).map_err(invalid)?;
        Ok(self.core.confirm_card(binding, code).await?)
    }

    /// Makes a card the one that pays where none is named. Touches the network and the disk.
    pub async fn set_default_card(&self, card: Uuid) -> Result<Wallet, YikaError> {
        Ok(self.core.set_default_card(card).await?)
    }

    /// Unbinds a card. Touches the network and the disk.
    pub async fn unbind_card(&self, card: Uuid) -> Result<Wallet, YikaError> {
        Ok(self.core.unbind_card(card).await?)
    }
}

impl WalletService {
    async fn set_password(&self, proof: PasswordProof, new: Vec<u8>) -> Result<Wallet, YikaError> {
        let new = NewPaymentPassword::new(text(new, InputField::PaymentPassword)?)?;
        Ok(self.core.change_password(proof, new).await?)
    }
}

/// The payment password that a shell's keypad gave.
pub(crate) fn payment_password(digits: Vec<u8>) -> Result<PaymentPassword, YikaError> {
    PaymentPassword::new(text(digits, InputField::PaymentPassword)?).map_err(invalid)
}

/// The same bytes as text, without a copy that nobody overwrites.
fn text(bytes: Vec<u8>, field: InputField) -> Result<Zeroizing<String>, YikaError> {
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        invalid(field)
    })
}

fn invalid(field: InputField) -> YikaError {
    YikaError::InvalidInput { field }
}

/// Who the holder is to the bank, in UTF-8.
#[derive(Clone, uniffi::Record)]
pub struct IdentityInput {
    /// The holder's name.
    pub name: Vec<u8>,
    /// The number of the resident identity card, 18 characters.
    pub id_number: Vec<u8>,
}

impl IdentityInput {
    fn into_core(self) -> Result<Identity, YikaError> {
        let id_number = text(self.id_number, InputField::IdNumber)?;
        Identity::new(&text(self.name, InputField::Name)?, &id_number).map_err(invalid)
    }
}

/// A debit card to be bound, in UTF-8.
#[derive(Clone, uniffi::Record)]
pub struct CardInput {
    /// The card's number, 13 to 19 digits.
    pub number: Vec<u8>,
    /// Its holder.
    pub holder: IdentityInput,
    /// The mobile number that the bank knows, 11 digits.
    pub phone: Vec<u8>,
}

impl CardInput {
    fn into_core(self) -> Result<CardDetails, YikaError> {
        let number = text(self.number, InputField::CardNumber)?;
        let phone = text(self.phone, InputField::PhoneNumber)?;
        CardDetails::new(&number, self.holder.into_core()?, &phone).map_err(invalid)
    }
}

/// The holder's wallet, as last told.
#[uniffi::remote(Record)]
pub struct Wallet {
    /// Whether there is one.
    pub status: WalletStatus,
    /// Under which account its bills stand; absent before it is opened.
    pub account_id: Option<Uuid>,
    /// What is in it; absent where that is unknown, which is not zero.
    pub balance: Option<Balance>,
    /// The bound cards, the default one first.
    pub cards: Vec<BankCard>,
    /// The limits that the platform enforces.
    pub limits: TopUpLimits,
    /// What the bank takes for a payment off a bank card.
    pub fee: CardFee,
    /// Amounts to offer for a top-up, the smallest first.
    pub presets: Vec<Fen>,
    /// Why it can't be closed now; empty where it can.
    pub close_blockers: Vec<CloseBlocker>,
    /// The terms that opening one accepts.
    pub terms: Terms,
    /// When the platform told.
    pub as_of: UnixMillis,
}

/// Whether there is a wallet.
#[uniffi::remote(Enum)]
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
#[uniffi::remote(Record)]
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

/// Limits of a holder's top-ups, in the school's time zone.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct CardFee {
    /// Ten-thousandths of the part off the bank card without the fee itself; 0 for none.
    pub per_ten_thousand: u16,
}

/// What stands against closing the wallet.
#[uniffi::remote(Enum)]
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
#[uniffi::remote(Record)]
pub struct Terms {
    /// Their version.
    pub version: u32,
    /// Their text.
    pub text: LocalizedText,
}

/// A card that waits for the code which the bank sent to the holder's phone.
#[uniffi::remote(Record)]
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
