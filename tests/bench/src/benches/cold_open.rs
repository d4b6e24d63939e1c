//! From a cold start to the first code: a new process opens a used store, without a network, and shows a code. The
//! store's files are put out of the page cache before, so it comes from the medium.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise};
use yika_core::codes::FormChoice;
use yika_core::ports::software::LinuxClock;

use super::Outcome;
use super::code::new_code;
use crate::bytes::DurableFile;
use crate::campus::{Campus, open_card};
use crate::child;
use crate::harness::{Samples, timed};
use crate::report::{Report, Target, time};
use crate::{Context, Result, bills};

/// What a durable commit of a few pages adds to a log.
const COMMIT: [u8; 8272] = [7; 8272];
const BILLS: u32 = 2_000;
/// Codes shown before: the journal's log has some entries in it.
const CODES: usize = 500;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let starts = context.effort.pick(40, 400);
    let (on_disk, in_memory) = (context.on_disk("cold/phone")?, context.in_memory("cold/phone")?);
    use_store(context, &on_disk)?;
    copy(&on_disk, &in_memory)?;
    let (mut whole, mut sync, mut work) = (Samples::default(), Samples::default(), Samples::default());
    let mut opening = Samples::default();
    for _ in 0..starts {
        forget_pages(&on_disk)?;
        let [open, first, synced] = ask(&on_disk)?;
        opening.push(open);
        whole.push(first);
        sync.push(synced);
        let [_, first, _] = ask(&in_memory)?;
        work.push(first);
    }
    let mut rows = Vec::new();
    for share in [0.5, 0.9, 0.99] {
        let [first, synced, worked, opened] =
            [&whole, &sync, &work, &opening].map(|samples| samples.quantile(share));
        let beyond = first - synced;
        rows.push([
            format!("p{:.0}", share * 100.0),
            time(beyond),
            if share > 0.98 {
                Target::AtMost(10e-3).verdict(beyond, time)
            } else {
                String::new()
            },
            time(first),
            time(synced),
            time(opened),
            time(worked),
        ]);
    }
    let mut report = Report::default();
    report.table(
        [
            "of the starts",
            "beyond one sync",
            "target",
            "to the first code",
            "one sync",
            "of it: open",
            "with the store in memory",
        ],
        rows,
    );
    report.note(&format!(
        "{starts} new processes, each timed from its own first line to the modules of its first code; loading the \
         program is not in it. The store has {BILLS} bills, {CODES} codes shown, and all that binding leaves; before each \
         start its files are put out of the page cache (`posix_fadvise`), the program's stay. `One sync` is measured by \
         the same process right after: {} bytes added to a file beside the store, and `fdatasync`. Quantile less \
         quantile: a disk that is slow now and then is so for both.",
        COMMIT.len()
    ));
    Ok(Outcome::Measured(report))
}

/// A phone that has been used for a while.
fn use_store(context: &Context, folder: &Path) -> Result<()> {
    let campus = Campus::open(&context.in_memory("cold/campus")?)?;
    let card = campus.phone("1", folder)?;
    bills::plant(&campus, "1", BILLS)?;
    campus.runtime.block_on(card.synchronise())?;
    for _ in 0..CODES {
        new_code(&card, FormChoice::Automatic)?;
    }
    card.finish_blocking();
    Ok(())
}

fn ask(folder: &Path) -> Result<[Duration; 3]> {
    let folder = folder.to_str().ok_or("the folder's name is no text")?;
    Ok(child::ask(&["cold-open", folder])?.map(Duration::from_nanos))
}

/// What the child does: nanoseconds until the store was open, until the first code, and for one sync.
pub(crate) fn first_code(folder: &Path) -> Result<Vec<u64>> {
    let started = Instant::now();
    let card = open_card(folder, Arc::new(LinuxClock))?;
    let opened = started.elapsed();
    black_box(new_code(&card, FormChoice::Automatic)?);
    let first = started.elapsed();
    card.finish_blocking();
    let mut file = DurableFile::create(&folder.join("sync"))?;
    let ((), synced) = timed(|| file.append(&COMMIT))?;
    [opened, first, synced]
        .map(|duration| Ok(u64::try_from(duration.as_nanos())?))
        .into_iter()
        .collect()
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn forget_pages(folder: &Path) -> Result<()> {
    for path in files(folder)? {
        let file = File::open(path)?;
        // Pages that are not on the medium yet can't be forgotten.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for path in files(from)? {
        let copy = to.join(path.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().ok_or("no folder")?)?;
        fs::copy(&path, &copy)?;
    }
    Ok(())
}
