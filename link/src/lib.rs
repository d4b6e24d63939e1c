//! How a client reaches its platform: the address, whose certificates count, and by which time they are judged. Phone and
//! terminal share it, so that neither is reached where the other isn't. What is sent, how often, and what an answer means
//! is up to them; so is the clock, which comes as a trait.

mod clock;
mod error;
mod origin;
mod trust;
mod verifier;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, redirect};
use url::Url;

pub use clock::CertificateClock;
pub use error::LinkError;
pub use origin::{Origin, OriginError};
pub use trust::{Authority, AuthorityError, Roots, ServerTrust, SpkiPin};

use clock::CertificateTime;

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For the whole of a request and its answer, if that is limited.
    pub whole: Option<Duration>,
    /// Between two pieces of an answer, if that is limited.
    pub read: Option<Duration>,
}

/// A client for one platform: encrypted or to this very machine, without redirects.
pub struct Link {
    client: Client,
    origin: Origin,
    time: Arc<CertificateTime>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.origin)
    }
}

impl Link {
    /// Gets ready to talk to `origin`; touches no network.
    ///
    /// # Errors
    ///
    /// [`LinkError::Client`] where the client could not be made.
    pub fn new(
        origin: Origin,
        clock: Arc<dyn CertificateClock>,
        trust: &ServerTrust,
        timeouts: Timeouts,
        user_agent: &'static str,
    ) -> Result<Self, LinkError> {
        let time = Arc::new(CertificateTime::new(clock));
        let client = Client::builder()
            .tls_backend_preconfigured(verifier::client_config(Arc::clone(&time), trust)?)
            .https_only(origin.is_encrypted())
            .redirect(redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .user_agent(user_agent);
        let client = match timeouts.whole {
            Some(whole) => client.timeout(whole),
            None => client,
        };
        let client = match timeouts.read {
            Some(read) => client.read_timeout(read),
            None => client,
        };
        Ok(Self {
            client: client.build().map_err(|_| LinkError::Client)?,
            origin,
            time,
        })
    }

    /// Where it leads.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A request to `url`, which is one of the origin's.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// After a request that failed: whether to send it once more. That is so where a certificate was refused for its time and
    /// the client's time rests on a wall clock that may be far ahead: certificates are then judged by the latest time that
    /// is certain to have passed. It is so once, and accepts no certificate that would not have been accepted then.
    pub fn falls_back(&self, error: LinkError) -> bool {
        error == LinkError::CertificateTime && self.time.fall_back()
    }
}
