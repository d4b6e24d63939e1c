//! A holder with a phone: what a person types to have a wallet and to move money.

use crate::banking::int;
use crate::{Campus, Error, Output, Person, Phone, Result};
use serde_json::Value;

/// A person, the phone and the payment password.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The phone.
    pub phone: Phone,
    /// The person.
    pub person: Person,
    /// The payment password, as long as it isn't changed.
    pub password: &'static str,
}

impl Holder {
    /// A phone that is bound to this person's card, without a wallet.
    pub fn bind(campus: &Campus, platform: &str, person: Person) -> Result<Self> {
        let phone = campus.unbound_phone(person.student);
        phone.bind(platform, person.student)?;
        Ok(Self {
            phone,
            person,
            password: "204816",
        })
    }

    /// The same with an open wallet, the first bank card and this much, in fen, in the wallet.
    pub fn bind_with(campus: &Campus, platform: &str, person: Person, amount: i64) -> Result<Self> {
        let holder = Self::bind(campus, platform, person)?;
        holder.open_wallet()?.success()?;
        holder.bind_card(campus, person.cards[0])?;
        let amount = format!("{}.{:02}", amount / 100, amount % 100);
        holder.moved(&["wallet", "recharge", &amount])?;
        Ok(holder)
    }

    /// The same at another phone.
    #[must_use]
    pub fn at(&self, phone: Phone) -> Self {
        Self {
            phone,
            ..self.clone()
        }
    }

    /// Opens the wallet, under the terms that the phone shows.
    pub fn open_wallet(&self) -> Result<Output> {
        let terms = self.wallet()?["terms"]["version"].to_string();
        let Person { name, id_number, .. } = self.person;
        self.phone.tell(
            &[
                "wallet",
                "open",
                "--accept-terms",
                &terms,
                "--secrets-stdin",
                "--json",
            ],
            &[name, id_number, self.password],
        )
    }

    /// Binds a bank card with the code that the bank sends, and returns its name.
    pub fn bind_card(&self, campus: &Campus, number: &str) -> Result<String> {
        let binding = self.begin_card(number)?.success()?.json()?;
        let id = binding["id"].as_str().unwrap_or_default().to_owned();
        self.confirm_card(&id, &campus.last_code()?)?.success()?;
        Ok(id)
    }

    /// Gives the bank a card's data, so that it sends a code.
    pub fn begin_card(&self, number: &str) -> Result<Output> {
        let Person {
            name,
            id_number,
            phone,
            ..
        } = self.person;
        self.phone.tell(
            &["wallet", "bind", "--secrets-stdin", "--json"],
            &[number, phone, name, id_number],
        )
    }

    /// Gives the bank the code that it sent for this card.
    pub fn confirm_card(&self, binding: &str, code: &str) -> Result<Output> {
        let words = [
            "wallet",
            "bind",
            "--confirm",
            binding,
            "--secrets-stdin",
            "--json",
        ];
        self.phone.tell(&words, &[code])
    }

    /// Does what moves money, with the password.
    pub fn pay(&self, words: &[&str]) -> Result<Output> {
        let words = [words, &["--password-stdin", "--json"]].concat();
        self.phone.tell(&words, &[self.password])
    }

    /// The same to its end, where that is a good one: the operation.
    pub fn moved(&self, words: &[&str]) -> Result<Value> {
        let operation = self.pay(&[words, &["--wait"]].concat())?.success()?.json()?;
        match operation["phase"].as_str() {
            Some("credited") => Ok(operation),
            _ => Err(Error::answer("the money did not arrive", operation)),
        }
    }

    /// The wallet as the phone shows it.
    pub fn wallet(&self) -> Result<Value> {
        self.phone.json(&["wallet", "show"])
    }

    /// What the phone shows on the card account and in the wallet, in fen.
    pub fn balances(&self) -> Result<(i64, i64)> {
        let accounts = self.phone.json(&["accounts"])?;
        Ok((
            int(&accounts["accounts"][0]["balance"]["amount"])?,
            int(&self.wallet()?["balance"]["amount"])?,
        ))
    }

    /// The operations that the phone shows, newest first.
    pub fn operations(&self) -> Result<Vec<Value>> {
        let page = self.phone.json(&["operations", "--limit", "500"])?;
        let operations = page["operations"].as_array().cloned();
        operations.ok_or_else(|| Error::answer("no operations", page))
    }

    /// One of them.
    pub fn operation(&self, id: &Value) -> Result<Value> {
        let found = self.operations()?.into_iter().find(|known| known["id"] == *id);
        found.ok_or_else(|| Error::answer("no such operation", id))
    }
}
