//! Binding by command: plays the host app, which in the sandbox hands out an ID token for any student.

use serde::{Deserialize, Serialize};
use url::Url;
use yika_core::session::HostIdToken;
use yika_core::{CampusCard, Origin};

use crate::output::Failure;

#[derive(Serialize)]
struct Student<'a> {
    student: &'a str,
}

#[derive(Deserialize)]
struct Issued {
    id_token: HostIdToken,
}

pub(crate) async fn bind(card: &CampusCard, platform: &Url, student: &str) -> Result<(), Failure> {
    let token = host_token(&Origin::new(platform.clone())?, student).await?;
    card.session().bind(platform.clone(), token).await?;
    println!("bound {student} to {platform}");
    Ok(())
}

/// Asks the sandbox's host app, which is where the platform is.
async fn host_token(platform: &Origin, student: &str) -> Result<HostIdToken, Failure> {
    // The first to install one wins; either way there is one afterwards.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = platform
        .url()
        .join("/sandbox/host/token")
        .map_err(|_| Failure::Host)?;
    let client = reqwest::Client::builder().build().map_err(|_| Failure::Host)?;
    let reply = client
        .post(url)
        .json(&Student { student })
        .send()
        .await
        .map_err(|_| Failure::Host)?;
    let reply = reply.error_for_status().map_err(|_| Failure::Host)?;
    Ok(reply.json::<Issued>().await.map_err(|_| Failure::Host)?.id_token)
}
