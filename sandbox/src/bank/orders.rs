//! Orders: taken once, carried out whole or not at all, called off, taken back. The table's keys, not the code, are what
//! makes an order move money once.

use super::faults::BankFault;
use super::store::{self, FEES, SCHOOL, card_account, wallet_account};
use super::{Bank, BankError};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;
use yika_api::bank::{Authority, Order, OrderDirection, OrderState, OrderStatus};
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_format::bank::Field;

/// More than any order moves: sums of a few stay far within 64 bits.
const MOST: i64 = 1_000_000_000_000;

/// What the caller of an order hears.
pub(super) enum Reply {
    /// How it stands.
    Told(OrderStatus),
    /// Nothing.
    Silence,
}

/// An order as it is kept.
pub(super) struct Kept {
    pub(super) id: Uuid,
    customer: String,
    direction: Option<OrderDirection>,
    wallet: i64,
    card_amount: i64,
    fee: i64,
    card: Option<String>,
    pub(super) state: OrderState,
    late: Option<String>,
    stale: i64,
}

impl Kept {
    fn status(self) -> OrderStatus {
        OrderStatus {
            id: self.id,
            state: self.state,
        }
    }

    /// What is added to each account; the way back negates it.
    fn parts(&self) -> Vec<(String, i64)> {
        let wallet = format!("wallet:{}", self.customer);
        let card = self.card.as_deref().map(card_account).unwrap_or_default();
        let fee = (FEES.to_owned(), self.fee);
        match self.direction {
            Some(OrderDirection::ToSchool) => vec![
                (wallet, -self.wallet),
                (card, -self.card_amount),
                (SCHOOL.to_owned(), self.wallet + self.card_amount - self.fee),
                fee,
            ],
            Some(OrderDirection::IntoWallet) => vec![(card, -self.card_amount), (wallet, self.wallet), fee],
            Some(OrderDirection::OntoCard) => vec![(wallet, -self.wallet), (card, self.card_amount)],
            None => Vec::new(),
        }
    }
}

impl Bank {
    /// Takes an order, or says how it stands where it was taken before.
    pub(super) async fn place(&self, order: &Order, named: Option<BankFault>) -> Result<Reply, BankError> {
        let mut tx = self.0.db.begin().await?;
        if let Some(kept) = find(&mut tx, order.id).await? {
            let told = answer(&mut tx, kept).await?;
            tx.commit().await?;
            return Ok(Reply::Told(told));
        }
        let fault = named.or_else(|| self.0.faults.take(order.id));
        if fault == Some(BankFault::TimeoutBeforeDebit) {
            return Ok(Reply::Silence);
        }
        let mut kept = Kept {
            id: order.id,
            customer: order.customer.to_string(),
            direction: Some(order.direction),
            wallet: order.wallet.get(),
            card_amount: order.card_amount.get(),
            fee: order.fee.get(),
            card: None,
            state: OrderState::Pending,
            late: None,
            stale: i64::from(fault == Some(BankFault::DuplicateReply)),
        };
        let checked = match fault {
            Some(BankFault::RefusedBeforeDebit) => Ok(Err(refused_at_will())),
            _ => self.check(&mut tx, order).await,
        }?;
        match checked {
            Ok(card) => {
                kept.card = card;
                kept.late = match fault {
                    Some(BankFault::LateCallback) => Some("debit".to_owned()),
                    Some(BankFault::SuccessThenReversal) => Some("reversal".to_owned()),
                    _ => None,
                };
                insert(&mut tx, &kept, fault).await?;
                if fault != Some(BankFault::LateCallback) {
                    self.carry_out(&mut tx, &mut kept).await?;
                }
            }
            Err(refusal) => {
                kept.state = OrderState::Refused { refusal };
                insert(&mut tx, &kept, fault).await?;
            }
        }
        if kept.state != OrderState::Pending {
            let times = if fault == Some(BankFault::DuplicateCallback) {
                2
            } else {
                1
            };
            for _ in 0..times {
                self.note(&mut tx, &kept).await?;
            }
        }
        yika_fault::reach("bank.order.before-commit");
        tx.commit().await?;
        yika_fault::reach("bank.order.after-commit");
        match fault {
            Some(BankFault::CallbackBeforeReply) => self.clone().tell().await,
            _ => drop(tokio::spawn(self.clone().tell())),
        }
        Ok(match fault {
            Some(BankFault::TimeoutAfterDebit) => Reply::Silence,
            Some(BankFault::DuplicateReply) => Reply::Told(OrderStatus {
                id: kept.id,
                state: OrderState::Pending,
            }),
            _ => Reply::Told(kept.status()),
        })
    }

    /// How an order stands, if the bank ever heard of it.
    pub(super) async fn order(&self, id: Uuid) -> Result<Option<OrderStatus>, BankError> {
        let mut tx = self.0.db.begin().await?;
        let told = match find(&mut tx, id).await? {
            Some(kept) => Some(answer(&mut tx, kept).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(told)
    }

    /// Sees to it that an order which was not carried out never will be; with `give_back`, takes back what it did.
    pub(super) async fn end(&self, id: Uuid, give_back: bool) -> Result<OrderStatus, BankError> {
        let mut tx = self.0.db.begin().await?;
        let called_off = OrderState::Refused {
            refusal: Refusal::of(RefusalReason::TimedOut),
        };
        let kept = match find(&mut tx, id).await? {
            None => {
                let kept = Kept {
                    id,
                    customer: String::new(),
                    direction: None,
                    wallet: 0,
                    card_amount: 0,
                    fee: 0,
                    card: None,
                    state: called_off,
                    late: None,
                    stale: 0,
                };
                insert(&mut tx, &kept, None).await?;
                kept
            }
            Some(mut kept) => {
                match kept.state {
                    OrderState::Pending => {
                        kept.state = called_off;
                        update(&mut tx, &kept.state, id).await?;
                    }
                    OrderState::Done { .. } if give_back => self.take_back(&mut tx, &mut kept).await?,
                    _ => (),
                }
                kept
            }
        };
        yika_fault::reach("bank.order-end.before-commit");
        tx.commit().await?;
        yika_fault::reach("bank.order-end.after-commit");
        Ok(kept.status())
    }

    /// Does what faults put off: decides orders, takes others back, and tells the platform. How many there were.
    pub(super) async fn settle(&self) -> Result<usize, BankError> {
        let mut tx = self.0.db.begin().await?;
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM orders WHERE late IS NOT NULL ORDER BY rowid")
                .fetch_all(&mut *tx)
                .await?;
        for id in &ids {
            let Some(mut kept) = find(&mut tx, Uuid::parse_str(id).unwrap_or_default()).await? else {
                continue;
            };
            match kept.late.as_deref() {
                Some("debit") => self.carry_out(&mut tx, &mut kept).await?,
                _ => self.take_back(&mut tx, &mut kept).await?,
            }
            self.note(&mut tx, &kept).await?;
        }
        tx.commit().await?;
        self.clone().tell().await;
        Ok(ids.len())
    }

    /// Whether the order may be carried out, and which card it is about.
    async fn check(
        &self,
        tx: &mut SqliteConnection,
        order: &Order,
    ) -> Result<Result<Option<String>, Refusal>, BankError> {
        if !adds_up(order) {
            return Ok(Err(Refusal::of(RefusalReason::BankRefused)));
        }
        let customer = order.customer;
        let allowed = match &order.authority {
            Authority::Mandate { mandate } => self.check_mandate(tx, order, *mandate).await?,
            Authority::Password { password } => {
                match self.open_field(Field::Password, password, order.id, customer, order.arrives) {
                    Ok(password) => self.check_password(tx, customer, &password).await?,
                    Err(refusal) => Err(refusal),
                }
            }
        };
        if let Err(refusal) = allowed {
            return Ok(Err(refusal));
        }
        let Some(binding) = order.card else {
            return Ok(Ok(None));
        };
        let card: Option<String> =
            sqlx::query_scalar("SELECT card FROM bindings WHERE id = ?1 AND customer = ?2 AND is_bound")
                .bind(binding.to_string())
                .bind(customer.to_string())
                .fetch_optional(tx)
                .await?;
        Ok(card.map(Some).ok_or(Refusal::of(RefusalReason::CardUnusable)))
    }

    /// Moves the money of an order that is kept as pending, or refuses it where there is not enough.
    async fn carry_out(&self, tx: &mut SqliteConnection, kept: &mut Kept) -> Result<(), BankError> {
        kept.state = match store::transfer(tx, &kept.parts()).await? {
            true => {
                let (at, trace) = self.moved(tx, kept.id, false).await?;
                OrderState::Done { at, trace }
            }
            false => {
                kept.late = None;
                OrderState::Refused {
                    refusal: Refusal::of(RefusalReason::Insufficient),
                }
            }
        };
        if kept.late.as_deref() == Some("reversal") {
            return store_state(tx, &kept.state, kept.id).await;
        }
        update(tx, &kept.state, kept.id).await
    }

    /// Takes back what an order did, where the money is still there.
    async fn take_back(&self, tx: &mut SqliteConnection, kept: &mut Kept) -> Result<(), BankError> {
        let back: Vec<_> = kept
            .parts()
            .into_iter()
            .map(|(account, part)| (account, -part))
            .collect();
        if store::transfer(tx, &back).await? {
            let (at, trace) = self.moved(tx, kept.id, true).await?;
            kept.state = OrderState::Reversed { at, trace };
        }
        update(tx, &kept.state, kept.id).await
    }

    async fn moved(
        &self,
        tx: &mut SqliteConnection,
        id: Uuid,
        is_reversal: bool,
    ) -> Result<(UnixMillis, String), BankError> {
        let at = self.now();
        let trace: i64 = sqlx::query_scalar(
            "INSERT INTO movements (order_id, is_reversal, at) VALUES (?1, ?2, ?3) RETURNING trace",
        )
        .bind(id.to_string())
        .bind(is_reversal)
        .bind(at.0)
        .fetch_one(tx)
        .await?;
        Ok((at, trace_text(trace)))
    }
}

/// The bank's own number of a movement.
pub(super) fn trace_text(trace: i64) -> String {
    format!("B{trace:09}")
}

/// Whether the parts make up what the holder agreed to, and a card is named where there is a part of one.
fn adds_up(order: &Order) -> bool {
    let [wallet, card, fee, sum] = [order.wallet, order.card_amount, order.fee, order.arrives].map(Fen::get);
    let is_in_range =
        [wallet, card, fee].iter().all(|part| (0..=MOST).contains(part)) && fee <= card && sum > 0;
    let arrives = match order.direction {
        OrderDirection::ToSchool => wallet.checked_add(card).map(|sum| sum - fee),
        OrderDirection::IntoWallet => (wallet == card.saturating_sub(fee)).then_some(wallet),
        OrderDirection::OntoCard => (wallet == card && fee == 0).then_some(wallet),
    };
    is_in_range && arrives == Some(sum) && order.card.is_some() == (card > 0)
}

/// A refusal for no reason that a caller could know.
pub(super) fn refused_at_will() -> Refusal {
    Refusal {
        message: Some(LocalizedText {
            zh: "银行拒绝了这笔交易".to_owned(),
            en: "The bank refused the payment".to_owned(),
        }),
        ..Refusal::of(RefusalReason::BankRefused)
    }
}

pub(super) async fn find(tx: &mut SqliteConnection, id: Uuid) -> Result<Option<Kept>, BankError> {
    let row = sqlx::query("SELECT * FROM orders WHERE id = ?1")
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let direction: Option<String> = row.try_get("direction")?;
    let state: String = row.try_get("state")?;
    Ok(Some(Kept {
        id,
        customer: row.try_get("customer")?,
        direction: direction.as_deref().map(serde_json::from_str).transpose()?,
        wallet: row.try_get("wallet")?,
        card_amount: row.try_get("card_amount")?,
        fee: row.try_get("fee")?,
        card: row.try_get("card")?,
        state: serde_json::from_str(&state)?,
        late: row.try_get("late")?,
        stale: row.try_get("stale")?,
    }))
}

/// How an order stands, or how it stood, as often as a fault says.
async fn answer(tx: &mut SqliteConnection, kept: Kept) -> Result<OrderStatus, BankError> {
    if kept.stale == 0 {
        return Ok(kept.status());
    }
    sqlx::query("UPDATE orders SET stale = stale - 1 WHERE id = ?1")
        .bind(kept.id.to_string())
        .execute(tx)
        .await?;
    Ok(OrderStatus {
        id: kept.id,
        state: OrderState::Pending,
    })
}

async fn insert(tx: &mut SqliteConnection, kept: &Kept, fault: Option<BankFault>) -> Result<(), BankError> {
    let direction = kept
        .direction
        .map(|direction| serde_json::to_string(&direction))
        .transpose()?;
    sqlx::query(
        "INSERT INTO orders (id, customer, direction, wallet, card_amount, fee, card, state, fault, late, stale) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
    .bind(kept.id.to_string())
    .bind(&kept.customer)
    .bind(direction)
    .bind(kept.wallet)
    .bind(kept.card_amount)
    .bind(kept.fee)
    .bind(&kept.card)
    .bind(serde_json::to_string(&kept.state)?)
    .bind(fault.map(BankFault::name))
    .bind(&kept.late)
    .bind(kept.stale)
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores a state after which nothing is put off any more.
async fn update(tx: &mut SqliteConnection, state: &OrderState, id: Uuid) -> Result<(), BankError> {
    store_state(&mut *tx, state, id).await?;
    sqlx::query("UPDATE orders SET late = NULL WHERE id = ?1")
        .bind(id.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

async fn store_state(tx: &mut SqliteConnection, state: &OrderState, id: Uuid) -> Result<(), BankError> {
    sqlx::query("UPDATE orders SET state = ?2 WHERE id = ?1")
        .bind(id.to_string())
        .bind(serde_json::to_string(state)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// The wallet's account of a customer, made where there is none.
pub(super) async fn plant_wallet(tx: &mut SqliteConnection, customer: Uuid) -> Result<(), BankError> {
    store::plant(tx, &wallet_account(customer), 0).await
}
