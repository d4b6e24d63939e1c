//! A platform in the test's own process: as strict about proofs, nonces and tokens as the real one, and as faulty as a test wants.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use url::Url;
use uuid::Uuid;
use yika_api::account::{Account, AccountList};
use yika_api::credential::{
    Challenge, CodePolicy, CredentialState, CredentialStatus, EpochReason, IssueRequest, IssuedCredential,
};
use yika_api::dpop::UnverifiedProof;
use yika_api::payment::{Payment, PaymentPage, PaymentQuery};
use yika_api::school::{School, ServerTime};
use yika_api::session::{TokenError, TokenErrorCode, TokenRequest, TokenResponse};
use yika_api::{Base64Url, Problem, ProblemCode, UnixMillis};
use yika_format::code::Code;
use yika_format::credential::{Attributes, CredentialBody, HolderClass, KeyStorage, Scopes};
use yika_format::lists::{Header, Keyset, KeysetEntry, Role};
use yika_format::proof::key_proof_preimage;
use yika_format::{
    AccountMask, Epoch, Hours, KeyId, LimitUnits, Profile, Pseudonym, PublicKey, SchoolHash, Signature, Slot,
    UnixSeconds,
};
use yika_testkit::TestKey;

use super::FakeClock;
use super::faces::{self, Faces};
use super::lost::{self, Losses};
use super::money::{self, Money};
use super::samples::text;
pub(crate) use super::samples::{account, payment};
use super::stalls::{self, Stalls};
use super::step_up::{self, Steps};

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is refused before anything happens.
    Problem(ProblemCode),
    /// It is refused at the token endpoint.
    Token(TokenErrorCode),
    /// It is done, and the answer is lost on the way: a gateway answers instead.
    LoseReply,
    /// The answer is this text.
    Garbage(String),
}

/// The school's keys, for tests to put others in their place.
pub(crate) struct SchoolKeys {
    /// The root key that `GET /v1/school` tells.
    pub root: TestKey,
    /// What signs the keyset.
    pub keyset: TestKey,
    pub keyset_version: u64,
    pub keyset_until: UnixMillis,
    /// What the keyset lists for credentials.
    pub issuer: TestKey,
    /// What signs credentials.
    pub credential: TestKey,
    /// The school that credentials are signed for.
    pub credential_school: &'static str,
}

impl SchoolKeys {
    fn new() -> Self {
        let (root, issuer) = (TestKey::named("root"), TestKey::named("issuer"));
        Self {
            keyset: root.clone(),
            root,
            keyset_version: 1,
            keyset_until: FakeClock::START.plus_millis(365 * 86_400_000),
            credential: issuer.clone(),
            issuer,
            credential_school: DOMAIN,
        }
    }

    fn keyset(&self) -> Vec<u8> {
        let header = Header {
            school: SchoolHash::of_domain(DOMAIN),
            signer: KeyId(0),
            version: self.keyset_version,
            issued: yika_format::UnixMillis(0),
            good_until: yika_format::UnixMillis(self.keyset_until.0.try_into().unwrap()),
        };
        let entry = KeysetEntry {
            id: ISSUER,
            role: Role::Credential,
            from: UnixSeconds(ISSUER_FROM_S),
            to: UnixSeconds(ISSUER_FROM_S + 2 * 365 * 86_400),
            key: self.issuer.public(),
        };
        let unsigned = Keyset::unsigned(&header, &[entry]);
        let signature = self.keyset.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }
}

/// What the platform knows, for tests to look at and to change.
pub(crate) struct Campus {
    /// The platform's time.
    pub now: UnixMillis,
    /// Requests as `METHOD path`, in the order in which they came.
    pub requests: Vec<String>,
    faults: HashMap<String, VecDeque<Fault>>,
    /// Whether proofs need a nonce.
    pub wants_nonce: bool,
    nonce: u32,
    seen_proofs: Vec<String>,
    access: Vec<String>,
    refresh: Vec<String>,
    issued_tokens: u32,
    challenges: Vec<[u8; 32]>,
    replies: HashMap<String, (Vec<u8>, IssuedCredential)>,
    /// How many credentials were made, without repeated answers.
    pub issues: u32,
    pub state: CredentialState,
    pub epoch: u8,
    pub highest_settled: u32,
    pub renewal_due: bool,
    pub life_hours: u8,
    pseudonym: [u8; 5],
    code_key: Option<PublicKey>,
    pub accounts: Vec<Account>,
    pub payments: Vec<Payment>,
    pub keys: SchoolKeys,
    /// Wallet and operations.
    pub money: Money,
    pub steps: Steps,
    pub faces: Faces,
    pub losses: Losses,
    /// Whether nobody is reached: a gateway answers everything.
    pub is_away: bool,
    pub stalls: Stalls,
    /// What is done to a credential before it is signed.
    pub tamper: fn(&mut CredentialBody),
}

pub(crate) struct FakePlatform {
    campus: Mutex<Campus>,
    url: Url,
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
}

/// The first account's id.
pub(crate) const MAIN: Uuid = Uuid::from_u128(0xa1);
/// The second account's id.
pub(crate) const SUBSIDY: Uuid = Uuid::from_u128(0xa2);
/// The phone.
pub(crate) const DEVICE: Uuid = Uuid::from_u128(0xd1);
pub(super) const DOMAIN: &str = "campus.example";
const ISSUER: KeyId = KeyId(7);
/// Whole hours before the clock's start, so that a credential issued then begins at that very moment.
const ISSUER_FROM_S: u32 = 1_795_000_000 - 48 * 3600;

impl FakePlatform {
    pub(crate) fn start() -> Arc<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let campus = Mutex::new(Campus {
            now: FakeClock::START,
            requests: Vec::new(),
            faults: HashMap::new(),
            wants_nonce: false,
            nonce: 0,
            seen_proofs: Vec::new(),
            access: Vec::new(),
            refresh: Vec::new(),
            issued_tokens: 0,
            challenges: Vec::new(),
            replies: HashMap::new(),
            issues: 0,
            state: CredentialState::Active,
            epoch: 0,
            highest_settled: 0,
            renewal_due: false,
            life_hours: 168,
            pseudonym: [0; 5],
            code_key: None,
            accounts: vec![account(MAIN, 1, 10_000, 1), account(SUBSIDY, 2, 5_000, 1)],
            payments: Vec::new(),
            keys: SchoolKeys::new(),
            money: Money::new(),
            steps: Steps::new(),
            faces: Faces::new(),
            losses: Losses::new(),
            is_away: false,
            stalls: Stalls::new(),
            tamper: |_| {},
        });
        let platform = Arc::new(Self {
            campus,
            url,
            runtime: Mutex::new(Some(runtime)),
        });
        let router = router(Arc::clone(&platform));
        handle.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        platform
    }

    /// Is not reached any more.
    pub(crate) fn unplug(&self) {
        drop(self.runtime.lock().unwrap().take());
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    pub(crate) fn campus(&self) -> MutexGuard<'_, Campus> {
        self.campus.lock().unwrap()
    }

    /// The next request to `METHOD path` meets this fault.
    pub(crate) fn fail(&self, request: &str, fault: Fault) {
        self.campus()
            .faults
            .entry(request.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// How often `METHOD path` was asked.
    pub(crate) fn count(&self, request: &str) -> usize {
        self.campus()
            .requests
            .iter()
            .filter(|seen| *seen == request)
            .count()
    }

    /// Signs as it should again, and remembers nothing that it answered before.
    pub(crate) fn be_honest(&self) {
        let mut campus = self.campus();
        campus.keys = SchoolKeys::new();
        campus.tamper = |_| {};
        campus.replies.clear();
    }

    /// Ends every session, as when the host signs the person out.
    pub(crate) fn revoke_sessions(&self) {
        let mut campus = self.campus();
        campus.access.clear();
        campus.refresh.clear();
    }

    /// Forgets the access tokens only.
    pub(crate) fn expire_access(&self) {
        self.campus().access.clear();
    }

    /// Checks a code's device signature as a terminal would.
    pub(crate) fn verify(&self, text: &str) -> Code {
        let code = Code::from_text(text.as_bytes()).unwrap();
        let key = self.campus().code_key.unwrap().expand().unwrap();
        code.verify_device(&SchoolHash::of_domain(DOMAIN), &key, None)
            .unwrap();
        if let Code::Full(full) = &code {
            let issuer = self.campus().keys.issuer.expanded();
            full.credential
                .verify(&SchoolHash::of_domain(DOMAIN), &issuer)
                .unwrap();
        }
        code
    }

    fn issue(campus: &mut Campus) -> IssuedCredential {
        campus.issues += 1;
        let scopes = Scopes::GATE.union(Scopes::LIBRARY).union(Scopes::PAYMENTS);
        let slots = campus
            .accounts
            .iter()
            .map(|account| Slot::new(account.slot).unwrap());
        let since_s = campus.now.0 / 1000 - i64::from(ISSUER_FROM_S);
        let mut body = CredentialBody {
            profile: Profile::P256,
            issuer: ISSUER,
            pseudonym: Pseudonym(campus.pseudonym),
            epoch: Epoch::new(campus.epoch).unwrap(),
            not_before: Hours(u16::try_from(since_s / 3600).unwrap()),
            life_hours: campus.life_hours,
            code_life_s: 30,
            attributes: Attributes {
                per_use: LimitUnits(500),
                cumulative: LimitUnits(2000),
                accounts: AccountMask::of(slots),
                scopes,
                class: HolderClass::Student,
                key_storage: KeyStorage::Software,
            },
            device_key: campus.code_key.unwrap(),
        };
        (campus.tamper)(&mut body);
        let school = SchoolHash::of_domain(campus.keys.credential_school);
        let credential = body.with_signature(campus.keys.credential.sign(&body.preimage(&school)));
        let (_, until_s) = body.validity(UnixSeconds(ISSUER_FROM_S));
        IssuedCredential {
            credential: credential.to_bytes().as_slice().into(),
            certificate_until: UnixMillis(i64::try_from(until_s).unwrap() * 1000),
            row_until: campus.now.plus_millis(30 * 86_400_000),
            policy: CodePolicy {
                rotation_s: 20,
                code_life_s: 30,
                renew_below_percent: 75,
            },
            highest_settled: campus.highest_settled,
        }
    }
}

type Shared = State<Arc<FakePlatform>>;

fn router(platform: Arc<FakePlatform>) -> Router {
    Router::new()
        .route("/v1/school", get(school))
        .route("/v1/school/keyset", get(keyset))
        .route("/v1/time", get(time))
        .route("/v1/sessions/token", post(token))
        .route("/v1/sessions/current", axum::routing::delete(end))
        .route("/v1/credentials/challenge", post(challenge))
        .route("/v1/credentials", post(issue))
        .route("/v1/credentials/current", get(status))
        .route("/v1/accounts", get(accounts))
        .route("/v1/payments", get(payments))
        .merge(money::routes())
        .merge(step_up::routes())
        .merge(faces::routes())
        .merge(lost::routes())
        .merge(stalls::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&platform), gate))
        .with_state(platform)
}

pub(super) fn problem(code: ProblemCode) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (status, Json(Problem::new(code).with_reference("ref-1"))).into_response()
}

fn token_error(error: TokenErrorCode) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(TokenError {
            error,
            error_description: None,
        }),
    )
        .into_response()
}

/// Counts, plays faults, and checks proofs and tokens.
async fn gate(State(platform): Shared, request: Request, next: Next) -> Response {
    let name = format!("{} {}", request.method(), request.uri().path());
    let open = ["/v1/school", "/v1/school/keyset", "/v1/time"].contains(&request.uri().path());
    let is_token = request.uri().path() == "/v1/sessions/token";
    if platform.campus().is_away {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let (fault, refusal, nonce) = {
        let mut campus = platform.campus();
        campus.requests.push(name.clone());
        let fault = campus.faults.get_mut(&name).and_then(VecDeque::pop_front);
        let refusal = if open {
            None
        } else {
            check(&mut campus, &platform.url, &request, is_token).err()
        };
        (fault, refusal, campus.nonce.to_string())
    };
    let mut response = match (fault, refusal) {
        (Some(Fault::Problem(code)), _) => problem(code),
        (Some(Fault::Token(code)), _) => token_error(code),
        (Some(Fault::Garbage(text)), _) => text.into_response(),
        (_, Some(ProblemCode::UseDpopNonce)) if is_token => token_error(TokenErrorCode::UseDpopNonce),
        (_, Some(_)) if is_token => token_error(TokenErrorCode::InvalidDpopProof),
        (_, Some(code)) => problem(code),
        (Some(Fault::LoseReply), None) => {
            next.run(request).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        (None, None) => next.run(request).await,
    };
    if !open {
        response
            .headers_mut()
            .insert("DPoP-Nonce", nonce.parse().unwrap());
    }
    response
}

fn check(campus: &mut Campus, origin: &Url, request: &Request, is_token: bool) -> Result<(), ProblemCode> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let proof = header("DPoP")
        .and_then(UnverifiedProof::parse)
        .ok_or(ProblemCode::InvalidDpopProof)?;
    let point = proof.header.jwk.to_uncompressed().unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(proof.signing_input.as_bytes(), &proof.signature)
        .map_err(|_| ProblemCode::InvalidDpopProof)?;
    let claims = &proof.claims;
    let url = origin.join(request.uri().path()).unwrap();
    let fresh = (claims.iat - campus.now.0 / 1000).abs() <= 60 && !campus.seen_proofs.contains(&claims.jti);
    campus.seen_proofs.push(claims.jti.clone());
    if claims.htm != request.method().as_str() || claims.htu != url.as_str() || !fresh {
        return Err(ProblemCode::InvalidDpopProof);
    }
    if campus.wants_nonce && claims.nonce.as_deref() != Some(&campus.nonce.to_string()) {
        campus.nonce += 1;
        return Err(ProblemCode::UseDpopNonce);
    }
    if is_token {
        return Ok(());
    }
    let token = header("Authorization")
        .and_then(|value| value.strip_prefix("DPoP "))
        .unwrap_or_default();
    let hash =
        Base64Url::from(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref()).encode();
    if claims.ath.as_deref() != Some(&hash) {
        return Err(ProblemCode::InvalidDpopProof);
    }
    if !campus.access.iter().any(|known| known == token) {
        return Err(ProblemCode::SessionExpired);
    }
    match campus.losses.is_phone_lost() && !request.uri().path().starts_with(lost::PATH) {
        true => Err(ProblemCode::DeviceLost),
        false => Ok(()),
    }
}

async fn school(State(platform): Shared) -> Json<School> {
    Json(School {
        domain: DOMAIN.to_owned(),
        name: text("School"),
        root_key: platform.campus().keys.root.public().as_bytes().as_slice().into(),
        time_zone: "Asia/Shanghai".to_owned(),
        host_issuer: "https://host.example".to_owned(),
        host_audience: "yika".to_owned(),
    })
}

async fn keyset(State(platform): Shared) -> Vec<u8> {
    platform.campus().keys.keyset()
}

async fn time(State(platform): Shared) -> Json<ServerTime> {
    Json(ServerTime {
        now: platform.campus().now,
    })
}

async fn token(State(platform): Shared, Form(request): Form<TokenRequest>) -> Response {
    let mut campus = platform.campus();
    if let TokenRequest::Refresh { refresh_token } = &request {
        if !campus.refresh.contains(refresh_token) {
            return token_error(TokenErrorCode::InvalidGrant);
        }
        // The one before stays good until the new one is used.
        campus.refresh.retain(|known| known == refresh_token);
    }
    campus.issued_tokens += 1;
    let (access, refresh) = (
        format!("CANARY-access-{}", campus.issued_tokens),
        format!("CANARY-refresh-{}", campus.issued_tokens),
    );
    campus.access = vec![access.clone()];
    campus.refresh.push(refresh.clone());
    Json(TokenResponse {
        access_token: access,
        issued_token_type: yika_api::session::ACCESS_TOKEN_TYPE.to_owned(),
        token_type: "DPoP".to_owned(),
        expires_in: 600,
        refresh_token: refresh,
        device_id: DEVICE,
    })
    .into_response()
}

async fn end(State(platform): Shared) -> StatusCode {
    platform.revoke_sessions();
    StatusCode::NO_CONTENT
}

async fn challenge(State(platform): Shared) -> Json<Challenge> {
    let mut campus = platform.campus();
    let nonce = [u8::try_from(campus.challenges.len()).unwrap() + 1; 32];
    campus.challenges.push(nonce);
    Json(Challenge {
        nonce: nonce.as_slice().into(),
        expires_at: campus.now.plus_millis(60_000),
    })
}

async fn issue(State(platform): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let mut campus = platform.campus();
    let name = headers
        .get("Idempotency-Key")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    if let Some((first, reply)) = campus.replies.get(&name) {
        return if *first == body {
            Json(reply.clone()).into_response()
        } else {
            problem(ProblemCode::IdempotencyConflict)
        };
    }
    match serde_json::from_slice(&body).unwrap() {
        IssueRequest::Enrol { proof } => {
            let nonce = proof.nonce.to_array::<32>().unwrap();
            if !campus.challenges.contains(&nonce) {
                return problem(ProblemCode::ChallengeExpired);
            }
            campus.challenges.retain(|known| *known != nonce);
            let key = PublicKey::from_compressed(proof.code_key.to_array().unwrap()).unwrap();
            let school = SchoolHash::of_domain(DOMAIN);
            let preimage = key_proof_preimage(&school, &nonce, DEVICE.as_bytes(), &key);
            let signature = Signature::from_raw(proof.signature.to_array().unwrap()).unwrap();
            if key.expand().unwrap().verify(&preimage, &signature).is_err() {
                return problem(ProblemCode::InvalidKeyProof);
            }
            (campus.code_key, campus.epoch, campus.highest_settled) = (Some(key), 1, 0);
            campus.pseudonym = [u8::try_from(campus.issues).unwrap() + 1; 5];
            campus.state = CredentialState::Active;
        }
        IssueRequest::Renew => campus.epoch += u8::from(std::mem::take(&mut campus.renewal_due)),
        IssueRequest::NextEpoch {
            reason: EpochReason::Counter | EpochReason::StoreRestored,
        } => campus.epoch += 1,
    }
    let issued = FakePlatform::issue(&mut campus);
    campus.replies.insert(name, (body.to_vec(), issued.clone()));
    Json(issued).into_response()
}

async fn status(State(platform): Shared) -> Response {
    let campus = platform.campus();
    if campus.code_key.is_none() {
        return problem(ProblemCode::NoCredential);
    }
    let Campus {
        state,
        epoch,
        highest_settled,
        renewal_due,
        ..
    } = *campus;
    Json(CredentialStatus {
        state,
        epoch,
        highest_settled,
        renewal_due,
    })
    .into_response()
}

async fn accounts(State(platform): Shared) -> Json<AccountList> {
    Json(AccountList {
        accounts: platform.campus().accounts.clone(),
    })
}

async fn payments(State(platform): Shared, Query(query): Query<PaymentQuery>) -> Json<PaymentPage> {
    let campus = platform.campus();
    let start: usize = query.after.map_or(0, |after| after.parse().unwrap());
    // Small pages, so that there are several.
    let limit = usize::from(query.limit.unwrap_or(100)).min(3);
    let payments: Vec<Payment> = campus.payments.iter().skip(start).take(limit).cloned().collect();
    let end = start + payments.len();
    let more = end < campus.payments.len();
    Json(PaymentPage {
        payments,
        cursor: end.to_string(),
        more,
        as_of: campus.now,
    })
}
