//! A terminal's table at every size: how long it takes to check and load, what it takes in memory, and whether anybody
//! waits while it changes. Memory is the growth of a process of its own (`VmRSS`): what the system gives away, not what an
//! allocator believes.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use yika_format::lists::{Keyset, Table};
use yika_format::verifier::ExpandKeys as _;
use yika_format::{ExpandedKey, Pseudonym};
use yika_terminal::{KeyCache, REMEMBERED_KEYS, Terminal};
use yika_testkit::{ListBuilder, SignerKit};

use super::Outcome;
use crate::bytes::SigningKey;
use crate::child;
use crate::harness::{Samples, take_turns, timed};
use crate::machine::field;
use crate::report::{Report, Target, digits, duration, spread, time};
use crate::school::{School, options, terminal_time};
use crate::{Context, Result};

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Rows that one delta changes.
const CHANGES: usize = 1_000;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let mut report = Report::default();
    let sizes = context.effort.pick(&SIZES[..3], &SIZES[..]);
    let mut rows = Vec::new();
    for &size in sizes {
        rows.push(one_size(context, size)?);
    }
    report.table(
        [
            "holders",
            "verify and load",
            "target",
            "a holder",
            "÷ bare SHA-256",
            "memory a holder",
            "target",
            "most while loading",
        ],
        rows,
    );
    report.note(
        "`Table::open`: signature, every chunk's hash, every row, from bytes in memory; in turns with SHA-256 over the \
         same bytes. The table is 50 bytes a holder. Memory below 10,000 holders is lost among the pages of the process.",
    );
    let [before, after, keys] = child::ask(&["remember-keys"])?;
    report.note(&format!(
        "The memory of expanded keys is bounded at {REMEMBERED_KEYS} keys; full, it takes {} MB, {} bytes a key.",
        digits(kilobytes(before, after) / 1e3),
        digits(kilobytes(before, after) * 1e3 / keys as f64)
    ));
    let largest = sizes.last().copied().unwrap_or_default();
    whole_terminal(context, largest, &mut report)?;
    Ok(Outcome::Measured(report))
}

fn kilobytes(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64 * 1.024
}

fn one_size(context: &Context, size: u32) -> Result<[String; 8]> {
    let school = School::new(size, 0);
    let (bytes, keyset) = (school.lists.table(), keyset()?);
    let turns = context.effort.pick(5, 15);
    let [load, hash] = take_turns(
        turns,
        [
            Box::new(|_| Ok(timed(|| Ok(black_box(Table::open(black_box(&bytes), &keyset)?)))?.1)),
            Box::new(|_| Ok(timed(|| Ok(black_box(digest(&SHA256, black_box(&bytes)))))?.1)),
        ],
    )?;
    let file = context.in_memory("table")?.join("bytes");
    fs::write(&file, &bytes)?;
    let [before, after, most] = child::ask(&["load-table", file.to_str().ok_or("no text")?])?;
    let holders = f64::from(size);
    let memory = kilobytes(before, after) * 1e3 / holders;
    let is_last = size == SIZES[3];
    Ok([
        size.to_string(),
        spread(&load, time),
        if is_last {
            Target::AtMost(1.0).verdict(load.median(), time)
        } else {
            String::new()
        },
        time(load.median() / holders),
        spread(&load.over(&hash), digits),
        if size >= 10_000 {
            format!("{} bytes", digits(memory))
        } else {
            "–".to_owned()
        },
        if is_last {
            Target::AtMost(64.0).verdict(memory, |bytes| format!("{bytes} bytes"))
        } else {
            String::new()
        },
        format!("{} MB", digits(kilobytes(before, most) / 1e3)),
    ])
}

fn keyset() -> Result<Keyset> {
    let kit = SignerKit::new("campus.example");
    Ok(Keyset::open(
        &ListBuilder::new(&kit).keyset(),
        &kit.pinned_root(),
    )?)
}

/// Kibibytes of this process that are in memory, now and at most so far.
fn resident() -> Result<[u64; 2]> {
    let read = |name| -> Result<u64> {
        let value = field("/proc/self/status", name).ok_or("the system does not tell")?;
        Ok(value.trim_end_matches("kB").trim().parse()?)
    };
    Ok([read("VmRSS")?, read("VmHWM")?])
}

/// What a child does: loads the table in this file; answers its memory before, after, and at most, in KiB.
pub(crate) fn load(file: &Path) -> Result<Vec<u64>> {
    let keyset = keyset()?;
    let [before, _] = resident()?;
    let bytes = fs::read(file)?;
    let table = Table::open(&bytes, &keyset)?;
    drop(bytes);
    let [after, most] = resident()?;
    // The table lives until here.
    black_box(table.row(Pseudonym([0; 5])));
    Ok(vec![before, after, most])
}

/// What a child does: fills the memory of expanded keys; answers its memory before and after in KiB, and how many.
pub(crate) fn remember_keys() -> Result<Vec<u64>> {
    let mut keys = Vec::with_capacity(REMEMBERED_KEYS);
    for _ in 0..REMEMBERED_KEYS {
        keys.push(ExpandedKey::from_uncompressed(SigningKey::new()?.public_point())?.compress());
    }
    let [before, _] = resident()?;
    let cache = KeyCache::default();
    for key in &keys {
        cache.expand(key)?;
    }
    let [after, _] = resident()?;
    black_box(cache);
    Ok(vec![before, after, u64::try_from(keys.len())?])
}

/// The table inside a terminal: taken, opened again, and changed while codes are looked at.
fn whole_terminal(context: &Context, size: u32, report: &mut Report) -> Result<()> {
    let folder = context.on_disk("table/terminal")?;
    let mut school = School::new(size, 64);
    let bytes = school.lists.table();
    let terminal = school.terminal(&folder)?;
    drop(terminal);
    let (terminal, open) = timed(|| Ok(Terminal::open(&folder, &options())?))?;
    let codes: Vec<_> = (0..school.holders())
        .map(|holder| yika_format::code::Code::Short(school.code(holder, 100).short()))
        .collect();
    let idle = glances(&terminal, &codes, || Ok(Duration::ZERO))?.0;
    let mut changing = Samples::default();
    let (mut busy, mut worst) = (Samples::default(), 0.0_f64);
    for _ in 0..context.effort.pick(3, 10) {
        school.lists.version += 1;
        let delta = school.lists.delta(&school.lists.rows[..CHANGES], &[]);
        let (looks, took) = glances(&terminal, &codes, || {
            Ok(timed(|| Ok(terminal.accept_deltas(&[&delta])?))?.1)
        })?;
        changing.push(took);
        worst = worst.max(looks.quantile(1.0));
        busy = looks;
    }
    let accepted = {
        school.lists.version += 1;
        let table = school.lists.table();
        timed(|| Ok(terminal.accept_table(&table)?))?.1
    };
    let rows = [
        (
            "take a whole table: check, write durably, put up",
            duration(accepted),
        ),
        ("open a terminal that has it", duration(open)),
        (
            "a delta of 1,000 rows: check, copy, keep durably, put up",
            spread(&changing, time),
        ),
        ("a code looked at meanwhile (p50)", time(busy.quantile(0.5))),
        ("a code looked at meanwhile (longest of all)", time(worst)),
        (
            "a code looked at while nothing changes (p50)",
            time(idle.quantile(0.5)),
        ),
        (
            "a code looked at while nothing changes (longest)",
            time(idle.quantile(1.0)),
        ),
    ];
    report.table(
        [
            &format!("a terminal with {size} holders ({} MB)", bytes.len() / 1_000_000),
            "time",
        ],
        rows.map(|(what, time)| [what.to_owned(), time]).into(),
    );
    report.note(
        "Codes are looked at (`Terminal::authenticate`) by another thread without a pause. A reader takes a snapshot and \
         never waits for a new list; what it loses is its share of the processor.",
    );
    Ok(())
}

/// Does `change` while another thread looks at codes, or for a while where that is nothing; answers how long each look took
/// and what `change` answered.
fn glances(
    terminal: &Terminal,
    codes: &[yika_format::code::Code],
    change: impl FnOnce() -> Result<Duration>,
) -> Result<(Samples, Duration)> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let (mut looks, time) = (Samples::default(), terminal_time());
            while !done.load(Ordering::Relaxed) || looks.len() < codes.len() {
                for code in codes {
                    let started = Instant::now();
                    let genuine = terminal.authenticate(code, &time, None);
                    looks.push(started.elapsed());
                    genuine.map_err(|reason| format!("not genuine: {reason:?}"))?;
                }
            }
            Ok::<_, String>(looks)
        });
        let changed = change();
        done.store(true, Ordering::Relaxed);
        let looks = looker.join().map_err(|_| "the looking thread panicked")??;
        Ok((looks, changed?))
    })
}
