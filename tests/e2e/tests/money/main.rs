//! The student's side of money: the real phone against the real platform and the sandbox's bank.
//!
//! | what | where |
//! |---|---|
//! | a wallet's life: opened, filled, topped up from, emptied, closed | [`wallet`] |
//! | what is refused, and that it changes nothing | [`refusals`] |
//! | replies that are lost, networks that are down, sessions that end | [`networks`] |
//! | every fault of the bank with a phone that ends at once or is killed | [`faults`] |
//! | every fault of the meters with a phone that ends at once or is killed | [`utilities`] |
//! | a wrong charge, disputed and given back | [`disputes`] |
//! | no secret in any file, log or error | [`canary`] |
//! | phones that die while they move money | the test `kills` |

mod canary;
mod disputes;
mod faults;
mod networks;
mod refusals;
mod scan;
mod utilities;
mod wallet;

use serde_json::Value;
use yika_e2e::{Books, Campus, Error, Holder, Output, Proxy, Result, WANG};

/// What bank and books have, and what the phone shows: what a refusal must leave as it is.
#[derive(Debug, PartialEq, Eq)]
struct State {
    books: Books,
    orders: usize,
    shown: (i64, i64),
    wallet: Value,
}

impl State {
    /// After the phone has heard of everything.
    fn of(campus: &Campus, holder: &Holder) -> Result<Self> {
        holder.phone.sync()?;
        let mut wallet = holder.wallet()?;
        // When it was told, not what.
        wallet["as_of"].take();
        wallet["balance"]["as_of"].take();
        Ok(Self {
            books: campus.books()?,
            orders: campus.orders()?,
            shown: holder.balances()?,
            wallet,
        })
    }
}

/// A campus tomorrow at six, and a holder with this much, in fen, in the wallet.
fn campus_with(amount: i64) -> Result<(Campus, Holder)> {
    let campus = Campus::open()?;
    campus.begin_tomorrow()?;
    let holder = Holder::bind_with(&campus, campus.sandbox.url(), WANG, amount)?;
    Ok((campus, holder))
}

/// The same behind a proxy that can lose replies.
fn campus_behind_proxy(amount: i64) -> Result<(Campus, Holder, Proxy)> {
    let proxy = Proxy::listen()?;
    let campus = Campus::open_with(&["--public-origin", proxy.origin()])?;
    let platform = campus.sandbox.address();
    proxy.serve(platform, vec![platform])?;
    campus.begin_tomorrow()?;
    let holder = Holder::bind_with(&campus, proxy.origin(), WANG, amount)?;
    Ok((campus, holder, proxy))
}

/// The phase of the operation that a command printed.
fn phase(operation: &Value) -> &str {
    operation["phase"].as_str().unwrap_or_default()
}

/// A text field of a JSON object.
fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| Error::answer("no text", value))
}

/// The complaint of a command that must fail, and the line it is in.
fn refused(output: Output) -> Result<(String, String)> {
    match output.code {
        Some(1) => Ok((
            output.complaint(),
            output.stderr.lines().next_back().unwrap_or_default().to_owned(),
        )),
        _ => Err(output.into_error()),
    }
}
