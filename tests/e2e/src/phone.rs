//! A phone on the command line, driven as a person would type.

use crate::Result;
use crate::program::{Kind, Program};

/// What a code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `code pay`.
    Pay,
    /// `code identity`.
    Identity,
}

/// That a program is a phone.
#[derive(Clone, Copy, Debug)]
pub struct PhoneKind;

impl Kind for PhoneKind {
    const BINARY: &'static str = "yika-phone";
    const HOME_OPTION: &'static str = "--home";
}

/// A phone.
pub type Phone = Program<PhoneKind>;

impl Phone {
    /// Binds to the card of this student with the sandbox host's token.
    pub fn bind(&self, platform: &str, student: &str) -> Result<()> {
        self.run(&["bind", "--platform", platform, "--student", student])?
            .success()
            .map(drop)
    }

    /// The text of the next code, in short form unless the options name another.
    pub fn code(&self, usage: Use, options: &[&str]) -> Result<String> {
        let usage = match usage {
            Use::Pay => "pay",
            Use::Identity => "identity",
        };
        let form: &[&str] = if options.contains(&"--form") {
            &[]
        } else {
            &["--form", "short"]
        };
        let words = [&["code", usage, "--text"], form, options].concat();
        Ok(self.run(&words)?.success()?.line())
    }

    /// Asks for a payment code that must not be shown, and returns why not: the complaint's stable code.
    pub fn no_code(&self) -> Result<String> {
        let output = self.run(&["code", "pay", "--text"])?;
        match (output.code, output.stdout.as_str()) {
            (Some(1), "") => Ok(output.complaint()),
            _ => Err(output.into_error()),
        }
    }
}
