//! Sealing what only the bank may read: to keys that the pinned root of the bank vouches for, for one operation.

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use uuid::Uuid;
use yika_api::wallet::SealedField;
use yika_api::{Base64Url, Fen, UnixMillis};
use yika_format::bank::{BankKeys, Field, FieldError, FieldSeal};
use yika_format::{Amount, PublicKey, SchoolHash};
use zeroize::Zeroizing;

use super::input::{CardDetails, Identity};
use crate::error::{CoreError, InternalFault};
use crate::trust::{TrustFault, format_millis};

/// To whom things are sealed, and in whose name.
pub(crate) struct Sealing {
    keys: BankKeys,
    school: SchoolHash,
    customer: Uuid,
}

impl Sealing {
    /// The bank's keys of a certificate, if the root signed it and it holds now.
    pub(super) fn new(
        certificate: &Base64Url,
        root: &PublicKey,
        school: SchoolHash,
        customer: Uuid,
        now: UnixMillis,
    ) -> Result<Self, TrustFault> {
        let root = root.expand().map_err(|_| TrustFault::BankRoot)?;
        let keys = BankKeys::open(&certificate.0, &root).map_err(|_| TrustFault::BankKeys)?;
        if !keys.is_in_date(format_millis(now)) {
            return Err(TrustFault::BankKeysEnded);
        }
        Ok(Self {
            keys,
            school,
            customer,
        })
    }

    /// Seals a text for one operation that moves `amount`.
    pub(crate) fn seal(
        &self,
        operation: Uuid,
        amount: Fen,
        field: Field,
        text: &str,
    ) -> Result<SealedField, CoreError> {
        let mut random = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(random.as_mut_slice())
            .map_err(|_| CoreError::Internal {
                fault: InternalFault::Random,
            })?;
        let seal = FieldSeal {
            school: self.school,
            operation: operation.into_bytes(),
            customer: self.customer.into_bytes(),
            amount: Amount(u64::try_from(amount.get()).map_err(|_| encoding())?),
            field,
        };
        let bytes = self
            .keys
            .seal(&seal, text, *random)
            .map_err(|_: FieldError| encoding())?;
        Ok(SealedField {
            kid: self.keys.number(),
            bytes: bytes.as_slice().into(),
        })
    }

    pub(super) fn seal_identity(
        &self,
        operation: Uuid,
        identity: &Identity,
    ) -> Result<SealedField, CoreError> {
        let json = json(&IdentityJson::of(identity))?;
        self.seal(operation, Fen::ZERO, Field::Identity, text(&json)?)
    }

    pub(super) fn seal_card(&self, operation: Uuid, card: &CardDetails) -> Result<SealedField, CoreError> {
        let json = json(&CardJson {
            number: card.number.expose(),
            holder: IdentityJson::of(&card.holder),
            phone: card.phone.expose(),
        })?;
        self.seal(operation, Fen::ZERO, Field::Card, text(&json)?)
    }
}

/// `yika_api::bank::IdentityData`, without copies that nobody overwrites.
#[derive(Serialize)]
struct IdentityJson<'a> {
    name: &'a str,
    id_number: &'a str,
}

impl<'a> IdentityJson<'a> {
    fn of(identity: &'a Identity) -> Self {
        Self {
            name: identity.name.expose(),
            id_number: identity.id_number.expose(),
        }
    }
}

/// `yika_api::bank::CardData`, likewise.
#[derive(Serialize)]
struct CardJson<'a> {
    number: &'a str,
    #[serde(flatten)]
    holder: IdentityJson<'a>,
    phone: &'a str,
}

/// Written into room that suffices: growing would leave a copy behind.
fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, CoreError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
    serde_json::to_writer(&mut *bytes, value).map_err(|_| encoding())?;
    Ok(bytes)
}

fn text(bytes: &[u8]) -> Result<&str, CoreError> {
    std::str::from_utf8(bytes).map_err(|_| encoding())
}

const fn encoding() -> CoreError {
    CoreError::Internal {
        fault: InternalFault::Encoding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_api::bank::{CardData, IdentityData};

    #[test]
    fn what_is_sealed_reads_as_the_banks_types() {
        let holder = Identity::new("张三", "11010519491231002X").unwrap();
        let read: IdentityData = serde_json::from_slice(&json(&IdentityJson::of(&holder)).unwrap()).unwrap();
        assert_eq!(
            (read.name.as_str(), read.id_number.as_str()),
            ("张三", "11010519491231002X")
        );
        let card = CardJson {
            number: "6222021234567890128",
            holder: IdentityJson::of(&holder),
            phone: "13800138000",
        };
        let read: CardData = serde_json::from_slice(&json(&card).unwrap()).unwrap();
        assert_eq!(
            (read.number.as_str(), read.name.as_str(), read.phone.as_str()),
            ("6222021234567890128", "张三", "13800138000")
        );
    }
}
