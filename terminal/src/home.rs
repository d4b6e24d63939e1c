//! The folder that one terminal lives in: what its files are called, that only one process works in it, and where a
//! damaged store goes.
//!
//! A till may start one command after the other, so a second process waits a moment for the first; after that it is told
//! that the terminal is busy.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use yika_link::{Authority, AuthorityError, Roots, ServerTrust};

use crate::error::{StoreError, TerminalError};

/// How often a waiting process looks whether the other one has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A terminal's folder, held by this process until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Home {
    /// Takes the folder, making it if need be, waiting up to `patience` for another process to leave it.
    pub(crate) fn take(dir: &Path, patience: Duration) -> Result<Self, StoreError> {
        make_private_dir(dir).map_err(StoreError::io(dir))?;
        let path = dir.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::io(&path))?;
        let mut waited = Duration::ZERO;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < patience => {
                    thread::sleep(LOOK_AGAIN);
                    waited += LOOK_AGAIN;
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
                Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join("store.db")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("terminal.key")
    }

    /// The private key to which a library desk's directories are sealed.
    pub(crate) fn directory_key(&self) -> PathBuf {
        self.dir.join("directory.key")
    }

    pub(crate) fn table(&self, version: u64) -> PathBuf {
        self.dir.join(format!("table-{version}.bin"))
    }

    /// The folder of the portraits.
    pub(crate) fn faces(&self) -> PathBuf {
        self.dir.join("faces")
    }

    /// The certificates that vouch for the platform, where the school has an authority of its own. A card office that gets
    /// new ones replaces the file.
    fn authorities(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Keeps who vouches for the platform instead of public authorities; nobody if there is none.
    pub(crate) fn keep_authorities(&self, authorities: &[Authority]) -> Result<(), StoreError> {
        let path = self.authorities();
        let pem: String = authorities.iter().map(Authority::to_pem).collect();
        let kept = match authorities {
            [] => match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
            _ => write_durably(&path, pem.as_bytes()),
        };
        kept.map_err(StoreError::io(&path))
    }

    /// What the platform's TLS certificate must show.
    pub(crate) fn servers(&self) -> Result<ServerTrust, TerminalError> {
        let path = self.authorities();
        let roots = match Authority::all_in_file(&path) {
            Ok(authorities) => Roots::Only(authorities),
            Err(AuthorityError::Unreadable(io::ErrorKind::NotFound)) => Roots::Public,
            Err(source) => return Err(TerminalError::Authorities { path, source }),
        };
        Ok(ServerTrust {
            roots,
            pins: Vec::new(),
        })
    }

    /// Removes every table file but that of `kept`.
    pub(crate) fn remove_tables_but(&self, kept: u64) -> Result<(), StoreError> {
        let kept = self.table(kept);
        for entry in fs::read_dir(&self.dir).map_err(StoreError::io(&self.dir))? {
            let path = entry.map_err(StoreError::io(&self.dir))?.path();
            let is_table = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("table-"));
            if is_table && path != kept {
                fs::remove_file(&path).map_err(StoreError::io(&path))?;
            }
        }
        Ok(())
    }

    /// Moves the store and the keys that belong to it aside, so that nothing is lost and the terminal can be enrolled
    /// anew, as another one: with a new journal it must not go on under the old number. Portraits go: the list that allowed
    /// them is lost.
    pub(crate) fn quarantine(&self) -> Result<PathBuf, StoreError> {
        let mut number = 1_u32;
        let aside = loop {
            let aside = self.dir.join(format!("damaged-{number}"));
            match fs::create_dir(&aside) {
                Ok(()) => break aside,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(StoreError::Io { path: aside, source }),
            }
        };
        for name in [
            "store.db",
            "store.db-wal",
            "store.db-shm",
            "terminal.key",
            "directory.key",
        ] {
            match fs::rename(self.dir.join(name), aside.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io(&aside)(error));
                }
                _ => {}
            }
        }
        let faces = self.faces();
        match fs::remove_dir_all(&faces) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(&faces)(error));
            }
            _ => {}
        }
        sync_dir(&self.dir).map_err(StoreError::io(&self.dir))?;
        Ok(aside)
    }
}

/// Writes a file whole or not at all, readable by its owner only, and durable when this returns.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    yika_fault::commit!("terminal.file", replace(path, bytes))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    yika_fault::reach("terminal.file.before-rename");
    fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes a folder that only its owner may enter, where there is none.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_on_the_same_home_is_told_that_it_is_busy() {
        let dir = tempfile::tempdir().unwrap();
        let held = Home::take(dir.path(), Duration::ZERO).unwrap();
        assert!(matches!(
            Home::take(dir.path(), Duration::ZERO),
            Err(StoreError::Busy)
        ));
        drop(held);
        assert!(Home::take(dir.path(), Duration::ZERO).is_ok());
    }

    #[test]
    fn what_is_damaged_is_moved_aside_under_a_new_name_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::take(dir.path(), Duration::ZERO).unwrap();
        for number in [1, 2] {
            for path in [home.database(), home.key(), home.directory_key()] {
                fs::write(path, b"x").unwrap();
            }
            fs::create_dir(home.faces()).unwrap();
            fs::write(home.faces().join("portrait.jpg"), b"x").unwrap();
            let aside = home.quarantine().unwrap();
            assert_eq!(aside, dir.path().join(format!("damaged-{number}")));
            for path in [home.database(), home.key(), home.directory_key()] {
                assert!(!path.exists() && aside.join(path.file_name().unwrap()).exists());
            }
            assert!(!home.faces().exists());
        }
    }

    #[test]
    fn authorities_are_kept_until_a_terminal_is_enrolled_without() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::take(dir.path(), Duration::ZERO).unwrap();
        let roots = || home.servers().map(|servers| servers.roots);
        home.keep_authorities(&[]).unwrap();
        assert!(matches!(roots(), Ok(Roots::Public)));
        let campus = yika_testkit::tls::TlsAuthority::new("Campus CA");
        let campus = Authority::from_der(campus.der().to_vec()).unwrap();
        home.keep_authorities(std::slice::from_ref(&campus)).unwrap();
        assert_eq!(roots().unwrap(), Roots::Only(vec![campus]));
        fs::write(dir.path().join("ca.pem"), "torn").unwrap();
        assert!(matches!(
            roots(),
            Err(TerminalError::Authorities {
                source: AuthorityError::Empty,
                ..
            })
        ));
        home.keep_authorities(&[]).unwrap();
        assert!(matches!(roots(), Ok(Roots::Public)));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        write_durably(&path, b"x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
