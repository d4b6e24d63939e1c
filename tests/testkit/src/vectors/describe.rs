//! What is read from accepted bytes, as the vectors' `fields`.

use super::Hex;
use serde_json::{Value, json};
use yika_format::code::{Code, Use};
use yika_format::confirmation::Confirmation;
use yika_format::credential::Credential;
use yika_format::lists::{Directory, Faces, Keyset, Revocations, Row, Table};
use yika_format::sale::{SaleKind, SignedSale};
use yika_format::{Profile, SchoolHash};

fn hex(bytes: &[u8]) -> String {
    Hex(bytes.to_vec()).into()
}

const fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::P256 => "p256",
        Profile::Sm2 => "sm2",
    }
}

/// A credential's fields and what its issuer signed.
pub fn describe_credential(credential: &Credential, school: &SchoolHash) -> Value {
    let body = &credential.body;
    let attributes = &body.attributes;
    json!({
        "profile": profile(body.profile),
        "issuer": body.issuer.0,
        "pseudonym": hex(&body.pseudonym.0),
        "epoch": body.epoch.get(),
        "not_before_hours": body.not_before.0,
        "life_hours": body.life_hours,
        "code_life_s": body.code_life_s,
        "per_use_fen": attributes.per_use.amount().0,
        "cumulative_fen": attributes.cumulative.amount().0,
        "accounts": attributes.accounts.0,
        "scopes": attributes.scopes.bits(),
        "class": attributes.class as u8,
        "key_storage": attributes.key_storage as u8,
        "device_key": hex(body.device_key.as_bytes()),
        "preimage": hex(&body.preimage(school)),
    })
}

/// A code's fields and what its device signed.
pub fn describe_code(code: &Code, school: &SchoolHash, confirmation: Option<&Confirmation>) -> Value {
    let moment = code.moment();
    let dynamic = moment.dynamic;
    let bytes = dynamic.to_bytes();
    let confirmation = confirmation.filter(|_| dynamic.usage.is_confirmed());
    let mut value = json!({
        "form": if matches!(code, Code::Short(_)) { "short" } else { "full" },
        "profile": profile(moment.profile),
        "pseudonym": hex(&moment.pseudonym.0),
        "epoch": moment.epoch.get(),
        "time": dynamic.time.0,
        "counter": dynamic.counter.get(),
        "use": match dynamic.usage {
            Use::Identity => "identity",
            Use::Payment(_) => "payment",
            Use::ConfirmedPayment(_) => "confirmed_payment",
        },
        "slot": dynamic.usage.slot().map_or(0, |slot| slot.get()),
        "site": bytes[7],
        "clock": bytes[8],
        "preimage": hex(&moment.preimage(school, confirmation)),
    });
    if let Code::Full(full) = code {
        value["credential"] = describe_credential(&full.credential, school);
    }
    value
}

/// A keyset's version and keys.
pub fn describe_keyset(keyset: &Keyset) -> Value {
    let keys: Vec<_> = keyset
        .entries()
        .map(|entry| {
            json!({
                "id": entry.id.0,
                "role": entry.role as u8,
                "from": entry.from.0,
                "to": entry.to.0,
                "key": hex(entry.key.as_bytes()),
            })
        })
        .collect();
    json!({ "version": keyset.header().version, "keys": keys })
}

/// A table's version and policy, and a hash of all its rows.
pub fn describe_table(table: &Table) -> Value {
    let rows: Vec<u8> = table.rows().flat_map(|row: Row| row.to_bytes()).collect();
    let policy = table.policy();
    json!({
        "version": table.header().version,
        "code_life_s": policy.code_life_s,
        "max_skew_s": policy.max_skew_s,
        "unanchored_limit_fen": policy.unanchored_limit.amount().0,
        "identity_without_revocations": policy.identity_without_revocations,
        "rows": table.len(),
        "rows_sha256": hex(&crate::sha256(&rows)),
    })
}

/// The version and the entries of revocations.
pub fn describe_revocations(list: &Revocations) -> Value {
    let entries: Vec<_> = list
        .entries()
        .iter()
        .map(|entry| json!({ "pseudonym": hex(&entry.pseudonym.0), "min_epoch": entry.min_epoch.get() }))
        .collect();
    json!({ "version": list.header().version, "entries": entries })
}

/// The version, the terminal and the entries of a directory.
pub fn describe_directory(directory: &Directory) -> Value {
    let entries: Vec<_> = directory
        .entries()
        .map(|entry| json!({ "pseudonym": hex(&entry.pseudonym.0), "number": entry.number.as_str() }))
        .collect();
    json!({
        "version": directory.header().version,
        "terminal": directory.terminal(),
        "entries": entries,
    })
}

/// The version and the entries of faces.
pub fn describe_faces(faces: &Faces) -> Value {
    let entries: Vec<_> = faces
        .entries()
        .iter()
        .map(|entry| json!({ "reference": entry.reference.to_string(), "digest": hex(&entry.digest) }))
        .collect();
    json!({ "version": faces.header().version, "entries": entries })
}

/// A record's fields and its hash.
pub fn describe_sale(sale: &SignedSale) -> Value {
    let record = &sale.record;
    let (kind, voids) = match record.kind {
        SaleKind::Purchase(_) => ("purchase", 0),
        SaleKind::Void { sequence } => ("void", sequence),
        SaleKind::LibraryFee(_) => ("library_fee", 0),
    };
    json!({
        "terminal": record.terminal,
        "sequence": record.sequence,
        "previous": hex(&record.previous),
        "sale_kind": kind,
        "voids": voids,
        "amount_fen": record.amount.0,
        "merchant": record.merchant,
        "time_ms": record.time.0,
        "uncertainty_s": record.uncertainty_s,
        "table_version": record.table_version,
        "revocations_version": record.revocations_version,
        "nonce": record.nonce,
        "hash": hex(&record.hash()),
    })
}

/// What a terminal asks to be confirmed.
pub fn describe_confirmation(confirmation: &Confirmation) -> Value {
    json!({
        "terminal": confirmation.terminal,
        "nonce": confirmation.nonce,
        "amount_fen": confirmation.amount.0,
    })
}
