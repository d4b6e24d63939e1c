//! The kit of this crate's tests: a platform on a temporary folder with a clock that stands still, a host that signs
//! tokens, phones and terminals that make real proofs and real codes. Everything goes through the router.

mod bank;
mod database;
mod key;
mod reply;
mod utility;

pub(crate) use bank::{Fault, TestBank};
pub(crate) use database::TestDatabase;
pub(crate) use key::TestKey;
pub(crate) use reply::Reply;
pub(crate) use utility::{POWER, ROOM, TestUtility};

use crate::config::{
    Config, CredentialPolicy, HostConfig, MerchantPolicy, PublicOrigin, SchoolConfig, TerminalEnrolment,
    WalletPolicy,
};
use crate::random::{random_bytes, sha256};
use crate::{Clock, HostKeySource, HostTokenError, HttpLimits, OpeningAccount, Platform, Ports};
use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;
use uuid::Uuid;
use yika_api::credential::{Challenge, IssueRequest, IssuedCredential, KeyProof, KeyStorage};
use yika_api::dpop::ProofClaims;
use yika_api::session::{TokenError, TokenResponse};
use yika_api::terminal::{
    EnrolTerminal, EnrolledTerminal, MerchantId, SaleUpload, SaleUploadReply, TerminalKind,
};
use yika_api::wallet::CardFee;
use yika_api::{Base64Url, DPOP, DPOP_NONCE, Fen, IDEMPOTENCY_KEY, LocalizedText, UnixMillis};
use yika_format::code::{ClockConfidence, Code, Dynamic, FullCode, ShortCode, Site, Use};
use yika_format::credential::Credential;
use yika_format::lists::Keyset;
use yika_format::proof::key_proof_preimage;
use yika_format::sale::{SaleKind, SaleRecord, SignedSale};
use yika_format::{Amount, Counter, ExpandedKey, RecipientKey, SchoolHash, Slot, UnixSeconds};

pub(crate) const SCHOOL: &str = "demo.yika.example";
pub(crate) const ORIGIN: &str = "http://127.0.0.1:4000";
pub(crate) const ISSUER: &str = "https://host.example";
pub(crate) const AUDIENCE: &str = "yika";
pub(crate) const START: UnixMillis = UnixMillis(1_795_000_000_000);
/// The stall, and the library.
pub(crate) const STALL: u64 = 1;

pub(crate) fn text(zh: &str, en: &str) -> LocalizedText {
    LocalizedText {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// A clock that moves only when it is told to.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

/// The host's identity provider.
pub(crate) struct TestHost {
    keys: Mutex<Vec<(String, Arc<TestKey>)>>,
    pub(crate) fetches: AtomicUsize,
}

impl TestHost {
    /// Signs with a new key from now on, and publishes it alone.
    pub(crate) fn rotate(&self, kid: &str) {
        *self.keys.lock().unwrap() = vec![(kid.to_owned(), Arc::new(TestKey::new()))];
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let (kid, key) = self.keys.lock().unwrap()[0].clone();
        let header = Header {
            kid: Some(kid),
            ..Header::new(Algorithm::ES256)
        };
        encode(&header, claims, &EncodingKey::from_ec_der(key.pkcs8())).unwrap()
    }
}

impl HostKeySource for TestHost {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, HostTokenError>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let keys: Vec<Value> = self.keys.lock().unwrap().iter().map(|(kid, key)| {
            let jwk = key.jwk();
            json!({"kty": "EC", "crv": "P-256", "x": jwk.x.encode(), "y": jwk.y.encode(), "kid": kid, "use": "sig"})
        }).collect();
        Box::pin(async move { Ok(serde_json::from_value(json!({ "keys": keys })).unwrap()) })
    }
}

/// A platform with one stall, a library and two students.
pub(crate) struct TestPlatform {
    pub(crate) platform: Platform,
    /// Made once, as by a server: its description of all endpoints takes longer than a request.
    router: axum::Router,
    /// Folder and database go with the platform, after it.
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) database: Arc<TestDatabase>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) host: Arc<TestHost>,
    pub(crate) bank: Arc<TestBank>,
    pub(crate) utility: Arc<TestUtility>,
}

impl TestPlatform {
    pub(crate) async fn open() -> Self {
        Self::open_with(TerminalEnrolment::Open).await
    }

    pub(crate) async fn open_with(enrolment: TerminalEnrolment) -> Self {
        Self::open_on(TestDatabase::new().await, enrolment).await
    }

    pub(crate) async fn open_on(database: TestDatabase, enrolment: TerminalEnrolment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(START.0)));
        let host = Arc::new(TestHost {
            keys: Mutex::default(),
            fetches: AtomicUsize::new(0),
        });
        host.rotate("first");
        let bank = Arc::new(TestBank::new());
        let utility = Arc::new(TestUtility::new());
        let ports = Ports {
            clock: Arc::clone(&clock) as _,
            host_keys: Arc::clone(&host) as _,
            bank: Some(Arc::clone(&bank) as _),
            utility: Some(Arc::clone(&utility) as _),
        };
        let platform = Platform::open_with(Self::config(&folder, &database, enrolment), ports)
            .await
            .unwrap();
        let admin = platform.admin();
        admin
            .add_merchant(
                MerchantId(STALL),
                text("一号档口", "Stall 1"),
                Some(TerminalKind::Pos),
            )
            .await
            .unwrap();
        admin
            .add_merchant(
                MerchantId(2),
                text("图书馆", "Library"),
                Some(TerminalKind::Library),
            )
            .await
            .unwrap();
        for number in ["20260001", "20260002"] {
            let accounts: Vec<_> = (1..=2)
                .map(|slot| OpeningAccount {
                    slot,
                    name: text("账户", "Account"),
                    balance: Fen::new(10_000),
                })
                .collect();
            admin.add_student(number, "Student", &accounts).await.unwrap();
        }
        Self {
            router: platform.router(),
            platform,
            folder: Arc::new(folder),
            database: Arc::new(database),
            clock,
            host,
            bank,
            utility,
        }
    }

    /// Another server on the same database and keys.
    pub(crate) async fn twin(&self) -> Self {
        let config = Self::config(&self.folder, &self.database, TerminalEnrolment::Open);
        let ports = Ports {
            clock: Arc::clone(&self.clock) as _,
            host_keys: Arc::clone(&self.host) as _,
            bank: Some(Arc::clone(&self.bank) as _),
            utility: Some(Arc::clone(&self.utility) as _),
        };
        let platform = Platform::open_with(config, ports).await.unwrap();
        Self {
            router: platform.router(),
            platform,
            folder: Arc::clone(&self.folder),
            database: Arc::clone(&self.database),
            clock: Arc::clone(&self.clock),
            host: Arc::clone(&self.host),
            bank: Arc::clone(&self.bank),
            utility: Arc::clone(&self.utility),
        }
    }

    /// The keyset.
    pub(crate) fn keyset(&self) -> Keyset {
        self.platform.keys().keyset.clone()
    }

    pub(crate) fn config(
        folder: &tempfile::TempDir,
        database: &TestDatabase,
        terminal_enrolment: TerminalEnrolment,
    ) -> Config {
        Config {
            data_dir: folder.path().to_owned(),
            database: database.url.clone(),
            public_origin: PublicOrigin::parse(ORIGIN).unwrap(),
            school: SchoolConfig {
                domain: SCHOOL.to_owned(),
                name: text("示范大学", "Demo University"),
                time_zone: "Asia/Shanghai".to_owned(),
            },
            host: HostConfig {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
            },
            terminal_enrolment,
            credentials: CredentialPolicy::default(),
            bank: None,
            utility: None,
            wallet: WalletPolicy {
                single: Fen::new(50_000),
                day: Fen::new(120_000),
                presets: [50, 5_000, 50_000, 60_000].map(Fen::new).to_vec(),
                fee: CardFee { per_ten_thousand: 10 },
                ..WalletPolicy::default()
            },
            faces: crate::FacePolicy::with_keys_in(&folder.path().join("photo-keys")),
            cards: crate::CardSystem::default(),
            merchants: MerchantPolicy::default(),
            http: HttpLimits::default(),
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        Reply::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a request with a fresh proof of this key.
    pub(crate) async fn send_proven(
        &self,
        key: &TestKey,
        access_token: Option<&str>,
        (method, path): (Method, &str),
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Reply {
        let nonce = self
            .send(Method::GET, "/v1/time", &[], Vec::new())
            .await
            .header(DPOP_NONCE)
            .to_owned();
        let proof = key.proof(&ProofClaims {
            jti: Uuid::new_v4().to_string(),
            htm: method.to_string(),
            htu: format!("{ORIGIN}{}", path.split('?').next().unwrap()),
            iat: self.clock.now().0 / 1000,
            nonce: Some(nonce),
            ath: access_token.map(|token| Base64Url::from(sha256(token.as_bytes())).encode()),
        });
        let mut all = vec![(DPOP, proof)];
        all.extend(access_token.map(|token| ("Authorization", format!("DPoP {token}"))));
        all.extend(headers.iter().cloned());
        self.send(method, path, &all, body).await
    }

    /// The time in the seconds of tokens and proofs.
    pub(crate) fn clock_now_s(&self) -> i64 {
        self.clock.now().0 / 1000
    }

    pub(crate) fn id_token_claims(&self, student: &str) -> Value {
        let now = self.clock.now().0 / 1000;
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": student, "iat": now, "exp": now + 300, "sid": format!("sid-{student}")})
    }

    pub(crate) async fn token(&self, key: &TestKey, form: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded(form);
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        self.send_proven(key, None, (Method::POST, "/v1/sessions/token"), &headers, body)
            .await
    }

    pub(crate) async fn exchange(&self, key: &TestKey, id_token: &str) -> Reply {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", id_token),
            ("subject_token_type", yika_api::session::ID_TOKEN_TYPE),
            ("device_name", "Test phone"),
        ];
        self.token(key, &form).await
    }

    pub(crate) async fn refresh(&self, key: &TestKey, refresh_token: &str) -> Reply {
        self.token(
            key,
            &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)],
        )
        .await
    }

    /// A bound phone without a credential.
    pub(crate) async fn bind(&self, student: &str) -> TestPhone<'_> {
        let key = TestKey::new();
        // A host signs no token twice; two phones may be bound within a second of this clock.
        let mut claims = self.id_token_claims(student);
        claims["jti"] = json!(Uuid::new_v4());
        let id_token = self.host.sign(&claims);
        let tokens = self.exchange(&key, &id_token).await.ok();
        TestPhone {
            campus: self,
            session_key: key,
            code_key: TestKey::new(),
            tokens,
        }
    }

    /// An enrolled terminal.
    pub(crate) async fn terminal(&self, kind: TerminalKind) -> TestTerminal<'_> {
        let (key, directory_key) = (TestKey::new(), RecipientKey::derive(&random_bytes().unwrap()));
        let request = EnrolTerminal {
            kind,
            merchant: None,
            label: None,
            enrolment_code: None,
            directory_key: directory_key_for(kind, &directory_key.public()),
        };
        let reply = self.enrol_terminal(&key, &request).await.ok();
        TestTerminal {
            campus: self,
            key,
            directory_key,
            enrolled: reply,
            sequence: 0,
            previous: [0; 32],
            revocations_version: 0,
        }
    }

    pub(crate) async fn enrol_terminal(&self, key: &TestKey, request: &EnrolTerminal) -> Reply {
        let body = serde_json::to_vec(request).unwrap();
        self.send_proven(key, None, (Method::POST, "/v1/terminals"), &json_body(), body)
            .await
    }
}

/// This key as a terminal of this kind enrols it.
pub(crate) fn directory_key_for(kind: TerminalKind, key: &ExpandedKey) -> Option<Base64Url> {
    (kind == TerminalKind::Library).then(|| key.compress().as_bytes().to_vec().into())
}

pub(crate) fn json_body() -> [(&'static str, String); 1] {
    [("content-type", "application/json".to_owned())]
}

pub(crate) fn form_urlencoded(form: &[(&str, &str)]) -> Vec<u8> {
    let mut serializer = url::form_urlencoded::Serializer::new(String::new());
    form.iter().for_each(|(name, value)| {
        serializer.append_pair(name, value);
    });
    serializer.finish().into_bytes()
}

pub(crate) fn token_error(reply: &Reply) -> yika_api::session::TokenErrorCode {
    reply.json::<TokenError>().error
}

/// A phone of a student.
pub(crate) struct TestPhone<'a> {
    pub(crate) campus: &'a TestPlatform,
    pub(crate) session_key: TestKey,
    pub(crate) code_key: TestKey,
    pub(crate) tokens: TokenResponse,
}

impl TestPhone<'_> {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request((Method::GET, path), &[], Vec::new()).await
    }

    pub(crate) async fn request(
        &self,
        target: (Method, &str),
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Reply {
        let token = Some(self.tokens.access_token.as_str());
        self.campus
            .send_proven(&self.session_key, token, target, headers, body)
            .await
    }

    pub(crate) async fn issue(&self, operation: Uuid, request: &IssueRequest) -> Reply {
        self.named((Method::POST, "/v1/credentials"), operation, request)
            .await
    }

    /// A request that names its operation.
    pub(crate) async fn named(
        &self,
        target: (Method, &str),
        operation: Uuid,
        request: &impl serde::Serialize,
    ) -> Reply {
        let mut headers = json_body().to_vec();
        headers.push((IDEMPOTENCY_KEY, operation.to_string()));
        self.request(target, &headers, serde_json::to_vec(request).unwrap())
            .await
    }

    pub(crate) async fn enrol_request(&self) -> IssueRequest {
        let challenge: Challenge = self
            .request((Method::POST, "/v1/credentials/challenge"), &[], vec![])
            .await
            .ok();
        let nonce: [u8; 32] = challenge.nonce.to_array().unwrap();
        let key = self.code_key.expanded().compress();
        let school = SchoolHash::of_domain(SCHOOL);
        let preimage = key_proof_preimage(&school, &nonce, self.tokens.device_id.as_bytes(), &key);
        let proof = KeyProof {
            code_key: key.as_bytes().to_vec().into(),
            key_storage: KeyStorage::Software,
            nonce: challenge.nonce,
            signature: self.code_key.sign(&preimage).as_bytes().to_vec().into(),
        };
        IssueRequest::Enrol { proof }
    }

    pub(crate) async fn enrol(&self) -> Credential {
        let request = self.enrol_request().await;
        credential(&self.issue(Uuid::new_v4(), &request).await)
    }

    /// A payment code from slot 1, of now.
    pub(crate) fn code(&self, credential: &Credential, counter: u16) -> Code {
        self.code_at(
            credential,
            counter,
            self.campus.clock.now(),
            Use::Payment(Slot::new(1).unwrap()),
        )
    }

    pub(crate) fn code_at(&self, credential: &Credential, counter: u16, at: UnixMillis, usage: Use) -> Code {
        let dynamic = Dynamic {
            time: UnixSeconds(u32::try_from(at.0 / 1000).unwrap()),
            counter: Counter::new(counter).unwrap(),
            usage,
            site: Site::Any,
            clock: ClockConfidence::anchored(0),
        };
        let mut full = FullCode {
            credential: *credential,
            dynamic,
            signature: credential.signature,
        };
        let school = SchoolHash::of_domain(SCHOOL);
        full.signature = self.code_key.sign(&full.moment().preimage(&school, None));
        Code::Full(full)
    }
}

pub(crate) fn short(code: &Code) -> Code {
    match code {
        Code::Full(full) => Code::Short(ShortCode {
            moment: full.moment(),
            signature: full.signature,
        }),
        Code::Short(short) => Code::Short(*short),
    }
}

pub(crate) fn credential(reply: &Reply) -> Credential {
    Credential::decode(&reply.ok::<IssuedCredential>().credential.0).unwrap()
}

/// A terminal that numbers and chains its records.
pub(crate) struct TestTerminal<'a> {
    pub(crate) campus: &'a TestPlatform,
    pub(crate) key: TestKey,
    /// To which a library desk's directories are sealed.
    pub(crate) directory_key: RecipientKey,
    pub(crate) enrolled: EnrolledTerminal,
    pub(crate) sequence: u64,
    pub(crate) previous: [u8; 32],
    pub(crate) revocations_version: u64,
}

impl TestTerminal<'_> {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.campus
            .send_proven(&self.key, None, (Method::GET, path), &[], Vec::new())
            .await
    }

    /// The next record, of now.
    pub(crate) fn record(&mut self, kind: SaleKind, amount: u64) -> SignedSale {
        self.sequence += 1;
        let record = SaleRecord {
            school: SchoolHash::of_domain(SCHOOL),
            terminal: self.enrolled.id.0,
            sequence: self.sequence,
            previous: self.previous,
            kind,
            amount: Amount(amount),
            merchant: self
                .enrolled
                .merchant
                .as_ref()
                .map_or(0, |merchant| merchant.id.0),
            time: yika_format::UnixMillis(u64::try_from(self.campus.clock.now().0).unwrap()),
            uncertainty_s: 1,
            table_version: 1,
            revocations_version: self.revocations_version,
            nonce: 0,
        };
        self.previous = record.hash();
        self.sign(record)
    }

    pub(crate) fn sale(&mut self, code: Code, amount: u64) -> SignedSale {
        self.record(SaleKind::Purchase(code), amount)
    }

    pub(crate) fn sign(&self, record: SaleRecord) -> SignedSale {
        let signature = self.key.sign(&record.preimage());
        record.with_signature(signature)
    }

    pub(crate) async fn upload(&self, sales: &[SignedSale]) -> Reply {
        let records = sales.iter().map(|sale| sale.to_bytes().into()).collect();
        let body = serde_json::to_vec(&SaleUpload { records }).unwrap();
        self.campus
            .send_proven(
                &self.key,
                None,
                (Method::POST, "/v1/terminals/sales"),
                &json_body(),
                body,
            )
            .await
    }

    pub(crate) async fn settle(&self, sales: &[SignedSale]) -> SaleUploadReply {
        self.upload(sales).await.ok()
    }
}
