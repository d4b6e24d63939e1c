//! Settlement of offline records by the real platform on either database, beside the slower of two bare jobs: verifying
//! the same signatures on the same number of threads, and inserting the same bytes, with the same batch and `synchronous`.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::Request;
use tokio::task::JoinSet;
use yika_core::codes::FormChoice;
use yika_format::code::{Code, ShortCode};
use yika_format::sale::SignedSale;
use yika_format::{ExpandedKey, PublicKey, SchoolHash, UnixMillis};

use super::Outcome;
use super::code::new_code;
use crate::books::{BareInserts, Queue, Row};
use crate::bytes::{Signed, verify_all};
use crate::campus::Campus;
use crate::client::{Till, check_all_posted, send};
use crate::harness::take_turns;
use crate::report::{Report, Target, digits, percent, spread, time};
use crate::{Context, Result};

/// Records of an upload.
const BATCH: usize = 500;
/// Tills that hand in at the same time.
const TILLS: usize = 4;

/// A code that somebody paid with.
#[derive(Clone)]
struct Paid {
    code: ShortCode,
    key: PublicKey,
    time: UnixMillis,
}

/// An upload, and what the references do in its place.
struct Upload {
    request: Option<Request<Body>>,
    signed: Vec<Signed>,
    sales: Vec<SignedSale>,
}

/// Tills that have sold, and what they hand in at each turn. It is the same for whoever's turn it is.
struct Tills<'a> {
    tills: Vec<Till<'a>>,
    paid: &'a mut dyn Iterator<Item = Paid>,
    uploads: Vec<Upload>,
    /// The turn that the uploads are for.
    turn: Option<usize>,
}

impl Tills<'_> {
    fn uploads(&mut self, turn: usize) -> Result<&mut [Upload]> {
        if self.turn != Some(turn) {
            self.turn = Some(turn);
            self.uploads.clear();
            for till in &mut self.tills {
                self.uploads.push(make_upload(till, self.paid)?);
            }
        }
        Ok(&mut self.uploads)
    }
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let (phones, turns) = (context.effort.pick(50, 250), context.effort.pick(6, 40));
    let codes = (turns + 1) * BATCH * (1 + TILLS);
    let mut report = Report::default();
    let mut rows = Vec::new();
    for books in context.books("settlement")? {
        let campus = Campus::open_on(books, &context.on_disk("settlement")?)?;
        let mut paid = make_codes(context, &campus, phones, codes.div_ceil(phones))?.into_iter();
        for tills in [TILLS, 1] {
            rows.push(measure(&campus, tills, turns, &mut paid)?);
        }
    }
    report.table(
        [
            "database",
            "uploading at once",
            "share of the slower reference",
            "target",
            "ours, a record",
            "bare verification",
            "bare inserts",
            "records a second",
        ],
        rows,
    );
    report.note(&format!(
        "{turns} turns of {BATCH} records an upload, each a short code of one of {phones} holders, so two signatures. Ours \
         is `POST /v1/terminals/sales` from the request's bytes to the answer's, without a network: proof of possession, \
         JSON, verification, the rules, double entry, bills, used codes, one commit. Verification is ring alone, with \
         expanded keys, on all {} threads. Inserts are the records' bytes under (terminal, sequence), nothing else, one \
         transaction for each upload, in the same kind of database: SQLite with `synchronous=FULL`; PostgreSQL as it comes, \
         in one statement over a connection of each terminal's own.",
        thread::available_parallelism()?
    ));
    Ok(Outcome::Measured(report))
}

/// Has each phone show so many codes.
fn make_codes(context: &Context, campus: &Campus, phones: usize, each: usize) -> Result<Vec<Paid>> {
    let mut by_phone = Vec::with_capacity(phones);
    for phone in 0..phones {
        let number = format!("9{phone:05}");
        let card = campus.phone(
            &number,
            &context.in_memory(&format!("settlement/{}/{number}", campus.books))?,
        )?;
        let mut shown = Vec::with_capacity(each);
        for _ in 0..each {
            let text = new_code(&card, FormChoice::Full)?.text;
            let Code::Full(full) = Code::from_text(text.as_bytes())? else {
                return Err("asked for a full code".into());
            };
            shown.push(Paid {
                code: ShortCode {
                    moment: full.moment(),
                    signature: full.signature,
                },
                key: full.credential.body.device_key,
                time: UnixMillis(u64::from(full.dynamic.time.0) * 1000),
            });
        }
        by_phone.push(shown);
    }
    // Whoever stands in the queue: one code of each phone after the other.
    Ok((0..each)
        .flat_map(|turn| {
            by_phone
                .iter()
                .map(move |shown| shown[turn].clone())
                .collect::<Vec<_>>()
        })
        .collect())
}

fn make_upload(till: &mut Till<'_>, paid: &mut dyn Iterator<Item = Paid>) -> Result<Upload> {
    let school = SchoolHash::of_domain("campus.example");
    let till_key = ExpandedKey::from_uncompressed(till.public_point())?;
    let (mut sales, mut signed) = (Vec::with_capacity(BATCH), Vec::with_capacity(2 * BATCH));
    for Paid { code, key, time } in paid.take(BATCH) {
        let sale = till.sell(Code::Short(code), time)?;
        signed.push(Signed {
            key: till_key,
            message: sale.record.preimage(),
            signature: sale.signature,
        });
        signed.push(Signed {
            key: key.expand()?,
            message: code.moment.preimage(&school, None),
            signature: code.signature,
        });
        sales.push(sale);
    }
    Ok(Upload {
        request: Some(till.upload(&sales)?),
        signed,
        sales,
    })
}

fn measure(
    campus: &Campus,
    count: usize,
    turns: usize,
    paid: &mut dyn Iterator<Item = Paid>,
) -> Result<[String; 8]> {
    let tills = RefCell::new(Tills {
        tills: (0..count).map(|_| Till::enrol(campus)).collect::<Result<_>>()?,
        paid,
        uploads: Vec::new(),
        turn: None,
    });
    let mut bare = campus.books.bare_inserts(&format!("bare_{count}"))?;
    let [ours, verification, inserts] = take_turns(
        turns,
        [
            Box::new(|turn| settle(campus, tills.borrow_mut().uploads(turn)?)),
            Box::new(|turn| verify(tills.borrow_mut().uploads(turn)?)),
            Box::new(|turn| insert(&mut bare, tills.borrow_mut().uploads(turn)?)),
        ],
    )?;
    let share = verification.or_slower(&inserts).over(&ours);
    Ok([
        campus.books.to_string(),
        match count {
            1 => "1 terminal".to_owned(),
            _ => format!("{count} terminals"),
        },
        spread(&share, percent),
        Target::AtLeast(0.7).verdict(share.median(), percent),
        spread(&ours, time),
        spread(&verification, time),
        spread(&inserts, time),
        digits(1.0 / ours.median()),
    ])
}

fn records(uploads: &[Upload]) -> Result<u32> {
    Ok(u32::try_from(
        uploads.iter().map(|upload| upload.sales.len()).sum::<usize>(),
    )?)
}

/// Ours: all uploads at once, each until it is answered. The time of one record.
fn settle(campus: &Campus, uploads: &mut [Upload]) -> Result<Duration> {
    let requests: Vec<_> = uploads
        .iter_mut()
        .filter_map(|upload| upload.request.take())
        .collect();
    let started = Instant::now();
    let answers: Vec<Bytes> = campus.runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for request in requests {
            tasks.spawn(send(campus.router.clone(), request));
        }
        tasks.join_all().await.into_iter().collect::<Result<_>>()
    })?;
    let took = started.elapsed();
    for answer in answers {
        check_all_posted(&answer, BATCH)?;
    }
    Ok(took / records(uploads)?)
}

/// The first reference: the signatures alone, on as many threads as the machine has.
fn verify(uploads: &[Upload]) -> Result<Duration> {
    let signed: Vec<&Signed> = uploads.iter().flat_map(|upload| &upload.signed).collect();
    Ok(verify_all(&signed)? / records(uploads)?)
}

/// The second reference: the records' bytes under (terminal, sequence), an upload in one transaction.
fn insert(bare: &mut BareInserts, uploads: &[Upload]) -> Result<Duration> {
    let row = |sale: &SignedSale| -> Row {
        let record = &sale.record;
        let key = (record.terminal.cast_signed(), record.sequence.cast_signed());
        (key.0, key.1, sale.to_bytes())
    };
    let queues: Vec<Queue> = uploads
        .iter()
        .map(|upload| vec![upload.sales.iter().map(row).collect()])
        .collect();
    Ok(bare.insert(queues)? / records(uploads)?)
}
