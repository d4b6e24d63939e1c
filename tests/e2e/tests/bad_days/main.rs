//! Bad days, with the real processes.
//!
//! | what | where |
//! |---|---|
//! | clocks wrong, set back, forgotten in a restart offline; a terminal's that ran away | [`clocks`] |
//! | stores damaged, copied, restored from a backup; two processes on one home | [`stores`] |
//! | disks full: the phone's, the terminal's, the platform's | [`disks`] |
//! | cards suspended, revoked, expired, of another school; lists that are old | [`cards`] |
//! | processes that die | the test `kills` |

mod cards;
mod clocks;
mod disks;
mod stores;

use std::fs;
use std::path::Path;

use yika_e2e::{Error, Result};

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("copying {}", from.display());
    fs::create_dir_all(to).map_err(Error::io(doing()))?;
    for entry in fs::read_dir(from).map_err(Error::io(doing()))? {
        let entry = entry.map_err(Error::io(doing()))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(Error::io(doing()))?;
        }
    }
    Ok(())
}

/// Puts a folder in the place of another, as restoring a backup does.
fn restore(backup: &Path, place: &Path) -> Result<()> {
    fs::remove_dir_all(place).map_err(Error::io(format!("removing {}", place.display())))?;
    copy(backup, place)
}

/// Overwrites a database with what is none, and takes away the log that would repair it.
fn damage(database: &Path) -> Result<()> {
    let doing = || format!("damaging {}", database.display());
    fs::write(database, b"overwritten by something else".repeat(500)).map_err(Error::io(doing()))?;
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    match fs::remove_file(&log) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(doing())(error)),
        _ => Ok(()),
    }
}
