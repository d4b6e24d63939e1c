//! Carries the rows out in one transaction, and says of each what came of it.

use super::rows::{AccountLine, HolderLine, MerchantLine, Rows, TerminalLine};
use super::{Counts, Fault, ImportKind, ImportReport, PlannedTerminal};
use crate::accounts::{
    HolderRow, account_name, holder_by_number, insert_holder, open_card_account, rename_account,
    set_name_and_class,
};
use crate::admin::Admin;
use crate::db::Connection;
use crate::error::Result;
use crate::issuer;
use crate::terminals::{
    self, MerchantRow, NewCode, default_merchant, merchant_by_id, rename_merchant, set_default_merchant,
};
use yika_api::Fen;
use yika_api::terminal::TerminalKind;

/// What came of a row.
enum Done {
    Added,
    Changed,
    Unchanged,
    Wrong(String),
}

pub(super) async fn apply(tx: &mut Connection, admin: &Admin<'_>, rows: &Rows) -> Result<ImportReport> {
    let mut report = ImportReport {
        faults: rows.faults.clone(),
        ..ImportReport::default()
    };
    for row in &rows.holders {
        let done = holder(tx, admin, row).await?;
        count(done, &mut report.holders);
    }
    for row in &rows.accounts {
        let done = account(tx, admin, row).await?;
        let wrong = count(done, &mut report.accounts);
        report
            .faults
            .extend(wrong.map(|why| fault(ImportKind::Accounts, row.line, why)));
    }
    for row in &rows.merchants {
        let done = merchant(tx, admin, row).await?;
        let wrong = count(done, &mut report.merchants);
        report
            .faults
            .extend(wrong.map(|why| fault(ImportKind::Merchants, row.line, why)));
    }
    for row in &rows.terminals {
        match terminal(tx, admin, row).await? {
            Planned::Enrolled => report.enrolled += 1,
            Planned::New(planned) => report.terminals.push(planned),
            Planned::Wrong(why) => report.faults.push(fault(ImportKind::Terminals, row.line, why)),
        }
    }
    report.faults.sort_unstable();
    Ok(report)
}

fn fault(file: ImportKind, line: u64, why: String) -> Fault {
    Fault { file, line, why }
}

/// Counts what came of a row; what is wrong with it is left over.
fn count(done: Done, counts: &mut Counts) -> Option<String> {
    match done {
        Done::Added => counts.added += 1,
        Done::Changed => counts.changed += 1,
        Done::Unchanged => counts.unchanged += 1,
        Done::Wrong(why) => return Some(why),
    }
    None
}

async fn holder(tx: &mut Connection, admin: &Admin<'_>, row: &HolderLine) -> Result<Done> {
    match holder_by_number(tx, &row.number).await? {
        None => {
            insert_holder(tx, &row.number, &row.name, row.class, admin.now()).await?;
            Ok(Done::Added)
        }
        Some(HolderRow { name, class, .. }) if name == row.name && class == row.class => Ok(Done::Unchanged),
        Some(known) => {
            set_name_and_class(tx, known.id, &row.name, row.class).await?;
            issuer::mark_holder_dirty(tx, known.id).await?;
            Ok(Done::Changed)
        }
    }
}

async fn account(tx: &mut Connection, admin: &Admin<'_>, row: &AccountLine) -> Result<Done> {
    let Some(holder) = holder_by_number(tx, &row.number).await? else {
        return Ok(Done::Wrong(format!(
            "no holder has the number {}; import them too, or correct it",
            row.number
        )));
    };
    match account_name(tx, holder.id, row.slot).await? {
        None => {
            open_card_account(tx, holder.id, row.slot, &row.name, admin.now()).await?;
            if row.balance != Fen::ZERO {
                admin.deposit(tx, holder.id, row.slot, row.balance).await?;
            }
            issuer::mark_holder_dirty(tx, holder.id).await?;
            Ok(Done::Added)
        }
        Some(name) if name == row.name => Ok(Done::Unchanged),
        Some(_) => {
            rename_account(tx, holder.id, row.slot, &row.name).await?;
            Ok(Done::Changed)
        }
    }
}

async fn merchant(tx: &mut Connection, admin: &Admin<'_>, row: &MerchantLine) -> Result<Done> {
    if let Some(kind) = row.default_for
        && let Some(other) = default_merchant(tx, kind)
            .await?
            .filter(|other| other.id != row.id)
    {
        return Ok(Done::Wrong(format!(
            "merchant {} is already the one for terminals that name none",
            other.id
        )));
    }
    let new = MerchantRow {
        id: row.id,
        name: row.name.clone(),
    };
    let Some(known) = merchant_by_id(tx, row.id).await? else {
        admin.insert_merchant(tx, &new, row.default_for).await?;
        return Ok(Done::Added);
    };
    let becomes_default = set_default_merchant(tx, row.id, row.default_for).await?;
    if known.name != row.name {
        rename_merchant(tx, &new).await?;
    }
    match becomes_default || known.name != row.name {
        true => Ok(Done::Changed),
        false => Ok(Done::Unchanged),
    }
}

/// What came of a terminal's row.
enum Planned {
    Enrolled,
    New(PlannedTerminal),
    Wrong(String),
}

async fn terminal(tx: &mut Connection, admin: &Admin<'_>, row: &TerminalLine) -> Result<Planned> {
    if terminals::is_enrolled(tx, &row.label).await? {
        return Ok(Planned::Enrolled);
    }
    let merchant = match row.merchant {
        Some(id) => match merchant_by_id(tx, id).await? {
            Some(merchant) => Some(merchant),
            None => {
                return Ok(Planned::Wrong(format!(
                    "no merchant has the number {id}; import it too, or correct it"
                )));
            }
        },
        None if row.kind == TerminalKind::Gate => None,
        None => match default_merchant(tx, row.kind).await? {
            Some(_) => None,
            None => {
                let why = "no merchant is the one for such terminals; name one";
                return Ok(Planned::Wrong(why.to_owned()));
            }
        },
    };
    let planned = NewCode {
        kind: row.kind,
        merchant: merchant.as_ref().map(|merchant| merchant.id),
        label: &row.label,
    };
    Ok(Planned::New(PlannedTerminal {
        label: row.label.clone(),
        kind: row.kind,
        merchant: merchant.map(|merchant| merchant.to_api().id),
        code: terminals::plan(tx, &planned, admin.now()).await?,
    }))
}
