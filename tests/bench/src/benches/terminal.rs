//! A terminal's decision about a code, from the scanner's text to "approve", beside ring's bare verification of the same
//! signatures under keys that are expanded already. Then the same with what makes it count: the record, signed, on disk.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use yika_format::code::Code;
use yika_format::verifier::{Decision, ExpandKeys as _, Standing, authenticate, authorise};
use yika_format::{ExpandedKey, PublicKey};
use yika_terminal::{KeyCache, Lists, Request, Verdict};

use super::Outcome;
use crate::bytes::{DurableFile, Signed, SigningKey};
use crate::harness::{Samples, per_operation, take_turns};
use crate::report::{Report, Target, digits, percent, spread, time};
use crate::school::{School, one_fen, profile, terminal_time};
use crate::{Context, Result};

/// Holders in the table.
const ROWS: u32 = 50_000;
/// Of whom so many come, once in a turn each.
const HOLDERS: u32 = 512;
/// Keys that are in the memory of keys before one is seen for the first time.
const STRANGERS: usize = 4_096;
/// How many bytes of a sale are made durable, about: a record and what the store adds to it.
const SALE: [u8; 600] = [7; 600];

/// A code as a scanner types it, and the signatures in it.
struct Shown {
    text: String,
    device: Signed,
    issuer: Signed,
    key: PublicKey,
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let school = School::new(ROWS, HOLDERS);
    let mut report = Report::default();
    decisions(context, &school, &mut report)?;
    approvals(context, &school, &mut report)?;
    Ok(Outcome::Measured(report))
}

fn stranger() -> Result<PublicKey> {
    Ok(ExpandedKey::from_uncompressed(SigningKey::new()?.public_point())?.compress())
}

fn shown(school: &School, is_full: bool) -> Result<Vec<Shown>> {
    (0..school.holders())
        .map(|holder| {
            let code = school.code(holder, 100);
            let (short, full) = (code.short(), code.full());
            Ok(Shown {
                text: if is_full { full.to_text() } else { short.to_text() },
                device: Signed {
                    key: code.device.expanded(),
                    message: code.preimage(),
                    signature: if is_full { full.signature } else { short.signature },
                },
                issuer: Signed {
                    key: code.credential.issuer.expanded(),
                    message: code.credential.body.preimage(&code.school),
                    signature: full.credential.signature,
                },
                key: code.device.public(),
            })
        })
        .collect()
}

/// The decision without memory: what the holder did before is looked up in the store, which the approvals time.
fn decide(text: &str, lists: &Lists, keys: &KeyCache, request: &Request) -> Result<()> {
    let code = Code::from_text(text.as_bytes())?;
    let (time, profile) = (terminal_time(), profile());
    let genuine = authenticate(&code, &[lists.school()], &time, keys, None)
        .map_err(|reason| format!("not genuine: {reason:?}"))?;
    match authorise(&genuine, request, &profile, &time, &Standing::default()) {
        Ok(Decision::Approve) => Ok(()),
        other => Err(format!("not approved: {other:?}").into()),
    }
}

fn decisions(context: &Context, school: &School, report: &mut Report) -> Result<()> {
    let terminal = school.terminal(&context.in_memory("terminal/decisions")?)?;
    let lists = terminal.lists();
    let (short, full) = (shown(school, false)?, shown(school, true)?);
    let (seen, count) = (KeyCache::default(), short.len());
    let all = |codes: &[Shown], keys: &KeyCache| -> Result<Duration> {
        let request = one_fen();
        per_operation(count, |index| {
            decide(black_box(&codes[index].text), &lists, keys, &request)
        })
    };
    let strangers = (0..STRANGERS).map(|_| stranger()).collect::<Result<Vec<_>>>()?;
    let other_keys = || -> Result<KeyCache> {
        let keys = KeyCache::default();
        for key in &strangers {
            keys.expand(key)?;
        }
        Ok(keys)
    };
    let turns = context.effort.pick(20, 150);
    let [known, first, known_full, first_full, one, two, expansion] = take_turns(
        turns,
        [
            Box::new(|_| all(&short, &seen)),
            Box::new(|_| all(&short, &other_keys()?)),
            Box::new(|_| all(&full, &seen)),
            Box::new(|_| all(&full, &other_keys()?)),
            Box::new(|_| per_operation(count, |index| short[index].device.verify())),
            Box::new(|_| {
                per_operation(count, |index| {
                    full[index].issuer.verify()?;
                    full[index].device.verify()
                })
            }),
            Box::new(|_| {
                per_operation(count, |index| {
                    black_box(black_box(&short[index].key).expand()?);
                    Ok(())
                })
            }),
        ],
    )?;
    let rows = [
        ("short code, key seen before", &known, &one, Some(0.95)),
        ("short code, key first seen", &first, &one, Some(0.85)),
        ("full code, key first seen", &first_full, &two, Some(0.90)),
        ("full code, key seen before", &known_full, &two, None),
    ];
    report.table(
        [
            "decision alone",
            "bare verification ÷ ours",
            "target",
            "ours",
            "bare",
        ],
        rows.map(|(what, ours, bare, target)| row(what, ours, bare, target.map(Target::AtLeast)))
            .into(),
    );
    report.note(&format!(
        "{turns} turns of {HOLDERS} codes of as many holders, from a table of {ROWS}. In: text to bytes, row, revocations, \
         signatures, time, place, limits. `Bare` is ring alone with expanded keys: one verification for a short code, two \
         for a full one. A key first seen is expanded, for ring takes no compressed one: {} each, in the figures above. \
         In a turn of keys first seen the memory of keys has seen {STRANGERS} others before.",
        spread(&expansion, time)
    ));
    Ok(())
}

fn row(what: &str, ours: &Samples, bare: &Samples, target: Option<Target>) -> [String; 5] {
    let share = bare.over(ours);
    [
        what.to_owned(),
        spread(&share, percent),
        target.map_or(String::new(), |target| target.verdict(share.median(), percent)),
        spread(ours, time),
        spread(bare, time),
    ]
}

/// Payments that count: looked up, decided, recorded, signed and committed with `synchronous=FULL`.
fn approvals(context: &Context, school: &School, report: &mut Report) -> Result<()> {
    let folder = context.on_disk("terminal/approvals")?;
    let terminals = [
        school.terminal(&folder)?,
        school.terminal(&context.in_memory("terminal/approvals")?)?,
    ];
    let turns = context.effort.pick(100, 1000);
    let mut codes = Vec::with_capacity(turns + 1);
    for turn in 0..=turns {
        let holder = turn % school.holders();
        let counter = u16::try_from(101 + turn / school.holders())?;
        codes.push(school.code(holder, counter).short().to_text());
    }
    let pay = |terminal: &yika_terminal::Terminal, turn: usize| {
        per_operation(1, |_| {
            match terminal.verify(codes[turn].as_bytes(), one_fen())? {
                Verdict::Approved { repeated: false, .. } => Ok(()),
                other => Err(format!("not approved: {other:?}").into()),
            }
        })
    };
    let (bare, key) = (shown(school, false)?, SigningKey::new()?);
    let file = RefCell::new(DurableFile::create(&folder.join("bare"))?);
    let [on_disk, in_memory, sync, work] = take_turns(
        turns,
        [
            Box::new(|turn| pay(&terminals[0], turn)),
            Box::new(|turn| pay(&terminals[1], turn)),
            Box::new(|_| per_operation(1, |_| file.borrow_mut().append(&SALE))),
            Box::new(|turn| {
                per_operation(1, |_| {
                    bare[turn % bare.len()].device.verify()?;
                    key.sign(&SALE[..300])?;
                    Ok(())
                })
            }),
        ],
    )?;
    let quantiles = |samples: &Samples| [0.5, 0.9, 0.99].map(|share| time(samples.quantile(share)));
    let rows = [
        ("a payment approved, on the disk", &on_disk),
        ("the same with the store in memory", &in_memory),
        ("bare: 600 bytes made durable", &sync),
        ("bare: one verification, one signature", &work),
    ];
    report.table(
        ["with the commit", "p50", "p90", "p99"],
        rows.map(|(what, samples)| {
            let [p50, p90, p99] = quantiles(samples);
            [what.to_owned(), p50, p90, p99]
        })
        .into(),
    );
    report.note(&format!(
        "{turns} payments by {HOLDERS} holders. On the disk, the median is {} times that of its bare parts together.",
        digits(on_disk.median() / (sync.median() + work.median()))
    ));
    Ok(())
}
