//! Real handshakes with a real server on loopback. The machine's own clock plays no part: certificates are of the year 2040.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use yika_link::{
    Authority, CertificateClock, Link, LinkError, Origin, Roots, ServerTrust, SpkiPin, Timeouts,
};
use yika_testkit::tls::{TlsAuthority, TlsIdentity, TlsServer};

/// 2040-06-15T00:00:00Z, within the certificate.
const WITHIN: Duration = Duration::from_secs(2_223_331_200);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[derive(Debug)]
struct Clock {
    now: Duration,
    floor: Option<Duration>,
}

impl CertificateClock for Clock {
    fn now(&self) -> Option<Duration> {
        Some(self.now)
    }

    fn floor(&self) -> Option<Duration> {
        self.floor
    }
}

/// A clock that knows the time.
fn anchored(now: Duration) -> Clock {
    Clock { now, floor: None }
}

fn june(authority: &TlsAuthority, host: &str) -> TlsIdentity {
    authority.certify(host, (2040, 6, 1), (2040, 7, 1))
}

fn only(authority: &TlsAuthority) -> Roots {
    Roots::Only(vec![Authority::from_der(authority.der().to_vec()).unwrap()])
}

fn link(server: TlsServer, clock: Clock, trust: &ServerTrust) -> Link {
    let origin: Origin = server.url().parse().unwrap();
    let timeouts = Timeouts {
        connect: Duration::from_secs(60),
        whole: None,
        read: None,
    };
    Link::new(origin, Arc::new(clock), trust, timeouts, "test").unwrap()
}

async fn ask(link: &Link) -> Result<(), LinkError> {
    let url = link.origin().join("/");
    let answer = link.request(Method::GET, url).send().await;
    answer.map(drop).map_err(|error| LinkError::of(&error))
}

/// What comes of asking a server of `host` that `authority` vouches for in June 2040.
async fn outcome(
    authority: &TlsAuthority,
    host: &str,
    clock: Clock,
    roots: Roots,
    pins: Option<SpkiPin>,
) -> Result<(), LinkError> {
    let server = TlsServer::start(&june(authority, host), "{}").await;
    let pins = pins.into_iter().collect();
    ask(&link(server, clock, &ServerTrust { roots, pins })).await
}

#[tokio::test]
async fn a_certificate_counts_by_the_clients_time_alone() {
    let campus = TlsAuthority::new("Campus CA");
    for (now, expected) in [
        (WITHIN, Ok(())),
        (WITHIN + YEAR, Err(LinkError::CertificateTime)),
        (WITHIN - YEAR, Err(LinkError::CertificateTime)),
    ] {
        let got = outcome(&campus, "127.0.0.1", anchored(now), only(&campus), None).await;
        assert_eq!(got, expected, "{now:?}");
    }
}

#[tokio::test]
async fn a_clock_far_ahead_falls_back_to_its_floor_once_and_stays_there() {
    let campus = TlsAuthority::new("Campus CA");
    let server = TlsServer::start(&june(&campus, "127.0.0.1"), "{}").await;
    let trust = ServerTrust {
        roots: only(&campus),
        pins: Vec::new(),
    };
    let clock = Clock {
        now: WITHIN + 9 * YEAR,
        floor: Some(WITHIN),
    };
    let link = link(server, clock, &trust);
    let refused = ask(&link).await.unwrap_err();
    assert_eq!(refused, LinkError::CertificateTime);
    assert!(link.falls_back(refused));
    assert_eq!(ask(&link).await, Ok(()));
    assert!(!link.falls_back(refused));
    assert_eq!(ask(&link).await, Ok(()));
}

#[tokio::test]
async fn the_floor_makes_no_other_certificate_good() {
    let campus = TlsAuthority::new("Campus CA");
    let server = TlsServer::start(&june(&campus, "127.0.0.1"), "{}").await;
    let trust = ServerTrust {
        roots: only(&campus),
        pins: Vec::new(),
    };
    let clock = Clock {
        now: WITHIN + 9 * YEAR,
        floor: Some(WITHIN + YEAR),
    };
    let link = link(server, clock, &trust);
    assert!(link.falls_back(ask(&link).await.unwrap_err()));
    assert_eq!(ask(&link).await, Err(LinkError::CertificateTime));
    let anchored = self::link(server, anchored(WITHIN + YEAR), &trust);
    assert!(!anchored.falls_back(ask(&anchored).await.unwrap_err()));
}

#[tokio::test]
async fn only_a_pinned_key_will_do_where_one_is_pinned() {
    let campus = TlsAuthority::new("Campus CA");
    let identity = june(&campus, "127.0.0.1");
    let server = TlsServer::start(&identity, "{}").await;
    for (pins, expected) in [
        (vec![SpkiPin(identity.pin)], Ok(())),
        (vec![SpkiPin([7; 32]), SpkiPin(identity.pin)], Ok(())),
        (vec![SpkiPin([7; 32])], Err(LinkError::Tls)),
    ] {
        let trust = ServerTrust {
            roots: only(&campus),
            pins,
        };
        let link = link(server, anchored(WITHIN), &trust);
        assert_eq!(ask(&link).await, expected, "{trust:?}");
        assert!(!link.falls_back(LinkError::Tls));
    }
}

#[tokio::test]
async fn a_pin_is_no_way_around_the_other_checks() {
    let (campus, another) = (TlsAuthority::new("Campus CA"), TlsAuthority::new("Another CA"));
    let identity = june(&campus, "127.0.0.1");
    let server = TlsServer::start(&identity, "{}").await;
    let trust = ServerTrust {
        roots: only(&another),
        pins: vec![SpkiPin(identity.pin)],
    };
    assert_eq!(
        ask(&link(server, anchored(WITHIN), &trust)).await,
        Err(LinkError::Tls)
    );
}

#[tokio::test]
async fn another_hosts_certificate_is_refused() {
    let campus = TlsAuthority::new("Campus CA");
    let got = outcome(
        &campus,
        "card.other.example",
        anchored(WITHIN),
        only(&campus),
        None,
    )
    .await;
    assert_eq!(got, Err(LinkError::Tls));
}

#[tokio::test]
async fn a_schools_own_authority_counts_only_where_it_is_named() {
    let (campus, another) = (TlsAuthority::new("Campus CA"), TlsAuthority::new("Another CA"));
    let own = Authority::from_der(campus.der().to_vec()).unwrap();
    for (roots, expected) in [
        (Roots::Public, Err(LinkError::Tls)),
        (only(&another), Err(LinkError::Tls)),
        (only(&campus), Ok(())),
        (Roots::PublicAnd(vec![own]), Ok(())),
    ] {
        let got = outcome(&campus, "127.0.0.1", anchored(WITHIN), roots.clone(), None).await;
        assert_eq!(got, expected, "{roots:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_no_matter_of_tls() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let timeouts = Timeouts {
        connect: Duration::from_secs(60),
        whole: None,
        read: None,
    };
    let origin = format!("https://{address}").parse().unwrap();
    let clock = Arc::new(anchored(WITHIN));
    let link = Link::new(origin, clock, &ServerTrust::default(), timeouts, "test").unwrap();
    assert_eq!(ask(&link).await, Err(LinkError::Network));
}
