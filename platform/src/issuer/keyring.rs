//! The keys of a running platform, and the keyset that vouches for them.

use super::keys::{
    FileSigner, KeySigner, ONLINE_ROLES, OnlineKey, SignerError, explain_root, online_path, root_path,
};
use super::lists::{ListKind, SignedList, insert_list, newest_list};
use super::store;
use crate::clock::{DAY, HOUR};
use crate::config::Config;
use crate::db::{Connection, Db, transact};
use crate::error::{Error, Result};
use std::path::Path;
use std::sync::Arc;
use yika_api::{Base64Url, UnixMillis};
use yika_format::lists::{Header, Keyset, KeysetEntry, Role, Root};
use yika_format::{ExpandedKey, KeyId, PublicKey, SchoolHash, UnixSeconds};

/// How long an online key may sign. Credential keys may not last longer (hours since `from` must not wrap).
const KEY_LIFE_DAYS: i64 = 730;
const KEYSET_GOOD_MS: i64 = 365 * DAY;
/// The keyset is signed anew when less than this is left of it.
const KEYSET_RENEW_MS: i64 = 30 * DAY;

/// All that the platform signs with.
#[derive(Debug)]
pub(crate) struct KeyRing {
    pub(crate) school: SchoolHash,
    pub(crate) root: PublicKey,
    pub(crate) credential: OnlineKey,
    pub(crate) table: OnlineKey,
    pub(crate) time: OnlineKey,
    /// The signed keyset, opened.
    pub(crate) keyset: Keyset,
}

impl KeyRing {
    /// Opens the keys, makes them at first start, and has a keyset in date.
    pub(crate) async fn open(config: &Config, db: &Db, now: UnixMillis) -> Result<Self> {
        let school = SchoolHash::of_domain(&config.school.domain);
        // Servers that start at once on one folder make one set of keys.
        let (root, keys, keyset_bytes) = transact!(db.lone_writer(), |tx| {
            let pinned = store::pin_setting(tx, "school_domain", &config.school.domain).await?;
            if pinned != config.school.domain {
                return Err(Error::Schema(format!("it belongs to the school {pinned:?}")));
            }
            let root = open_root(tx, &config.data_dir).await?;
            let known = store::online_keys(tx).await?;
            let mut keys = Vec::new();
            for (role, id, name) in ONLINE_ROLES {
                keys.push(open_online(tx, &config.data_dir, &known, (role, id, name), now).await?);
            }
            let entries: Vec<KeysetEntry> = keys.iter().map(|key| key.entry).collect();
            let keyset_bytes = current_keyset(tx, school, &root, &entries, now).await?;
            Ok((root, keys, keyset_bytes))
        })?;
        let keyset = Keyset::open(
            &keyset_bytes,
            &Root {
                school,
                key: root.key,
            },
        )
        .map_err(|error| Error::Schema(format!("its keyset does not open: {error}")))?;
        let [credential, table, time] = <[OnlineKey; 3]>::try_from(keys).map_err(|_| SignerError::Sign)?;
        Ok(Self {
            school,
            root: root.key.compress(),
            credential,
            table,
            time,
            keyset,
        })
    }

    /// The header of a list that the table key signs.
    pub(crate) fn table_header(&self, version: u64, issued: UnixMillis, good_until: UnixMillis) -> Header {
        self.header(self.table.entry.id, version, issued, good_until)
    }

    /// The header of a message of this signer.
    pub(super) fn header(
        &self,
        signer: KeyId,
        version: u64,
        issued: UnixMillis,
        good_until: UnixMillis,
    ) -> Header {
        Header {
            school: self.school,
            signer,
            version,
            issued: format_millis(issued),
            good_until: format_millis(good_until),
        }
    }
}

/// The instant as signed bytes carry it.
pub(crate) fn format_millis(at: UnixMillis) -> yika_format::UnixMillis {
    yika_format::UnixMillis(u64::try_from(at.0).unwrap_or_default())
}

/// The instant as JSON and database carry it.
pub(crate) fn api_millis(at: yika_format::UnixMillis) -> UnixMillis {
    UnixMillis(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// The root key: its public half always, its private half only where the file is here.
struct RootKey {
    key: ExpandedKey,
    signer: Result<FileSigner, SignerError>,
}

async fn open_root(tx: &mut Connection, data_dir: &Path) -> Result<RootKey> {
    let path = root_path(data_dir);
    let pinned = store::setting(tx, "root_key").await?;
    if let Some(text) = &pinned
        && !path.exists()
    {
        let unreadable = || Error::StoredValue {
            what: "root_key",
            value: text.clone(),
        };
        let bytes = Base64Url::decode(text)
            .and_then(|bytes| bytes.to_array())
            .ok_or_else(unreadable)?;
        let key = PublicKey::from_compressed(bytes)?
            .expand()
            .map_err(|_| unreadable())?;
        return Ok(RootKey {
            key,
            signer: Err(SignerError::RootAway(path)),
        });
    }
    let signer = FileSigner::open_or_create(&path)?;
    explain_root(&path)?;
    let key = signer.public_key();
    let text = Base64Url::from(*key.compress().as_bytes()).encode();
    if store::pin_setting(tx, "root_key", &text).await? != text {
        return Err(SignerError::Mismatch(path).into());
    }
    Ok(RootKey {
        key,
        signer: Ok(signer),
    })
}

async fn open_online(
    tx: &mut Connection,
    data_dir: &Path,
    known: &[KeysetEntry],
    (role, id, name): (Role, KeyId, &str),
    now: UnixMillis,
) -> Result<OnlineKey> {
    let path = online_path(data_dir, name, id);
    let entry = known.iter().find(|entry| entry.id == id).copied();
    let signer = match entry {
        Some(_) => FileSigner::open(&path)?,
        None => FileSigner::open_or_create(&path)?,
    };
    let key = signer.public_key().compress();
    let entry = match entry {
        Some(entry) if entry.key == key && entry.role == role => entry,
        Some(_) => return Err(SignerError::Mismatch(path).into()),
        None => {
            let entry = new_entry(role, id, key, now)?;
            store::insert_online_key(tx, &entry).await?;
            entry
        }
    };
    Ok(OnlineKey {
        entry,
        signer: Arc::new(signer),
    })
}

/// A key that is valid from the day before: certificates begin an hour before they are issued.
fn new_entry(role: Role, id: KeyId, key: PublicKey, now: UnixMillis) -> Result<KeysetEntry> {
    let from = (now.0 - DAY).div_euclid(HOUR) * HOUR;
    let seconds = |at: i64| {
        u32::try_from(at / 1000)
            .map(UnixSeconds)
            .map_err(|_| Error::StoredValue {
                what: "clock",
                value: now.0.to_string(),
            })
    };
    Ok(KeysetEntry {
        id,
        role,
        from: seconds(from)?,
        to: seconds(from + KEY_LIFE_DAYS * DAY)?,
        key,
    })
}

/// The newest keyset if it lists exactly these keys and has long to live; else a new one, which needs the root key.
async fn current_keyset(
    tx: &mut Connection,
    school: SchoolHash,
    root: &RootKey,
    entries: &[KeysetEntry],
    now: UnixMillis,
) -> Result<Vec<u8>> {
    let newest = newest_list(tx, ListKind::Keyset).await?;
    let lists_all = |list: &SignedList| {
        Keyset::open(
            &list.bytes,
            &Root {
                school,
                key: root.key,
            },
        )
        .is_ok_and(|keyset| keyset.entries().eq(entries.iter()))
    };
    let usable = newest
        .as_ref()
        .filter(|list| lists_all(list) && list.good_until > now);
    let fresh = usable.filter(|list| list.good_until.plus_millis(-KEYSET_RENEW_MS) > now);
    match (&root.signer, fresh, usable) {
        (_, Some(list), _) => Ok(list.bytes.clone()),
        (Ok(signer), None, _) => {
            let version = newest.as_ref().map_or(0, |list| list.version) + 1;
            let good_until = now.plus_millis(KEYSET_GOOD_MS);
            let header = Header {
                school,
                signer: KeyId(0),
                version,
                issued: format_millis(now),
                good_until: format_millis(good_until),
            };
            let unsigned = Keyset::unsigned(&header, entries);
            let signature = signer.sign(unsigned.preimage())?;
            let bytes = unsigned.with_signature(&signature);
            let list = SignedList {
                version,
                issued_at: now,
                good_until,
                bytes,
            };
            insert_list(tx, ListKind::Keyset, &list).await?;
            Ok(list.bytes)
        }
        (Err(_), None, Some(list)) => {
            tracing::warn!(
                good_until = list.good_until.0,
                "the keyset ends soon; bring the root key for one start"
            );
            Ok(list.bytes.clone())
        }
        (Err(SignerError::RootAway(path)), None, None) => Err(SignerError::RootAway(path.clone()).into()),
        (Err(_), None, None) => Err(SignerError::Sign.into()),
    }
}
