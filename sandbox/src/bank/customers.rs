//! Customers: their wallets, payment passwords and bound cards. A request is answered once and the same again: the answer
//! is kept under the operation that it names, a refusal too, so a wrong password sent again is one wrong try.

use super::faults::BankFault;
use super::store::{self, card_name, wallet_account};
use super::{Bank, BankError, Failure, orders, password};
use crate::seed::bank::{BANKS, PEOPLE, Person};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CardData, CheckPassword, CloseCustomer, IdentityData, NewCard, NewMandate,
    OpenCustomer, SetPassword,
};
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::wallet::{ChangePassword, SealedField};
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_format::bank::Field;

/// For how long a code is good.
const CODE_MS: i64 = 5 * 60_000;
const CODE_TRIES: u8 = 3;

/// What a customer asks for, but for orders.
pub(super) enum CustomerRequest {
    Open(OpenCustomer),
    Close(Uuid, CloseCustomer),
    Password(Uuid, SetPassword),
    Bind(Uuid, NewCard),
    Confirm(Uuid, Uuid, CardCode),
    Check(Uuid, CheckPassword),
    Mandate(Uuid, Uuid, NewMandate),
}

/// What was answered: a challenge where a card is to be bound, nothing else; or a refusal.
type Answer = Result<Option<CardChallenge>, Refusal>;

impl CustomerRequest {
    fn operation(&self) -> Uuid {
        match self {
            Self::Open(request) => request.operation,
            Self::Close(_, request) => request.operation,
            Self::Password(_, request) => request.operation,
            Self::Bind(_, request) => request.operation,
            Self::Confirm(_, _, request) => request.operation,
            Self::Check(_, request) => request.operation,
            Self::Mandate(_, mandate, _) => *mandate,
        }
    }

    /// What it is and about whom, to tell it from another of the same operation.
    fn name(&self) -> String {
        match self {
            Self::Open(request) => format!("open {}", request.customer),
            Self::Close(customer, _) => format!("close {customer}"),
            Self::Password(customer, _) => format!("password {customer}"),
            Self::Bind(customer, _) => format!("bind {customer}"),
            Self::Confirm(customer, card, _) => format!("confirm {customer} {card}"),
            Self::Check(customer, _) => format!("check {customer}"),
            Self::Mandate(customer, _, _) => format!("mandate {customer}"),
        }
    }
}

impl Bank {
    /// Does what is asked, or answers what was answered before.
    pub(super) async fn answer(&self, request: CustomerRequest) -> Result<Option<CardChallenge>, Failure> {
        let (operation, name) = (request.operation().to_string(), request.name());
        let mut tx = self.0.db.begin().await?;
        let known: Option<(String, String)> =
            sqlx::query_as("SELECT request, answer FROM answers WHERE operation = ?1")
                .bind(&operation)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some((of, answer)) = known {
            if of != name {
                return Err(Refusal::of(RefusalReason::SealRefused).into());
            }
            return Ok(serde_json::from_str::<Answer>(&answer)??);
        }
        let fault = self.0.faults.take_named(request.operation());
        let outcome = match &request {
            _ if fault == Some(BankFault::TimeoutBeforeDebit) => Err(Failure::Silence),
            _ if fault == Some(BankFault::RefusedBeforeDebit) => Err(orders::refused_at_will().into()),
            CustomerRequest::Open(request) => self.open_customer(&mut tx, request).await.map(|()| None),
            CustomerRequest::Close(customer, request) => self
                .close_customer(&mut tx, *customer, request)
                .await
                .map(|()| None),
            CustomerRequest::Password(customer, request) => self
                .set_password(&mut tx, *customer, request)
                .await
                .map(|()| None),
            CustomerRequest::Bind(customer, request) => {
                self.bind(&mut tx, *customer, request).await.map(Some)
            }
            CustomerRequest::Confirm(customer, card, request) => self
                .confirm(&mut tx, *customer, *card, request)
                .await
                .map(|()| None),
            CustomerRequest::Check(customer, request) => self
                .check_customer(&mut tx, *customer, request)
                .await
                .map(|()| None),
            CustomerRequest::Mandate(customer, mandate, request) => self
                .give_mandate(&mut tx, *customer, *mandate, request)
                .await
                .map(|()| None),
        };
        // A refusal is stored too, with the tries that it cost: refusing comes before every other change.
        let answer: Answer = match outcome {
            Ok(challenge) => Ok(challenge),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(failure) => return Err(failure),
        };
        sqlx::query("INSERT INTO answers (operation, request, answer) VALUES (?1, ?2, ?3)")
            .bind(&operation)
            .bind(&name)
            .bind(to_json(&answer)?)
            .execute(&mut *tx)
            .await?;
        yika_fault::reach("bank.customer.before-commit");
        tx.commit().await?;
        yika_fault::reach("bank.customer.after-commit");
        if fault == Some(BankFault::TimeoutAfterDebit) {
            return Err(Failure::Silence);
        }
        Ok(answer?)
    }

    /// Unbinds a card; one that isn't bound stays so.
    pub(super) async fn unbind(&self, customer: Uuid, card: Uuid) -> Result<(), Failure> {
        sqlx::query("UPDATE bindings SET is_bound = 0, code = NULL WHERE id = ?1 AND customer = ?2")
            .bind(card.to_string())
            .bind(customer.to_string())
            .execute(&self.0.db)
            .await?;
        Ok(())
    }

    async fn open_customer(&self, tx: &mut SqliteConnection, request: &OpenCustomer) -> Result<(), Failure> {
        let (operation, customer) = (request.operation, request.customer);
        let identity: IdentityData =
            self.open_json(Field::Identity, &request.identity, operation, customer)?;
        let password = self.open_field(Field::Password, &request.password, operation, customer, Fen::ZERO)?;
        let person = PEOPLE
            .iter()
            .find(|person| is_of(person, &identity))
            .ok_or_else(mismatch)?;
        if password::is_weak(&password, person.id_number) {
            return Err(Refusal::of(RefusalReason::PasswordWeak).into());
        }
        // The same person's that is open is opened again: whoever asked may never have heard of it.
        let holder: Option<String> =
            sqlx::query_scalar("SELECT student FROM customers WHERE id = ?1 AND is_open")
                .bind(customer.to_string())
                .fetch_optional(&mut *tx)
                .await?;
        if holder.is_some_and(|holder| holder != person.student) {
            return Err(Refusal::of(RefusalReason::WalletUnusable).into());
        }
        let (salt, hash) = hashed(&password)?;
        sqlx::query(
            "INSERT INTO customers (id, student, salt, hash, is_open) VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT (id) \
             DO UPDATE SET student = ?2, salt = ?3, hash = ?4, is_open = 1, wrong_tries = 0, locked_until = 0",
        )
        .bind(customer.to_string())
        .bind(person.student)
        .bind(salt)
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        orders::plant_wallet(tx, customer).await?;
        Ok(())
    }

    async fn close_customer(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        request: &CloseCustomer,
    ) -> Result<(), Failure> {
        let password = self.open_field(
            Field::Password,
            &request.password,
            request.operation,
            customer,
            Fen::ZERO,
        )?;
        let is_open: Option<bool> = sqlx::query_scalar("SELECT is_open FROM customers WHERE id = ?1")
            .bind(customer.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        if is_open == Some(false) {
            return Ok(());
        }
        self.check_password(tx, customer, &password).await??;
        let money = store::balance(tx, &wallet_account(customer)).await?;
        let late: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM orders WHERE customer = ?1 AND late IS NOT NULL")
                .bind(customer.to_string())
                .fetch_one(&mut *tx)
                .await?;
        if money != 0 || late != 0 {
            return Err(Refusal {
                message: Some(LocalizedText {
                    zh: "钱包里还有余额或未完成的交易".to_owned(),
                    en: "There is money in the wallet, or an order is not decided".to_owned(),
                }),
                ..Refusal::of(RefusalReason::BankRefused)
            }
            .into());
        }
        for sql in [
            "UPDATE customers SET is_open = 0 WHERE id = ?1",
            "UPDATE bindings SET is_bound = 0, code = NULL WHERE customer = ?1",
            "UPDATE mandates SET is_live = 0 WHERE customer = ?1",
        ] {
            sqlx::query(sql)
                .bind(customer.to_string())
                .execute(&mut *tx)
                .await?;
        }
        Ok(())
    }

    async fn set_password(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        request: &SetPassword,
    ) -> Result<(), Failure> {
        let operation = request.operation;
        let person = self.person(tx, customer).await?;
        let new = match &request.change {
            ChangePassword::Old { old, new } => {
                let old = self.open_field(Field::Password, old, operation, customer, Fen::ZERO)?;
                self.check_password(tx, customer, &old).await??;
                new
            }
            ChangePassword::Identity { identity, new } => {
                let identity: IdentityData =
                    self.open_json(Field::Identity, identity, operation, customer)?;
                if !is_of(person, &identity) {
                    return Err(mismatch().into());
                }
                new
            }
        };
        let new = self.open_field(Field::NewPassword, new, operation, customer, Fen::ZERO)?;
        if password::is_weak(&new, person.id_number) {
            return Err(Refusal::of(RefusalReason::PasswordWeak).into());
        }
        let (salt, hash) = hashed(&new)?;
        sqlx::query(
            "UPDATE customers SET salt = ?2, hash = ?3, wrong_tries = 0, locked_until = 0 WHERE id = ?1",
        )
        .bind(customer.to_string())
        .bind(salt)
        .bind(hash)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Whether the payment password is the one.
    async fn check_customer(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        request: &CheckPassword,
    ) -> Result<(), Failure> {
        let (sealed, operation) = (&request.password, request.operation);
        let password = self.open_field(Field::Password, sealed, operation, customer, Fen::ZERO)?;
        Ok(self.check_password(tx, customer, &password).await??)
    }

    async fn bind(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        request: &NewCard,
    ) -> Result<CardChallenge, Failure> {
        let person = self.person(tx, customer).await?;
        let data: CardData = self.open_json(Field::Card, &request.card, request.operation, customer)?;
        let bank = person
            .cards
            .iter()
            .position(|number| *number == data.number)
            .ok_or_else(mismatch)?;
        if (person.name, person.id_number, person.phone) != (&*data.name, &*data.id_number, &*data.phone) {
            return Err(mismatch().into());
        }
        let code = format!("{:06}", u32::from_be_bytes(random()?) % 1_000_000);
        let now = self.now();
        let expires_at = now.plus_millis(CODE_MS);
        sqlx::query(
            "INSERT INTO bindings (id, customer, card, code, expires_at, tries_left) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(request.operation.to_string())
        .bind(customer.to_string())
        .bind(card_name(person, bank))
        .bind(&code)
        .bind(expires_at.0)
        .bind(CODE_TRIES)
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO messages (phone, code, at) VALUES (?1, ?2, ?3)")
            .bind(masked(person.phone))
            .bind(&code)
            .bind(now.0)
            .execute(tx)
            .await?;
        let (zh, en, _) = BANKS[bank];
        Ok(CardChallenge {
            bank: LocalizedText {
                zh: zh.to_owned(),
                en: en.to_owned(),
            },
            tail: data.number[data.number.len() - 4..].to_owned(),
            phone_masked: masked(person.phone),
            expires_at,
            tries_left: CODE_TRIES,
        })
    }

    async fn confirm(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        card: Uuid,
        request: &CardCode,
    ) -> Result<(), Failure> {
        let code = self.open_field(Field::Code, &request.code, request.operation, customer, Fen::ZERO)?;
        let row =
            sqlx::query("SELECT code, expires_at, tries_left FROM bindings WHERE id = ?1 AND customer = ?2")
                .bind(card.to_string())
                .bind(customer.to_string())
                .fetch_optional(&mut *tx)
                .await?
                .ok_or(Failure::Missing)?;
        let sent: Option<String> = row.try_get("code")?;
        let (expires_at, tries_left): (i64, i64) = (row.try_get("expires_at")?, row.try_get("tries_left")?);
        let expired = Refusal::of(RefusalReason::CodeExpired);
        let Some(sent) = sent.filter(|_| tries_left > 0 && self.now() < UnixMillis(expires_at)) else {
            return Err(expired.into());
        };
        if sent != *code {
            sqlx::query("UPDATE bindings SET tries_left = tries_left - 1 WHERE id = ?1")
                .bind(card.to_string())
                .execute(tx)
                .await?;
            return Err(Refusal {
                tries_left: u8::try_from(tries_left - 1).ok(),
                ..Refusal::of(RefusalReason::CodeWrong)
            }
            .into());
        }
        sqlx::query("UPDATE bindings SET is_bound = 1, code = NULL WHERE id = ?1")
            .bind(card.to_string())
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Checks the payment password of an open wallet, counting wrong tries.
    pub(super) async fn check_password(
        &self,
        tx: &mut SqliteConnection,
        customer: Uuid,
        given: &str,
    ) -> Result<Result<(), Refusal>, BankError> {
        let row = sqlx::query(
            "SELECT salt, hash, wrong_tries, locked_until FROM customers WHERE id = ?1 AND is_open",
        )
        .bind(customer.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else {
            return Ok(Err(Refusal::of(RefusalReason::WalletUnusable)));
        };
        let (salt, hash): (Vec<u8>, Vec<u8>) = (row.try_get("salt")?, row.try_get("hash")?);
        let (wrong, locked_until): (i64, i64) = (row.try_get("wrong_tries")?, row.try_get("locked_until")?);
        let now = self.now();
        let locked = |until| Refusal {
            until: Some(until),
            ..Refusal::of(RefusalReason::PasswordLocked)
        };
        if now < UnixMillis(locked_until) {
            return Ok(Err(locked(UnixMillis(locked_until))));
        }
        let until = now.plus_millis(password::LOCK_MS);
        let left = i64::from(password::TRIES) - wrong - 1;
        let (outcome, wrong_tries, locked_until) = if password::is_right(given, &salt, &hash) {
            (Ok(()), 0, 0)
        } else if left > 0 {
            let refusal = Refusal {
                tries_left: u8::try_from(left).ok(),
                ..Refusal::of(RefusalReason::PasswordWrong)
            };
            (Err(refusal), wrong + 1, 0)
        } else {
            (Err(locked(until)), 0, until.0)
        };
        sqlx::query("UPDATE customers SET wrong_tries = ?2, locked_until = ?3 WHERE id = ?1")
            .bind(customer.to_string())
            .bind(wrong_tries)
            .bind(locked_until)
            .execute(tx)
            .await?;
        Ok(outcome)
    }

    /// The person behind an open wallet.
    async fn person(&self, tx: &mut SqliteConnection, customer: Uuid) -> Result<&'static Person, Failure> {
        let student: Option<String> =
            sqlx::query_scalar("SELECT student FROM customers WHERE id = ?1 AND is_open")
                .bind(customer.to_string())
                .fetch_optional(tx)
                .await?;
        let person = student.and_then(|student| PEOPLE.iter().find(|person| person.student == student));
        Ok(person.ok_or(Refusal::of(RefusalReason::WalletUnusable))?)
    }

    fn open_json<T: DeserializeOwned>(
        &self,
        field: Field,
        sealed: &SealedField,
        operation: Uuid,
        customer: Uuid,
    ) -> Result<T, Refusal> {
        let text = self.open_field(field, sealed, operation, customer, Fen::ZERO)?;
        serde_json::from_str(&text).map_err(|_| Refusal::of(RefusalReason::SealRefused))
    }
}

fn is_of(person: &Person, identity: &IdentityData) -> bool {
    (person.name, person.id_number) == (&*identity.name, &*identity.id_number)
}

fn mismatch() -> Refusal {
    Refusal::of(RefusalReason::IdentityMismatch)
}

fn masked(phone: &str) -> String {
    format!("{}****{}", &phone[..3], &phone[7..])
}

fn hashed(password: &str) -> Result<(Vec<u8>, Vec<u8>), BankError> {
    let salt: [u8; 16] = random()?;
    Ok((salt.to_vec(), password::hash(password, &salt)))
}

fn random<const N: usize>() -> Result<[u8; N], BankError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| BankError::Random)?;
    Ok(bytes)
}

fn to_json(value: &impl Serialize) -> Result<String, BankError> {
    Ok(serde_json::to_string(value)?)
}
