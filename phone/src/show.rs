//! What commands print: tables for people, and the documented JSON for scripts.

use serde_json::{Value, json};
use yika_api::{Fen, LocalizedText};
use yika_core::CampusCard;
use yika_core::accounts::{Account, Balance, Bill, BillPage, BillSummary, DisputeDraft};
use yika_core::auto_top_up::AutoTopUp;
use yika_core::clock::ClockQuality;
use yika_core::face::{FaceRecord, UploadPhase};
use yika_core::limits::SpendLimits;
use yika_core::operations::{Operation, OperationPage, Plan};
use yika_core::session::SessionState;
use yika_core::utilities::{BoundPlace, Place, PlaceBalance, Provider};
use yika_core::wallet::{CardBinding, Wallet};

/// The accounts.
pub(crate) fn accounts_json(accounts: &[Account]) -> Value {
    let account = |account: &Account| {
        json!({
            "id": account.id,
            "slot": account.slot.get(),
            "name": account.name,
            "status": account.status,
            "balance": account.balance.map(balance_json),
            "low_below": account.low_below,
            "is_low": account.is_low,
            "auto_top_up": account.auto_top_up,
        })
    };
    json!({ "accounts": accounts.iter().map(account).collect::<Vec<_>>() })
}

/// The accounts, a line each.
pub(crate) fn accounts_text(accounts: &[Account]) -> String {
    let line = |account: &Account| {
        let balance = yuan(account.balance.map(|balance| balance.amount));
        let low = if account.is_low { "  low" } else { "" };
        let rule = account
            .auto_top_up
            .map_or(String::new(), |rule| auto_top_up_text(&rule));
        format!(
            "{}  {}  {balance}{low}{rule}",
            account.slot.get(),
            both(&account.name)
        )
    };
    accounts.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn auto_top_up_text(rule: &AutoTopUp) -> String {
    let problem = rule.problem.map_or(String::new(), |problem| {
        let when = match problem.retry_at {
            Some(_) => "for now",
            None => "until agreed to anew",
        };
        format!(", not {when}: {}", problem.reason.as_str())
    });
    format!(
        "  +¥{} below ¥{}, ¥{} of ¥{} today{problem}",
        rule.add, rule.below, rule.day_used, rule.day_cap
    )
}

/// A page of bills, and what all that were asked for come to.
pub(crate) fn bills_json(page: &BillPage, summary: &BillSummary) -> Value {
    let merchants = summary.merchants.iter();
    let kinds = summary.kinds.iter();
    json!({
        "bills": page.bills,
        "more": page.next.is_some(),
        "as_of": page.as_of,
        "summary": {
            "out": summary.out,
            "in": summary.income,
            "count": summary.count,
            "merchants": merchants
                .map(|total| json!({ "merchant": total.merchant, "amount": total.amount }))
                .collect::<Vec<_>>(),
            "kinds": kinds
                .map(|total| json!({ "kind": total.kind, "amount": total.amount }))
                .collect::<Vec<_>>(),
        },
    })
}

/// A page of bills, a line each, and their sums.
pub(crate) fn bills_text(page: &BillPage, summary: &BillSummary) -> String {
    let line = |bill: &Bill| {
        let merchant = bill.merchant.as_ref().map_or("—".to_owned(), both);
        format!(
            "{}  ¥{}  {merchant}  {:?}",
            bill.reference, bill.amount, bill.status
        )
    };
    let sums = format!("out ¥{}  in ¥{}", summary.out, summary.income);
    page.bills
        .iter()
        .map(line)
        .chain([sums])
        .collect::<Vec<_>>()
        .join("\n")
}

/// The wallet.
pub(crate) fn wallet_json(wallet: &Wallet) -> Value {
    json!({
        "status": wallet.status,
        "account_id": wallet.account_id,
        "balance": wallet.balance.map(balance_json),
        "cards": wallet.cards,
        "limits": wallet.limits,
        "fee": wallet.fee,
        "presets": wallet.presets,
        "close_blockers": wallet.close_blockers,
        "terms": wallet.terms,
        "as_of": wallet.as_of,
    })
}

/// The wallet, for people.
pub(crate) fn wallet_text(wallet: &Wallet) -> String {
    let balance = yuan(wallet.balance.map(|balance| balance.amount));
    let limits = &wallet.limits;
    let mut lines = vec![
        format!("{:?}  {balance}", wallet.status),
        format!(
            "top-ups from ¥{}, at most ¥{} each and ¥{} a day; ¥{} used today",
            limits.least, limits.single, limits.day, limits.day_used
        ),
        format!(
            "terms, version {}: {}",
            wallet.terms.version,
            both(&wallet.terms.text)
        ),
    ];
    lines.extend(wallet.cards.iter().map(|card| {
        let default = if card.is_default { "  default" } else { "" };
        format!("{}  {} …{}{default}", card.id, both(&card.bank), card.tail)
    }));
    lines.join("\n")
}

/// A card that waits for its code.
pub(crate) fn binding_json(binding: &CardBinding) -> Value {
    json!(binding)
}

/// A card that waits for its code, for people.
pub(crate) fn binding_text(binding: &CardBinding) -> String {
    format!(
        "{}  {} …{}: the code went to {}",
        binding.id,
        both(&binding.bank),
        binding.tail,
        binding.phone_masked
    )
}

/// What would be done.
pub(crate) fn plan_json(plan: &Plan) -> Value {
    json!({
        "id": plan.id,
        "kind": plan.kind,
        "amount": plan.amount,
        "funding": plan.funding,
        "account_id": plan.account_id,
        "place_id": plan.place_id,
        "needs_step_up": plan.needs_step_up,
    })
}

/// What would be done, for people.
pub(crate) fn plan_text(plan: &Plan) -> String {
    let funding = &plan.funding;
    format!(
        "{:?} ¥{}: ¥{} out of the wallet, ¥{} off the bank card, ¥{} of it fee",
        plan.kind, plan.amount, funding.wallet, funding.bank, funding.fee
    )
}

/// One operation.
pub(crate) fn operation_json(operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "kind": operation.kind,
        "amount": operation.amount,
        "funding": operation.funding,
        "account_id": operation.account_id,
        "place_id": operation.place_id,
        "is_automatic": operation.is_automatic,
        "phase": operation.phase,
        "steps": operation.steps,
        "refusal": operation.refusal,
        "reference": operation.reference,
    })
}

/// One operation, a line.
pub(crate) fn operation_text(operation: &Operation) -> String {
    let reference = operation.reference.as_deref().unwrap_or("—");
    let refusal = operation
        .refusal
        .as_ref()
        .map_or(String::new(), |refusal| format!("  {}", refusal.code));
    let automatic = if operation.is_automatic { "  automatic" } else { "" };
    format!(
        "{}  {reference}  {:?} ¥{}  {:?}{refusal}{automatic}",
        operation.id, operation.kind, operation.amount, operation.phase
    )
}

/// A page of operations.
pub(crate) fn operations_json(page: &OperationPage) -> Value {
    let operations = page.operations.iter().map(operation_json);
    json!({ "operations": operations.collect::<Vec<_>>(), "more": page.next.is_some() })
}

/// A page of operations, a line each.
pub(crate) fn operations_text(page: &OperationPage) -> String {
    page.operations
        .iter()
        .map(operation_text)
        .collect::<Vec<_>>()
        .join("\n")
}

fn balance_json(balance: Balance) -> Value {
    json!({
        "amount": balance.amount,
        "as_of": balance.as_of,
        "version": balance.version,
        "pending": balance.pending,
    })
}

/// The limits of payments.
pub(crate) fn spend_limits_text(limits: &SpendLimits) -> String {
    format!(
        "payments at most ¥{} each and ¥{} a day; ¥{} used today",
        limits.single, limits.day, limits.day_used
    )
}

/// Disputes that the platform may not have, a line each.
pub(crate) fn dispute_drafts_text(drafts: &[DisputeDraft]) -> String {
    let line = |draft: &DisputeDraft| {
        let state = draft.refusal.as_deref().unwrap_or("waits for a network");
        format!(
            "{}  of {}  {:?}: {state}",
            draft.id, draft.payment_id, draft.reason
        )
    };
    drafts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Who sells what places use, a line each.
pub(crate) fn providers_text(providers: &[Provider]) -> String {
    let line = |provider: &Provider| {
        format!(
            "{}  {}  {:?}",
            provider.code,
            both(&provider.name),
            provider.lookup
        )
    };
    providers.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Places, a line each.
pub(crate) fn places_text(places: &[Place]) -> String {
    let line = |place: &Place| format!("{}  {}", place.code, both(&place.name));
    places.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A bound place.
pub(crate) fn bound_place_text(place: &BoundPlace) -> String {
    format!("{}  {}", place.id, both(&place.name))
}

/// The bound places with what is left there.
pub(crate) fn bound_places_json(places: &[(BoundPlace, PlaceBalance)]) -> Value {
    let place = |(place, balance): &(BoundPlace, PlaceBalance)| json!({ "place": place, "balance": balance.balance, "is_stale": balance.is_stale });
    json!({ "places": places.iter().map(place).collect::<Vec<_>>() })
}

/// The bound places with what is left there, a line each.
pub(crate) fn bound_places_text(places: &[(BoundPlace, PlaceBalance)]) -> String {
    let line = |(place, balance): &(BoundPlace, PlaceBalance)| {
        let left = yuan(balance.balance.map(|balance| balance.amount));
        format!("{}  {left}", bound_place_text(place))
    };
    places.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How things stand with this phone.
pub(crate) fn status_json(card: &CampusCard) -> Value {
    let (state, bound) = match card.session().state() {
        SessionState::Unbound => ("unbound", None),
        SessionState::Active(bound) => ("active", Some(bound)),
        SessionState::Ended(bound) => ("ended", Some(bound)),
    };
    let codes = match card.codes().until_blocking() {
        Ok(until) => json!({ "full_until": until.full_until, "short_until": until.short_until }),
        Err(error) => json!({ "error": error.code() }),
    };
    let clock = card.codes().clock_quality().ok().map(|quality| match quality {
        ClockQuality::Good => "good",
        ClockQuality::Weak => "weak",
    });
    json!({
        "session": state,
        "platform": bound.as_ref().map(|bound| bound.platform.url()),
        "school": bound.as_ref().map(|bound| &bound.school_name),
        "device": bound.as_ref().map(|bound| bound.device_id),
        "codes": codes,
        "clock": clock,
    })
}

/// An amount that may be unknown, which is a dash and never a zero.
fn yuan(amount: Option<Fen>) -> String {
    amount.map_or("—".to_owned(), |amount| format!("¥{amount}"))
}

fn both(name: &LocalizedText) -> String {
    format!("{} {}", name.zh, name.en)
}

/// How a photo at the school stands, for programs.
pub(crate) fn face_json(record: &FaceRecord) -> Value {
    json!({
        "text": record.text,
        "consent": record.consent.as_ref().map(|consent| json!({
            "version": consent.version, "agreed_at": consent.agreed_at, "recorded": consent.is_recorded,
        })),
        "on_file": record.is_on_file,
        "upload": record.upload.as_ref().map(|upload| json!({
            "id": upload.id, "phase": upload_phase(upload.phase), "sent": upload.sent, "bytes": upload.bytes,
            "refusal": upload.refusal, "changed_at": upload.changed_at,
        })),
        "deletion": record.deletion.as_ref().map(|deletion| json!({
            "withdrawn_at": deletion.withdrawn_at, "deleted_at": deletion.deleted_at,
            "terminals_left": deletion.terminals_left, "gone_by": deletion.gone_by,
        })),
        "as_of": record.as_of,
    })
}

const fn upload_phase(phase: UploadPhase) -> &'static str {
    match phase {
        UploadPhase::Queued => "queued",
        UploadPhase::Sending => "sending",
        UploadPhase::Pending => "pending",
        UploadPhase::Accepted => "accepted",
        UploadPhase::Refused => "refused",
    }
}

/// The same for people.
pub(crate) fn face_text(record: &FaceRecord) -> String {
    let mut lines = Vec::new();
    if record.is_on_file {
        lines.push("photo on file, nothing to do".to_owned());
    }
    if let Some(upload) = &record.upload {
        let mut line = format!(
            "{} ({} of {} bytes)",
            upload_phase(upload.phase),
            upload.sent,
            upload.bytes
        );
        if let Some(refusal) = &upload.refusal {
            let reply = refusal.reply.as_deref().unwrap_or_default();
            line.push_str(&format!(": {:?} {reply}", refusal.reason));
        }
        lines.push(line);
    }
    match (&record.consent, &record.deletion, &record.text) {
        (Some(consent), ..) => lines.push(format!("agreed to version {}", consent.version)),
        (None, Some(deletion), _) => lines.push(match deletion.deleted_at {
            None => "deleted here; the school deletes it when it is reached".to_owned(),
            Some(_) => format!(
                "deleted; {} terminals have yet to say so",
                deletion.terminals_left
            ),
        }),
        (None, None, Some(text)) => {
            lines.push(format!(
                "to agree to (--agree {}):\n{}\n{}",
                text.version, text.text.zh, text.text.en
            ));
        }
        (None, None, None) => lines.push("not known yet: connect".to_owned()),
    }
    lines.join("\n")
}
