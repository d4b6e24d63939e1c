//! The bank as its callers see it: over loopback, with a phone that seals and a platform that only listens to notices.

mod customers;
mod faults;
mod gateway;
mod mandates;
mod orders;

use super::*;
use axum::Json;
use axum::routing::post;
use serde::Serialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use yika_api::bank::{Authority, Notice, Order, OrderDirection, OrderState, OrderStatus};
use yika_api::operation::RefusalReason;
use yika_format::bank::BankKeys as KnownKeys;
use yika_format::{PublicKey, Signature};

const PASSWORD: &str = "204816";

/// A bank that listens, and what it told the platform.
struct World {
    folder: tempfile::TempDir,
    address: SocketAddr,
    clock: Arc<ShiftedClock>,
    bank: Bank,
    keys: KnownKeys,
    customer: Uuid,
    notices: mpsc::UnboundedReceiver<Notice>,
    sender: mpsc::UnboundedSender<Notice>,
}

fn listener(sender: mpsc::UnboundedSender<Notice>) -> Router {
    let take = async move |Json(notice): Json<Notice>| sender.send(notice).unwrap();
    Router::new().route("/v1/bank/notices", post(take))
}

async fn open(folder: &Path, clock: &Arc<ShiftedClock>, sender: &mpsc::UnboundedSender<Notice>) -> Bank {
    let platform = listener(sender.clone());
    let keys = BankKeys::open(folder).unwrap();
    Bank::open(folder, keys, "north.example", Arc::clone(clock), platform, None)
        .await
        .unwrap()
}

async fn serve(bank: &Bank) -> SocketAddr {
    listen(bank.routes()).await
}

async fn listen(routes: Router) -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(socket, routes).await });
    address
}

/// What comes back on a connection of its own: status and body, or nothing.
async fn call(
    address: SocketAddr,
    (method, path): (&str, &str),
    body: &impl Serialize,
    fault: Option<&str>,
) -> Option<(u16, Vec<u8>)> {
    let body = serde_json::to_string(body).unwrap();
    let fault = fault
        .map(|name| format!("yika-bank-fault: {name}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "{method} /sandbox/{path} HTTP/1.1\r\nhost: bank\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{fault}\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    if answer.is_empty() {
        return None;
    }
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    Some((status, answer[end + 4..].to_vec()))
}

impl World {
    /// A bank with an open wallet of student 20260001 and money enough in it.
    async fn new() -> Self {
        let mut world = Self::without_wallet().await;
        world.open_wallet().await;
        world.grant(50_000).await;
        world
    }

    async fn without_wallet() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ShiftedClock::open(folder.path().join("clock")).unwrap());
        let (sender, notices) = mpsc::unbounded_channel();
        let bank = open(&folder.path().join("bank"), &clock, &sender).await;
        let address = serve(&bank).await;
        let overview = call(address, ("GET", "admin/bank"), &Value::Null, None)
            .await
            .unwrap()
            .1;
        let overview: Value = serde_json::from_slice(&overview).unwrap();
        let root: yika_api::Base64Url = serde_json::from_value(overview["root_key"].clone()).unwrap();
        let root = PublicKey::from_compressed(root.to_array().unwrap())
            .unwrap()
            .expand()
            .unwrap();
        let certificate = call(address, ("GET", "bank/key"), &Value::Null, None)
            .await
            .unwrap()
            .1;
        let keys = KnownKeys::open(&certificate, &root).unwrap();
        Self {
            folder,
            address,
            clock,
            bank,
            keys,
            customer: Uuid::new_v4(),
            notices,
            sender,
        }
    }

    /// The bank after its process ended.
    async fn reopen(&mut self) {
        self.bank.0.db.close().await;
        self.bank = open(&self.folder.path().join("bank"), &self.clock, &self.sender).await;
        self.address = serve(&self.bank).await;
    }

    async fn call(&self, method: &str, path: &str, body: &impl Serialize) -> (u16, Value) {
        let (status, body) = call(self.address, (method, path), body, None).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn console(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", &format!("admin/bank{path}"), &Value::Null).await;
        assert_eq!(status, 200, "{path}");
        body
    }

    async fn balance(&self, account: &str) -> i64 {
        self.console("").await["balances"][account].as_i64().unwrap()
    }

    fn wallet(&self) -> String {
        store::wallet_account(self.customer)
    }

    fn seal(&self, field: Field, operation: Uuid, amount: i64, text: &str) -> SealedField {
        let seal = FieldSeal {
            school: SchoolHash::of_domain("north.example"),
            operation: operation.into_bytes(),
            customer: self.customer.into_bytes(),
            amount: Amount(amount.unsigned_abs()),
            field,
        };
        let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let bytes = self.keys.seal(&seal, text, random.try_into().unwrap()).unwrap();
        SealedField {
            kid: self.keys.number(),
            bytes: bytes.into(),
        }
    }

    async fn open_with(&self, password: &str) -> (u16, Value) {
        let operation = Uuid::new_v4();
        let identity = json!({"name": "李明", "id_number": "990101200504121103"}).to_string();
        let body = json!({
            "operation": operation, "customer": self.customer,
            "identity": self.seal(Field::Identity, operation, 0, &identity),
            "password": self.seal(Field::Password, operation, 0, password),
        });
        self.call("POST", "bank/customers", &body).await
    }

    async fn open_wallet(&self) {
        assert_eq!(self.open_with(PASSWORD).await.0, 204);
    }

    /// Money from the Demo Bank's card, as if the holder had recharged before.
    async fn grant(&mut self, amount: i64) {
        let mut tx = self.bank.0.db.begin().await.unwrap();
        let parts = [("card:20260001-1".to_owned(), -amount), (self.wallet(), amount)];
        assert!(store::transfer(&mut tx, &parts).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn begin_card(&self, number: &str, phone: &str) -> (Uuid, u16, Value) {
        let operation = Uuid::new_v4();
        let card =
            json!({"number": number, "name": "李明", "id_number": "990101200504121103", "phone": phone});
        let card = self.seal(Field::Card, operation, 0, &card.to_string());
        let path = format!("bank/customers/{}/cards", self.customer);
        let (status, body) = self
            .call("POST", &path, &json!({"operation": operation, "card": card}))
            .await;
        (operation, status, body)
    }

    async fn confirm(&self, card: Uuid, code: &str) -> (u16, Value) {
        let operation = Uuid::new_v4();
        let body = json!({"operation": operation, "code": self.seal(Field::Code, operation, 0, code)});
        let path = format!("bank/customers/{}/cards/{card}/confirm", self.customer);
        self.call("POST", &path, &body).await
    }

    async fn last_code(&self) -> String {
        let messages = self.console("/messages").await["messages"].take();
        messages.as_array().unwrap().last().unwrap()["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn bound_card(&self) -> Uuid {
        let (card, status, _) = self.begin_card("9900100000000010372", "19900000001").await;
        assert_eq!(status, 200);
        assert_eq!(self.confirm(card, &self.last_code().await).await.0, 204);
        card
    }

    /// An order of this amount out of the wallet.
    fn order(&self, amount: i64) -> Order {
        let id = Uuid::now_v7();
        Order {
            id,
            customer: self.customer,
            direction: OrderDirection::ToSchool,
            wallet: Fen::new(amount),
            card_amount: Fen::ZERO,
            fee: Fen::ZERO,
            card: None,
            arrives: Fen::new(amount),
            authority: Authority::Password {
                password: self.seal(Field::Password, id, amount, PASSWORD),
            },
        }
    }

    /// Seals another password to an order of a password.
    fn reseal(&self, order: &mut Order, password: &str) {
        order.authority = Authority::Password {
            password: self.seal(Field::Password, order.id, order.arrives.get(), password),
        };
    }

    async fn place(&self, order: &Order, fault: Option<&str>) -> Option<OrderState> {
        let (status, body) = call(self.address, ("POST", "bank/orders"), order, fault).await?;
        assert_eq!(status, 200);
        let told: OrderStatus = serde_json::from_slice(&body).unwrap();
        assert_eq!(told.id, order.id);
        Some(told.state)
    }

    async fn state(&self, id: Uuid) -> Option<OrderState> {
        let (status, body) = self.call("GET", &format!("bank/orders/{id}"), &Value::Null).await;
        (status == 200).then(|| serde_json::from_value::<OrderStatus>(body).unwrap().state)
    }

    async fn end(&self, id: Uuid, how: &str) -> OrderState {
        let (status, body) = self
            .call("POST", &format!("bank/orders/{id}/{how}"), &Value::Null)
            .await;
        assert_eq!(status, 200);
        serde_json::from_value::<OrderStatus>(body).unwrap().state
    }

    /// What the next notice says; its signature is checked.
    async fn notice(&mut self) -> OrderStatus {
        let notice = self.notices.recv().await.unwrap();
        self.read(&notice)
    }

    fn read(&self, notice: &Notice) -> OrderStatus {
        let signature = Signature::from_raw(notice.signature.to_array().unwrap()).unwrap();
        assert_eq!(notice.kid, self.keys.number());
        assert_eq!(self.keys.verify_notice(&notice.status.0, &signature), Ok(()));
        serde_json::from_slice(&notice.status.0).unwrap()
    }

    /// What goes wrong with what is named so.
    async fn plan(&self, fault: &str, operation: Uuid) {
        let plan = json!({"fault": fault, "order": operation});
        assert_eq!(self.call("PUT", "admin/bank/fault", &plan).await.0, 200);
    }

    async fn plan_for_all(&self, fault: &str) {
        let plan = json!({"fault": fault});
        assert_eq!(self.call("PUT", "admin/bank/fault", &plan).await.0, 200);
    }

    async fn settle(&self) -> Value {
        self.call("POST", "admin/bank/settle", &Value::Null).await.1["settled"].take()
    }

    async fn today(&self, of: &str) -> Value {
        let mut tx = self.bank.0.db.begin().await.unwrap();
        let day: String = sqlx::query_scalar("SELECT date(?1 / 1000 + 28800, 'unixepoch')")
            .bind(self.clock.now().0)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        drop(tx);
        let (status, rows) = self
            .call("GET", &format!("{of}/statements/{day}"), &Value::Null)
            .await;
        assert_eq!(status, 200);
        rows
    }
}

fn is_done(state: &Option<OrderState>) -> bool {
    matches!(state, Some(OrderState::Done { .. }))
}

fn reason(state: &OrderState) -> Option<RefusalReason> {
    match state {
        OrderState::Refused { refusal } => Some(refusal.reason),
        _ => None,
    }
}
