//! The keys of a running platform, and the keyset that vouches for them.

use super::keys::{
    FileSigner, KeySigner, ONLINE_ROLES, OnlineKey, SignerError, explain_root, online_path, role_name,
    root_path, starts_at,
};
use super::lists::{ListKind, SignedList, insert_list, newest_list};
use super::store;
use crate::Platform;
use crate::clock::{DAY, HOUR};
use crate::config::Config;
use crate::db::{Connection, Db, transact};
use crate::error::{Error, Result};
use crate::office::{self, Action, Actor};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yika_api::{Base64Url, UnixMillis};
use yika_format::lists::{Header, Keyset, KeysetEntry, Role, Root, Unsigned};
use yika_format::{ExpandedKey, KeyId, PublicKey, SchoolHash, UnixSeconds};

/// How long an online key may sign. Credential keys may not last longer (hours since `from` must not wrap).
const KEY_LIFE_DAYS: i64 = 730;
/// From when on a server says in its log that a key has no successor yet.
const KEY_ENDS_SOON_MS: i64 = 90 * DAY;
/// How often a server looks whether the keyset was signed anew.
const LOOK_FOR_KEYS: Duration = Duration::from_secs(60);
const KEYSET_GOOD_MS: i64 = 365 * DAY;
/// The keyset is signed anew when less than this is left of it.
const KEYSET_RENEW_MS: i64 = 30 * DAY;

/// All that the platform signs with.
#[derive(Debug)]
pub(crate) struct KeyRing {
    pub(crate) school: SchoolHash,
    pub(crate) root: PublicKey,
    /// Every key that the keyset lists, by number.
    online: Vec<OnlineKey>,
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
            let keys = open_online_keys(tx, &config.data_dir, now).await?;
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
        let ring = Self {
            school,
            root: root.key.compress(),
            online: keys,
            keyset,
        };
        for (role, name) in ONLINE_ROLES {
            let ends_at = i64::from(ring.signer(role, now)?.entry.to.0) * 1000;
            if ends_at - now.0 < KEY_ENDS_SOON_MS
                && ring.newest(role).is_none_or(|key| starts_at(&key.entry) <= now)
            {
                tracing::warn!(
                    role = name,
                    ends_at,
                    "a server key ends soon; make the next: `yika-platform rotate-key`"
                );
            }
        }
        Ok(ring)
    }

    /// Who signs in this role at this time: of the keys that have begun and not ended, the newest.
    pub(crate) fn signer(&self, role: Role, at: UnixMillis) -> Result<&OnlineKey, SignerError> {
        self.online
            .iter()
            .filter(|key| key.entry.role == role && key.signs_at(at))
            .max_by_key(|key| (key.entry.from.0, key.entry.id))
            .ok_or(SignerError::OutOfDate(role_name(role)))
    }

    /// Whether what a key of this number signed may still hold: it was not struck out.
    pub(super) fn has(&self, id: KeyId) -> bool {
        self.online.iter().any(|key| key.entry.id == id)
    }

    /// Whether the database has another keyset than this one.
    pub(crate) async fn is_outdated(&self, db: &Db) -> Result<bool> {
        let mut reader = db.read().await?;
        let newest = newest_list(&mut reader, ListKind::Keyset).await?;
        Ok(newest.is_some_and(|list| list.version != self.keyset.header().version))
    }

    fn newest(&self, role: Role) -> Option<&OnlineKey> {
        let of_role = self.online.iter().filter(|key| key.entry.role == role);
        of_role.max_by_key(|key| key.entry.from.0)
    }

    /// Signs a list as the table's key does that holds at the time at which it was issued.
    pub(crate) fn sign_list(
        &self,
        (version, issued, good_until): (u64, UnixMillis, UnixMillis),
        lay_out: impl FnOnce(&Header) -> Unsigned,
    ) -> Result<Vec<u8>> {
        self.try_sign_list((version, issued, good_until), |header| Ok(lay_out(header)))
    }

    /// Who signs a list that is issued then, and its header.
    pub(super) fn list_signer(
        &self,
        (version, issued, good_until): (u64, UnixMillis, UnixMillis),
    ) -> Result<(&OnlineKey, Header)> {
        let key = self.signer(Role::Table, issued)?;
        Ok((key, self.header(key.entry.id, version, issued, good_until)))
    }

    /// The same for a list that may not be laid out.
    pub(super) fn try_sign_list(
        &self,
        (version, issued, good_until): (u64, UnixMillis, UnixMillis),
        lay_out: impl FnOnce(&Header) -> Result<Unsigned>,
    ) -> Result<Vec<u8>> {
        let (key, header) = self.list_signer((version, issued, good_until))?;
        let unsigned = lay_out(&header)?;
        let signature = key.signer.sign(unsigned.preimage())?;
        Ok(unsigned.with_signature(&signature))
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

/// The keys that the database knows and that have not ended; of a role that it knows none of, the first is made.
async fn open_online_keys(tx: &mut Connection, data_dir: &Path, now: UnixMillis) -> Result<Vec<OnlineKey>> {
    let mut known = store::online_keys(tx).await?;
    for (index, (role, name)) in ONLINE_ROLES.into_iter().enumerate() {
        if known.iter().any(|entry| entry.role == role) {
            continue;
        }
        let id = KeyId(u16::try_from(index + 1).unwrap_or(u16::MAX));
        let signer = FileSigner::open_or_create(&online_path(data_dir, name, id))?;
        // Valid from the day before: certificates begin an hour before they are issued.
        let entry = new_entry(role, id, signer.public_key().compress(), now.plus_millis(-DAY))?;
        store::insert_online_key(tx, &entry).await?;
        known.push(entry);
    }
    in_date(known, now)
        .into_iter()
        .map(|entry| {
            let path = online_path(data_dir, role_name(entry.role), entry.id);
            let signer = FileSigner::open(&path)?;
            if signer.public_key().compress() != entry.key {
                return Err(SignerError::Mismatch(path).into());
            }
            Ok(OnlineKey {
                entry,
                signer: Arc::new(signer),
            })
        })
        .collect()
}

/// Those that have not ended, by number.
fn in_date(mut known: Vec<KeysetEntry>, now: UnixMillis) -> Vec<KeysetEntry> {
    known.retain(|entry| i64::from(entry.to.0) * 1000 > now.0);
    known.sort_unstable_by_key(|entry| entry.id);
    known
}

/// Takes up what [`rotate`] made beside this server, for ever.
pub(crate) async fn take_up_keys_for_ever(platform: &Platform) {
    loop {
        tokio::time::sleep(LOOK_FOR_KEYS).await;
        if let Err(error) = platform.take_up_keys().await {
            tracing::error!(%error, "new server keys could not be taken up; going on with the old ones");
        }
    }
}

/// What became of a role's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The new key's number.
    pub id: u16,
    /// From when on it signs.
    pub starts_at: UnixMillis,
    /// How many older keys were struck out.
    pub dropped: usize,
}

/// When a new key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Then; until that terminals and phones have time to fetch the keyset, and the older keys stay good.
    At(UnixMillis),
    /// Now, and nothing that the older ones signed holds any more: for a key that was stolen.
    InPlaceOfOthers,
}

/// Makes the next key of a role and signs a keyset with it.
pub(crate) async fn rotate(
    config: &Config,
    db: &Db,
    actor: Actor,
    (role, start): (Role, Start),
    now: UnixMillis,
) -> Result<Rotation> {
    if !root_path(&config.data_dir).exists() {
        return Err(SignerError::RootAway(root_path(&config.data_dir)).into());
    }
    transact!(db.lone_writer(), |tx| {
        let known = store::online_keys(tx).await?;
        let highest = known.iter().map(|entry| entry.id.0).max().unwrap_or_default();
        let id = KeyId(highest.checked_add(1).ok_or(SignerError::Sign)?);
        let signer = FileSigner::open_or_create(&online_path(&config.data_dir, role_name(role), id))?;
        let from = match start {
            Start::InPlaceOfOthers => now.plus_millis(-DAY),
            Start::At(at) => at,
        };
        let entry = new_entry(role, id, signer.public_key().compress(), from)?;
        store::insert_online_key(tx, &entry).await?;
        let mut dropped = 0;
        for old in known
            .iter()
            .filter(|old| start == Start::InPlaceOfOthers && old.role == role)
        {
            store::delete_online_key(tx, old.id).await?;
            dropped += 1;
        }
        let root = open_root(tx, &config.data_dir).await?;
        let entries = in_date(store::online_keys(tx).await?, now);
        let school = SchoolHash::of_domain(&config.school.domain);
        current_keyset(tx, school, &root, &entries, now).await?;
        let detail = format!("{} key {}, {dropped} struck out", role_name(role), entry.id.0);
        office::record(tx, actor, Action::KeyRotated, (None, detail), now).await?;
        Ok(Rotation {
            id: entry.id.0,
            starts_at: starts_at(&entry).max(now),
            dropped,
        })
    })
}

/// A key that is valid from the hour of this time on.
fn new_entry(role: Role, id: KeyId, key: PublicKey, from: UnixMillis) -> Result<KeysetEntry> {
    let hour = from.0.div_euclid(HOUR) * HOUR;
    let seconds = |at: i64| {
        u32::try_from(at / 1000)
            .map(UnixSeconds)
            .map_err(|_| Error::StoredValue {
                what: "clock",
                value: from.0.to_string(),
            })
    };
    Ok(KeysetEntry {
        id,
        role,
        from: seconds(hour)?,
        to: seconds(hour + KEY_LIFE_DAYS * DAY)?,
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
