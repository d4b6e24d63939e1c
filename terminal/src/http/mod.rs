//! The one HTTP client: encrypted or to this very machine, no redirects, limits on time and size, and a proof of
//! possession by the terminal's key with each request that needs one. What the messages mean is up to the callers.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use yika_api::dpop::{ProofClaims, attach_signature, signing_input};
use yika_api::school::ServerTime;
use yika_api::{DPOP, DPOP_NONCE, Problem, ProblemCode};
use yika_link::{CertificateClock, Link, LinkError, Origin, ServerTrust, Timeouts};

use crate::clock::TerminalClock;
use crate::keys::{TerminalKey, TerminalKeyError};

/// A table may take long as a whole.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    whole: None,
    read: Some(Duration::from_secs(30)),
};
const USER_AGENT: &str = concat!("yika-terminal/", env!("CARGO_PKG_VERSION"));
/// The largest answer, in bytes: a table of five million holders.
const MAX_ANSWER: usize = 256 << 20;

/// Why there is no answer, or none that helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The client could not be made.
    #[error("the HTTP client could not be made")]
    Client,
    /// No connection, or no answer in time.
    #[error("the platform cannot be reached: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// No secure connection.
    #[error(
        "no secure connection to the platform: {0}; check its address, and who vouches for its certificate"
    )]
    Insecure(#[source] LinkError),
    /// The platform refused, and said why.
    #[error("the platform refused: {}", describe(.0))]
    Refused(Box<Problem>),
    /// The platform refused without a reason, or something on the way did.
    #[error("the platform answered with status {0}")]
    Status(u16),
    /// The answer is larger than any should be.
    #[error("the platform's answer is too large")]
    TooLarge,
    /// The answer is not of the documented form.
    #[error("the platform's answer is not understood; this version may be too old")]
    Malformed,
    /// The terminal's key did not sign the proof.
    #[error(transparent)]
    Proof(#[from] TerminalKeyError),
}

fn describe(problem: &Problem) -> String {
    match &problem.detail {
        Some(detail) => format!("{} ({detail})", problem.title),
        None => problem.title.clone(),
    }
}

impl HttpError {
    /// Of a request that got no answer.
    fn of(error: reqwest::Error) -> Self {
        match LinkError::of(&error) {
            LinkError::Client => Self::Client,
            LinkError::Network => Self::Unreachable(error),
            insecure => Self::Insecure(insecure),
        }
    }

    /// The code of the platform's refusal.
    pub fn problem(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the platform has nothing there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.problem() == Some(ProblemCode::NotFound) || matches!(self, Self::Status(404))
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Client => "HTTP_CLIENT",
            Self::Unreachable(_) => "UNREACHABLE",
            Self::Insecure(_) => "TLS",
            Self::Refused(_) => "PLATFORM_REFUSED",
            Self::Status(_) | Self::TooLarge | Self::Malformed => "PLATFORM_ANSWER",
            Self::Proof(_) => "KEY",
        }
    }
}

/// A request, sent again unchanged where only its proof was not accepted.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: Cow<'static, str>,
    query: Option<String>,
    body: Option<(&'static str, Vec<u8>)>,
}

impl Call {
    pub(crate) fn get(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: None,
            body: None,
        }
    }

    pub(crate) fn query(mut self, query: String) -> Self {
        self.query = Some(query);
        self
    }

    pub(crate) fn post_bytes(path: &'static str, body: &[u8]) -> Self {
        Self {
            method: Method::POST,
            body: Some(("application/octet-stream", body.to_vec())),
            ..Self::get(path)
        }
    }

    pub(crate) fn post_json(path: &'static str, body: &impl Serialize) -> Result<Self, HttpError> {
        let body = serde_json::to_vec(body).map_err(|_| HttpError::Malformed)?;
        Ok(Self {
            method: Method::POST,
            body: Some(("application/json", body)),
            ..Self::get(path)
        })
    }
}

/// The platform, as one terminal talks to it.
pub(crate) struct Platform {
    link: Link,
    clock: Arc<TerminalClock>,
    key: Arc<TerminalKey>,
    nonce: Mutex<Option<String>>,
    /// The platform's unsigned time less the terminal's, in milliseconds, where it was asked: for proofs alone. A proof's
    /// time proves nothing that its nonce doesn't, so an unsigned word is good enough.
    proof_time_error_ms: Mutex<i64>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.link.origin())
    }
}

impl Platform {
    /// Gets ready to talk to the platform. Where the terminal has no anchor, the platform is asked for its time first.
    pub(crate) async fn connect(
        origin: Origin,
        servers: &ServerTrust,
        clock: Arc<TerminalClock>,
        key: Arc<TerminalKey>,
    ) -> Result<Self, HttpError> {
        let certificate_clock = Arc::clone(&clock) as Arc<dyn CertificateClock>;
        let link = Link::new(origin, certificate_clock, servers, TIMEOUTS, USER_AGENT)
            .map_err(|_| HttpError::Client)?;
        let platform = Self {
            link,
            clock,
            key,
            nonce: Mutex::new(None),
            proof_time_error_ms: Mutex::new(0),
        };
        if !platform.clock.now().is_anchored {
            platform.correct_proof_time().await?;
        }
        Ok(platform)
    }

    /// Asks the platform for its time, so that proofs have a time that it accepts.
    async fn correct_proof_time(&self) -> Result<(), HttpError> {
        let answer = self.transmit(&Call::get("/v1/time"), false).await?;
        let server: ServerTime = json(&bytes(answer).await?)?;
        *lock(&self.proof_time_error_ms) = server.now.0.saturating_sub(self.own_time_ms());
        Ok(())
    }

    fn own_time_ms(&self) -> i64 {
        i64::try_from(self.clock.now().now.0).unwrap_or(i64::MAX)
    }

    /// Sends a call and reads its answer.
    pub(crate) async fn bytes(&self, call: &Call) -> Result<Vec<u8>, HttpError> {
        bytes(self.send(call).await?).await
    }

    /// Sends a call and reads its answer, of at most so many bytes.
    pub(crate) async fn bytes_up_to(&self, call: &Call, most: usize) -> Result<Vec<u8>, HttpError> {
        bytes_up_to(self.send(call).await?, most).await
    }

    /// Sends a call and reads its answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, HttpError> {
        json(&self.bytes(call).await?)
    }

    /// Sends a call with a proof of possession, once more where the platform only wanted its nonce in it, and once more
    /// where the proof was not accepted: the anchor may be off, as on a machine that was suspended. Returns as soon as
    /// the platform has begun to answer that it did it.
    pub(crate) async fn send(&self, call: &Call) -> Result<Response, HttpError> {
        let (mut has_nonce, mut has_time) = (false, false);
        loop {
            match self.transmit(call, true).await {
                Err(error) if error.problem() == Some(ProblemCode::UseDpopNonce) && !has_nonce => {
                    has_nonce = true;
                }
                Err(error) if error.problem() == Some(ProblemCode::InvalidDpopProof) && !has_time => {
                    has_time = true;
                    self.correct_proof_time().await?;
                }
                other => return other,
            }
        }
    }

    async fn transmit(&self, call: &Call, is_proven: bool) -> Result<Response, HttpError> {
        yika_fault::reach("terminal.http.before-send");
        let response = match self.request(call, is_proven)?.send().await {
            Err(error) if self.link.falls_back(LinkError::of(&error)) => {
                self.request(call, is_proven)?.send().await
            }
            other => other,
        };
        let response = response.map_err(HttpError::of)?;
        yika_fault::reach("terminal.http.after-reply");
        if let Some(nonce) = response
            .headers()
            .get(DPOP_NONCE)
            .and_then(|value| value.to_str().ok())
        {
            *lock(&self.nonce) = Some(nonce.to_owned());
        }
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = bytes(response).await?;
        Err(
            serde_json::from_slice(&body).map_or(HttpError::Status(status.as_u16()), |problem| {
                HttpError::Refused(Box::new(problem))
            }),
        )
    }

    fn request(&self, call: &Call, is_proven: bool) -> Result<reqwest::RequestBuilder, HttpError> {
        let mut url = self.link.origin().join(&call.path);
        let target = url.to_string();
        url.set_query(call.query.as_deref());
        let mut request = self.link.request(call.method.clone(), url).header(ACCEPT, "*/*");
        if is_proven {
            request = request.header(DPOP, self.proof(call.method.as_str(), target)?);
        }
        if let Some((media_type, body)) = &call.body {
            request = request.header(CONTENT_TYPE, *media_type).body(body.clone());
        }
        Ok(request)
    }

    /// A new proof for each attempt (RFC 9449, section 4.2).
    fn proof(&self, method: &str, target: String) -> Result<String, HttpError> {
        let claims = ProofClaims {
            jti: Uuid::new_v4().to_string(),
            htm: method.to_owned(),
            htu: target,
            iat: self
                .own_time_ms()
                .saturating_add(*lock(&self.proof_time_error_ms))
                / 1000,
            nonce: lock(&self.nonce).clone(),
            ath: None,
        };
        let jwk = self.key.jwk().ok_or(HttpError::Proof(TerminalKeyError::Failed))?;
        let input = signing_input(&jwk, &claims).map_err(|_| HttpError::Malformed)?;
        let signature = self.key.sign(input.as_bytes())?;
        Ok(attach_signature(&input, signature.as_bytes()))
    }
}

/// The whole body of an answer.
pub(crate) async fn bytes(response: Response) -> Result<Vec<u8>, HttpError> {
    bytes_up_to(response, MAX_ANSWER).await
}

async fn bytes_up_to(mut response: Response, most: usize) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::of)? {
        if body.len() + chunk.len() > most {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A body as the JSON that it should be.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(body).map_err(|_| HttpError::Malformed)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
