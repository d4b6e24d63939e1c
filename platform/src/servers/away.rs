//! The database goes away for a while, as when another takes its place. Clients are told that asking again may help, and
//! it does.

use crate::config::{DatabaseUrl, TerminalEnrolment};
use crate::testing::{TestDatabase, TestKey, TestPlatform, token_error};
use axum::http::{Method, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use yika_api::ProblemCode;
use yika_api::account::AccountList;
use yika_api::session::TokenErrorCode;

/// The way to a database. While it is cut, connections end as soon as they are made.
struct Cable(watch::Sender<bool>);

impl Cable {
    /// Lets the database be reached this way only.
    async fn lay(database: &mut TestDatabase) -> Self {
        let DatabaseUrl::Postgres(url) = &database.url else {
            panic!("{:?} is not reached through a network", database.url);
        };
        let mut url = url.with_password().clone();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        // Of a connection that ends while TLS is asked for, sqlx says that it is spoken to in another protocol.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        database.url = DatabaseUrl::parse(url.as_str()).unwrap();
        let (cable, state) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (mut here, _) = listener.accept().await.unwrap();
                let (server, mut state) = (server.clone(), state.clone());
                tokio::spawn(async move {
                    let mut there = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = state.wait_for(|is_cut| *is_cut) => {}
                        _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                    }
                });
            }
        });
        Self(cable)
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn while_the_database_is_away_clients_are_told_to_ask_again_and_then_they_are_served() {
    let mut database = TestDatabase::on_postgres().await;
    let cable = Cable::lay(&mut database).await;
    let campus = TestPlatform::open_on(database, TerminalEnrolment::Open).await;
    let phone = campus.bind("20260001").await;

    cable.0.send_replace(true);
    let health = campus.send(Method::GET, "/healthz", &[], Vec::new()).await;
    assert_eq!(health.problem().code, ProblemCode::ServerBusy);
    let accounts = phone.get("/v1/accounts").await;
    assert_eq!(accounts.problem().code, ProblemCode::ServerBusy);
    let form = [("grant_type", "refresh_token"), ("refresh_token", "any")];
    let token = campus.token(&TestKey::new(), &form).await;
    assert_eq!(token.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(token_error(&token), TokenErrorCode::TemporarilyUnavailable);

    cable.0.send_replace(false);
    phone.get("/v1/accounts").await.ok::<AccountList>();
}
