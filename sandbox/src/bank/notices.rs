//! Notices: kept in the transaction of what they tell, told after it, in that order. What the platform doesn't take now
//! is told again with the next one, or after a restart.

use super::orders::Kept;
use super::{Bank, BankError};
use axum::body::Body;
use axum::http::{Request, header};
use sqlx::SqliteConnection;
use tower::ServiceExt as _;
use yika_api::bank::OrderStatus;

const AT: &str = "/v1/bank/notices";

impl Bank {
    /// Keeps a notice of how an order stands.
    pub(super) async fn note(&self, tx: &mut SqliteConnection, kept: &Kept) -> Result<(), BankError> {
        let status = OrderStatus {
            id: kept.id,
            state: kept.state.clone(),
        };
        sqlx::query("INSERT INTO notices (status) VALUES (?1)")
            .bind(serde_json::to_string(&status)?)
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Tells what is kept.
    pub(super) async fn tell(self) {
        if let Err(error) = self.try_to_tell().await {
            tracing::error!(%error, "the bank cannot tell its notices");
        }
    }

    async fn try_to_tell(&self) -> Result<(), BankError> {
        let _one_at_a_time = self.0.telling.lock().await;
        loop {
            let next: Option<(i64, String)> = sqlx::query_as(
                "SELECT number, status FROM notices WHERE NOT is_told ORDER BY number LIMIT 1",
            )
            .fetch_optional(&self.0.db)
            .await?;
            let Some((number, status)) = next else {
                return Ok(());
            };
            if !self.send(&serde_json::from_str(&status)?).await? {
                return Ok(());
            }
            yika_fault::reach("bank.notice.after-send");
            sqlx::query("UPDATE notices SET is_told = 1 WHERE number = ?1")
                .bind(number)
                .execute(&self.0.db)
                .await?;
        }
    }

    /// Whether the platform took it, or refused it for good.
    async fn send(&self, status: &OrderStatus) -> Result<bool, BankError> {
        let notice = serde_json::to_vec(&self.0.keys.notice(status)?)?;
        let mut request = Request::new(Body::from(notice));
        *request.method_mut() = axum::http::Method::POST;
        *request.uri_mut() = axum::http::Uri::from_static(AT);
        let json = header::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        let Ok(response) = self.0.platform.clone().oneshot(request).await;
        Ok(!response.status().is_server_error())
    }
}
