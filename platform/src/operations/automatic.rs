//! Top-ups that the platform begins by itself, by a mandate of the holder.

use super::booking::Parts;
use super::service::Starting;
use super::store::NewOperation;
use crate::Platform;
use crate::approvals::Presence;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::ledger;
use crate::random::{new_id, sha256};
use crate::wallet::{default_card, open_wallet_account};
use uuid::Uuid;
use yika_api::bank::Authority;
use yika_api::operation::OperationKind;
use yika_api::{Fen, ProblemCode};

/// Begins one, within the same limits as any other: from the wallet and, where that is short, from the default bank card.
/// Whoever drives operations next tells the bank.
pub(crate) async fn begin_by_mandate(
    tx: &mut Connection,
    platform: &Platform,
    holder: i64,
    account: Uuid,
    amount: Fen,
    mandate: Uuid,
) -> Result<()> {
    let now = platform.now();
    let starting = Starting {
        platform,
        holder,
        now,
        presence: Presence::Unproven,
    };
    let (parts, card) = starting.funded(tx, amount).await?;
    starting.check_amount(tx, &parts).await?;
    starting.check_day(tx, &parts).await?;
    let account = starting.check_account(tx, account).await?.funds.card();
    let id = new_id(now);
    // No request begins it, so none can be like it.
    let request_hash = sha256(id.as_bytes());
    let new = NewOperation {
        card,
        account: Some(account),
        authority: Some(Authority::Mandate { mandate }),
        leased_until: now,
        ..starting.blank(tx, id, request_hash, parts).await?
    };
    starting.insert_with_hold(tx, &new).await
}

impl Starting<'_> {
    /// How a top-up is paid where nobody chooses.
    async fn funded(&self, tx: &mut Connection, amount: Fen) -> Result<(Parts, Option<Uuid>)> {
        let wallet = open_wallet_account(tx, self.holder).await?;
        let free = ledger::balance(tx, wallet).await?;
        let from_wallet = free.min(amount);
        let rest = amount.checked_sub(from_wallet)?;
        let card = match rest {
            Fen::ZERO => None,
            _ => Some(
                default_card(tx, self.holder)
                    .await?
                    .ok_or_else(|| Error::refused_amount(ProblemCode::InsufficientFunds, free))?,
            ),
        };
        let fee = self.policy().fee.on(rest)?;
        let parts = Parts {
            kind: OperationKind::TopUp,
            amount,
            wallet: from_wallet,
            bank: rest.checked_add(fee)?,
            account: Fen::ZERO,
            fee,
        };
        Ok((parts, card))
    }
}
