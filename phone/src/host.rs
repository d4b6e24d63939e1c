//! The part that the host app plays on a real phone: handing over its session, here from a sandbox's identity provider.

use serde::Deserialize;
use serde_json::json;
use url::Url;
use yika_core::Roots;
use yika_core::session::HostIdToken;

use crate::error::PhoneError;

#[derive(Deserialize)]
struct Token {
    id_token: String,
}

/// Whether the student signs in for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// The one who signed in before still is.
    AsBefore,
    /// With the password there, anew.
    Anew,
}

/// The ID token that the sandbox's host gives for this student.
pub(crate) async fn id_token(
    platform: &Url,
    student: &str,
    sign_in: SignIn,
    roots: &Roots,
) -> Result<HostIdToken, PhoneError> {
    let failed = |error: &dyn std::fmt::Display| PhoneError::Host(error.to_string());
    // A process has one provider; the core brings its own configuration and doesn't depend on this.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = platform
        .join("/sandbox/host/token")
        .map_err(|error| failed(&error))?;
    let mut builder = reqwest::Client::builder();
    if let Roots::Only(authorities) = roots {
        let own = authorities
            .iter()
            .map(|authority| reqwest::Certificate::from_der(authority.as_der()));
        let own = own
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(&error))?;
        builder = builder.tls_certs_only(own);
    }
    let client = builder.build().map_err(|error| failed(&error))?;
    let answer = client
        .post(url)
        .json(&json!({ "student": student, "sign_in": sign_in == SignIn::Anew }))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| failed(&error.without_url()))?;
    let token: Token = answer
        .json()
        .await
        .map_err(|error| failed(&error.without_url()))?;
    Ok(HostIdToken::from(token.id_token))
}
