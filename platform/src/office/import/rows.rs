//! What the lines say, each by itself: nothing here asks the database.

use super::table::{self, Line};
use super::{Fault, ImportFiles, ImportKind};
use crate::db::StoredEnum as _;
use std::collections::HashMap;
use std::hash::Hash;
use yika_api::terminal::TerminalKind;
use yika_api::{Fen, LocalizedText};
use yika_format::Slot;
use yika_format::lists::HolderNumber;

/// What a class is called in a file, in the order of the numbers that credentials have for them, from 1 on.
const CLASSES: [&str; 4] = ["student", "staff", "visitor", "other"];
const MAX_NAME_CHARS: usize = 64;

pub(super) struct HolderLine {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) class: u8,
}

pub(super) struct AccountLine {
    pub(super) line: u64,
    pub(super) number: String,
    pub(super) slot: Slot,
    pub(super) name: LocalizedText,
    pub(super) balance: Fen,
}

pub(super) struct MerchantLine {
    pub(super) line: u64,
    pub(super) id: i64,
    pub(super) name: LocalizedText,
    pub(super) default_for: Option<TerminalKind>,
}

pub(super) struct TerminalLine {
    pub(super) line: u64,
    pub(super) label: String,
    pub(super) kind: TerminalKind,
    pub(super) merchant: Option<i64>,
}

/// Everything that could be read.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) holders: Vec<HolderLine>,
    pub(super) accounts: Vec<AccountLine>,
    pub(super) merchants: Vec<MerchantLine>,
    pub(super) terminals: Vec<TerminalLine>,
    pub(super) faults: Vec<Fault>,
}

/// Reads the files. Of a line that stands twice, the second is a fault.
pub(super) fn read(files: &ImportFiles) -> Rows {
    let mut rows = Rows::default();
    let faults = &mut rows.faults;
    if let Some(bytes) = &files.holders {
        let columns = &["number", "name", "class"];
        let read = table::read(ImportKind::Holders, bytes, columns, faults, holder);
        rows.holders = once(read, faults, |row: &HolderLine| row.number.clone());
    }
    if let Some(bytes) = &files.accounts {
        let columns = &["number", "slot", "name_zh", "name_en", "balance"];
        let read = table::read(ImportKind::Accounts, bytes, columns, faults, account);
        rows.accounts = once(read, faults, |row: &AccountLine| (row.number.clone(), row.slot));
    }
    if let Some(bytes) = &files.merchants {
        let columns = &["id", "name_zh", "name_en", "default_for"];
        let read = table::read(ImportKind::Merchants, bytes, columns, faults, merchant);
        rows.merchants = once(read, faults, |row: &MerchantLine| row.id);
    }
    if let Some(bytes) = &files.terminals {
        let columns = &["label", "kind", "merchant"];
        let read = table::read(ImportKind::Terminals, bytes, columns, faults, terminal);
        rows.terminals = once(read, faults, |row: &TerminalLine| row.label.clone());
    }
    rows
}

/// A row with a function that tells a fault of its line.
type Read<T> = (T, u64, Fault);

/// The rows, each name once.
fn once<T, K: Hash + Eq>(read: Vec<Read<T>>, faults: &mut Vec<Fault>, name: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen: HashMap<K, u64> = HashMap::new();
    let mut rows = Vec::with_capacity(read.len());
    for (row, line, mut fault) in read {
        match seen.get(&name(&row)) {
            Some(first) => {
                fault.why = format!("the same as line {first}; leave one of them");
                faults.push(fault);
            }
            None => {
                seen.insert(name(&row), line);
                rows.push(row);
            }
        }
    }
    rows
}

fn read_as<T>(line: &Line<'_>, row: T) -> Read<T> {
    (row, line.number(), line.fault(""))
}

fn holder(line: &Line<'_>) -> Result<Read<HolderLine>, Fault> {
    let class = line.get("class");
    let class = CLASSES.iter().position(|name| name.eq_ignore_ascii_case(class));
    let class = class.and_then(|place| u8::try_from(place + 1).ok());
    let row = HolderLine {
        number: number(line)?,
        name: text(line, "name")?,
        class: class.ok_or_else(|| line.fault(format!("the class is one of {}", CLASSES.join(", "))))?,
    };
    Ok(read_as(line, row))
}

fn account(line: &Line<'_>) -> Result<Read<AccountLine>, Fault> {
    let slot = line
        .get("slot")
        .parse()
        .ok()
        .and_then(|slot| Slot::new(slot).ok());
    let balance: Option<Fen> = match line.get("balance") {
        "" => Some(Fen::ZERO),
        balance => balance.parse().ok(),
    };
    let row = AccountLine {
        line: line.number(),
        number: number(line)?,
        slot: slot.ok_or_else(|| line.fault("a slot is 1 to 8"))?,
        name: names(line)?,
        balance: balance.filter(|balance| !balance.is_negative()).ok_or_else(|| {
            line.fault("a balance is in yuan, zero or more, with at most two decimals: 12.50")
        })?,
    };
    Ok(read_as(line, row))
}

fn merchant(line: &Line<'_>) -> Result<Read<MerchantLine>, Fault> {
    let default_for = match line.get("default_for") {
        "" => None,
        text => match kind(text) {
            Some(kind @ (TerminalKind::Pos | TerminalKind::Library)) => Some(kind),
            _ => return Err(line.fault("default_for is pos, library or empty")),
        },
    };
    let row = MerchantLine {
        line: line.number(),
        id: merchant_id(line, "id")?,
        name: names(line)?,
        default_for,
    };
    Ok(read_as(line, row))
}

fn terminal(line: &Line<'_>) -> Result<Read<TerminalLine>, Fault> {
    let kind = kind(line.get("kind")).ok_or_else(|| line.fault("a kind is pos, gate or library"))?;
    let merchant = match line.get("merchant") {
        "" => None,
        _ if kind == TerminalKind::Gate => return Err(line.fault("a gate takes payments for nobody")),
        _ => Some(merchant_id(line, "merchant")?),
    };
    let row = TerminalLine {
        line: line.number(),
        label: text(line, "label")?,
        kind,
        merchant,
    };
    Ok(read_as(line, row))
}

fn kind(text: &str) -> Option<TerminalKind> {
    TerminalKind::from_stored(&text.to_ascii_lowercase())
}

fn number(line: &Line<'_>) -> Result<String, Fault> {
    let number = line.get("number");
    match HolderNumber::new(number) {
        Ok(_) => Ok(number.to_owned()),
        Err(_) => Err(line.fault("a number has 1 to 32 letters, digits or signs of ASCII, without spaces")),
    }
}

fn merchant_id(line: &Line<'_>, column: &'static str) -> Result<i64, Fault> {
    let id = line.get(column).parse().ok().filter(|id| *id > 0);
    id.ok_or_else(|| line.fault(format!("{column} is a whole number from 1 on")))
}

fn names(line: &Line<'_>) -> Result<LocalizedText, Fault> {
    Ok(LocalizedText {
        zh: text(line, "name_zh")?,
        en: text(line, "name_en")?,
    })
}

fn text(line: &Line<'_>, column: &'static str) -> Result<String, Fault> {
    let text = line.get(column);
    let is_right =
        !text.is_empty() && text.chars().count() <= MAX_NAME_CHARS && !text.contains(char::is_control);
    match is_right {
        true => Ok(text.to_owned()),
        false => Err(line.fault(format!("{column} has 1 to {MAX_NAME_CHARS} characters"))),
    }
}
