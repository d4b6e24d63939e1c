//! Commands beside the wallet: limits of payments, disputes, electricity and network accounts.

use serde_json::json;
use yika_core::CampusCard;
use yika_core::accounts::DisputeReason;
use yika_core::auto_top_up::{AutoTopUpRule, CONSENT_VERSION};
use yika_core::operations::UtilitySource;

use crate::args::{AutoTopUp, Confirmation, Dispute, Limits, Reason, Utility};
use crate::commands::{print, wait};
use crate::error::PhoneError;
use crate::money::{account, confirm, password, source, step_up};
use crate::show;

/// The limits of payments, looked at or set.
pub(crate) fn limits(card: &CampusCard, words: &Limits) -> Result<(), PhoneError> {
    let service = card.limits();
    let limits = match (words.single, words.day) {
        (Some(single), Some(day)) => {
            let step_up = words.password_stdin.then(step_up).transpose()?;
            wait(service.set(single, day, step_up))??
        }
        _ => wait(service.synchronise())??,
    };
    print(
        words.output,
        || json!(limits),
        || show::spend_limits_text(&limits),
    )
}

/// When an account is topped up by itself: looked at, agreed to or ended.
pub(crate) fn auto_top_up(card: &CampusCard, words: &AutoTopUp) -> Result<(), PhoneError> {
    let (service, account) = (card.accounts(), account(card, words.account)?);
    let accounts = match (words.below, words.add, words.day_cap) {
        _ if words.off => wait(service.stop_auto_top_up(account))??,
        // The grammar asks for `--agree`, whose help has the text.
        (Some(below), Some(add), Some(day_cap)) => {
            let rule = AutoTopUpRule {
                below,
                add,
                day_cap,
                consent: CONSENT_VERSION,
            };
            wait(service.set_auto_top_up(account, rule, password()?))??
        }
        _ => wait(service.list())??,
    };
    print(
        words.output,
        || show::accounts_json(&accounts),
        || show::accounts_text(&accounts),
    )
}

/// Disputes a payment, or takes a dispute back; shows or forgets what waits for a network.
pub(crate) fn dispute(card: &CampusCard, words: &Dispute) -> Result<(), PhoneError> {
    let service = card.bills();
    if let Some(draft) = words.discard {
        wait(service.discard_dispute(draft))??;
    }
    let told = match (words.withdraw, words.payment, words.reason) {
        (Some(dispute), ..) => Some(wait(service.withdraw_dispute(dispute))??),
        (None, Some(payment), Some(reason)) => {
            let reason = match reason {
                Reason::WrongAmount => DisputeReason::WrongAmount,
                Reason::Twice => DisputeReason::Twice,
                Reason::NotMe => DisputeReason::NotMe,
                Reason::Other => DisputeReason::Other,
            };
            wait(service.dispute(payment, reason, words.text.clone()))??
        }
        (None, ..) => None,
    };
    match told {
        Some(dispute) => print(
            words.output,
            || json!(dispute),
            || format!("{}  {:?}", dispute.id, dispute.phase),
        ),
        None => {
            let drafts = wait(service.dispute_drafts())??;
            print(
                words.output,
                || json!({ "drafts": drafts }),
                || show::dispute_drafts_text(&drafts),
            )
        }
    }
}

/// Electricity and network accounts.
pub(crate) fn utility(card: &CampusCard, words: &Utility) -> Result<(), PhoneError> {
    let service = card.utilities();
    match words {
        Utility::List(output) => {
            let mut places = Vec::new();
            for place in wait(service.synchronise())?? {
                let balance = wait(service.balance(place.id))??;
                places.push((place, balance));
            }
            print(
                *output,
                || show::bound_places_json(&places),
                || show::bound_places_text(&places),
            )
        }
        Utility::Providers(output) => {
            let providers = wait(service.providers())??;
            print(
                *output,
                || json!({ "providers": providers }),
                || show::providers_text(&providers),
            )
        }
        Utility::Places {
            provider,
            below,
            output,
        } => {
            let places = wait(service.places(provider.clone(), below.clone()))??;
            print(
                *output,
                || json!({ "places": places }),
                || show::places_text(&places),
            )
        }
        Utility::Bind {
            provider,
            code,
            output,
        } => {
            let place = wait(service.bind(provider.clone(), code.clone()))??;
            print(*output, || json!(place), || show::bound_place_text(&place))
        }
        Utility::Unbind { place, output } => {
            wait(service.unbind(*place))??;
            print(*output, || json!({ "unbound": place }), || "forgotten".to_owned())
        }
        Utility::Pay {
            place,
            amount,
            account: from_account,
            from,
            password_stdin,
            dry_run,
            wait: until_ended,
            output,
        } => {
            let source = match from_account {
                Some(name) => UtilitySource::Account {
                    account_id: account(card, *name)?,
                },
                None => UtilitySource::Bank {
                    source: source(card, *from)?,
                },
            };
            let plan = wait(card.operations().plan_utility(*place, *amount, source))??;
            let confirmation = Confirmation {
                password_stdin: *password_stdin,
                dry_run: *dry_run,
                wait: *until_ended,
                output: *output,
            };
            confirm(card, plan, &confirmation)
        }
    }
}
