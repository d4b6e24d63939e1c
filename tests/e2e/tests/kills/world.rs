//! The campus that lives through the kills, and what it must account for.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use yika_e2e::{Campus, End, Error, Kind, Output, Phone, Program, Result, Sandbox, Terminal, total};
use yika_format::code::Code;

use super::money::Purse;
use super::points::{POINTS, is_of_money};
use super::tally::{Environment, Tally};

/// Whose codes are counted.
const STUDENT: &str = "20260003";
/// What each payment costs, in fen.
const PRICE: i64 = 10;
/// Enough for any run, in fen.
const PLENTY: i64 = 1_000_000_000;
/// What a terminal passes when it is new.
const AT_ENROLMENT: [&str; 6] = [
    "terminal.schema",
    "terminal.file",
    "terminal.enrol",
    "terminal.lists",
    "terminal.http",
    "terminal.answer",
];

/// Who dies in a round, and what else happens in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Where.
    pub(crate) point: &'static str,
    /// At which pass.
    pub(crate) pass: usize,
    /// Whether the payment is taken back.
    pub(crate) voids: bool,
}

impl Plan {
    /// Whether the point's name begins so: `phone.`, `terminal.file`.
    fn is_at(&self, name: &str) -> bool {
        self.point.starts_with(name)
    }
}

/// How a command came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Undisturbed.
    Straight,
    /// It or the platform died, and it was run once more.
    Repeated,
}

/// The campus, and the books that the test keeps.
pub(crate) struct World {
    campus: Campus,
    purse: Purse,
    tally: Tally,
    phone: Phone,
    till: Terminal,
    shown: BTreeSet<u32>,
    approved: i64,
    voided: i64,
}

impl World {
    /// A campus with a holder who can pay for everything, and a till.
    pub(crate) fn begin() -> Result<Self> {
        let campus = Campus::open()?;
        let plenty = json!({ "slot": 1, "amount": PLENTY });
        campus
            .sandbox
            .put(&format!("/sandbox/admin/students/{STUDENT}/balance"), &plenty)?;
        let (phone, till) = (campus.phone(STUDENT)?, campus.till("till")?);
        let mut world = Self {
            tally: Tally::new(campus.folder().join("hits")),
            campus,
            purse: Purse::begin()?,
            phone,
            till,
            shown: BTreeSet::new(),
            approved: 0,
            voided: 0,
        };
        world.restart(None)?;
        Ok(world)
    }

    /// Shows, pays, perhaps takes back, uploads, and lets others come, with one process dying as planned.
    pub(crate) fn round(&mut self, round: usize, plan: &Plan) -> Result<()> {
        if plan.is_at("platform.key") {
            return self.found_a_school(round, plan);
        }
        if is_of_money(plan.point) {
            return self.move_money(plan);
        }
        let arms_platform = plan.is_at("platform.");
        if arms_platform {
            self.restart(Some(plan))?;
        }
        if let Some(code) = self.show(plan)? {
            self.pay(plan, &code, round)?;
        }
        if plan.is_at("terminal.confirm") {
            self.insist(plan, &self.till.clone(), &["confirm", "--amount", "0.10"])?
                .0
                .success()?;
        }
        self.insist(plan, &self.till.clone(), &["upload"])?.0.success()?;
        if plan.is_at("phone.") || plan.is_at("platform.") {
            self.welcome_a_phone(round, plan)?;
        }
        self.insist(plan, &self.phone.clone(), &["sync"])?.0.success()?;
        self.insist(plan, &self.till.clone(), &["sync"])?.0.success()?;
        if AT_ENROLMENT.iter().any(|name| plan.is_at(name)) {
            self.install_a_terminal(round, plan)?;
        }
        if arms_platform {
            self.restart(None)?;
        }
        Ok(())
    }

    /// Money moves between a wallet, the bank and a card account.
    fn move_money(&mut self, plan: &Plan) -> Result<()> {
        let (armed, well) = (self.environment(Some(plan)), self.environment(None));
        let end = self.purse.round(plan.point, &as_str(&armed), &as_str(&well))?;
        self.note(plan, end);
        Ok(())
    }

    /// A school's first start, in which its keys are made.
    fn found_a_school(&mut self, round: usize, plan: &Plan) -> Result<()> {
        let folder = self.campus.folder().join(format!("school-{round}"));
        let school = Program::at(&folder);
        match Sandbox::start(school.with_environment(&self.environment(Some(plan)))) {
            Ok(mut sandbox) => self.note(plan, sandbox.stop()?),
            Err(Error::Command { code: None, .. }) => self.note(plan, End::Died),
            Err(error) => return Err(error),
        }
        let mut sandbox = Sandbox::start(school)?;
        let (phone, terminal) = (
            Phone::at(&folder.join("phone")),
            Terminal::at(&folder.join("terminal")),
        );
        phone.bind(sandbox.url(), STUDENT)?;
        terminal.enroll(sandbox.url(), "pos", Some("1"))?;
        sandbox.stop()?;
        remove(&folder)
    }

    /// Shows a code, and checks that its number was never shown before. None where the phone died before it did.
    fn show(&mut self, plan: &Plan) -> Result<Option<String>> {
        let (output, course) = self.attempt(plan, &self.phone.clone(), &["code", "pay", "--text"])?;
        let text = output.line();
        if text.is_empty() {
            return match course {
                Course::Repeated => Ok(None),
                Course::Straight => Err(output.into_error()),
            };
        }
        let code = Code::from_text(text.as_bytes()).map_err(|error| Error::answer("not a code", error))?;
        assert!(
            self.shown.insert(code.moment().sequence().get()),
            "a sequence was shown twice"
        );
        Ok(Some(text))
    }

    /// Takes a payment, and takes it back if that is planned. A till that got no answer asks for the same sale again.
    fn pay(&mut self, plan: &Plan, code: &str, round: usize) -> Result<()> {
        let sale = format!("00000000-0000-4000-8000-{round:012x}");
        let words = [
            "verify", "pay", "--amount", "0.10", "--sale", &sale, "--json", code,
        ];
        let (output, _) = self.insist(plan, &self.till.clone(), &words)?;
        self.till.verdict(output)?.approved()?;
        self.approved += 1;
        if plan.voids {
            self.void(plan)?;
        }
        Ok(())
    }

    /// Takes the last payment back: once, however often it is asked for.
    fn void(&mut self, plan: &Plan) -> Result<()> {
        let (output, course) = self.insist(plan, &self.till.clone(), &["void", "--json"])?;
        let answer = self.till.decision(output)?;
        let told_before = course == Course::Repeated && answer["reason"] == "ALREADY_VOID";
        assert!(answer["decision"] == "voided" || told_before, "{answer}");
        self.voided += 1;
        assert_eq!(self.till.void()?["reason"], "ALREADY_VOID");
        Ok(())
    }

    /// A phone that was never here binds, and shows a code.
    fn welcome_a_phone(&mut self, round: usize, plan: &Plan) -> Result<()> {
        let phone = self.campus.unbound_phone(&format!("new-{round}"));
        let student = format!("2026000{}", 4 + round % 5);
        let url = self.campus.sandbox.url().to_owned();
        let bind = ["bind", "--platform", &url, "--student", &student];
        self.insist(plan, &phone, &bind)?.0.success()?;
        phone.run(&["code", "identity", "--text"])?.success()?;
        remove(phone.home())
    }

    /// A terminal that was never here enrols, and has its lists.
    fn install_a_terminal(&mut self, round: usize, plan: &Plan) -> Result<()> {
        let terminal = Terminal::at(&self.campus.folder().join(format!("terminal-{round}")));
        let url = self.campus.sandbox.url().to_owned();
        let enroll = ["enroll", "--platform", &url, "--kind", "gate", "--json"];
        let (output, course) = self.insist(plan, &terminal, &enroll)?;
        if output.code != Some(0) {
            // Done, but it died before it could say so.
            let error = output.json()?["error"].take();
            assert_eq!(
                (course == Course::Repeated, error),
                (true, "ALREADY_ENROLLED".into())
            );
        }
        self.insist(plan, &terminal, &["sync"])?.0.success()?;
        remove(terminal.home())
    }

    /// Runs a command to its end. If it dies, or the platform under it, it is run once more with everybody well.
    fn insist<K: Kind>(
        &mut self,
        plan: &Plan,
        program: &Program<K>,
        words: &[&str],
    ) -> Result<(Output, Course)> {
        let (output, course) = self.attempt(plan, program, words)?;
        match course {
            Course::Straight => Ok((output, course)),
            Course::Repeated => Ok((self.start(program, None, words)?, course)),
        }
    }

    /// Runs a command, and brings back to life what died meanwhile. [`Course::Repeated`] asks for another attempt.
    fn attempt<K: Kind>(
        &mut self,
        plan: &Plan,
        program: &Program<K>,
        words: &[&str],
    ) -> Result<(Output, Course)> {
        let is_armed = K::BINARY.strip_prefix("yika-") == plan.point.split('.').next();
        let output = self.start(program, is_armed.then_some(plan), words)?;
        if output.code.is_none() {
            self.note(plan, End::Died);
            return Ok((output, Course::Repeated));
        }
        // Without an answer: the platform has died, unless the command is wrong.
        if plan.is_at("platform.") && output.code != Some(0) {
            let end = self.campus.sandbox.stop()?;
            self.note(plan, end);
            self.restart(None)?;
            return Ok((output, Course::Repeated));
        }
        Ok((output, Course::Straight))
    }

    fn start<K: Kind>(&self, program: &Program<K>, plan: Option<&Plan>, words: &[&str]) -> Result<Output> {
        program.with_environment(&self.environment(plan)).run(words)
    }

    /// Starts the platform again, to die as planned. Dying at once counts, and then it is started well.
    fn restart(&mut self, plan: Option<&Plan>) -> Result<()> {
        match (
            self.campus.sandbox.restart(&as_str(&self.environment(plan))),
            plan,
        ) {
            (Err(Error::Command { code: None, .. }), Some(plan)) => {
                self.note(plan, End::Died);
                self.restart(None)
            }
            (outcome, _) => outcome,
        }
    }

    fn environment(&self, plan: Option<&Plan>) -> Environment {
        self.tally.environment(plan.map(|plan| (plan.point, plan.pass)))
    }

    fn note(&mut self, plan: &Plan, end: End) {
        if end == End::Died {
            self.tally.died(plan.point);
        }
    }

    /// The end of what the platform logged, for who looks for the cause of a failure.
    pub(crate) fn last_words(&self) -> String {
        const WORDS: usize = 4_000;
        let log = self.campus.sandbox.log().unwrap_or_default();
        let end = log.get(log.len().saturating_sub(WORDS)..).unwrap_or_default();
        String::from_utf8_lossy(end).into_owned()
    }

    /// Lets everything end, and checks the books.
    pub(crate) fn end(&self) -> Result<()> {
        let Self {
            campus, phone, till, ..
        } = self;
        till.upload()?;
        phone.sync()?;
        assert_eq!(till.upload()?["outcomes"].as_array().map(Vec::len), Some(0));
        let status = till.json(&["status"])?;
        assert_eq!(
            (&status["last_sequence"], &status["settled_sequence"]),
            (
                &json!(self.approved + self.voided),
                &json!(self.approved + self.voided)
            ),
            "the journal has a record for each approval and each void, and all are settled"
        );
        let ledger = campus.sandbox.get("/sandbox/admin/ledger")?;
        assert_eq!(ledger["sum"], 0, "the books add up");
        assert_eq!(
            ledger["sales"],
            json!({ "posted": self.approved, "voided": self.voided }),
            "each is settled once, and by its holder"
        );
        let paid = (self.approved - self.voided) * PRICE;
        assert_eq!(
            total(&ledger, "merchant"),
            paid,
            "the merchant has each payment once"
        );
        let accounts = phone.json(&["accounts"])?;
        let balance = &accounts["accounts"][0]["balance"]["amount"];
        assert_eq!(*balance, PLENTY - paid, "and the holder has paid it once");
        Ok(())
    }

    /// How many processes died at a point.
    pub(crate) fn killed(&self, point: &str) -> usize {
        self.tally.killed(point)
    }

    /// What the run did.
    pub(crate) fn report(&self) -> String {
        format!(
            "{} codes, {} approvals, {} voids, {} processes died\n\n{}",
            self.shown.len(),
            self.approved,
            self.voided,
            self.tally.dead(),
            self.tally.table(&POINTS)
        )
    }
}

fn as_str<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    let pair = |(name, value): &'a (&'static str, String)| (*name, value.as_str());
    environment.iter().map(pair).collect()
}

/// Removes what has served, so that a long run doesn't fill the disk.
fn remove(folder: &Path) -> Result<()> {
    std::fs::remove_dir_all(folder).map_err(Error::io(format!("removing {}", folder.display())))
}
