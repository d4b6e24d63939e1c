//! Mandates: what a holder allows the school to take without the payment password, each within its own limits.

use super::{Bank, BankError, Failure};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;
use yika_api::Fen;
use yika_api::bank::{NewMandate, Order, OrderDirection};
use yika_api::operation::{Refusal, RefusalReason};
use yika_format::bank::Field;

impl Bank {
    /// Keeps a mandate that the payment password was given for.
    pub(super) async fn give_mandate(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        mandate: Uuid,
        request: &NewMandate,
    ) -> Result<(), Failure> {
        let (single, day) = (request.single, request.day);
        let password = self.open_field(Field::Password, &request.password, mandate, customer, day)?;
        self.check_password(tx, customer, &password).await??;
        if !single.is_positive() || day < single {
            return Err(Refusal::of(RefusalReason::BankRefused).into());
        }
        sqlx::query("INSERT INTO mandates (id, customer, single, day, is_live) VALUES (?1, ?2, ?3, ?4, 1)")
            .bind(mandate.to_string())
            .bind(customer.to_string())
            .bind(single.get())
            .bind(day.get())
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Ends a mandate; one that has ended, or never was, stays so.
    pub(super) async fn end_mandate(&self, customer: Uuid, mandate: Uuid) -> Result<(), Failure> {
        sqlx::query("UPDATE mandates SET is_live = 0 WHERE id = ?1 AND customer = ?2")
            .bind(mandate.to_string())
            .bind(customer.to_string())
            .execute(&self.0.db)
            .await?;
        Ok(())
    }

    /// Whether a mandate allows this order, which then counts as drawn on it.
    pub(super) async fn check_mandate(
        &self,
        tx: &mut SqliteConnection,
        order: &Order,
        mandate: Uuid,
    ) -> Result<Result<(), Refusal>, BankError> {
        let row = sqlx::query("SELECT single, day FROM mandates WHERE id = ?1 AND customer = ?2 AND is_live")
            .bind(mandate.to_string())
            .bind(order.customer.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let unusable = Refusal::of(RefusalReason::MandateUnusable);
        let Some(row) = row.filter(|_| order.direction == OrderDirection::ToSchool) else {
            return Ok(Err(unusable));
        };
        let (single, day) = (Fen::new(row.try_get("single")?), Fen::new(row.try_get("day")?));
        let now = self.now();
        // Days are those of the statements. What was refused or taken back is not drawn.
        let drawn: i64 = sqlx::query_scalar(
            "SELECT COALESCE(SUM(d.amount), 0) FROM drawings d JOIN orders o ON o.id = d.order_id WHERE d.mandate = ?1 \
             AND date(d.at / 1000 + 28800, 'unixepoch') = date(?2 / 1000 + 28800, 'unixepoch') \
             AND json_extract(o.state, '$.state') IN ('pending', 'done')",
        )
        .bind(mandate.to_string())
        .bind(now.0)
        .fetch_one(&mut *tx)
        .await?;
        let is_within =
            order.arrives <= single && Fen::new(drawn) <= Fen::new(day.get() - order.arrives.get());
        if !is_within {
            return Ok(Err(Refusal::of(RefusalReason::BankLimit)));
        }
        sqlx::query("INSERT INTO drawings (order_id, mandate, amount, at) VALUES (?1, ?2, ?3, ?4)")
            .bind(order.id.to_string())
            .bind(mandate.to_string())
            .bind(order.arrives.get())
            .bind(now.0)
            .execute(tx)
            .await?;
        Ok(Ok(()))
    }
}
