//! What a directory weighs: its bytes, and the time to seal it, to open it and to find one holder, for 50,000 and for
//! 1,000,000 holders with numbers of ten digits.
//!
//! ```sh
//! cargo run --release -p yika-format --example directory
//! ```

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use yika_format::lists::{Directory, DirectoryEntry, HolderNumber};
use yika_format::{DecodeError, Pseudonym, RecipientKey};
use yika_testkit::{ListBuilder, SignerKit};

const DESK: u64 = 7;
const ROUNDS: usize = 7;
const QUESTIONS: u32 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    println!("holders    bytes       seal        open        find");
    for holders in [50_000_u32, 1_000_000] {
        weigh(holders)?;
    }
    Ok(())
}

fn weigh(holders: u32) -> Result<(), Box<dyn Error>> {
    let kit = SignerKit::new("north.example");
    let (keyset, lists) = (kit.keyset(), ListBuilder::new(&kit));
    let key = RecipientKey::derive(&[7; 32]);
    let entries = (0..holders).map(entry).collect::<Result<Vec<_>, _>>()?;
    let seal = || Directory::unsigned(&lists.header(10), DESK, &key.public(), &entries, [1; 32]);

    let unsigned = seal()?;
    let signature = kit.table.sign(unsigned.preimage());
    let bytes = unsigned.with_signature(&signature);
    let directory = Directory::open(&bytes, &keyset, DESK, &key)?;

    let sealing = median(|| seal().is_ok());
    let opening = median(|| Directory::open(&bytes, &keyset, DESK, &key).is_ok());
    // Multiplying by a prime visits the holders in no order that helps.
    let asked = |question: u32| pseudonym(question.wrapping_mul(2_654_435_761) % holders);
    let finding = median(|| (0..QUESTIONS).all(|question| directory.number(asked(question)).is_some()));
    println!(
        "{holders:<10} {:<11} {sealing:<11.1?} {opening:<11.1?} {:.2?}",
        bytes.len(),
        finding / QUESTIONS
    );
    Ok(())
}

fn pseudonym(holder: u32) -> Pseudonym {
    let [a, b, c, d] = holder.to_be_bytes();
    Pseudonym([0, a, b, c, d])
}

fn entry(holder: u32) -> Result<DirectoryEntry, DecodeError> {
    Ok(DirectoryEntry {
        pseudonym: pseudonym(holder),
        number: HolderNumber::new(&format!("20{holder:08}"))?,
    })
}

/// The time that it takes in the middle of some rounds.
fn median(work: impl Fn() -> bool) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            black_box(work());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
