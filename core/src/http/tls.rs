//! TLS as the phone wants it: rustls with ring and Mozilla's roots, certificates judged by the trusted clock, and where the school
//! pins its key, that key and no other. The platform's own verifier is never used: it needs set-up through JNI and judges by
//! the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ring::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::HttpError;
use crate::clock::TrustedClock;

/// SHA-256 of a certificate's SubjectPublicKeyInfo, as in RFC 7469.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpkiPin(pub [u8; 32]);

/// The time by which certificates are judged.
#[derive(Debug)]
pub(super) struct CertificateTime {
    clock: Arc<TrustedClock>,
    by_floor: AtomicBool,
}

impl CertificateTime {
    pub(super) fn new(clock: Arc<TrustedClock>) -> Self {
        Self {
            clock,
            by_floor: AtomicBool::new(false),
        }
    }

    /// After a certificate was refused for its time: judges by the latest time that the platform vouched for instead, if the
    /// time now rests on a wall clock that may be wrong. Returns whether that is worth another try. It accepts no
    /// certificate that would not have been accepted then.
    pub(super) fn fall_back(&self) -> bool {
        self.clock.floor_if_unanchored().is_some() && !self.by_floor.swap(true, Ordering::AcqRel)
    }
}

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let floor = self
            .by_floor
            .load(Ordering::Acquire)
            .then(|| self.clock.floor_if_unanchored())
            .flatten();
        let now = floor.or_else(|| self.clock.now_or_floor().ok())?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(
            u64::try_from(now.0).ok()?,
        )))
    }
}

pub(super) fn client_config(time: Arc<CertificateTime>, pins: &[SpkiPin]) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(default_provider());
    let roots = Arc::new(RootCertStore::from_iter(
        webpki_roots::TLS_SERVER_ROOTS.iter().cloned(),
    ));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|_| HttpError::Client)?;
    let verifier = PinnedVerifier {
        inner,
        pins: pins.to_vec(),
    };
    let config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .map_err(|_| HttpError::Client)?
        // Adds a check to webpki's; takes none away.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The usual checks, and then the pins, if there are any.
#[derive(Debug)]
struct PinnedVerifier {
    inner: Arc<WebPkiServerVerifier>,
    pins: Vec<SpkiPin>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.inner
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let hash = digest::digest(&digest::SHA256, &key);
        if self.pins.is_empty() || self.pins.iter().any(|pin| pin.0 == hash.as_ref()) {
            Ok(verified)
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// What a failed connection says, where TLS is what failed.
pub(super) fn classify(error: &(dyn std::error::Error + 'static)) -> Option<HttpError> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error keeps what it wraps out of `source`.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let tls = error
            .downcast_ref::<Error>()
            .or_else(|| wrapped.and_then(|inner| inner.downcast_ref::<Error>()));
        if let Some(tls) = tls {
            return Some(of_tls(tls));
        }
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn of_tls(error: &Error) -> HttpError {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    match error {
        Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => HttpError::CertificateTime,
        _ => HttpError::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Anchor, ClockState};
    use crate::ports::SystemClock as _;
    use crate::testing::FakeClock;
    use yika_api::UnixMillis;

    fn millis(time: &CertificateTime) -> i64 {
        i64::try_from(time.current_time().unwrap().as_secs()).unwrap() * 1000
    }

    #[test]
    fn certificates_are_judged_by_the_platforms_time_whatever_the_wall_clock_says() {
        let port = FakeClock::new();
        let sample = port.sample().unwrap();
        let mut state = ClockState::default();
        state.anchor(Anchor::new(sample, sample, FakeClock::START).unwrap(), sample);
        let time = CertificateTime::new(Arc::new(TrustedClock::new(port.clone(), state)));
        port.set_wall(UnixMillis(0));
        port.advance(60_000);
        assert_eq!(millis(&time), FakeClock::START.0 + 60_000);
        assert!(!time.fall_back(), "an anchored clock has nothing to fall back to");
    }

    #[test]
    fn after_a_restart_with_a_wall_clock_far_ahead_the_platforms_last_word_is_tried_once() {
        let port = FakeClock::new();
        let sample = port.sample().unwrap();
        let mut state = ClockState::default();
        state.anchor(Anchor::new(sample, sample, FakeClock::START).unwrap(), sample);
        let time = CertificateTime::new(Arc::new(TrustedClock::new(port.clone(), state)));
        port.reboot("second");
        let year = 365 * 86_400_000;
        port.set_wall(FakeClock::START.plus_millis(year));
        assert_eq!(millis(&time), FakeClock::START.0 + year);
        assert!(time.fall_back());
        assert_eq!(millis(&time), FakeClock::START.0);
        assert!(!time.fall_back());
    }

    #[test]
    fn only_the_wrong_time_of_a_certificate_is_told_as_such() {
        let wrapped = |error| std::io::Error::other(Error::InvalidCertificate(error));
        assert_eq!(
            classify(&wrapped(CertificateError::Expired)),
            Some(HttpError::CertificateTime)
        );
        assert_eq!(
            classify(&wrapped(CertificateError::NotValidYet)),
            Some(HttpError::CertificateTime)
        );
        assert_eq!(
            classify(&wrapped(CertificateError::UnknownIssuer)),
            Some(HttpError::Tls)
        );
        assert_eq!(classify(&std::io::Error::other("reset")), None);
    }
}
