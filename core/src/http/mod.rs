//! The one HTTP client: encrypted or to this very machine, with a limit on time and size, no redirects, a proof of possession with each
//! request that has a sender, and retries only where the same request may be sent again. What the messages mean is up to
//! the features' `remote.rs`.

mod dpop;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;
use yika_api::operation::Refusal as BankRefusal;
use yika_api::session::{TokenError, TokenErrorCode};
use yika_api::{DPOP, DPOP_NONCE, Fen, IDEMPOTENCY_KEY, Problem, ProblemCode, UnixMillis};
use yika_link::{CertificateClock, Link, LinkError, Origin, ServerTrust, Timeouts};

use crate::clock::TrustedClock;
use crate::keys::SignError;
use dpop::Subject;

pub(crate) use dpop::Sender;

/// The largest answer that is read: a page of 500 bills is well below.
const MAX_ANSWER: usize = 1 << 20;
/// The largest file that is read: a hundred thousand payments are well below.
const MAX_FILE: usize = 32 << 20;

/// How long to wait, and how often to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// For the connection.
    pub connect_timeout: Duration,
    /// For the whole of one request and its answer.
    pub timeout: Duration,
    /// Tries beyond the first, where a request may be repeated.
    pub retries: u32,
    /// Before the first retry; doubled each time.
    pub backoff: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            retries: 2,
            backoff: Duration::from_millis(300),
        }
    }
}

/// Why there is no answer, or none that helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection: nothing was sent.
    #[error("cannot connect")]
    Unreachable,
    /// The connection broke, or no answer came in time: nobody knows what arrived.
    #[error("no answer")]
    Network,
    /// The certificate is not accepted.
    #[error("no secure connection")]
    Tls,
    /// The certificate is not valid at this time: the phone's time may be wrong.
    #[error("the certificate is not valid at this time")]
    CertificateTime,
    /// The answer is larger than any should be.
    #[error("the answer is too large")]
    TooLarge,
    /// The answer is not of the documented form.
    #[error("the answer is not understood")]
    Malformed,
    /// The client could not be made, or could not make the request.
    #[error("the HTTP client failed")]
    Client,
    /// The session key did not sign.
    #[error(transparent)]
    Sign(SignError),
    /// The platform refused.
    #[error("the platform refused")]
    Problem(Box<Refusal>),
    /// The token endpoint refused.
    #[error("the token endpoint refused")]
    Token(TokenErrorCode),
}

/// A refusal as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The problem's code; absent where the answer was no problem document.
    pub code: Option<ProblemCode>,
    /// Under what the platform's log has more.
    pub reference: Option<String>,
    /// When it is worth trying again.
    pub retry_at: Option<UnixMillis>,
    /// The amount that it is about, such as a limit.
    pub amount: Option<Fen>,
    /// What the bank said, where it was the bank that refused.
    pub bank: Option<BankRefusal>,
}

impl Refusal {
    /// Whether it is one of the request itself, and will be the same next time. The platform looks for an operation of that name
    /// before it looks at anything else, so such a refusal also says that none was taken. A problem of the session or the
    /// card says nothing of the operation, and neither does an answer that isn't the platform's.
    pub(crate) fn is_final(&self) -> bool {
        self.code.is_some_and(|code| {
            !code.is_retryable()
                && !matches!(
                    code,
                    ProblemCode::SessionExpired
                        | ProblemCode::InvalidDpopProof
                        | ProblemCode::DeviceLost
                        | ProblemCode::CardFrozen
                        | ProblemCode::Unknown
                )
        })
    }
}

impl HttpError {
    /// The problem's code, where there is one.
    pub(crate) fn problem(&self) -> Option<ProblemCode> {
        match self {
            Self::Problem(refusal) => refusal.code,
            _ => None,
        }
    }

    /// Whether the request certainly reached nobody.
    pub(crate) const fn never_arrived(&self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::Tls | Self::CertificateTime | Self::Client | Self::Sign(_)
        )
    }

    /// Whether it is about this try alone: one before that may have arrived may have been taken.
    fn says_nothing_of_others(&self) -> bool {
        let of_the_session = [ProblemCode::SessionExpired, ProblemCode::InvalidDpopProof];
        self.never_arrived() || self.problem().is_some_and(|code| of_the_session.contains(&code))
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable | Self::Network => true,
            Self::Problem(refusal) => match refusal.code {
                Some(code) => code.is_retryable() && code != ProblemCode::ChallengeExpired,
                None => matches!(refusal.status, 429 | 502 | 503 | 504),
            },
            _ => false,
        }
    }
}

/// A request, ready to be sent as often as it may be.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: Method,
    path: Cow<'static, str>,
    query: Option<String>,
    body: Option<Body>,
    operation: Option<Uuid>,
    repeatable: bool,
    most: usize,
}

/// A body: its media type and bytes, which a retry sends unchanged.
#[derive(Clone)]
struct Body {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

impl Call {
    /// Reads; may be repeated.
    pub(crate) fn get(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: None,
            body: None,
            operation: None,
            repeatable: true,
            most: MAX_ANSWER,
        }
    }

    /// Changes something; may not be repeated unless it is an operation with a name.
    pub(crate) fn post(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: Method::POST,
            repeatable: false,
            ..Self::get(path)
        }
    }

    /// Replaces something; may not be repeated unless it is an operation with a name.
    pub(crate) fn put(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(path)
        }
    }

    /// Removes something; may not be repeated unless it is an operation with a name.
    pub(crate) fn delete(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: Method::DELETE,
            repeatable: false,
            ..Self::get(path)
        }
    }

    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self, HttpError> {
        self.query = Some(form(query)?);
        Ok(self)
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Result<Self, HttpError> {
        let bytes = serde_json::to_vec(body).map_err(|_| HttpError::Malformed)?;
        Ok(self.json_bytes(bytes))
    }

    /// JSON as it was written down: what is sealed must be sent again byte for byte.
    pub(crate) fn json_bytes(mut self, bytes: Vec<u8>) -> Self {
        self.body = Some(Body {
            media_type: "application/json",
            bytes,
        });
        self
    }

    pub(crate) fn form(mut self, body: &impl Serialize) -> Result<Self, HttpError> {
        let bytes = form(body)?.into_bytes();
        self.body = Some(Body {
            media_type: "application/x-www-form-urlencoded",
            bytes,
        });
        Ok(self)
    }

    /// Bytes as they are.
    #[cfg(feature = "face")]
    pub(crate) fn octets(mut self, bytes: Vec<u8>) -> Self {
        self.body = Some(Body {
            media_type: "application/octet-stream",
            bytes,
        });
        self
    }

    /// What it does is named by its address, so that it may be repeated.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The answer is a file, which may be large.
    pub(crate) fn file(mut self) -> Self {
        self.most = MAX_FILE;
        self
    }

    /// Names the operation, so that it may be repeated.
    pub(crate) fn operation(mut self, id: Uuid) -> Self {
        self.operation = Some(id);
        self.repeatable = true;
        self
    }
}

fn form(value: &impl Serialize) -> Result<String, HttpError> {
    serde_urlencoded::to_string(value).map_err(|_| HttpError::Malformed)
}

/// A good answer.
pub(crate) struct Answer {
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|_| HttpError::Malformed)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.body
    }
}

/// The client for one platform.
pub(crate) struct Http {
    link: Link,
    clock: Arc<TrustedClock>,
    nonce: Mutex<Option<String>>,
    limits: HttpLimits,
}

impl Http {
    pub(crate) fn new(
        origin: Origin,
        trust: &ServerTrust,
        limits: HttpLimits,
        clock: Arc<TrustedClock>,
    ) -> Result<Self, HttpError> {
        let timeouts = Timeouts {
            connect: limits.connect_timeout,
            whole: Some(limits.timeout),
            read: None,
        };
        let user_agent = concat!("yika-core/", env!("CARGO_PKG_VERSION"));
        let certificate_clock = Arc::clone(&clock) as Arc<dyn CertificateClock>;
        let link = Link::new(origin, certificate_clock, trust, timeouts, user_agent)?;
        Ok(Self {
            link,
            clock,
            nonce: Mutex::new(None),
            limits,
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        self.link.origin()
    }

    /// Sends a call, again where it may be and that may help. An error says what is known of all tries.
    pub(crate) async fn send(&self, call: &Call, sender: Option<&Sender>) -> Result<Answer, HttpError> {
        let (mut wait, mut may_have_arrived) = (self.limits.backoff, false);
        let mut retries = self.limits.retries;
        loop {
            match self.send_once(call, sender).await {
                Err(error) if call.repeatable && error.is_transient() && retries > 0 => {
                    may_have_arrived |= !error.never_arrived();
                    tokio::time::sleep(wait).await;
                }
                Err(error) if may_have_arrived && error.says_nothing_of_others() => {
                    return Err(HttpError::Network);
                }
                other => return other,
            }
            retries -= 1;
            wait = wait.saturating_mul(2);
        }
    }

    /// Sends a call once, or twice where the server only wants its nonce in the proof, or where the certificate was
    /// judged by a wrong clock: neither has reached the operation.
    async fn send_once(&self, call: &Call, sender: Option<&Sender>) -> Result<Answer, HttpError> {
        match self.transmit(call, sender).await {
            Err(HttpError::Token(TokenErrorCode::UseDpopNonce)) => self.transmit(call, sender).await,
            Err(error) if error.problem() == Some(ProblemCode::UseDpopNonce) => {
                self.transmit(call, sender).await
            }
            Err(HttpError::CertificateTime) if self.link.falls_back(LinkError::CertificateTime) => {
                self.transmit(call, sender).await
            }
            other => other,
        }
    }

    async fn transmit(&self, call: &Call, sender: Option<&Sender>) -> Result<Answer, HttpError> {
        let mut url = self.link.origin().join(&call.path);
        let proof = match sender {
            Some(sender) => Some(self.proof(call, url.clone(), sender).await?),
            None => None,
        };
        url.set_query(call.query.as_deref());
        let mut request = self
            .link
            .request(call.method.clone(), url)
            .header(header::ACCEPT, "application/json, application/octet-stream");
        if let Some(proof) = proof {
            request = request.header(DPOP, proof);
        }
        if let Some(token) = sender.and_then(|sender| sender.access_token.as_ref()) {
            request = request.header(header::AUTHORIZATION, format!("DPoP {}", token.expose()));
        }
        if let Some(id) = call.operation {
            request = request.header(IDEMPOTENCY_KEY, id.to_string());
        }
        if let Some(body) = &call.body {
            request = request
                .header(header::CONTENT_TYPE, body.media_type)
                .body(body.bytes.clone());
        }
        yika_fault::reach("phone.http.before-send");
        let mut response = request
            .send()
            .await
            .map_err(|error| match LinkError::of(&error) {
                LinkError::Network if error.is_connect() => HttpError::Unreachable,
                other => other.into(),
            })?;
        yika_fault::reach("phone.http.after-reply");
        self.keep_nonce(response.headers());
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| LinkError::of(&error))? {
            if body.len() + chunk.len() > call.most {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(Answer { body })
        } else {
            Err(refusal(status, &body))
        }
    }

    /// Signing may take a keystore seconds, so it is done where blocking is allowed.
    async fn proof(&self, call: &Call, url: Url, sender: &Sender) -> Result<String, HttpError> {
        let (sender, method) = (sender.clone(), call.method.clone());
        let nonce = self.nonce.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now_or_floor().map_err(|_| HttpError::Client)?;
        tokio::task::spawn_blocking(move || {
            dpop::proof(
                &sender,
                Subject {
                    method: method.as_str(),
                    url: &url,
                    nonce,
                    now,
                },
            )
        })
        .await
        .map_err(|_| HttpError::Client)?
    }

    fn keep_nonce(&self, headers: &HeaderMap) {
        if let Some(nonce) = headers.get(DPOP_NONCE).and_then(|value| value.to_str().ok()) {
            *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = Some(nonce.to_owned());
        }
    }
}

impl From<LinkError> for HttpError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Client => Self::Client,
            LinkError::Network => Self::Network,
            LinkError::Tls => Self::Tls,
            LinkError::CertificateTime => Self::CertificateTime,
        }
    }
}

/// A problem document, a token endpoint's error, or just a status.
fn refusal(status: StatusCode, body: &[u8]) -> HttpError {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        let code = (problem.code != ProblemCode::Unknown).then_some(problem.code);
        return HttpError::Problem(Box::new(Refusal {
            status: status.as_u16(),
            code,
            reference: problem.reference,
            retry_at: problem.at,
            amount: problem.amount,
            bank: problem.refusal,
        }));
    }
    if let Ok(error) = serde_json::from_slice::<TokenError>(body) {
        return HttpError::Token(error.error);
    }
    HttpError::Problem(Box::new(Refusal {
        status: status.as_u16(),
        code: None,
        reference: None,
        retry_at: None,
        amount: None,
        bank: None,
    }))
}
