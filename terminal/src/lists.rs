//! What the terminal decides by: keyset, table and revocations, checked before they serve, replaced in one step. Beside
//! them stand a library desk's directory, and at gates and POS the list of faces; these decide nothing.
//!
//! A decision takes a snapshot ([`Terminal::lists`]); while new lists are downloaded and checked the old ones serve on.
//! Versions only rise, durably: an older list is refused even after the newer one was lost. The table is a file, written
//! aside and renamed; deltas are kept beside it and applied again at the next start, where everything is checked again.

use std::fmt;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use yika_format::lists::{Delta, Directory, Faces, Header, Keyset, ListError, Revocations, Root, Table};
use yika_format::verifier::SchoolLists;

use crate::directory::DirectoryKey;
use crate::error::{StoreError, TerminalError};
use crate::home::{Home, write_durably};
use crate::store::{Known, ListKind, Store};
use crate::terminal::Terminal;

/// How many deltas are kept before the whole table is fetched anew: each is checked and applied at every start.
pub(crate) const MAX_DELTAS: u64 = 64;

/// The lists of the terminal's school, all checked.
#[derive(Clone)]
pub struct Lists {
    keyset: Arc<Keyset>,
    table: Option<Arc<Table>>,
    revocations: Option<Arc<Revocations>>,
    directory: Option<Arc<Directory>>,
    faces: Option<Arc<Faces>>,
}

/// What came of a list that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It serves now.
    New,
    /// The terminal had it.
    Unchanged,
}

impl Lists {
    /// As the verifier takes them.
    pub fn school(&self) -> SchoolLists<'_> {
        SchoolLists {
            keyset: &self.keyset,
            table: self.table.as_deref(),
            revocations: self.revocations.as_deref(),
        }
    }

    /// The school's keys.
    pub fn keyset(&self) -> &Keyset {
        &self.keyset
    }

    /// The table, in date or not.
    pub fn table(&self) -> Option<&Table> {
        self.table.as_deref()
    }

    /// The revocations, in date or not.
    pub fn revocations(&self) -> Option<&Revocations> {
        self.revocations.as_deref()
    }

    /// A library desk's directory, in date or not.
    pub fn directory(&self) -> Option<&Directory> {
        self.directory.as_deref()
    }

    /// Which portraits a gate or a POS may hold, in date or not.
    pub fn faces(&self) -> Option<&Faces> {
        self.faces.as_deref()
    }

    pub(crate) fn shared_faces(&self) -> Option<Arc<Faces>> {
        self.faces.clone()
    }

    /// Reads and checks what is kept. What no longer checks out is left out, and fetched anew by the next sync; without a
    /// keyset there is nothing to go on.
    pub(crate) fn load(
        home: &Home,
        store: &Store,
        root: &Root,
        key: Option<&DirectoryKey>,
    ) -> Result<Self, TerminalError> {
        let keyset = store.list(ListKind::Keyset)?;
        let keyset = Keyset::open(&keyset.bytes, root).map_err(TerminalError::list("keyset"))?;
        let table = keep_good("table", load_table(home, store, &keyset)?);
        let known = store.list(ListKind::Revocations)?;
        let revocations = match known.version {
            0 => None,
            _ => keep_good("revocations", Revocations::open(&known.bytes, &keyset).map(Some)),
        };
        let known = store.list(ListKind::Faces)?;
        let faces = match known.version {
            0 => None,
            _ => keep_good("faces", Faces::open(&known.bytes, &keyset).map(Some)),
        };
        let directory = match key {
            None => None,
            Some(key) => keep_good("directory", load_directory(store, &keyset, key)?),
        };
        Ok(Self {
            keyset: Arc::new(keyset),
            table: table.map(Arc::new),
            revocations: revocations.map(Arc::new),
            directory: directory.map(Arc::new),
            faces: faces.map(Arc::new),
        })
    }
}

/// The directory that is kept, opened: errors as for [`load_table`].
fn load_directory(
    store: &Store,
    keyset: &Keyset,
    key: &DirectoryKey,
) -> Result<Result<Option<Directory>, ListError>, StoreError> {
    let known = store.list(ListKind::Directory)?;
    Ok(match known.version {
        0 => Ok(None),
        _ => key.open(&known.bytes, keyset).map(Some),
    })
}

/// The table's file with its deltas: what the file system says on the outside, what the checks say on the inside.
fn load_table(
    home: &Home,
    store: &Store,
    keyset: &Keyset,
) -> Result<Result<Option<Table>, ListError>, StoreError> {
    let known = store.list(ListKind::Table)?;
    if known.version == 0 {
        return Ok(Ok(None));
    }
    let path = home.table(known.base);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ok(None)),
        other => other.map_err(StoreError::io(&path))?,
    };
    let deltas = store.deltas()?;
    let opened = Table::open(&bytes, keyset).and_then(|table| {
        deltas
            .iter()
            .try_fold(table, |table, delta| table.apply(&Delta::open(delta, keyset)?))
    });
    Ok(opened.map(|table| Some(table).filter(|table| table.header().version == known.version)))
}

fn keep_good<T>(list: &str, opened: Result<Option<T>, ListError>) -> Option<T> {
    opened
        .inspect_err(
            |error| tracing::warn!(list, %error, "a kept list no longer checks out; sync to fetch it anew"),
        )
        .ok()
        .flatten()
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lists")
            .field("keyset", &self.keyset.header().version)
            .field(
                "table",
                &self.table().map(|table| (table.header().version, table.len())),
            )
            .field(
                "revocations",
                &self.revocations().map(|list| list.header().version),
            )
            .field("directory", &self.directory())
            .field(
                "faces",
                &self
                    .faces()
                    .map(|faces| (faces.header().version, faces.entries().len())),
            )
            .finish()
    }
}

/// Where the lists that serve now stand.
#[derive(Debug)]
pub(crate) struct Shelf {
    lists: RwLock<Arc<Lists>>,
    /// Held while a list is checked, kept and put up, so that two threads don't undo each other's work.
    changing: Mutex<()>,
}

impl Shelf {
    pub(crate) fn new(lists: Lists) -> Self {
        Self {
            lists: RwLock::new(Arc::new(lists)),
            changing: Mutex::new(()),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, lists: Lists) {
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists);
    }
}

impl Terminal {
    /// Takes a keyset, signed by the pinned root. The other lists are checked again under it: what a dropped key had
    /// signed serves no longer.
    ///
    /// # Errors
    ///
    /// [`TerminalError::List`] where it doesn't check out or is older than one seen before; [`TerminalError::Store`].
    pub fn accept_keyset(&self, bytes: &[u8]) -> Result<Accepted, TerminalError> {
        let _changing = self.changing();
        let root = self.enrolment.root();
        let keyset = Keyset::open(bytes, &root).map_err(TerminalError::list("keyset"))?;
        let known = self.store().list(ListKind::Keyset)?;
        if is_known("keyset", keyset.header(), &known, true)? {
            return Ok(Accepted::Unchanged);
        }
        let mut store = self.store();
        store.keep_list(ListKind::Keyset, keyset.header().version, Some(bytes))?;
        let lists = Lists::load(&self.home, &store, &root, self.directory_key.as_ref())?;
        drop(store);
        self.lists.put(lists);
        Ok(Accepted::New)
    }

    /// Takes a whole table.
    ///
    /// # Errors
    ///
    /// [`TerminalError::List`] where it doesn't check out or is older than one seen before; [`TerminalError::Store`].
    pub fn accept_table(&self, bytes: &[u8]) -> Result<Accepted, TerminalError> {
        let _changing = self.changing();
        let lists = self.lists();
        let table = Table::open(bytes, &lists.keyset).map_err(TerminalError::list("table"))?;
        let version = table.header().version;
        let known = self.store().list(ListKind::Table)?;
        if is_known("table", table.header(), &known, lists.table.is_some())? {
            return Ok(Accepted::Unchanged);
        }
        let path = self.home.table(version);
        write_durably(&path, bytes).map_err(StoreError::io(&path))?;
        self.store().keep_list(ListKind::Table, version, None)?;
        self.lists.put(Lists {
            table: Some(Arc::new(table)),
            ..Lists::clone(&lists)
        });
        self.home.remove_tables_but(version)?;
        Ok(Accepted::New)
    }

    /// Takes deltas on the table, in their order, all or none of them.
    ///
    /// # Errors
    ///
    /// [`TerminalError::List`] where one doesn't check out or doesn't fit the version before it: the whole table is
    /// needed then. [`TerminalError::Store`].
    pub fn accept_deltas(&self, deltas: &[impl AsRef<[u8]>]) -> Result<Accepted, TerminalError> {
        let _changing = self.changing();
        let lists = self.lists();
        let known = self.store().list(ListKind::Table)?;
        let Some(mut table) = lists.table.clone() else {
            return match deltas.first() {
                None => Ok(Accepted::Unchanged),
                Some(delta) => Err(no_table(delta.as_ref(), &lists.keyset)),
            };
        };
        let mut kept = Vec::with_capacity(deltas.len());
        for bytes in deltas.iter().map(AsRef::as_ref) {
            let delta = Delta::open(bytes, &lists.keyset).map_err(TerminalError::list("delta"))?;
            table = Arc::new(table.apply(&delta).map_err(TerminalError::list("delta"))?);
            kept.push((delta.header().version, bytes.to_vec()));
        }
        if table.header().version == known.version {
            return Ok(Accepted::Unchanged);
        }
        self.store().keep_deltas(&kept)?;
        self.lists.put(Lists {
            table: Some(table),
            ..Lists::clone(&lists)
        });
        Ok(Accepted::New)
    }

    /// Takes the revocations.
    ///
    /// # Errors
    ///
    /// [`TerminalError::List`] where they don't check out or are older than ones seen before; [`TerminalError::Store`].
    pub fn accept_revocations(&self, bytes: &[u8]) -> Result<Accepted, TerminalError> {
        let _changing = self.changing();
        let lists = self.lists();
        let revocations =
            Revocations::open(bytes, &lists.keyset).map_err(TerminalError::list("revocation list"))?;
        let known = self.store().list(ListKind::Revocations)?;
        if is_known(
            "revocation list",
            revocations.header(),
            &known,
            lists.revocations.is_some(),
        )? {
            return Ok(Accepted::Unchanged);
        }
        self.store()
            .keep_list(ListKind::Revocations, revocations.header().version, Some(bytes))?;
        self.lists.put(Lists {
            revocations: Some(Arc::new(revocations)),
            ..Lists::clone(&lists)
        });
        Ok(Accepted::New)
    }

    /// Takes the directory that is sealed to this library desk.
    ///
    /// # Errors
    ///
    /// [`TerminalError::HasNoDirectory`] at any other terminal, and at a desk whose key is gone; [`TerminalError::List`]
    /// where it doesn't check out, is for another desk or key, or is older than one seen before; [`TerminalError::Store`].
    pub fn accept_directory(&self, bytes: &[u8]) -> Result<Accepted, TerminalError> {
        let key = self.directory_key.as_ref().ok_or(TerminalError::HasNoDirectory)?;
        let _changing = self.changing();
        let lists = self.lists();
        let directory = key
            .open(bytes, &lists.keyset)
            .map_err(TerminalError::list("directory"))?;
        let known = self.store().list(ListKind::Directory)?;
        let header = directory.header();
        if is_known("directory", header, &known, lists.directory.is_some())? {
            return Ok(Accepted::Unchanged);
        }
        self.store()
            .keep_list(ListKind::Directory, header.version, Some(bytes))?;
        self.lists.put(Lists {
            directory: Some(Arc::new(directory)),
            ..Lists::clone(&lists)
        });
        Ok(Accepted::New)
    }

    /// Takes the list of the portraits that this terminal may hold, and deletes all others.
    ///
    /// # Errors
    ///
    /// [`TerminalError::HasNoFaces`] at a library desk; [`TerminalError::List`] where it doesn't check out or is older than
    /// one seen before; [`TerminalError::Store`], also where a portrait can't be deleted.
    pub fn accept_faces(&self, bytes: &[u8]) -> Result<Accepted, TerminalError> {
        Ok(self.take_faces(bytes)?.0)
    }

    /// [`Self::accept_faces`], with the number of portraits that were deleted. They go also where the list is known: a crash
    /// may have come between the list and what it takes back.
    pub(crate) fn take_faces(&self, bytes: &[u8]) -> Result<(Accepted, usize), TerminalError> {
        if !self.has_faces() {
            return Err(TerminalError::HasNoFaces);
        }
        let _changing = self.changing();
        let lists = self.lists();
        let faces = Faces::open(bytes, &lists.keyset).map_err(TerminalError::list("list of faces"))?;
        let known = self.store().list(ListKind::Faces)?;
        if is_known("list of faces", faces.header(), &known, lists.faces.is_some())? {
            return Ok((Accepted::Unchanged, self.remove_unlisted(&lists)?));
        }
        self.store()
            .keep_list(ListKind::Faces, faces.header().version, Some(bytes))?;
        let lists = Lists {
            faces: Some(Arc::new(faces)),
            ..Lists::clone(&lists)
        };
        self.lists.put(lists.clone());
        Ok((Accepted::New, self.remove_unlisted(&lists)?))
    }

    pub(crate) fn changing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.lists.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the terminal has this list already. An older one is refused; the same one is taken again where the kept copy
/// does not serve.
fn is_known(list: &'static str, header: &Header, known: &Known, serves: bool) -> Result<bool, TerminalError> {
    if header.version == known.version {
        return Ok(serves);
    }
    header
        .check_newer_than(known.version)
        .map_err(TerminalError::list(list))?;
    Ok(false)
}

/// The refusal of a delta where there is no table.
fn no_table(delta: &[u8], keyset: &Keyset) -> TerminalError {
    let refusal = match Delta::open(delta, keyset) {
        Ok(delta) => ListError::WrongBase {
            base: delta.base(),
            have: 0,
        },
        Err(error) => error,
    };
    TerminalError::list("delta")(refusal)
}

#[cfg(test)]
mod tests;
