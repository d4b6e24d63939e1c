//! How rules are agreed to, ended and shown.

use super::store::{self, RuleRow, RuleState};
use crate::Platform;
use crate::accounts::{CardAccount, card_account_of, shown_accounts};
use crate::days::day_of;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::limits::top_up_bounds;
use crate::operations::{automatic_since, check_sealed};
use crate::wallet::open_customer;
use std::collections::HashMap;
use uuid::Uuid;
use yika_api::auto_top_up::{AutoTopUp, AutoTopUpProblem, CONSENT_VERSION, SetAutoTopUp};
use yika_api::bank::NewMandate;
use yika_api::{Fen, ProblemCode};

/// Has the bank keep a mandate for a rule, and then keeps the rule. Answers the accounts.
pub(super) async fn set(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    account: Uuid,
    request: &SetAutoTopUp,
) -> Result<String> {
    let deed = Deed::new("account.auto_top_up", holder, key, &(account, request))?;
    let wanted = Wanted {
        platform,
        holder,
        account,
        request,
    };
    let before: Result<Option<String>> = transact!(platform.db().writer(), |tx| {
        if let Some(reply) = deed.reply(tx).await? {
            return Ok(Some(reply));
        }
        // What can't be set costs no try of the password.
        wanted.check(tx).await?;
        Ok(None)
    });
    if let Some(reply) = before? {
        return Ok(reply);
    }
    let mut reader = platform.db().read().await?;
    let customer = open_customer(&mut reader, holder).await?;
    drop(reader);
    let mandate = NewMandate {
        single: request.add,
        day: request.day_cap,
        password: check_sealed(&request.password)?.clone(),
    };
    let bank = platform.bank()?.gateway();
    bank.give_mandate(customer, key.0, &mandate).await?;
    yika_fault::reach("platform.mandate.told");
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let card = wanted.check(tx).await?.funds.card();
        store::insert(tx, key.0, (holder, card), request, now).await?;
        let accounts = shown_accounts(tx, platform, holder).await?;
        slot.store(tx, &accounts, now).await
    })
}

/// Ends the rule of an account, and answers the accounts. The bank is told afterwards, as often as it takes.
pub(super) async fn end(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    account: Uuid,
) -> Result<String> {
    let deed = Deed::new("account.auto_top_up.end", holder, key, &account)?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let found = card_account_of(tx, holder, account).await?;
        let card = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        store::end_of_account(tx, card.funds.card(), now).await?;
        let accounts = shown_accounts(tx, platform, holder).await?;
        slot.store(tx, &accounts, now).await
    })
}

/// A rule that a holder asks for.
struct Wanted<'a> {
    platform: &'a Platform,
    holder: i64,
    account: Uuid,
    request: &'a SetAutoTopUp,
}

impl Wanted<'_> {
    /// The account that it is for, where it can be kept.
    async fn check(&self, tx: &mut Connection) -> Result<CardAccount> {
        let SetAutoTopUp {
            below,
            add,
            day_cap,
            consent,
            password: _,
        } = self.request;
        if *consent != CONSENT_VERSION {
            return Err(Error::refused(ProblemCode::TermsChanged));
        }
        let found = card_account_of(tx, self.holder, self.account).await?;
        let account = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        open_customer(tx, self.holder).await?;
        let (least, bounds) = (
            self.platform.config().wallet.least,
            top_up_bounds(tx, self.platform, self.holder).await?,
        );
        in_range(*below, Fen::new(1), bounds.day)?;
        in_range(*add, least, bounds.single)?;
        in_range(*day_cap, *add, bounds.day)?;
        Ok(account)
    }
}

/// An amount is refused with the limit that it passes.
fn in_range(amount: Fen, least: Fen, most: Fen) -> Result<()> {
    match amount {
        _ if amount < least => Err(Error::refused_amount(ProblemCode::AmountOutOfRange, least)),
        _ if amount > most => Err(Error::refused_amount(ProblemCode::AmountOutOfRange, most)),
        _ => Ok(()),
    }
}

/// The rules of a holder's accounts, as the phone shows them.
pub(crate) async fn rules(
    db: &mut Connection,
    platform: &Platform,
    holder: i64,
) -> Result<HashMap<Uuid, AutoTopUp>> {
    let mut shown = HashMap::new();
    for row in store::of_holder(db, holder).await? {
        let rule = AutoTopUp {
            below: row.below,
            add: row.add,
            day_cap: row.day_cap,
            day_used: used_today(db, platform, &row).await?,
            since: row.agreed_at,
            problem: row.problem.map(|reason| AutoTopUpProblem {
                reason,
                retry_at: (row.state == RuleState::On).then_some(row.retry_at),
            }),
        };
        shown.insert(row.public_id, rule);
    }
    Ok(shown)
}

/// What a rule, and those before it of the same account, have added today.
pub(super) async fn used_today(db: &mut Connection, platform: &Platform, rule: &RuleRow) -> Result<Fen> {
    let today = day_of(platform.now(), &platform.config().school.time_zone)?;
    automatic_since(db, rule.account, today.start).await
}
