//! A code on the phone's real path, from the call to the modules, beside ring's bare signature over the same bytes and
//! the fastest Rust encoder on the same text, version and level.

use std::cell::RefCell;
use std::hint::black_box;

use fast_qr::{ECL, Mode, QRBuilder, Version};
use yika_core::CampusCard;
use yika_core::codes::{CodeFrame, CodePurpose, FormChoice};
use yika_format::SchoolHash;
use yika_format::code::Code;

use super::Outcome;
use crate::bytes::SigningKey;
use crate::campus::Campus;
use crate::harness::{Samples, per_operation, take_turns};
use crate::report::{Report, Target, digits, spread, time};
use crate::{Context, Result};

/// Codes of one turn: as many as one commit reserves counters for, so that each turn pays for one commit.
pub(super) const CODES: usize = 32;

/// A form of code, with the symbol that it is drawn as.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub name: &'static str,
    pub choice: FormChoice,
    version: Version,
}

impl Form {
    /// The number of the symbol's version.
    pub(super) fn symbol_version(self) -> usize {
        self.version as usize + 1
    }
}

pub(super) const FORMS: [Form; 2] = [
    Form {
        name: "short, 5-M",
        choice: FormChoice::Short,
        version: Version::V05,
    },
    Form {
        name: "full, 10-M",
        choice: FormChoice::Full,
        version: Version::V10,
    },
];

/// A new code of this form: the one on the screen is taken off first, so that none is shown twice.
pub(super) fn new_code(card: &CampusCard, choice: FormChoice) -> Result<CodeFrame> {
    card.codes().erase_blocking();
    let purpose = CodePurpose::Payment { account: None };
    Ok(card.codes().show_blocking(purpose, choice)?)
}

/// What the phone signed for the code of this text.
pub(super) fn signed_bytes(text: &str, school: &SchoolHash) -> Result<Vec<u8>> {
    Ok(Code::from_text(text.as_bytes())?.moment().preimage(school, None))
}

/// What was measured of one form.
struct Measured {
    in_memory: Samples,
    on_disk: Samples,
    signature: Samples,
    encoder: Samples,
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let campus = Campus::open(&context.in_memory("code/campus")?)?;
    let in_memory = campus.phone("1", &context.in_memory("code/phone")?)?;
    let on_disk = campus.phone("2", &context.on_disk("code/phone")?)?;
    let turns = context.effort.pick(20, 150);
    let mut report = Report::default();
    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for form in FORMS {
        let measured = measure(form, turns, &in_memory, &on_disk)?;
        let bare = measured.signature.plus(&measured.encoder);
        let rows = [
            (
                "÷ (bare signature + `fast_qr`)",
                measured.in_memory.over(&bare),
                Some(Target::AtMost(1.2)),
            ),
            (
                "÷ bare signature",
                measured.in_memory.over(&measured.signature),
                Some(Target::AtMost(2.0)),
            ),
            (
                "on the disk ÷ (bare signature + `fast_qr`)",
                measured.on_disk.over(&bare),
                None,
            ),
        ];
        for (what, ratio, target) in rows {
            ratios.push([
                format!("{}: code {what}", form.name),
                spread(&ratio, digits),
                target.map_or(String::new(), |target| target.verdict(ratio.median(), digits)),
            ]);
        }
        for (what, samples) in [
            ("code, store in memory", &measured.in_memory),
            (
                "code, store on the disk, with its share of a commit",
                &measured.on_disk,
            ),
            ("bare signature", &measured.signature),
            ("`fast_qr`", &measured.encoder),
        ] {
            times.push([format!("{}: {what}", form.name), spread(samples, time)]);
        }
    }
    report.table(["ratio", "median (10 % – 90 %)", "target"], ratios);
    report.table(["time of one", "median (10 % – 90 %)"], times);
    report.note(&format!(
        "{turns} turns of {CODES} codes. In: `show_blocking` after `erase`, that is locks, counter, signature with a \
         software key, the text, the modules; and once a turn the reservation of {CODES} counters, one SQLite commit \
         with `synchronous=FULL`, whose sync costs nothing with the store in memory and all it costs on the disk. Out: \
         reading the phone's clock, which is the shell's port, and drawing pixels. The references work on exactly the \
         bytes and texts of the codes just made."
    ));
    Ok(Outcome::Measured(report))
}

fn measure(form: Form, turns: usize, in_memory: &CampusCard, on_disk: &CampusCard) -> Result<Measured> {
    let school = SchoolHash::of_domain("campus.example");
    let key = SigningKey::new()?;
    let texts = RefCell::new(Vec::new());
    let show = |card: &CampusCard| {
        let mut shown = Vec::with_capacity(CODES);
        let took = per_operation(CODES, |_| {
            let frame = black_box(new_code(card, form.choice)?);
            shown.push(frame.text);
            Ok(())
        })?;
        texts.replace(shown);
        Ok(took)
    };
    let [in_memory, on_disk, signature, encoder] = take_turns(
        turns,
        [
            Box::new(|_| show(in_memory)),
            Box::new(|_| show(on_disk)),
            Box::new(|_| {
                let texts = texts.borrow();
                let messages = texts.iter().map(|text| signed_bytes(text, &school));
                let messages = messages.collect::<Result<Vec<_>>>()?;
                per_operation(CODES, |index| {
                    black_box(key.sign(black_box(&messages[index]))?);
                    Ok(())
                })
            }),
            Box::new(|_| {
                let texts = texts.borrow();
                per_operation(CODES, |index| {
                    let code = QRBuilder::new(black_box(texts[index].as_str()))
                        .mode(Mode::Alphanumeric)
                        .ecl(ECL::M)
                        .version(form.version)
                        .build()
                        .map_err(|_| "fast_qr did not encode")?;
                    black_box(code);
                    Ok(())
                })
            }),
        ],
    )?;
    Ok(Measured {
        in_memory,
        on_disk,
        signature,
        encoder,
    })
}
