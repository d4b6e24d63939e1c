//! A phone's wallet, as far as the wire shows it: a session bound to a key, fields sealed to the bank's keys, requests on
//! money that are made once and sent as often as need be.

use crate::http::{Reply, Request};
use crate::{Error, Person, Result, Sandbox};
use serde_json::{Value, json};
use uuid::Uuid;
use yika_api::auto_top_up::CONSENT_VERSION;
use yika_api::dpop::{Jwk, ProofClaims, attach_signature, signing_input};
use yika_api::wallet::{SchoolBank, SealedField};
use yika_api::{Base64Url, DPOP, DPOP_NONCE, IDEMPOTENCY_KEY};
use yika_format::bank::{BankKeys, Field, FieldSeal};
use yika_format::{Amount, PublicKey, SchoolHash};
use yika_testkit::TestKey;

/// The payment password of every wallet here.
const PASSWORD: &str = "204816";

/// A request that names its operation, as it leaves the phone each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The operation's name.
    pub id: Uuid,
    method: &'static str,
    path: String,
    body: String,
}

/// Where the money of an operation on money goes, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Onto the card account: so much from the wallet, so much off the bank card.
    TopUp {
        /// From the wallet.
        wallet: i64,
        /// Off the bank card.
        bank: i64,
    },
    /// From the bank card into the wallet.
    Recharge(i64),
    /// From the wallet onto the bank card.
    Withdraw(i64),
}

impl Move {
    /// What arrives.
    pub const fn amount(self) -> i64 {
        match self {
            Self::TopUp { wallet, bank } => wallet + bank,
            Self::Recharge(amount) | Self::Withdraw(amount) => amount,
        }
    }

    /// What it adds to the card account, and what to the wallet.
    pub const fn effect(self) -> (i64, i64) {
        match self {
            Self::TopUp { wallet, .. } => (self.amount(), -wallet),
            Self::Recharge(amount) => (0, amount),
            Self::Withdraw(amount) => (0, -amount),
        }
    }
}

/// When an account is topped up by itself, by how much, and how much a day, in fen.
#[derive(Clone, Copy, Debug)]
pub struct AutoTopUpRule {
    /// Below which balance.
    pub below: i64,
    /// What arrives.
    pub add: i64,
    /// The most of a day.
    pub day_cap: i64,
}

fn auto_top_up(account: &Value) -> String {
    format!(
        "/v1/accounts/{}/auto-top-up",
        account.as_str().unwrap_or_default()
    )
}

/// A wallet on a phone.
pub struct WalletPhone {
    port: u16,
    person: Person,
    key: TestKey,
    token: String,
    school: SchoolHash,
    keys: BankKeys,
    customer: Uuid,
}

impl std::fmt::Debug for WalletPhone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WalletPhone({})", self.person.student)
    }
}

/// The platform's time, in seconds, and the nonce for the next proof.
struct Moment {
    now_s: i64,
    nonce: String,
}

impl WalletPhone {
    /// A phone of this person, signed in; it pins the bank's root.
    pub fn bind(sandbox: &Sandbox, person: Person) -> Result<Self> {
        let school = sandbox.get("/v1/school")?;
        let domain = school["domain"].as_str().unwrap_or_default();
        let bank: SchoolBank = of_json(sandbox.get("/v1/school/bank")?)?;
        let root = bank.root_key.to_array().map(PublicKey::from_compressed);
        let root = root
            .and_then(std::result::Result::ok)
            .and_then(|key| key.expand().ok())
            .ok_or_else(|| Error::answer("no root key", bank.root_key.encode()))?;
        let keys = BankKeys::open(&bank.bank_key.0, &root)
            .map_err(|error| Error::answer("no certificate of the bank's", error))?;
        let mut phone = Self {
            port: sandbox.address().port(),
            key: TestKey::named(person.student),
            token: String::new(),
            school: SchoolHash::of_domain(domain),
            person,
            keys,
            customer: Uuid::nil(),
        };
        phone.sign_in()?;
        phone.customer = of_json(phone.wallet()?["customer"].take())?;
        Ok(phone)
    }

    /// Signs in, as again after a token's end.
    pub fn sign_in(&mut self) -> Result<()> {
        let student = json!({ "student": self.person.student });
        let issued = crate::http::request(self.port, "POST", "/sandbox/host/token", Some(&student))?;
        let id_token = issued["id_token"].as_str().unwrap_or_default();
        // A JWT and these names consist of characters that a form leaves as they are, but for the colons.
        let kind = |name: &str| format!("urn%3Aietf%3Aparams%3Aoauth%3A{name}");
        let form = format!(
            "grant_type={}&subject_token={id_token}&subject_token_type={}&device_name=wallet",
            kind("grant-type%3Atoken-exchange"),
            kind("token-type%3Aid_token")
        );
        self.token = String::new();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let tokens = self
            .prove(("POST", "/v1/sessions/token"), &headers, &form)?
            .ok()?;
        tokens["access_token"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.token);
        Ok(())
    }

    /// The holder's number at the bank.
    pub const fn customer(&self) -> Uuid {
        self.customer
    }

    /// What a `GET` of the holder's answers.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.prove(("GET", path), &[], "")?.ok()
    }

    /// How the wallet stands.
    pub fn wallet(&self) -> Result<Value> {
        self.get("/v1/wallet")
    }

    /// How an operation stands.
    pub fn operation(&self, id: Uuid) -> Result<Value> {
        self.get(&format!("/v1/operations/{id}"))
    }

    /// Sends a request, for the first time or again.
    pub fn send(&self, deed: &Deed) -> Result<Reply> {
        let id = deed.id.to_string();
        let headers = [("content-type", "application/json"), (IDEMPOTENCY_KEY, &id)];
        self.prove((deed.method, &deed.path), &headers, &deed.body)
    }

    /// A new request to open the wallet.
    pub fn opening(&self) -> Result<Deed> {
        let id = Uuid::new_v4();
        let identity = json!({ "name": self.person.name, "id_number": self.person.id_number });
        let body = json!({
            "terms_version": self.wallet()?["terms"]["version"],
            "identity": self.seal(Field::Identity, id, 0, &identity.to_string())?,
            "password": self.seal(Field::Password, id, 0, PASSWORD)?,
        });
        Ok(Deed::post(id, "/v1/wallet", &body))
    }

    /// A new request to close it.
    pub fn closing(&self) -> Result<Deed> {
        let id = Uuid::new_v4();
        let body = json!({ "password": self.seal(Field::Password, id, 0, PASSWORD)? });
        Ok(Deed::post(id, "/v1/wallet/close", &body))
    }

    /// A new request to bind the person's first bank card. Its name becomes the card's.
    pub fn binding(&self) -> Result<Deed> {
        let id = Uuid::new_v4();
        let Person {
            name,
            id_number,
            phone,
            cards,
            ..
        } = self.person;
        let card = json!({ "number": cards[0], "name": name, "id_number": id_number, "phone": phone });
        let body = json!({ "card": self.seal(Field::Card, id, 0, &card.to_string())? });
        Ok(Deed::post(id, "/v1/wallet/cards", &body))
    }

    /// A new request with the code that the bank sent.
    pub fn confirming(&self, card: Uuid, code: &str) -> Result<Deed> {
        let id = Uuid::new_v4();
        let body = json!({ "code": self.seal(Field::Code, id, 0, code)? });
        Ok(Deed::post(id, &format!("/v1/wallet/cards/{card}/confirm"), &body))
    }

    /// A new request to move money; `account` and `card` are where it may go and come from.
    pub fn moving(&self, money: Move, account: &Value, card: Uuid) -> Result<Deed> {
        let id = Uuid::now_v7();
        let password = self.seal(Field::Password, id, money.amount(), PASSWORD)?;
        let mut body = json!({ "amount": money.amount(), "password": password });
        match money {
            Move::TopUp { wallet, bank } => {
                body["kind"] = "top_up".into();
                body["account_id"] = account.clone();
                body["funding"] = json!({ "wallet": wallet, "bank": bank, "fee": 0 });
                if bank > 0 {
                    body["funding"]["card_id"] = json!(card);
                }
            }
            Move::Recharge(_) | Move::Withdraw(_) => {
                let is_in = matches!(money, Move::Recharge(_));
                body["kind"] = if is_in { "recharge" } else { "withdraw" }.into();
                body["card_id"] = json!(card);
            }
        }
        Ok(Deed::post(id, "/v1/operations", &body))
    }

    /// A new request to bind a room with electricity. The reply's `id` is the place.
    pub fn binding_room(&self, code: &str) -> Deed {
        let body = json!({ "provider": "power", "code": code });
        Deed::post(Uuid::new_v4(), "/v1/utilities/places", &body)
    }

    /// A new request to pay for a place, in fen, off this card account or else out of the wallet.
    pub fn paying_for(&self, place: &Value, amount: i64, account: Option<&Value>) -> Result<Deed> {
        let id = Uuid::now_v7();
        let paid_by = match account {
            Some(account) => json!({ "from": "account", "account_id": account }),
            None => json!({
                "from": "wallet",
                "funding": { "wallet": amount, "bank": 0, "fee": 0 },
                "password": self.seal(Field::Password, id, amount, PASSWORD)?,
            }),
        };
        let body = json!({ "kind": "utility", "place_id": place, "amount": amount, "paid_by": paid_by });
        Ok(Deed::post(id, "/v1/operations", &body))
    }

    /// A new request to have an account topped up by itself, in fen.
    pub fn agreeing(&self, account: &Value, rule: AutoTopUpRule) -> Result<Deed> {
        let id = Uuid::new_v4();
        let AutoTopUpRule { below, add, day_cap } = rule;
        let body = json!({
            "below": below, "add": add, "day_cap": day_cap, "consent": CONSENT_VERSION,
            "password": self.seal(Field::Password, id, day_cap, PASSWORD)?,
        });
        Ok(Deed {
            method: "PUT",
            ..Deed::post(id, &auto_top_up(account), &body)
        })
    }

    /// A new request to end that.
    pub fn ending(&self, account: &Value) -> Deed {
        Deed {
            method: "DELETE",
            ..Deed::post(Uuid::new_v4(), &auto_top_up(account), &Value::Null)
        }
    }

    /// The same request with its password sealed anew: other bytes, and so another request.
    pub fn sealed_again(&self, deed: &Deed, money: Move, account: &Value, card: Uuid) -> Result<Deed> {
        let mut other: Value = of_text(&deed.body)?;
        let fresh: Value = of_text(&self.moving(money, account, card)?.body)?;
        other["password"] = fresh["password"].clone();
        Ok(Deed {
            body: other.to_string(),
            ..deed.clone()
        })
    }

    fn seal(&self, field: Field, operation: Uuid, amount: i64, text: &str) -> Result<SealedField> {
        let seal = FieldSeal {
            school: self.school,
            operation: operation.into_bytes(),
            customer: self.customer.into_bytes(),
            amount: Amount(amount.unsigned_abs()),
            field,
        };
        let mut random = [0; 32];
        random[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        random[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        let sealed = self.keys.seal(&seal, text, random);
        Ok(SealedField {
            kid: self.keys.number(),
            bytes: sealed.map_err(|error| Error::answer("not sealed", error))?.into(),
        })
    }

    fn moment(&self) -> Result<Moment> {
        let request = Request {
            method: "GET",
            path: "/v1/time",
            headers: &[],
            body: "",
        };
        let reply = request.send(self.port)?;
        let now = reply.ok()?["now"].as_i64();
        let nonce = reply.header(DPOP_NONCE).map(str::to_owned);
        now.zip(nonce)
            .map(|(now, nonce)| Moment {
                now_s: now / 1000,
                nonce,
            })
            .ok_or_else(|| Error::answer("no time", &reply.body))
    }

    /// Sends with a fresh proof of the session key (RFC 9449), and the access token where there is one.
    fn prove(&self, (method, path): (&str, &str), headers: &[(&str, &str)], body: &str) -> Result<Reply> {
        let moment = self.moment()?;
        let has_token = !self.token.is_empty();
        let claims = ProofClaims {
            jti: Uuid::new_v4().to_string(),
            htm: method.to_owned(),
            htu: format!("http://127.0.0.1:{}{path}", self.port),
            iat: moment.now_s,
            nonce: Some(moment.nonce),
            ath: has_token.then(|| Base64Url::from(yika_testkit::sha256(self.token.as_bytes())).encode()),
        };
        let point = self.key.expanded();
        let jwk = Jwk::from_uncompressed(point.as_bytes()).ok_or_else(|| Error::answer("no key", method))?;
        let input = signing_input(&jwk, &claims).map_err(|error| Error::answer("no proof", error))?;
        let proof = attach_signature(&input, self.key.sign(input.as_bytes()).as_bytes());
        let authorization = format!("DPoP {}", self.token);
        let mut all = vec![(DPOP, proof.as_str())];
        if has_token {
            all.push(("authorization", &authorization));
        }
        all.extend(headers);
        Request {
            method,
            path,
            headers: &all,
            body,
        }
        .send(self.port)
    }
}

impl Deed {
    fn post(id: Uuid, path: &str, body: &Value) -> Self {
        Self {
            id,
            method: "POST",
            path: path.to_owned(),
            body: body.to_string(),
        }
    }
}

fn of_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    let text = value.to_string();
    serde_json::from_value(value).map_err(|_| Error::answer("another form", text))
}

fn of_text(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|_| Error::answer("no JSON", text))
}
