//! Listening, and ending without dropping a request.

use crate::config::ConfigError;
use crate::error::Result;
use axum::Router;
use std::net::SocketAddr;
use tokio::net::TcpListener;

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
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// SIGTERM or SIGINT. From this call on neither ends the process by itself, so it stands before the server is announced.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
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
