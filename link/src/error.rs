//! Why a platform was not reached, as far as a client can act on it.

use rustls::{CertificateError, Error as TlsError};

/// Why a platform was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The client could not be made, or could not make the request.
    #[error("the HTTP client failed")]
    Client,
    /// No connection, or no answer in time.
    #[error("no connection")]
    Network,
    /// The server's certificate is not accepted: another host's, not vouched for, or not the pinned key.
    #[error("the server's certificate is not accepted")]
    Tls,
    /// The server's certificate is not valid at this time, which may be wrong.
    #[error("the server's certificate is not valid at this time")]
    CertificateTime,
}

impl LinkError {
    /// What a failed request comes down to.
    pub fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Client;
        }
        of_chain(error).unwrap_or(Self::Network)
    }
}

/// What a chain of errors says, where TLS is in it.
fn of_chain(error: &(dyn std::error::Error + 'static)) -> Option<LinkError> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error keeps what it wraps out of `source`.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let tls = error
            .downcast_ref::<TlsError>()
            .or_else(|| wrapped.and_then(|inner| inner.downcast_ref::<TlsError>()));
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

fn of_tls(error: &TlsError) -> LinkError {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    match error {
        TlsError::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => LinkError::CertificateTime,
        _ => LinkError::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wrong_time_of_a_certificate_is_told_as_such() {
        let wrapped = |error| std::io::Error::other(TlsError::InvalidCertificate(error));
        for (error, told) in [
            (CertificateError::Expired, LinkError::CertificateTime),
            (CertificateError::NotValidYet, LinkError::CertificateTime),
            (CertificateError::UnknownIssuer, LinkError::Tls),
        ] {
            assert_eq!(of_chain(&wrapped(error)), Some(told));
        }
        assert_eq!(of_chain(&std::io::Error::other("reset")), None);
    }
}
