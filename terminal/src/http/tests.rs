//! Real handshakes: whatever the wall clock says, a terminal reaches its platform, and no other one.

use super::*;
use crate::testing::{FakeClock, NOW_MS};
use yika_link::{Authority, Roots};
use yika_testkit::tls::{Day, TlsAuthority, TlsServer};

const YEAR_MS: u64 = 365 * 86_400_000;

/// Asks a server whose certificate is good from one day until another, as a terminal that was anchored at [`NOW_MS`]
/// (2026-09-01) and then met with `fate`.
async fn handshake(from: Day, until: Day, fate: impl FnOnce(&FakeClock)) -> Result<(), HttpError> {
    let campus = TlsAuthority::new("Campus CA");
    let server = TlsServer::start(&campus.certify("127.0.0.1", from, until), r#"{"now":1}"#).await;
    let port = FakeClock::new();
    let state = port.anchored_state();
    fate(&port);
    let clock = Arc::new(TerminalClock::new(port, state));
    let dir = tempfile::tempdir().unwrap();
    let key = Arc::new(TerminalKey::load_or_make(&dir.path().join("key")).unwrap());
    let servers = ServerTrust {
        roots: Roots::Only(vec![Authority::from_der(campus.der().to_vec()).unwrap()]),
        pins: Vec::new(),
    };
    let origin = server.url().parse().unwrap();
    // A terminal without an anchor asks for the time when it connects, one with an anchor when it needs it.
    let platform = Platform::connect(origin, &servers, clock, key).await?;
    let time: ServerTime = platform.json(&Call::get("/v1/time")).await?;
    assert_eq!(time.now.0, 1);
    Ok(())
}

#[tokio::test]
async fn a_wall_clock_wrong_by_years_spoils_no_handshake() {
    for wall in [NOW_MS.0 - 20 * YEAR_MS, NOW_MS.0 + 20 * YEAR_MS] {
        let asked = handshake((2026, 8, 1), (2026, 10, 1), |port| port.set_wall(wall)).await;
        assert!(asked.is_ok(), "{asked:?}");
    }
}

#[tokio::test]
async fn a_wall_clock_that_was_set_back_revives_no_certificate() {
    let asked = handshake((2006, 1, 1), (2007, 1, 1), |port| {
        port.set_wall(NOW_MS.0 - 20 * YEAR_MS);
    });
    assert!(matches!(
        asked.await,
        Err(HttpError::Insecure(LinkError::CertificateTime))
    ));
}

#[tokio::test]
async fn after_a_restart_with_a_wall_clock_far_ahead_the_platforms_last_word_counts() {
    let asked = handshake((2026, 8, 1), (2026, 10, 1), |port| {
        port.reboot();
        port.set_wall(NOW_MS.0 + 20 * YEAR_MS);
    });
    assert!(asked.await.is_ok());
}
