//! Making a terminal known to its platform: a key is made here, and for a library desk another one, to which its
//! directories will be sealed. The platform answers with a number and the school's root key, which is pinned. With it come
//! the keyset and the signed time at which the terminal's memory begins.

use std::path::Path;
use std::sync::Arc;

use yika_api::Base64Url;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, TerminalKind};
use yika_format::lists::{Keyset, Root};
use yika_format::{ExpandedKey, PublicKey, SchoolHash, UnixSeconds};
use yika_link::{Authority, Origin};

use crate::clock::{ClockState, TerminalClock};
use crate::directory::load_or_make_key;
use crate::error::TerminalError;
use crate::home::Home;
use crate::http::{Call, Platform};
use crate::keys::TerminalKey;
use crate::store::{Enrolment, Store};
use crate::sync::ask_time;
use crate::terminal::TerminalOptions;

/// What is asked of the platform.
#[derive(Clone, Debug)]
pub struct Enrol {
    /// Where it is.
    pub platform: Origin,
    /// What the terminal is to be. A library desk's `directory_key` is made here; what stands in its place is not sent.
    pub request: EnrolTerminal,
    /// The school's root key, where it is known beforehand; whatever the platform says is pinned otherwise.
    pub root_key: Option<PublicKey>,
    /// Who vouches for the platform's TLS certificate instead of public authorities; those if empty. The terminal remembers
    /// them.
    pub authorities: Vec<Authority>,
}

/// Enrols a terminal in this folder. After an error it can be tried again, with the same key: the platform then knows
/// that it is the same terminal.
///
/// # Errors
///
/// [`TerminalError::AlreadyEnrolled`] for a folder that has a terminal; [`TerminalError::RootKeyMismatch`] where the
/// platform's root key is not the expected one; [`TerminalError::Http`] where the platform can't be reached or refuses.
pub async fn enrol(
    dir: &Path,
    options: &TerminalOptions,
    enrol: &Enrol,
) -> Result<EnrolledTerminal, TerminalError> {
    let home = Home::take(dir, options.patience)?;
    let mut store = Store::open(&home)?;
    if let Some(enrolment) = store.enrolment()? {
        return Err(TerminalError::AlreadyEnrolled {
            terminal: enrolment.answer.id.0,
        });
    }
    let key = Arc::new(TerminalKey::load_or_make(&home.key())?);
    let request = EnrolTerminal {
        directory_key: directory_key(&home, enrol.request.kind)?,
        ..enrol.request.clone()
    };
    let clock = Arc::new(TerminalClock::new(
        Arc::clone(&options.clock),
        ClockState::default(),
    ));
    home.keep_authorities(&enrol.authorities)?;
    let servers = home.servers()?;
    let platform = Platform::connect(
        enrol.platform.clone(),
        &servers,
        Arc::clone(&clock),
        Arc::clone(&key),
    )
    .await?;
    let answer: EnrolledTerminal = platform
        .json(&Call::post_json("/v1/terminals", &request)?)
        .await?;
    let root_key = check_answer(enrol, &answer)?;
    let root = Root {
        school: SchoolHash::of_domain(&answer.school.domain),
        key: root_key,
    };
    let keyset_bytes = platform.bytes(&Call::get("/v1/school/keyset")).await?;
    let keyset = Keyset::open(&keyset_bytes, &root).map_err(TerminalError::list("keyset"))?;
    let anchor = ask_time(&platform, &keyset, &clock).await?;
    let mut state = ClockState::default();
    state.set_anchor(anchor);
    let enrolment = Enrolment {
        platform: enrol.platform.clone(),
        root_key,
        own_key: key.public().compress(),
        installed: UnixSeconds(
            u32::try_from(anchor.platform.seconds()).map_err(|_| TerminalError::EnrolmentAnswer("time"))?,
        ),
        answer: answer.clone(),
    };
    store.enrol(&enrolment, (keyset.header().version, &keyset_bytes), &state)?;
    Ok(answer)
}

/// The public half of the key to which a library desk's directories will be sealed; the private half stays in the home.
fn directory_key(home: &Home, kind: TerminalKind) -> Result<Option<Base64Url>, TerminalError> {
    if kind != TerminalKind::Library {
        return Ok(None);
    }
    let key = load_or_make_key(&home.directory_key())?.public().compress();
    Ok(Some(key.as_bytes().to_vec().into()))
}

/// The root key of an answer that makes sense.
fn check_answer(enrol: &Enrol, answer: &EnrolledTerminal) -> Result<ExpandedKey, TerminalError> {
    let told = answer.school.root_key.to_array();
    let root_key = told
        .and_then(|bytes| PublicKey::from_compressed(bytes).ok())
        .ok_or(TerminalError::EnrolmentAnswer("root key"))?;
    if enrol.root_key.is_some_and(|expected| expected != root_key) {
        return Err(TerminalError::RootKeyMismatch);
    }
    if answer.kind != enrol.request.kind {
        return Err(TerminalError::EnrolmentAnswer("kind"));
    }
    root_key
        .expand()
        .map_err(|_| TerminalError::EnrolmentAnswer("root key"))
}

#[cfg(test)]
mod tests;
