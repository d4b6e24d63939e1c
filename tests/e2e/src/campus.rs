//! A whole campus in a folder of its own: a sandbox, and as many phones and terminals as a test asks for.

use crate::{Error, Phone, Program, Result, Sandbox, Terminal};
use serde_json::Value;
use tempfile::TempDir;

/// A sandbox and the folder in which everything lives; both go when it is dropped.
#[derive(Debug)]
pub struct Campus {
    // Dropped first: the process ends before its folder goes.
    /// The platform's side.
    pub sandbox: Sandbox,
    folder: TempDir,
}

impl Campus {
    /// Starts a sandbox on fresh data.
    pub fn open() -> Result<Self> {
        Self::open_with(&[])
    }

    /// The same, with these options of the sandbox.
    pub fn open_with(options: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("yika-e2e-")
            .tempdir()
            .map_err(Error::io("making a folder"))?;
        let sandbox = Sandbox::start(Program::at(&folder.path().join("campus")).with_options(options))?;
        Ok(Self { sandbox, folder })
    }

    /// The folder, for whatever else a test wants to keep.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A phone that is bound to this student's card.
    pub fn phone(&self, student: &str) -> Result<Phone> {
        let phone = self.unbound_phone(student);
        phone.bind(self.sandbox.url(), student)?;
        Ok(phone)
    }

    /// A phone that has not been bound.
    pub fn unbound_phone(&self, name: &str) -> Phone {
        Phone::at(&self.folder.path().join(format!("phone-{name}")))
    }

    /// A terminal with current lists. A POS belongs to the stall of this index.
    pub fn terminal(&self, name: &str, kind: &str, stall: Option<usize>) -> Result<Terminal> {
        let terminal = Terminal::at(&self.folder.path().join(format!("terminal-{name}")));
        let merchant = stall.map(|index| self.stall(index)).transpose()?;
        terminal.enroll(self.sandbox.url(), kind, merchant.as_deref())?;
        Ok(terminal)
    }

    /// A POS of the first stall.
    pub fn till(&self, name: &str) -> Result<Terminal> {
        self.terminal(name, "pos", Some(0))
    }

    fn stall(&self, index: usize) -> Result<String> {
        let merchants = self.sandbox.get("/sandbox/admin/merchants")?;
        match &merchants["merchants"][index]["id"] {
            Value::Null => Err(Error::answer(format!("no stall {index}"), merchants)),
            id => Ok(id.to_string()),
        }
    }

    /// The sum over all postings of the ledger, and the sum of each kind of account, in fen.
    pub fn ledger(&self) -> Result<(i64, Vec<(String, i64)>)> {
        let ledger = self.sandbox.get("/sandbox/admin/ledger")?;
        let total = |total: &Value| Some((total["kind"].as_str()?.to_owned(), total["sum"].as_i64()?));
        let totals = ledger["totals"]
            .as_array()
            .and_then(|totals| totals.iter().map(total).collect());
        let sum = ledger["sum"].as_i64();
        sum.zip(totals)
            .ok_or_else(|| Error::answer("not a ledger", &ledger))
    }
}
