//! Proof that a phone has the code key it wants to enrol: a signature over the platform's nonce.

use crate::decode::tag;
use crate::{PublicKey, SchoolHash};

/// What the code key signs at enrolment: tag, school, the platform's nonce, the device and the key itself.
pub fn key_proof_preimage(
    school: &SchoolHash,
    nonce: &[u8; 32],
    device: &[u8; 16],
    key: &PublicKey,
) -> Vec<u8> {
    [&tag("YIKA1.pop")[..], &school.0, nonce, device, key.as_bytes()].concat()
}
