//! Whose word for a server's certificate counts: public authorities, a school's own, and the keys that are pinned.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What a server's certificate must show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerTrust {
    /// Who may have signed it.
    pub roots: Roots,
    /// Which keys it may have; any if empty.
    pub pins: Vec<SpkiPin>,
}

/// Who may vouch for a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// The authorities on Mozilla's list.
    #[default]
    Public,
    /// Those, and these of the school's own.
    PublicAnd(Vec<Authority>),
    /// These of the school's own, and nobody else.
    Only(Vec<Authority>),
}

impl Roots {
    pub(crate) fn store(&self) -> RootCertStore {
        let (public, own) = match self {
            Self::Public => (true, &[][..]),
            Self::PublicAnd(own) => (true, own.as_slice()),
            Self::Only(own) => (false, own.as_slice()),
        };
        let mut store = RootCertStore::empty();
        if public {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        // Each was taken by such a store when it was made.
        store.add_parsable_certificates(own.iter().map(|authority| authority.0.clone()));
        store
    }
}

/// A certificate of an authority that a school runs itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority(CertificateDer<'static>);

/// Why bytes are no authority's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Not a certificate that can be built on.
    #[error("not an X.509 certificate of an authority")]
    Malformed,
    /// No PEM block of a certificate.
    #[error("no certificate; write PEM, beginning with -----BEGIN CERTIFICATE-----")]
    Empty,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

impl Authority {
    /// The authority of a certificate in DER.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Malformed`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, AuthorityError> {
        let certificate = CertificateDer::from(der);
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|_| AuthorityError::Malformed)?;
        Ok(Self(certificate))
    }

    /// The authorities in a PEM file: all of its certificates.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, AuthorityError> {
        let all = CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::from_der(der.map_err(|_| AuthorityError::Malformed)?.to_vec()))
            .collect::<Result<Vec<_>, _>>()?;
        match all.is_empty() {
            true => Err(AuthorityError::Empty),
            false => Ok(all),
        }
    }

    /// The authorities in this PEM file.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn all_in_file(path: &Path) -> Result<Vec<Self>, AuthorityError> {
        let pem = fs::read(path).map_err(|error| AuthorityError::Unreadable(error.kind()))?;
        Self::all_from_pem(&pem)
    }

    /// The certificate in PEM (RFC 7468).
    pub fn to_pem(&self) -> String {
        let text = STANDARD.encode(&self.0);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for (position, digit) in text.chars().enumerate() {
            if position > 0 && position % 64 == 0 {
                pem.push('\n');
            }
            pem.push(digit);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }

    /// The certificate in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo, as in RFC 7469.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpkiPin(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;
    use yika_testkit::tls::TlsAuthority;

    #[test]
    fn authorities_are_read_from_pem_all_of_them_or_none() {
        let (one, two) = (TlsAuthority::new("One"), TlsAuthority::new("Two"));
        let file = format!("# Campus\n{}\n{}", one.pem(), two.pem());
        let read = Authority::all_from_pem(file.as_bytes()).unwrap();
        assert_eq!(
            read.iter().map(Authority::as_der).collect::<Vec<_>>(),
            [one.der(), two.der()]
        );
        let torn = format!("{}{}", one.pem(), two.pem().replace("MII", "AAA"));
        assert_eq!(
            Authority::all_from_pem(torn.as_bytes()),
            Err(AuthorityError::Malformed)
        );
        for nothing in [
            "",
            "no PEM",
            "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
        ] {
            assert_eq!(
                Authority::all_from_pem(nothing.as_bytes()),
                Err(AuthorityError::Empty)
            );
        }
        assert_eq!(Authority::from_der(vec![0x30, 0]), Err(AuthorityError::Malformed));
    }

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        assert_eq!(
            Authority::all_in_file(&file),
            Err(AuthorityError::Unreadable(io::ErrorKind::NotFound))
        );
        let campus = Authority::from_der(TlsAuthority::new("Campus").der().to_vec()).unwrap();
        fs::write(&file, campus.to_pem()).unwrap();
        assert_eq!(Authority::all_in_file(&file), Ok(vec![campus]));
    }
}
