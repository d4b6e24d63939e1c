//! Commands about what is lost and found, and about the phones that the card is on.

use serde_json::{Value, json};
use yika_core::approvals::StepUp;
use yika_core::lost::{CardDevice, LostItem, LostState, Security, SuspendedBy};
use yika_core::session::SessionState;
use yika_core::{CampusCard, CoreError, Roots};

use crate::args::{Devices, DevicesAct, Item, Lost, LostAct, Output, Proof, What};
use crate::commands::{print, wait};
use crate::error::PhoneError;
use crate::host::{self, SignIn};
use crate::money::step_up;

/// What is lost: looked at, reported, found.
pub(crate) fn lost(card: &CampusCard, words: &Lost, roots: &Roots) -> Result<(), PhoneError> {
    let service = card.security();
    let (security, output) = match &words.act {
        None => (wait(service.refresh())??, words.output),
        Some(LostAct::Status(output)) => (wait(service.refresh())??, *output),
        Some(LostAct::Report { what, output }) => (wait(service.report(item(*what)))??, *output),
        Some(LostAct::Found { what, proof, output }) => {
            let step_up = proven(card, proof, roots)?;
            (wait(service.found(item(*what), step_up))??, *output)
        }
    };
    print(output, || security_json(&security), || security_text(&security))
}

/// The phones that the card is on.
pub(crate) fn devices(card: &CampusCard, words: &Devices, roots: &Roots) -> Result<(), PhoneError> {
    let service = card.security();
    let (security, output): (Security, Output) = match &words.act {
        None => (wait(service.refresh())??, words.output),
        Some(DevicesAct::Remove {
            device,
            proof,
            output,
        }) => {
            let step_up = proven(card, proof, roots)?;
            (wait(service.remove_device(*device, step_up))??, *output)
        }
    };
    print(
        output,
        || json!({ "devices": security.devices.iter().map(device_json).collect::<Vec<_>>() }),
        || {
            security
                .devices
                .iter()
                .map(device_text)
                .collect::<Vec<_>>()
                .join("\n")
        },
    )
}

fn item(what: What) -> LostItem {
    match (what.item, what.device) {
        (Item::Card, _) => LostItem::Card,
        (Item::Phone, None) => LostItem::ThisPhone,
        (Item::Phone, Some(device)) => LostItem::Phone { device },
        (Item::All, _) => LostItem::All,
    }
}

/// What shows that the holder is there, as the words say.
fn proven(card: &CampusCard, proof: &Proof, roots: &Roots) -> Result<Option<StepUp>, PhoneError> {
    if let Some(student) = &proof.sign_in {
        let (SessionState::Active(bound) | SessionState::Ended(bound)) = card.session().state() else {
            return Err(CoreError::NotBound.into());
        };
        let platform = bound.platform.url();
        let id_token = wait(host::id_token(platform, student, SignIn::Anew, roots))??;
        return Ok(Some(StepUp::SignIn { id_token }));
    }
    proof.password_stdin.then(step_up).transpose()
}

fn security_json(security: &Security) -> Value {
    let row = |index: usize| security.rows.get(index).map(|row| state_json(row.state));
    json!({
        "card": row(0),
        "phone": row(1),
        "all": row(2),
        "devices": security.devices.iter().map(device_json).collect::<Vec<_>>(),
        "frozen": security.frozen.map(by),
        "as_of": security.as_of,
    })
}

fn device_json(device: &CardDevice) -> Value {
    json!({
        "id": device.id,
        "name": device.name,
        "bound_at": device.bound_at,
        "last_seen": device.last_seen,
        "this": device.is_this,
        "state": state_json(device.state),
    })
}

fn state_json(state: LostState) -> Value {
    match state {
        LostState::Active => json!({ "state": "active" }),
        LostState::Sending { since } => json!({ "state": "sending", "since": since }),
        LostState::Lost {
            since,
            by: who,
            online_from,
            offline_by,
            offline_identity_by,
        } => json!({
            "state": "lost",
            "since": since,
            "by": by(who),
            "online_from": online_from,
            "offline_by": offline_by,
            "offline_identity_by": offline_identity_by,
        }),
    }
}

const fn by(who: SuspendedBy) -> &'static str {
    match who {
        SuspendedBy::Holder => "self",
        SuspendedBy::Office => "office",
    }
}

fn security_text(security: &Security) -> String {
    let names = ["card ", "phone", "all  "];
    let lines = names.iter().zip(&security.rows);
    lines
        .map(|(name, row)| format!("{name}  {}", state_text(row.state)))
        .collect::<Vec<_>>()
        .join("\n")
}

fn device_text(device: &CardDevice) -> String {
    let this = if device.is_this { "  this one" } else { "" };
    format!(
        "{}  {}{this}  {}",
        device.id,
        device.name,
        state_text(device.state)
    )
}

fn state_text(state: LostState) -> String {
    match state {
        LostState::Active => "active".to_owned(),
        LostState::Sending { .. } => "reported here; the platform hears when it is reached".to_owned(),
        LostState::Lost {
            by: who,
            online_from,
            offline_by,
            offline_identity_by,
            ..
        } => format!(
            "lost (by {}): online from {}, offline by {}, identities by {}",
            by(who),
            instant(online_from),
            instant(offline_by),
            instant(offline_identity_by)
        ),
    }
}

/// In UTC: the command line has no school's wall to hang a clock on.
fn instant(at: yika_api::UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}
