//! Clients with which the platform itself asks others.

use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// A client for this address: rustls with the bundled roots, no redirects, and no proxy for cleartext, which is for
/// loopback, where a proxy could not follow.
pub(crate) fn outbound_client(address: &Url, timeout: Duration) -> Result<reqwest::Client, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none());
    let builder = match address.scheme() {
        "https" => builder,
        _ => builder.no_proxy(),
    };
    Ok(builder.build()?)
}
