//! The money side of the test's platform: a wallet and its operations, with a bank that really opens what is sealed to it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use uuid::Uuid;
use yika_api::account::{Account, AccountList, Balance};
use yika_api::approval::Act;
use yika_api::auto_top_up::{AutoTopUp, SetAutoTopUp};
use yika_api::operation::{
    Operation, OperationPage, OperationQuery, OperationRequest, Phase, Refusal, RefusalReason, Step,
    UtilityPayment,
};
use yika_api::wallet::{
    BankCard, BindCard, CardBinding, CardFee, ChangePassword, CloseWallet, ConfirmCard, OpenWallet,
    SchoolBank, SealedField, Terms, TopUpLimits, Wallet, WalletStatus,
};
use yika_api::{Fen, Problem, ProblemCode, UnixMillis};
use yika_format::bank::{BankKeys, Field, FieldSeal};
use yika_format::{Amount, RecipientKey, SchoolHash, UnixSeconds};
use yika_testkit::TestKey;

use super::platform::{DOMAIN, FakePlatform, problem};
use super::samples::text;

/// Under which number the bank knows the holder.
const CUSTOMER: Uuid = Uuid::from_u128(0xc1);
/// The card that is bound from the start.
pub(crate) const CARD: Uuid = Uuid::from_u128(0xb1);
/// The right payment password.
pub(crate) const PASSWORD: &str = "204816";

/// What platform and bank know.
pub(crate) struct Money {
    /// Whether the school has wallets.
    pub offered: bool,
    pub root: TestKey,
    sealing: RecipientKey,
    /// When the bank's keys end.
    pub keys_until: UnixSeconds,
    pub status: WalletStatus,
    pub in_wallet: i64,
    pub version: u64,
    pub cards: Vec<BankCard>,
    /// Where the next operations stand after they were taken; [`Phase::Credited`] without.
    pub next: VecDeque<Phase>,
    /// In the order of their changes.
    pub operations: Vec<Operation>,
    /// The first bytes that came under each name.
    pub heard: HashMap<Uuid, Vec<u8>>,
    /// Every text that the bank opened, by what it is.
    pub opened: Vec<(Field, String)>,
}

impl Money {
    pub(super) fn new() -> Self {
        Self {
            offered: false,
            root: TestKey::named("bank"),
            sealing: RecipientKey::derive(&[7; 32]),
            keys_until: UnixSeconds(u32::MAX),
            status: WalletStatus::Open,
            in_wallet: 30_000,
            version: 1,
            cards: vec![BankCard {
                id: CARD,
                bank: text("bank"),
                tail: "0128".to_owned(),
                is_default: true,
            }],
            next: VecDeque::new(),
            operations: Vec::new(),
            heard: HashMap::new(),
            opened: Vec::new(),
        }
    }

    fn bank_key(&self) -> Vec<u8> {
        let notice = TestKey::named("notice").expanded();
        let keys = BankKeys::new(3, UnixSeconds(0), self.keys_until, self.sealing.public(), notice).unwrap();
        let unsigned = keys.unsigned();
        let signature = self.root.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    pub(super) fn open(
        &mut self,
        sealed: &SealedField,
        operation: Uuid,
        amount: Fen,
        field: Field,
    ) -> Option<String> {
        let seal = FieldSeal {
            school: SchoolHash::of_domain(DOMAIN),
            operation: operation.into_bytes(),
            customer: CUSTOMER.into_bytes(),
            amount: Amount(amount.get().try_into().unwrap()),
            field,
        };
        let text = seal.open(&sealed.bytes.0, sealed.kid, &self.sealing).ok()?;
        self.opened.push((field, text.to_string()));
        Some(text.to_string())
    }

    fn wallet(&self, now: UnixMillis) -> Wallet {
        let is_open = self.status == WalletStatus::Open;
        Wallet {
            status: self.status,
            customer: CUSTOMER,
            account_id: is_open.then_some(Uuid::from_u128(0xe1)),
            balance: is_open.then_some(Balance {
                amount: Fen::new(self.in_wallet),
                as_of: now,
                version: self.version,
                pending: Fen::ZERO,
            }),
            cards: self.cards.clone(),
            limits: TopUpLimits {
                least: Fen::new(100),
                single: Fen::new(50_000),
                day: Fen::new(120_000),
                day_used: Fen::ZERO,
                most_single: Fen::new(50_000),
                most_day: Fen::new(120_000),
            },
            fee: CardFee { per_ten_thousand: 10 },
            bank_key: self.bank_key().as_slice().into(),
            close_blockers: Vec::new(),
            terms: Terms {
                version: 2,
                text: text("terms"),
            },
        }
    }

    /// An operation stands elsewhere now, and is the newest change of the feed.
    pub(crate) fn move_to(&mut self, id: Uuid, phase: Phase, now: UnixMillis) {
        let at = self
            .operations
            .iter()
            .position(|operation| operation.id == id)
            .unwrap();
        let mut operation = self.operations.remove(at);
        operation.phase = phase;
        operation.steps.push(Step { phase, at: now });
        operation.version += 1;
        self.operations.push(operation);
    }
}

type Shared = State<Arc<FakePlatform>>;

pub(super) fn routes() -> Router<Arc<FakePlatform>> {
    Router::new()
        .route("/v1/school/bank", get(school_bank))
        .route("/v1/wallet", get(wallet).post(open_wallet))
        .route("/v1/wallet/close", post(close_wallet))
        .route("/v1/wallet/password", axum::routing::put(set_password))
        .route("/v1/wallet/cards", post(begin_card))
        .route("/v1/wallet/cards/{id}/confirm", post(confirm_card))
        .route(
            "/v1/accounts/{id}/auto-top-up",
            axum::routing::put(agree).delete(stop),
        )
        .route("/v1/operations", get(page).post(start))
        .route("/v1/operations/{id}", get(one))
}

async fn school_bank(State(platform): Shared) -> Response {
    let money = &platform.campus().money;
    if !money.offered {
        return problem(ProblemCode::WalletNotOffered);
    }
    let Wallet {
        limits,
        terms,
        fee,
        bank_key,
        ..
    } = money.wallet(UnixMillis(0));
    Json(SchoolBank {
        root_key: money.root.public().as_bytes().as_slice().into(),
        bank_key,
        terms,
        least: limits.least,
        single: limits.single,
        day: limits.day,
        presets: [5_000, 10_000].map(Fen::new).to_vec(),
        fee,
    })
    .into_response()
}

async fn wallet(State(platform): Shared) -> Response {
    let campus = platform.campus();
    match campus.money.offered {
        true => Json(campus.money.wallet(campus.now)).into_response(),
        false => problem(ProblemCode::WalletNotOffered),
    }
}

pub(super) fn name(headers: &HeaderMap) -> Uuid {
    headers["Idempotency-Key"].to_str().unwrap().parse().unwrap()
}

pub(super) fn bank_refused(reason: RefusalReason) -> Response {
    let mut problem = Problem::new(ProblemCode::BankRefused);
    problem.refusal = Some(Refusal {
        tries_left: Some(4),
        ..Refusal::of(reason)
    });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response()
}

async fn open_wallet(
    State(platform): Shared,
    headers: HeaderMap,
    Json(request): Json<OpenWallet>,
) -> Response {
    let mut campus = platform.campus();
    let (now, id, money) = (campus.now, name(&headers), &mut campus.money);
    let opened = money.open(&request.identity, id, Fen::ZERO, Field::Identity);
    let password = money.open(&request.password, id, Fen::ZERO, Field::Password);
    if opened.is_none() || password.is_none() {
        return bank_refused(RefusalReason::SealRefused);
    }
    if money.status == WalletStatus::Open {
        return problem(ProblemCode::WalletAlreadyOpen);
    }
    money.status = WalletStatus::Open;
    Json(money.wallet(now)).into_response()
}

async fn close_wallet(
    State(platform): Shared,
    headers: HeaderMap,
    Json(request): Json<CloseWallet>,
) -> Response {
    let mut campus = platform.campus();
    let (now, money) = (campus.now, &mut campus.money);
    let password = money.open(&request.password, name(&headers), Fen::ZERO, Field::Password);
    if password.as_deref() != Some(PASSWORD) {
        return bank_refused(RefusalReason::PasswordWrong);
    }
    if money.in_wallet != 0 {
        return problem(ProblemCode::WalletInUse);
    }
    money.status = WalletStatus::Closed;
    Json(money.wallet(now)).into_response()
}

async fn set_password(
    State(platform): Shared,
    headers: HeaderMap,
    Json(request): Json<ChangePassword>,
) -> Response {
    let mut campus = platform.campus();
    let (now, id, money) = (campus.now, name(&headers), &mut campus.money);
    let (proof, new) = match &request {
        ChangePassword::Old { old, new } => (money.open(old, id, Fen::ZERO, Field::Password), new),
        ChangePassword::Identity { identity, new } => {
            (money.open(identity, id, Fen::ZERO, Field::Identity), new)
        }
    };
    match (proof, money.open(new, id, Fen::ZERO, Field::NewPassword)) {
        (Some(_), Some(_)) => Json(money.wallet(now)).into_response(),
        _ => bank_refused(RefusalReason::SealRefused),
    }
}

async fn begin_card(State(platform): Shared, headers: HeaderMap, Json(request): Json<BindCard>) -> Response {
    let mut campus = platform.campus();
    let (now, id, money) = (campus.now, name(&headers), &mut campus.money);
    if money.open(&request.card, id, Fen::ZERO, Field::Card).is_none() {
        return bank_refused(RefusalReason::SealRefused);
    }
    Json(CardBinding {
        id,
        bank: text("bank"),
        tail: "0128".to_owned(),
        phone_masked: "138****8000".to_owned(),
        expires_at: now.plus_millis(300_000),
        tries_left: 3,
    })
    .into_response()
}

async fn confirm_card(
    State(platform): Shared,
    Path(card): Path<Uuid>,
    headers: HeaderMap,
    Json(request): Json<ConfirmCard>,
) -> Response {
    let mut campus = platform.campus();
    let (now, money) = (campus.now, &mut campus.money);
    let code = money.open(&request.code, name(&headers), Fen::ZERO, Field::Code);
    if code.as_deref() != Some("998244") {
        return bank_refused(RefusalReason::CodeWrong);
    }
    money.cards.push(BankCard {
        id: card,
        bank: text("bank"),
        tail: "0128".to_owned(),
        is_default: false,
    });
    Json(money.wallet(now)).into_response()
}

async fn agree(
    State(platform): Shared,
    Path(account): Path<Uuid>,
    headers: HeaderMap,
    Json(request): Json<SetAutoTopUp>,
) -> Response {
    let mut campus = platform.campus();
    let (now, id) = (campus.now, name(&headers));
    let password = campus
        .money
        .open(&request.password, id, request.day_cap, Field::Password);
    if password.as_deref() != Some(PASSWORD) {
        return bank_refused(RefusalReason::PasswordWrong);
    }
    let rule = AutoTopUp {
        below: request.below,
        add: request.add,
        day_cap: request.day_cap,
        day_used: Fen::ZERO,
        since: now,
        problem: None,
    };
    told(&mut campus.accounts, account, Some(rule))
}

async fn stop(State(platform): Shared, Path(account): Path<Uuid>) -> Response {
    told(&mut platform.campus().accounts, account, None)
}

fn told(accounts: &mut [Account], id: Uuid, rule: Option<AutoTopUp>) -> Response {
    let Some(account) = accounts.iter_mut().find(|account| account.id == id) else {
        return problem(ProblemCode::NotFound);
    };
    account.auto_top_up = rule;
    Json(AccountList {
        accounts: accounts.to_vec(),
    })
    .into_response()
}

async fn start(State(platform): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let mut campus = platform.campus();
    let (now, id, money) = (campus.now, name(&headers), &mut campus.money);
    if let Some(first) = money.heard.get(&id) {
        let same = *first == body;
        let known = money.operations.iter().find(|operation| operation.id == id);
        return match known.filter(|_| same) {
            Some(operation) => Json(operation.clone()).into_response(),
            None => problem(ProblemCode::IdempotencyConflict),
        };
    }
    let request: OperationRequest = serde_json::from_slice(&body).unwrap();
    if let OperationRequest::Utility {
        place_id: place,
        amount,
        paid_by: UtilityPayment::Account { account_id, step_up },
    } = &request
        && *amount > campus.steps.limits.single
    {
        let act = Act::PayUtility {
            amount: *amount,
            place: *place,
            account: *account_id,
        };
        if let Some(doubt) = campus.doubt(id, act, step_up.as_ref()) {
            return doubt;
        }
    }
    let money = &mut campus.money;
    let (password, funding, account_id) = match &request {
        OperationRequest::TopUp {
            password,
            funding,
            account_id,
            ..
        } => (Some(password), *funding, Some(*account_id)),
        OperationRequest::Recharge {
            password,
            amount,
            card_id,
        } => (Some(password), parts(Fen::ZERO, *amount, Some(*card_id)), None),
        OperationRequest::Withdraw {
            password,
            amount,
            card_id,
        } => (Some(password), parts(*amount, Fen::ZERO, Some(*card_id)), None),
        OperationRequest::Utility { paid_by, .. } => match paid_by {
            UtilityPayment::Account { account_id, .. } => {
                (None, parts(Fen::ZERO, Fen::ZERO, None), Some(*account_id))
            }
            UtilityPayment::Wallet { funding, password } => (Some(password), *funding, None),
        },
    };
    let place_id = match &request {
        OperationRequest::Utility { place_id, .. } => Some(*place_id),
        _ => None,
    };
    // A card account pays without the bank, and so without the password.
    let opened = match password {
        Some(password) => money.open(password, id, request.amount(), Field::Password),
        None => Some(PASSWORD.to_owned()),
    };
    money.heard.insert(id, body.to_vec());
    let (phase, refusal) = match opened.as_deref() {
        Some(PASSWORD) => (money.next.pop_front().unwrap_or(Phase::Credited), None),
        Some(_) => (Phase::Refused, Some(Refusal::of(RefusalReason::PasswordWrong))),
        None => (Phase::Refused, Some(Refusal::of(RefusalReason::SealRefused))),
    };
    if phase == Phase::Credited {
        money.in_wallet -= funding.wallet.get();
        money.version += 1;
    }
    let operation = Operation {
        id,
        kind: request.kind(),
        amount: request.amount(),
        funding,
        account_id,
        place_id,
        is_automatic: false,
        phase,
        steps: vec![
            Step {
                phase: Phase::Sent,
                at: now,
            },
            Step { phase, at: now },
        ],
        refusal,
        reference: format!("T{}", money.operations.len() + 1),
        version: 1,
    };
    money.operations.push(operation.clone());
    Json(operation).into_response()
}

fn parts(wallet: Fen, bank: Fen, card_id: Option<Uuid>) -> yika_api::operation::Funding {
    yika_api::operation::Funding {
        wallet,
        bank,
        card_id,
        fee: Fen::ZERO,
    }
}

async fn one(State(platform): Shared, Path(id): Path<Uuid>) -> Response {
    let campus = platform.campus();
    let found = campus
        .money
        .operations
        .iter()
        .find(|operation| operation.id == id);
    match found {
        Some(operation) => Json(operation).into_response(),
        None => problem(ProblemCode::NotFound),
    }
}

async fn page(State(platform): Shared, Query(query): Query<OperationQuery>) -> Json<OperationPage> {
    let campus = platform.campus();
    let all = &campus.money.operations;
    // A change moves to the end, so a place in the list is no cursor: the sum of versions is.
    let total: u64 = all.iter().map(|operation| operation.version).sum();
    let seen: u64 = query.after.map_or(0, |after| after.parse().unwrap());
    let fresh = usize::try_from(total - seen).unwrap().min(all.len());
    Json(OperationPage {
        operations: all[all.len() - fresh..].to_vec(),
        cursor: total.to_string(),
        more: false,
        as_of: campus.now,
    })
}
