//! HPKE as the format does it, on any bytes: what is sealed here may be wrong inside.

use crate::TestKey;
use chacha20::ChaCha20Rng;
use hpke::aead::AesGcm256;
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::rand_core::SeedableRng as _;
use hpke::{Deserializable as _, Kem, OpModeS, Serializable as _, single_shot_seal_inout_detached_with_rng};

/// The encapsulated key, and the sealed text with its tag. The randomness follows from what is sealed.
pub(crate) fn seal(recipient: &TestKey, info: &[u8], aad: &[u8], text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let random = crate::sha256(&[info, aad, text].concat());
    let recipient = <DhP256HkdfSha256 as Kem>::PublicKey::from_bytes(recipient.expanded().as_bytes());
    let mut text = text.to_vec();
    let (encapsulated, tag) =
        single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeS::Base,
            &recipient.expect("a public key is a point"),
            info,
            InOutBuf::from(&mut text[..]),
            aad,
            &mut ChaCha20Rng::from_seed(random),
        )
        .expect("tests seal little");
    text.extend(tag.to_bytes());
    (encapsulated.to_bytes().to_vec(), text)
}
