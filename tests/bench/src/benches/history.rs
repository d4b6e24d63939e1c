//! A page of history: does it cost more where there are a thousand times as many rows? On the platform a page of the feed,
//! on the phone a page of bills from its own store. The page with few rows and the page with many take turns.

use std::hint::black_box;

use yika_api::payment::PaymentPage;
use yika_core::CampusCard;
use yika_core::accounts::BillQuery;

use super::Outcome;
use crate::bills;
use crate::books::Books;
use crate::campus::Campus;
use crate::client::{Client, send};
use crate::harness::{Contender, Samples, per_operation, take_turns, timed};
use crate::report::{Report, Target, digits, duration, spread, time};
use crate::{Context, Result};

const FEW: u32 = 1_000;
/// Bills on a page.
const PAGE: u16 = 50;
/// Pages of a turn.
const PAGES: usize = 20;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let many = context.effort.pick(20_000, 1_000_000);
    let turns = context.effort.pick(20, 100);
    let mut rows = Vec::new();
    let mut fetched = None;
    for books in context.books("history")? {
        let campus = Campus::open_on(books, &context.on_disk("history")?)?;
        let mut cards = Vec::new();
        for (student, count) in [("few", FEW), ("many", many)] {
            let folder = context.on_disk(&format!("history/{}/{student}", campus.books))?;
            cards.push(campus.phone(student, &folder)?);
            bills::plant(&campus, student, count)?;
        }
        for (what, middle) in [("first page of the feed", false), ("from the middle", true)] {
            let contender = |student, count: u32| -> Result<Contender<'_>> {
                feed(&campus, student, if middle { count / 2 } else { 0 })
            };
            let pages = take_turns(turns, [contender("few", FEW)?, contender("many", many)?])?;
            rows.push(row(&format!("platform on {}, {what}", campus.books), &pages));
        }
        if matches!(campus.books, Books::Server(_)) {
            // The phone has the same bills wherever they come from.
            continue;
        }
        for card in &cards {
            fetched = Some(timed(|| Ok(campus.runtime.block_on(card.synchronise())?))?.1);
        }
        for (what, middle) in [("phone, newest page", false), ("phone, from the middle", true)] {
            let contender =
                |card, count: u32| -> Result<Contender<'_>> { newest(&campus, card, count, middle) };
            let pages = take_turns(turns, [contender(&cards[0], FEW)?, contender(&cards[1], many)?])?;
            rows.push(row(what, &pages));
        }
    }
    let mut report = Report::default();
    let columns = [FEW, many].map(|count| format!("of {count}"));
    report.table(
        ["a page of 50", "many ÷ few", "target", &columns[0], &columns[1]],
        rows,
    );
    report.note(&format!(
        "{turns} turns of {PAGES} pages. The platform's is `GET /v1/payments` with proof and access token, from the \
         request's bytes to the answer's, without a network; the phone's is `bills().page`, each bill unsealed. The rows \
         were written straight into the platform's table; the phone fetched all of them as it always does, the {many} in {}.",
        fetched.map_or_else(String::new, duration)
    ));
    Ok(Outcome::Measured(report))
}

fn row(what: &str, [few, many]: &[Samples; 2]) -> [String; 5] {
    let ratio = many.over(few);
    [
        what.to_owned(),
        spread(&ratio, digits),
        Target::AtMost(1.2).verdict(ratio.median(), digits),
        spread(few, time),
        spread(many, time),
    ]
}

/// Pages of a student's feed after this change.
fn feed<'a>(campus: &'a Campus, student: &str, after: u32) -> Result<Contender<'a>> {
    let client = Client::bound(campus, student)?;
    let path = format!("/v1/payments?after={after}&limit={PAGE}");
    Ok(Box::new(move |_| {
        let requests = (0..PAGES)
            .map(|_| client.get(&path))
            .collect::<Result<Vec<_>>>()?;
        let mut requests = requests.into_iter();
        let mut answer = None;
        let took = per_operation(PAGES, |_| {
            let request = requests.next().ok_or("no request left")?;
            answer = Some(campus.runtime.block_on(send(campus.router.clone(), request))?);
            Ok(())
        })?;
        let page: PaymentPage = serde_json::from_slice(&answer.ok_or("no answer")?)?;
        if page.payments.len() == usize::from(PAGE) {
            Ok(took)
        } else {
            Err(format!("{} bills on the page", page.payments.len()).into())
        }
    }))
}

/// The newest bills on a phone, or those before the middle of its history.
fn newest<'a>(campus: &'a Campus, card: &'a CampusCard, count: u32, middle: bool) -> Result<Contender<'a>> {
    let until = middle.then(|| bills::occurred_at(count / 2));
    let query = BillQuery {
        until,
        ..BillQuery::default()
    };
    Ok(Box::new(move |_| {
        per_operation(PAGES, |_| {
            let page = campus.runtime.block_on(card.bills().page(query.clone(), PAGE))?;
            match black_box(page).bills.len() {
                length if length == usize::from(PAGE) => Ok(()),
                length => Err(format!("{length} bills on the page").into()),
            }
        })
    }))
}
