//! The bare work that ours is compared with: signatures verified by ring, keys that sign, and bytes made durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use yika_format::{ExpandedKey, Signature};

use crate::Result;

/// A P-256 key that ring signs with.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl SigningKey {
    pub(crate) fn new() -> Result<Self> {
        let random = SystemRandom::new();
        let failed = |_| "no key could be made";
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| "no key could be made")?;
        Ok(Self { pair, random })
    }

    /// The public key as an uncompressed point.
    pub(crate) fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature> {
        let signature = self
            .pair
            .sign(&self.random, message)
            .map_err(|_| "ring did not sign")?;
        Ok(Signature::from_raw_or_der(signature.as_ref())?)
    }
}

/// A signature with all that ring needs to verify it.
#[derive(Clone)]
pub(crate) struct Signed {
    pub key: ExpandedKey,
    pub message: Vec<u8>,
    pub signature: Signature,
}

impl Signed {
    /// The bare verification.
    pub(crate) fn verify(&self) -> Result<()> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.as_bytes())
            .verify(&self.message, self.signature.as_bytes())
            .map_err(|_| "the reference does not verify".into())
    }
}

/// Verifies them all on as many threads as the machine has, and answers how long that took.
pub(crate) fn verify_all(signed: &[&Signed]) -> Result<Duration> {
    let share = signed.len().div_ceil(thread::available_parallelism()?.get());
    let started = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = signed
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().try_for_each(|signed| signed.verify())))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a reference's thread panicked")?)
    })?;
    Ok(started.elapsed())
}

/// A file to which bytes are added durably.
pub(crate) struct DurableFile(File);

impl DurableFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Ok(Self(File::create(path)?))
    }

    /// Adds `bytes` and returns once they are on the medium.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes)?;
        Ok(self.0.sync_data()?)
    }
}
