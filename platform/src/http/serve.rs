//! Listening, with a limit on what a connection may take, and ending without dropping a request. A client that sends slowly, or
//! nothing, holds a connection for seconds and no more.

use crate::config::ConfigError;
use crate::error::Result;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long nothing is accepted after the system had no room for a connection.
const BREATH: Duration = Duration::from_secs(1);

/// What a connection may take. Bodies have limits of their own, a resource each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// From when a connection is open, or has had its last answer, until the next request's header is there.
    pub header_timeout: Duration,
    /// From a request's header until its answer; its body is read in that time.
    pub request_timeout: Duration,
    /// The longest header of a request, in bytes.
    pub max_header_bytes: usize,
    /// Connections at once. More wait in the system's queue until one is closed.
    pub max_connections: NonZero<usize>,
}

impl Default for HttpLimits {
    /// 15 s for a header, 30 s for a request, 32 KiB of header, 4,096 connections.
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            max_header_bytes: 32 * 1024,
            max_connections: NonZero::<usize>::MIN.saturating_add(4095),
        }
    }
}

/// Whether cleartext may be served where others than this machine reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenPolicy {
    /// Loopback only.
    LoopbackOnly,
    /// Anywhere: a proxy in front ends TLS.
    BehindTlsProxy,
}

impl ListenPolicy {
    /// Refuses an address on which cleartext would leave this machine.
    pub fn check(self, address: SocketAddr) -> Result<(), ConfigError> {
        match self {
            Self::LoopbackOnly if !address.ip().is_loopback() => Err(ConfigError::Cleartext(address)),
            Self::LoopbackOnly | Self::BehindTlsProxy => Ok(()),
        }
    }
}

/// Serves until told to stop, then finishes the requests at hand.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(limits.max_header_bytes);
    let slots = Arc::new(Semaphore::new(limits.max_connections.get()));
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (slot, stream) = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _slot = slot;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
    tracing::info!("stopped");
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    // Nobody closes the semaphore; if somebody did, there would be no limit.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (slot, stream),
            // A client that has gone already is no reason to wait.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// SIGTERM or SIGINT. From this call on neither ends the process by itself, so it stands before the server is announced.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing the requests at hand");
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TerminalEnrolment;
    use crate::testing::{TestDatabase, TestPlatform};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    const QUICK: Duration = Duration::from_millis(100);
    /// Longer than any test may take.
    const NEVER: Duration = Duration::from_secs(3_600);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// A server that greets, and what ends it.
    async fn server(limits: HttpLimits) -> (SocketAddr, oneshot::Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        let (end, ended) = oneshot::channel();
        let stop = async { drop(ended.await) };
        tokio::spawn(serve(listener, router, limits, stop));
        (address, end)
    }

    async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// What comes until the server closes the connection.
    async fn rest(mut stream: TcpStream) -> String {
        let mut bytes = Vec::new();
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    }

    /// One whole answer on a connection that stays open.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"hello") {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "closed early");
        }
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn a_header_that_does_not_come_ends_the_connection() {
        let limits = HttpLimits {
            header_timeout: QUICK,
            ..HttpLimits::default()
        };
        let (address, _end) = server(limits).await;
        for start in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            assert!(!rest(send(address, start).await).await.contains("200"));
        }
        // An idle one as well, after its answer.
        let mut idle = send(address, REQUEST).await;
        assert!(answer(&mut idle).await.starts_with("HTTP/1.1 200"));
        assert_eq!(rest(idle).await, "");
    }

    #[tokio::test]
    async fn a_header_that_is_too_long_is_refused() {
        let limits = HttpLimits {
            header_timeout: NEVER,
            ..HttpLimits::default()
        };
        let (address, _end) = server(limits).await;
        let long = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(limits.max_header_bytes));
        let reply = rest(send(address, long.as_bytes()).await).await;
        assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
    }

    #[tokio::test]
    async fn a_connection_beyond_the_limit_waits_for_another_one_to_go() {
        let limits = HttpLimits {
            header_timeout: NEVER,
            max_connections: NonZero::<usize>::MIN,
            ..HttpLimits::default()
        };
        let (address, _end) = server(limits).await;
        let mut first = send(address, REQUEST).await;
        answer(&mut first).await;
        let mut second = send(address, REQUEST).await;
        for _ in 0..10 {
            first.write_all(REQUEST).await.unwrap();
            answer(&mut first).await;
        }
        assert_eq!(
            second.try_read(&mut [0; 1]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(first);
        answer(&mut second).await;
    }

    #[tokio::test]
    async fn a_server_that_ends_closes_what_is_idle_and_takes_nothing_new() {
        let (address, end) = server(HttpLimits::default()).await;
        let mut idle = send(address, REQUEST).await;
        answer(&mut idle).await;
        end.send(()).unwrap();
        assert_eq!(rest(idle).await, "");
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_answered_and_ends_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::new().await;
        let config = crate::Config {
            http: HttpLimits {
                header_timeout: NEVER,
                request_timeout: QUICK,
                ..HttpLimits::default()
            },
            ..TestPlatform::config(&folder, &database, TerminalEnrolment::Open)
        };
        let platform = crate::Platform::open(config).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, limits) = (platform.router(), platform.http_limits());
        tokio::spawn(serve(listener, router, limits, std::future::pending()));
        let start = "POST /v1/sessions/host-logout HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
                     content-type: application/x-www-form-urlencoded\r\n\r\nlogout_token=a";
        let reply = rest(send(address, start.as_bytes()).await).await;
        assert!(reply.starts_with("HTTP/1.1 503"), "{reply}");
        assert!(reply.contains("server_busy"), "{reply}");
    }

    #[test]
    fn cleartext_leaves_the_machine_only_behind_a_proxy() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        for open in ["0.0.0.0:80", "10.1.2.3:80", "[::]:80"] {
            assert!(ListenPolicy::LoopbackOnly.check(address(open)).is_err());
            assert!(ListenPolicy::BehindTlsProxy.check(address(open)).is_ok());
        }
        assert!(ListenPolicy::LoopbackOnly.check(address("127.0.0.1:0")).is_ok());
        assert!(ListenPolicy::LoopbackOnly.check(address("[::1]:0")).is_ok());
    }
}
