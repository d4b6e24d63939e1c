//! Top-ups (充值) by the real platform on either database, with a bank that answers at once, beside the slower of two bare
//! jobs: verifying the proofs of possession on as many threads as there are, and keeping the requests' bytes with as many
//! commits.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::Request;
use tokio::task::JoinSet;
use uuid::Uuid;
use yika_api::Fen;
use yika_api::account::AccountList;
use yika_api::operation::{Funding, Operation, OperationRequest, Phase};
use yika_api::wallet::{BindCard, CardBinding, ConfirmCard, OpenWallet, Wallet};

use super::Outcome;
use crate::bank::sealed;
use crate::books::{BareInserts, Queue};
use crate::bytes::{Signed, verify_all};
use crate::campus::Campus;
use crate::client::{Client, send};
use crate::harness::take_turns;
use crate::report::{Report, digits, percent, spread, time};
use crate::{Context, Result};

/// Holders who top up at the same time, and how often each in a turn: well within the day's limit of each.
const HOLDERS: usize = 8;
const EACH: usize = 25;
/// What arrives each time, and what is put into the wallets before.
const AMOUNT: Fen = Fen::new(100);
const IN_WALLET: Fen = Fen::new(50_000_000);

/// A holder with an open wallet.
struct Holder<'a> {
    client: Client<'a>,
    account: Uuid,
}

/// A top-up, and what the references do in its place.
struct TopUp {
    request: Option<Request<Body>>,
    proof: Signed,
    bytes: Vec<u8>,
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let turns = context.effort.pick(6, 40);
    let mut rows = Vec::new();
    for books in context.books("top_up")? {
        let campus = Campus::open_on(books, &context.on_disk("top_up")?)?;
        rows.push(measure(&campus, turns)?);
    }
    let mut report = Report::default();
    report.table(
        [
            "database",
            "at once",
            "share of the slower reference",
            "ours, a top-up",
            "bare verification",
            "bare inserts",
            "top-ups a second",
        ],
        rows,
    );
    report.note(&format!(
        "{turns} turns of {HOLDERS} holders with {EACH} top-ups each, one after the other. Ours is `POST /v1/operations` \
         from the request's bytes to the answer's, without a network, with a bank that answers at once: proof of \
         possession, JSON, limits, the hold and the operation in one commit, the bank, then double entry and bills in \
         another. Verification is ring alone, one signature a top-up, on all threads. Inserts are the request's bytes \
         under two numbers, nothing else, in two transactions a top-up, in the same kind of database: SQLite with \
         `synchronous=FULL`; PostgreSQL as it comes, over a connection of each holder's own."
    ));
    Ok(Outcome::Measured(report))
}

fn measure(campus: &Campus, turns: usize) -> Result<[String; 7]> {
    let holders = (0..HOLDERS)
        .map(|number| Holder::open(campus, &format!("8{number:05}")))
        .collect::<Result<Vec<_>>>()?;
    let mut bare = campus.books.bare_inserts("bare")?;
    let prepared = RefCell::new(Prepared {
        holders,
        turn: None,
        top_ups: Vec::new(),
    });
    let [ours, verification, inserts] = take_turns(
        turns,
        [
            Box::new(|turn| top_up(campus, prepared.borrow_mut().turn(turn)?)),
            Box::new(|turn| verify(prepared.borrow_mut().turn(turn)?)),
            Box::new(|turn| insert(&mut bare, turn, prepared.borrow_mut().turn(turn)?)),
        ],
    )?;
    let share = verification.or_slower(&inserts).over(&ours);
    Ok([
        campus.books.to_string(),
        format!("{HOLDERS} holders"),
        spread(&share, percent),
        spread(&ours, time),
        spread(&verification, time),
        spread(&inserts, time),
        digits(1.0 / ours.median()),
    ])
}

/// What is prepared for the turn of this number; the same for whoever's turn it is.
struct Prepared<'a> {
    holders: Vec<Holder<'a>>,
    turn: Option<usize>,
    top_ups: Vec<TopUp>,
}

impl Prepared<'_> {
    fn turn(&mut self, turn: usize) -> Result<&mut [TopUp]> {
        if self.turn != Some(turn) {
            self.turn = Some(turn);
            self.top_ups.clear();
            // One of each holder, and again.
            for _ in 0..EACH {
                for holder in &self.holders {
                    self.top_ups.push(holder.top_up()?);
                }
            }
        }
        Ok(&mut self.top_ups)
    }
}

impl<'a> Holder<'a> {
    fn open(campus: &'a Campus, number: &str) -> Result<Self> {
        campus.add_student(number)?;
        let client = Client::bound(campus, number)?;
        let ask = |request| campus.runtime.block_on(send(campus.router.clone(), request));
        let opening = OpenWallet {
            terms_version: 1,
            identity: sealed(),
            password: sealed(),
        };
        ask(client.post_named("/v1/wallet", Uuid::new_v4(), &opening)?)?;
        let binding = client.post_named("/v1/wallet/cards", Uuid::new_v4(), &BindCard { card: sealed() })?;
        let card = serde_json::from_slice::<CardBinding>(&ask(binding)?)?.id;
        let path = format!("/v1/wallet/cards/{card}/confirm");
        let confirm = client.post_named(&path, Uuid::new_v4(), &ConfirmCard { code: sealed() })?;
        serde_json::from_slice::<Wallet>(&ask(confirm)?)?;
        let recharge = OperationRequest::Recharge {
            amount: IN_WALLET,
            card_id: card,
            password: sealed(),
        };
        check_credited(&ask(client.post_named(
            "/v1/operations",
            Uuid::now_v7(),
            &recharge,
        )?)?)?;
        let accounts: AccountList = serde_json::from_slice(&ask(client.get("/v1/accounts")?)?)?;
        let account = accounts.accounts.first().ok_or("no account")?.id;
        Ok(Self { client, account })
    }

    fn top_up(&self) -> Result<TopUp> {
        let request = OperationRequest::TopUp {
            account_id: self.account,
            amount: AMOUNT,
            funding: Funding {
                wallet: AMOUNT,
                bank: Fen::ZERO,
                card_id: None,
                fee: Fen::ZERO,
            },
            password: sealed(),
        };
        let bytes = serde_json::to_vec(&request)?;
        Ok(TopUp {
            request: Some(
                self.client
                    .post_named("/v1/operations", Uuid::now_v7(), &request)?,
            ),
            proof: self.client.signed(&bytes)?,
            bytes,
        })
    }
}

fn check_credited(answer: &[u8]) -> Result<()> {
    let operation: Operation = serde_json::from_slice(answer)?;
    match operation.phase {
        Phase::Credited => Ok(()),
        other => Err(format!("{other:?}: {:?}", operation.refusal).into()),
    }
}

/// Ours: the holders at once, each with one top-up after the other. The time of one.
fn top_up(campus: &Campus, top_ups: &mut [TopUp]) -> Result<Duration> {
    let mut queues: Vec<Vec<Request<Body>>> = (0..HOLDERS).map(|_| Vec::with_capacity(EACH)).collect();
    for (at, top_up) in top_ups.iter_mut().enumerate() {
        queues[at % HOLDERS].extend(top_up.request.take());
    }
    let count = u32::try_from(queues.iter().map(Vec::len).sum::<usize>())?;
    let started = Instant::now();
    let answers: Vec<Bytes> = campus.runtime.block_on(async {
        let mut holders = JoinSet::new();
        for queue in queues {
            let router = campus.router.clone();
            holders.spawn(async move {
                let mut answers = Vec::with_capacity(queue.len());
                for request in queue {
                    answers.push(send(router.clone(), request).await?);
                }
                Result::Ok(answers)
            });
        }
        let all = holders.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        Result::Ok(all.into_iter().flatten().collect())
    })?;
    let took = started.elapsed();
    answers.iter().try_for_each(|answer| check_credited(answer))?;
    Ok(took / count)
}

/// The first reference: the signatures alone.
fn verify(top_ups: &[TopUp]) -> Result<Duration> {
    let proofs: Vec<&Signed> = top_ups.iter().map(|top_up| &top_up.proof).collect();
    Ok(verify_all(&proofs)? / u32::try_from(proofs.len())?)
}

/// The second reference: two commits for each.
fn insert(bare: &mut BareInserts, turn: usize, top_ups: &[TopUp]) -> Result<Duration> {
    let turn = i64::try_from(turn)?;
    let mut queues: Vec<Queue> = vec![Vec::new(); HOLDERS];
    for (number, top_up) in (0_i64..).zip(top_ups) {
        let queue = &mut queues[usize::try_from(number)? % HOLDERS];
        queue.extend([0, 1].map(|commit| vec![(turn, 2 * number + commit, top_up.bytes.clone())]));
    }
    Ok(bare.insert(queues)? / u32::try_from(top_ups.len())?)
}
