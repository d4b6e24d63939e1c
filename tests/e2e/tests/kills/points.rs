//! Every point at which a process can be made to die, and that the list is complete.
//!
//! | what is made durable | by | points |
//! |---|---|---|
//! | the phone's journal: counters, credential, pending requests, session | SQLite, `synchronous=FULL` | `phone.journal` |
//! | the journal's and the cache's schema, at first open | SQLite | `phone.schema` |
//! | the journal's master key, wrapped | SQLite, `synchronous=FULL` | `phone.master-key` |
//! | wrapping key and witness | file, `fsync`, rename, `fsync` of the folder | `phone.file` |
//! | balances and bills, which the platform can tell again | SQLite, `synchronous=NORMAL` | `phone.cache` |
//! | an approval with its record | SQLite, `synchronous=FULL` | `terminal.approve` |
//! | a void's record | SQLite, `synchronous=FULL` | `terminal.void` |
//! | the amount that is to be confirmed | SQLite, `synchronous=FULL` | `terminal.confirm` |
//! | enrolment, keyset and time | SQLite, `synchronous=FULL` | `terminal.enrol` |
//! | a list, deltas | SQLite, `synchronous=FULL` | `terminal.lists` |
//! | what is known of the time | SQLite, `synchronous=FULL` | `terminal.clock` |
//! | what became of an upload's records, the settled mark | SQLite, `synchronous=FULL` | `terminal.outcomes` |
//! | that old records may go | SQLite, `synchronous=FULL` | `terminal.prune` |
//! | the store's schema, at first open | SQLite | `terminal.schema` |
//! | the terminal's key, a table | file, `fsync`, rename, `fsync` of the folder | `terminal.file` |
//! | a settled upload | SQLite, `synchronous=FULL` | `platform.settle` |
//! | an issued credential | SQLite, `synchronous=FULL` | `platform.issue` |
//! | an operation on money, taken on | SQLite, `synchronous=FULL` | `platform.operation` |
//! | every other change of the platform, and these three again | SQLite, `synchronous=FULL` | `platform.db` |
//! | the bank's: an order, its being called off, what else a customer asks for | SQLite, `synchronous=FULL` | `bank.order`, `bank.order-end`, `bank.customer` |
//! | the meters': a credit, its being called off | SQLite, `synchronous=FULL` | `meters.credit`, `meters.cancel` |
//! | a server key | file, `fsync`, rename, `fsync` of the folder | `platform.key` |
//! | a portrait's key | file, `fsync`, rename, `fsync` of the folder | `platform.photo-key` |
//!
//! Each has `.before-commit` and `.after-commit`; files have `.before-rename` too. The other points stand around what
//! leaves a process: requests (`phone.http`, `terminal.http`, `terminal.upload`), replies (`platform.http`), the code on
//! the screen (`phone.code`) and the terminal's answer (`terminal.answer`); what the platform says to the bank and what
//! comes of it (`platform.operation.before-send`, `.after-send`, `.before-step`, `platform.wallet.told`,
//! `platform.mandate.told`), and what the bank tells unasked (`bank.notice`). What comes after a reply of the platform is
//! the next request. A program that is told to write a picture writes it as any editor would: it is no state of the phone.

use std::collections::BTreeSet;
use std::path::Path;

use yika_e2e::{Error, Result};

/// All of them.
pub(crate) const POINTS: [&str; 72] = [
    "phone.schema.before-commit",
    "phone.schema.after-commit",
    "phone.master-key.before-commit",
    "phone.master-key.after-commit",
    "phone.file.before-commit",
    "phone.file.before-rename",
    "phone.file.after-commit",
    "phone.journal.before-commit",
    "phone.journal.after-commit",
    "phone.cache.before-commit",
    "phone.cache.after-commit",
    "phone.http.before-send",
    "phone.http.after-reply",
    "phone.code.before-show",
    "phone.code.after-show",
    "terminal.schema.before-commit",
    "terminal.schema.after-commit",
    "terminal.file.before-commit",
    "terminal.file.before-rename",
    "terminal.file.after-commit",
    "terminal.enrol.before-commit",
    "terminal.enrol.after-commit",
    "terminal.clock.before-commit",
    "terminal.clock.after-commit",
    "terminal.lists.before-commit",
    "terminal.lists.after-commit",
    "terminal.approve.before-commit",
    "terminal.approve.after-commit",
    "terminal.void.before-commit",
    "terminal.void.after-commit",
    "terminal.confirm.before-commit",
    "terminal.confirm.after-commit",
    "terminal.upload.before-send",
    "terminal.upload.after-send",
    "terminal.upload.after-reply",
    "terminal.outcomes.before-commit",
    "terminal.outcomes.after-commit",
    "terminal.prune.before-commit",
    "terminal.prune.after-commit",
    "terminal.http.before-send",
    "terminal.http.after-reply",
    "terminal.answer.before-print",
    "terminal.answer.after-print",
    "platform.key.before-commit",
    "platform.key.before-rename",
    "platform.key.after-commit",
    "platform.db.before-commit",
    "platform.db.after-commit",
    "platform.settle.before-commit",
    "platform.settle.after-commit",
    "platform.issue.before-commit",
    "platform.issue.after-commit",
    "platform.http.after-request",
    "platform.http.before-reply",
    "platform.operation.before-commit",
    "platform.operation.after-commit",
    "platform.operation.before-send",
    "platform.operation.after-send",
    "platform.operation.before-step",
    "platform.wallet.told",
    "platform.mandate.told",
    "bank.order.before-commit",
    "bank.order.after-commit",
    "bank.order-end.before-commit",
    "bank.order-end.after-commit",
    "bank.customer.before-commit",
    "bank.customer.after-commit",
    "bank.notice.after-send",
    "meters.credit.before-commit",
    "meters.credit.after-commit",
    "meters.cancel.before-commit",
    "meters.cancel.after-commit",
];

/// Points that nobody passes here, because nobody has a photo: `tests/face` kills the platform at each of them, and at every commit on
/// a portrait's way.
const OF_FACES: [&str; 3] = [
    "platform.photo-key.before-commit",
    "platform.photo-key.after-commit",
    "platform.photo-key.destroyed",
];

/// Points on the way of money between platform, bank and meters.
const OF_MONEY: [&str; 5] = [
    "platform.operation.",
    "platform.wallet.",
    "platform.mandate.",
    "bank.",
    "meters.",
];

/// Whether a point is one of those that only who moves money passes.
pub(crate) fn is_of_money(point: &str) -> bool {
    OF_MONEY.iter().any(|name| point.starts_with(name))
}

/// How often a process may pass a point before it dies there: where it passes often, later is worse.
pub(crate) fn passes(point: &str) -> usize {
    match point.rsplit_once('.').map(|(name, _)| name) {
        Some("platform.db") => 12,
        Some("platform.http" | "phone.http" | "terminal.http") => 6,
        Some("platform.wallet" | "platform.mandate") => 1,
        _ => 2,
    }
}

/// Adds the names in the source files of this folder.
fn collect(folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    let doing = || format!("reading {}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(Error::io(doing()))? {
        let path = entry.map_err(Error::io(doing()))?.path();
        if path.is_dir() {
            collect(&path, names)?;
            continue;
        }
        let source = std::fs::read_to_string(&path).map_err(Error::io(doing()))?;
        let after = |mark: &'static str| {
            source
                .split(mark)
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
        };
        names.extend(after("yika_fault::reach(\"").map(str::to_owned));
        for name in after("yika_fault::commit!(\"") {
            names.insert(format!("{name}.before-commit"));
            names.insert(format!("{name}.after-commit"));
        }
    }
    Ok(())
}

#[test]
fn every_point_in_the_sources_is_one_that_kills() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut names = BTreeSet::new();
    for part in ["core", "phone", "terminal", "platform", "sandbox"] {
        collect(&workspace.join(part).join("src"), &mut names)?;
    }
    let listed: BTreeSet<String> = POINTS
        .iter()
        .chain(&OF_FACES)
        .map(|&name| name.to_owned())
        .collect();
    assert_eq!(names, listed);
    Ok(())
}
