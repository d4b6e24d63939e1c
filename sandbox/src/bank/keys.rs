//! The bank's keys: the root that apps pin, and the pair that its certificate names, for fields and for notices.

use super::BankError;
use crate::keyfile;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::path::Path;
use yika_api::bank::{Notice, OrderStatus};
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::wallet::SealedField;
use yika_format::bank::{BankKeys, FieldSeal, notice_preimage};
use yika_format::{ExpandedKey, RecipientKey, Signature, UnixSeconds};
use zeroize::Zeroizing;

const NUMBER: u16 = 1;
/// From 2020 to 2100, wherever the sandbox's clock is put.
const LIFE: (UnixSeconds, UnixSeconds) = (UnixSeconds(1_577_836_800), UnixSeconds(4_102_444_800));

/// The keys, and their certificate.
pub(crate) struct Keys {
    root: ExpandedKey,
    sealing: RecipientKey,
    notice: EcdsaKeyPair,
    certificate: Vec<u8>,
}

impl Keys {
    /// The keys of this folder, made where there are none.
    pub(crate) fn open(folder: &Path) -> Result<Self, BankError> {
        let root = signer(&folder.join("root.p8"))?;
        let notice = signer(&folder.join("notice.p8"))?;
        let path = folder.join("sealing.key");
        let random = keyfile::read_or_make(&path, || {
            let mut bytes = vec![0; 32];
            SystemRandom::new().fill(&mut bytes).ok()?;
            Some(bytes)
        })?;
        let random = Zeroizing::new(random);
        let seed = random
            .as_slice()
            .try_into()
            .map_err(|_| BankError::Unreadable(path))?;
        let sealing = RecipientKey::derive(seed);
        let keys = BankKeys::new(NUMBER, LIFE.0, LIFE.1, sealing.public(), public(&notice)?)
            .map_err(|_| BankError::Keys)?;
        let unsigned = keys.unsigned();
        let signature = sign(&root, unsigned.preimage())?;
        Ok(Self {
            root: public(&root)?,
            sealing,
            notice,
            certificate: unsigned.with_signature(&signature),
        })
    }

    /// What apps pin.
    pub(crate) fn root(&self) -> &ExpandedKey {
        &self.root
    }

    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Opens a field. What does not open is refused as what belongs to something else.
    pub(super) fn open_field(
        &self,
        sealed: &SealedField,
        seal: &FieldSeal,
    ) -> Result<Zeroizing<String>, Refusal> {
        let refused = Refusal::of(RefusalReason::SealRefused);
        if sealed.kid != NUMBER {
            return Err(refused);
        }
        seal.open(&sealed.bytes.0, NUMBER, &self.sealing)
            .map_err(|_| refused)
    }

    pub(super) fn notice(&self, status: &OrderStatus) -> Result<Notice, BankError> {
        let status = serde_json::to_vec(status)?;
        let signature = sign(&self.notice, &notice_preimage(&status))?;
        Ok(Notice {
            kid: NUMBER,
            status: status.into(),
            signature: signature.as_bytes().to_vec().into(),
        })
    }
}

fn signer(path: &Path) -> Result<EcdsaKeyPair, BankError> {
    let pkcs8 = keyfile::read_or_make(path, keyfile::new_signer)?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new())
        .map_err(|_| BankError::Unreadable(path.to_owned()))
}

fn public(pair: &EcdsaKeyPair) -> Result<ExpandedKey, BankError> {
    ExpandedKey::from_uncompressed(pair.public_key().as_ref()).map_err(|_| BankError::Keys)
}

fn sign(pair: &EcdsaKeyPair, message: &[u8]) -> Result<Signature, BankError> {
    let signature = pair
        .sign(&SystemRandom::new(), message)
        .map_err(|_| BankError::Keys)?;
    Signature::from_raw_or_der(signature.as_ref()).map_err(|_| BankError::Keys)
}
