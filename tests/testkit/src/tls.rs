//! A TLS server on loopback whose certificate a test chooses: from which authority, for which host, from when until when.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData as _,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A day as year, month and day.
pub type Day = (i32, u8, u8);

/// An authority that vouches for servers, under a new key.
pub struct TlsAuthority(CertifiedIssuer<'static, KeyPair>);

impl TlsAuthority {
    /// The authority of this name.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("ring makes keys");
        Self(CertifiedIssuer::self_signed(params, key).expect("a name is all it takes"))
    }

    /// Its certificate.
    pub fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// Its certificate as a file has it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server of this host name or address, with a certificate from the first of these days until the second.
    pub fn certify(&self, host: &str, from: Day, until: Day) -> TlsIdentity {
        let day = |(year, month, day): Day| date_time_ymd(year, month, day);
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host name or address");
        (params.not_before, params.not_after) = (day(from), day(until));
        let key = KeyPair::generate().expect("ring makes keys");
        let certificate = params.signed_by(&key, &self.0).expect("the authority signs");
        let pin = crate::sha256(&key.subject_public_key_info());
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a PKCS #8 key");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the usual suites")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("key and certificate belong together");
        TlsIdentity {
            config: Arc::new(config),
            pin,
        }
    }
}

/// A server's key and certificate.
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub pin: [u8; 32],
}

/// A server that answers every request with the same JSON.
#[derive(Clone, Copy, Debug)]
pub struct TlsServer {
    address: SocketAddr,
}

impl TlsServer {
    /// Starts it on the current tokio runtime, where it stays until that ends.
    pub async fn start(identity: &TlsIdentity, json: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("a listener has an address");
        let acceptor = TlsAcceptor::from(Arc::clone(&identity.config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that breaks off is what some tests are about.
                tokio::spawn(answer(acceptor.clone(), stream, json));
            }
        });
        Self { address }
    }

    /// Its address: `https://127.0.0.1` and the port.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, json: &str) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let length = json.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{json}").as_bytes()).await?;
    stream.shutdown().await
}
