//! The comparison of a day's statement of the bank with the books.
//!
//! What the statement tells of an operation that still hangs is told to it, as if the bank had answered. What differs
//! after that is named, each with the entry that would correct it. Nothing of that is booked: somebody has to look first.

use super::driver;
use super::store::{self, Movement};
use crate::Platform;
use crate::error::Result;
use std::collections::{HashMap, HashSet};
use std::fmt;
use uuid::Uuid;
use yika_api::Fen;
use yika_api::bank::{OrderDirection, OrderState, StatementRow};

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Rows that books and statement have alike.
    pub agreed: u64,
    /// Operations that the statement brought on.
    pub resolved: Vec<Uuid>,
    /// What is left.
    pub differences: Vec<Difference>,
}

/// Something on which books and statement differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The order.
    pub order: Uuid,
    /// Whether it is about the way back.
    pub is_reversal: bool,
    /// What differs.
    pub kind: DifferenceKind,
    /// The entry that would correct the books: kinds of account and amounts, which sum to zero.
    pub proposal: Vec<(&'static str, Fen)>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The books have it, the statement does not.
    Missing,
    /// The statement has it, the books do not.
    Extra,
    /// Both have it, with other amounts or another direction.
    Amounts,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DifferenceKind::Missing => "missing in the statement",
            DifferenceKind::Extra => "not in the books",
            DifferenceKind::Amounts => "other amounts",
        };
        let what = if self.is_reversal { "reversal" } else { "order" };
        write!(f, "{what} {}: {kind}; proposed entry:", self.order)?;
        self.proposal
            .iter()
            .try_for_each(|(account, amount)| write!(f, " {account} {amount}"))
    }
}

/// Compares a statement with the books of a day, written `yyyy-mm-dd`, in the school's time zone.
pub(crate) async fn reconcile(
    platform: &Platform,
    day: &str,
    rows: &[StatementRow],
) -> Result<Reconciliation> {
    let day = crate::days::day_named(day, &platform.config().school.time_zone)?;
    let mut result = Reconciliation::default();
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (row.is_reversal, row.at));
    for row in &rows {
        if driver::hear(platform, row.id, &told(row)).await? {
            result.resolved.push(row.id);
        }
    }
    result.resolved.dedup();

    let mut snapshot = platform.db().snapshot().await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let known: HashMap<Uuid, Movement> = store::movements(&mut snapshot, &ids).await?;
    let mut seen = HashSet::new();
    for row in &rows {
        let is_second = !seen.insert((row.id, row.is_reversal));
        let kind = match known.get(&row.id) {
            Some(ours) if !is_second && ours.has(row.is_reversal) => match ours.is_like(row) {
                true => {
                    result.agreed += 1;
                    continue;
                }
                false => DifferenceKind::Amounts,
            },
            _ => DifferenceKind::Extra,
        };
        let theirs = sums(row.direction, row.wallet, row.card_amount, row.is_reversal)?;
        let ours = match (kind, known.get(&row.id)) {
            (DifferenceKind::Amounts, Some(ours)) => ours.sums(row.is_reversal)?,
            _ => Sums::default(),
        };
        result.differences.push(Difference {
            order: row.id,
            is_reversal: row.is_reversal,
            kind,
            proposal: theirs.less(ours)?.proposal()?,
        });
    }
    for ours in store::movements_within(&mut snapshot, &day).await? {
        for is_reversal in [false, true] {
            if ours.is_within(&day, is_reversal) && !seen.contains(&(ours.id, is_reversal)) {
                result.differences.push(Difference {
                    order: ours.id,
                    is_reversal,
                    kind: DifferenceKind::Missing,
                    proposal: Sums::default().less(ours.sums(is_reversal)?)?.proposal()?,
                });
            }
        }
    }
    Ok(result)
}

fn told(row: &StatementRow) -> OrderState {
    let (at, trace) = (row.at, row.trace.clone());
    match row.is_reversal {
        false => OrderState::Done { at, trace },
        true => OrderState::Reversed { at, trace },
    }
}

/// What a movement changes on the two accounts that face the bank.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    funding: Fen,
    custody: Fen,
}

fn sums(direction: OrderDirection, wallet: Fen, card: Fen, is_reversal: bool) -> Result<Sums> {
    let (funding, custody) = match direction {
        OrderDirection::ToSchool => (wallet.checked_add(card)?.checked_neg()?, wallet),
        OrderDirection::IntoWallet => (Fen::ZERO, wallet.checked_neg()?),
        OrderDirection::OntoCard => (Fen::ZERO, wallet),
    };
    match is_reversal {
        false => Ok(Sums { funding, custody }),
        true => Sums::default().less(Sums { funding, custody }),
    }
}

impl Sums {
    fn less(self, other: Self) -> Result<Self> {
        Ok(Self {
            funding: self.funding.checked_sub(other.funding)?,
            custody: self.custody.checked_sub(other.custody)?,
        })
    }

    /// An entry that brings the books to this, against the school's risk until it is known whose money it is.
    fn proposal(self) -> Result<Vec<(&'static str, Fen)>> {
        let against = self.funding.checked_add(self.custody)?.checked_neg()?;
        let lines = [
            ("funding", self.funding),
            ("custody", self.custody),
            ("school_risk", against),
        ];
        Ok(lines
            .into_iter()
            .filter(|(_, amount)| *amount != Fen::ZERO)
            .collect())
    }
}

impl Movement {
    fn has(&self, is_reversal: bool) -> bool {
        // A reversal that was heard of without the order says that the order was carried out.
        self.returned_at.is_some() || (!is_reversal && self.moved_at.is_some())
    }

    fn is_within(&self, day: &std::ops::Range<yika_api::UnixMillis>, is_reversal: bool) -> bool {
        let at = if is_reversal {
            self.returned_at
        } else {
            self.moved_at
        };
        at.is_some_and(|at| day.contains(&at))
    }

    fn is_like(&self, row: &StatementRow) -> bool {
        (self.direction, self.wallet, self.card_amount, self.fee)
            == (row.direction, row.wallet, row.card_amount, row.fee)
    }

    fn sums(&self, is_reversal: bool) -> Result<Sums> {
        sums(self.direction, self.wallet, self.card_amount, is_reversal)
    }
}
