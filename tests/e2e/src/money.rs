//! The phone of a holder on a campus where platform and bank do business, and where the holder's money is.

use crate::banking::int;
use crate::people::WANG;
use crate::{Books, Campus, Deed, Error, Move, Reply, Result, WalletPhone};
use serde_json::Value;
use uuid::Uuid;

/// The campus, and a holder with money on every account whom the bank knows.
#[derive(Debug)]
pub struct Money {
    /// The campus.
    pub campus: Campus,
    /// The holder's phone.
    pub phone: WalletPhone,
    /// The holder's card account, as phones name it.
    pub account: Value,
}

/// Where the money is, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balances {
    /// On the card account.
    pub card: i64,
    /// In the wallet, by the books and at the bank.
    pub wallet: i64,
    /// At the bank, for the school.
    pub school: i64,
    /// In the books, on the side from which money comes.
    pub funding: i64,
    /// Of the wallet, what operations under way may take.
    pub held: i64,
    /// At the bank, all together.
    pub at_bank: i64,
}

impl Money {
    /// Tomorrow at six. Replies come when the operation has ended, however slow this machine.
    pub fn begin() -> Result<Self> {
        let campus = Campus::open_with(&["--reply-wait", "20"])?;
        campus.begin_tomorrow()?;
        let phone = WalletPhone::bind(&campus.sandbox, WANG)?;
        let account = phone.get("/v1/accounts")?["accounts"][0]["id"].take();
        Ok(Self {
            campus,
            phone,
            account,
        })
    }

    /// The same, with an open wallet, a bank card and this much in the wallet.
    pub fn begin_with(amount: i64) -> Result<(Self, Uuid)> {
        let money = Self::begin()?;
        money.phone.send(&money.phone.opening()?)?.ok()?;
        let binding = money.phone.binding()?;
        money.phone.send(&binding)?.ok()?;
        let confirming = money.phone.confirming(binding.id, &money.campus.last_code()?)?;
        money.phone.send(&confirming)?.ok()?;
        let recharge = money.moving(Move::Recharge(amount), binding.id)?;
        match phase(&money.phone.send(&recharge)?)?.as_str() {
            "credited" => Ok((money, binding.id)),
            other => Err(Error::answer("the wallet was not filled", other)),
        }
    }

    /// A new request to move money between the wallet, this bank card and the card account.
    pub fn moving(&self, what: Move, card: Uuid) -> Result<Deed> {
        self.phone.moving(what, &self.account, card)
    }

    /// Lets so much time pass, and has everything done that is due by then. Tokens do not last as long.
    pub fn pass(&mut self, ms: i64) -> Result<()> {
        self.campus.pass(ms)?;
        self.phone.sign_in()
    }

    /// Lets time pass until nothing of these is under way: sent again, each is answered when nobody is at it.
    pub fn settle(&mut self, deeds: &[Deed]) -> Result<()> {
        for _ in 0..8 {
            let mut is_over = true;
            for deed in deeds {
                is_over &= is_end(&phase(&self.phone.send(deed)?)?);
            }
            if is_over {
                return Ok(());
            }
            self.pass(150_000)?;
        }
        let operations = self.phone.get("/v1/operations")?;
        Err(Error::answer("operations are still under way", operations))
    }

    /// Where the money is. An error where the books don't add up, or say something else than the bank.
    pub fn balances(&self) -> Result<Balances> {
        let Books {
            wallets,
            school,
            funding,
            held,
            at_bank,
        } = self.campus.books()?;
        let wallet = int(&self.phone.wallet()?["balance"]["amount"])?;
        if wallet != wallets {
            let what = format!("the books have {wallet} in the wallet");
            return Err(Error::answer(what, wallets));
        }
        Ok(Balances {
            card: int(&self.phone.get("/v1/accounts")?["accounts"][0]["balance"]["amount"])?,
            wallet,
            school,
            funding,
            held,
            at_bank,
        })
    }
}

impl Balances {
    /// What they are once these have reached what they are for.
    #[must_use]
    pub fn after(mut self, moves: impl IntoIterator<Item = Move>) -> Self {
        for what in moves {
            let (to_card, to_wallet) = what.effect();
            self.card += to_card;
            self.school += to_card;
            self.funding -= to_card;
            self.wallet += to_wallet;
        }
        self
    }
}

/// The phase of the operation that a reply tells of.
pub fn phase(reply: &Reply) -> Result<String> {
    let operation = reply.ok()?;
    let phase = operation["phase"].as_str().map(str::to_owned);
    phase.ok_or_else(|| Error::answer("no phase", &operation))
}

/// Whether a phase is an end.
pub fn is_end(phase: &str) -> bool {
    ["credited", "refunded", "refused"].contains(&phase)
}
