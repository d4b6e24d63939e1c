//! The campus card on this phone: one object that owns everything, and a small service for each thing that a student does
//! with it. Opening it touches no network; showing a code never does. Asynchronous functions work on threads of their own,
//! never block whoever polls them, and may be awaited anywhere; a future that is dropped loses its answer, not its work.
//! A twin named `_blocking` does the same on the calling thread: for command lines, and for the fastest way to a code.
//! Functions that are neither only look at memory.

mod accounts;
mod approvals;
mod codes;
#[cfg(feature = "face")]
mod face;
mod limits;
mod merchant;
#[cfg(not(feature = "face"))]
mod no_face;
mod operations;
mod security;
mod session;
mod utilities;
mod wallet;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use yika_format::PublicKey;
use yika_link::{Origin, Roots, ServerTrust, SpkiPin};

pub use accounts::{AccountService, BillService};
pub use approvals::ApprovalService;
pub use codes::CodeService;
#[cfg(feature = "face")]
pub use face::{CameraFrame, CameraPixels, CameraPlane, FaceCamera, FaceService};
pub use limits::LimitService;
pub use merchant::MerchantService;
pub use operations::OperationService;
pub use security::SecurityService;
pub use session::SessionService;
pub use utilities::UtilityService;
pub use wallet::WalletService;

use crate::accounts::{DisputeDrafts, Ledger, Payers};
use crate::approvals::{ApprovalRecord, Approvals};
use crate::clock::{ClockState, TrustedClock};
use crate::codes::{Codes, CounterRecord, EnrolmentRecord, PendingIssue, Preferences, Stop};
use crate::error::CoreError;
use crate::http::HttpLimits;
use crate::keys::{Keys, StoredKey};
use crate::limits::Limits;
use crate::lost::{Losses, LostDrafts};
use crate::merchant::{Merchants, StallReturns};
use crate::operations::{Drafts, Operations};
use crate::ports::{Ports, Witness};
use crate::runtime::OwnRuntime;
use crate::session::{HostIdToken, SessionRecord, Sessions};
use crate::store::{Changes, Loss, Record, Store};
use crate::utilities::Utilities;
use crate::wallet::{BankRecord, Wallets};
use crate::worker;

#[cfg(feature = "face")]
use face::FaceState;
#[cfg(not(feature = "face"))]
use no_face::FaceState;

/// How long signing out waits for the platform before this phone forgets everything anyway.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the card needs to know before it is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that the store has to itself.
    pub folder: PathBuf,
    /// What the holder will see this phone called in the list of devices.
    pub device_name: String,
    /// Who may vouch for the platform's TLS certificate: public authorities, the school's own, or both.
    pub roots: Roots,
    /// The TLS keys that the platform may have, besides that; any if empty.
    pub pins: Vec<SpkiPin>,
    /// The school's root key, where the app has it beforehand. Without it, what the platform tells at the first binding is
    /// pinned; with it, only the app's next version can change it.
    pub root_key: Option<PublicKey>,
    /// The root key of the school's bank, where the app has it beforehand. Without it, what the platform tells at the first
    /// look at the wallet is pinned.
    pub bank_root_key: Option<PublicKey>,
    /// How patient to be with the network.
    pub limits: HttpLimits,
}

impl Config {
    /// The defaults, with a store in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            device_name: "phone".to_owned(),
            roots: Roots::Public,
            pins: Vec::new(),
            root_key: None,
            bank_root_key: None,
            limits: HttpLimits::default(),
        }
    }
}

/// The campus card on this phone. Clones are the same card.
#[derive(Clone)]
pub struct CampusCard {
    inner: Arc<Inner>,
}

struct Inner {
    device_name: String,
    store: Arc<Store>,
    clock: Arc<TrustedClock>,
    keys: Arc<Keys>,
    witness: Arc<dyn Witness>,
    sessions: Sessions,
    codes: Arc<Codes>,
    ledger: Ledger,
    wallets: Wallets,
    operations: Operations,
    approvals: Arc<Approvals>,
    limits: Limits,
    merchants: Merchants,
    utilities: Utilities,
    losses: Losses,
    faces: FaceState,
    runtime: Arc<OwnRuntime>,
    /// Binding, bringing up to date and signing out, one at a time.
    turn: tokio::sync::Mutex<()>,
    /// Whether the holder is signing out, which ends what else is under way.
    leaving: watch::Sender<bool>,
}

/// That signing out has begun: a start that finds it ends it.
#[derive(Serialize, Deserialize)]
struct SigningOut {}

impl Record for SigningOut {
    const NAME: &'static str = "signing_out";
}

impl CampusCard {
    /// Opens the card's store, making it if it is not there: the disk, and the key-wrap and witness ports.
    ///
    /// A store that turns out damaged is put aside; the card then opens without it, and showing a code says so.
    ///
    /// # Errors
    ///
    /// [`CoreError::StoreBusy`] where another process has it, [`CoreError::StorageFull`], [`CoreError::KeyLocked`] and
    /// the like where the keystore may answer later, [`CoreError::AppOutdated`] where a newer version wrote it.
    pub async fn open(config: Config, ports: Ports) -> Result<Self, CoreError> {
        worker::apart("yika-open", move || Self::open_blocking(config, ports)).await
    }

    /// [`Self::open`] on the calling thread, for some milliseconds.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_blocking(config: Config, ports: Ports) -> Result<Self, CoreError> {
        let store = Arc::new(Store::open(&config.folder, ports.key_wrap)?);
        let clock = Arc::new(TrustedClock::new(
            ports.clock,
            store.get::<ClockState>()?.unwrap_or_default(),
        ));
        let keys = Arc::new(Keys::new(ports.keys));
        let runtime = Arc::new(OwnRuntime::default());
        let signing_out = store.get::<SigningOut>()?.is_some();
        if signing_out {
            wipe(&store, &keys, ports.witness.as_ref())?;
        }
        let sessions = Sessions::open(
            Arc::clone(&store),
            Arc::clone(&keys),
            Arc::clone(&clock),
            ServerTrust {
                roots: config.roots,
                pins: config.pins,
            },
            config.root_key,
            config.limits,
        )?;
        let codes = Arc::new(Codes::open(
            Arc::clone(&store),
            Arc::clone(&keys),
            Arc::clone(&clock),
            Arc::clone(&ports.witness),
        ));
        let ledger = Ledger::new(Arc::clone(&store));
        let wallets = Wallets::new(Arc::clone(&store), Arc::clone(&clock), config.bank_root_key);
        let approvals = Arc::new(Approvals::new(Arc::clone(&store), Arc::clone(&keys)));
        let operations = Operations::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&approvals));
        let inner = Inner {
            device_name: config.device_name,
            clock,
            witness: ports.witness,
            sessions,
            codes,
            ledger,
            wallets,
            operations,
            approvals,
            limits: Limits::new(Arc::clone(&store)),
            merchants: Merchants::new(Arc::clone(&store)),
            utilities: Utilities::new(Arc::clone(&store)),
            losses: Losses::new(Arc::clone(&store)),
            faces: FaceState::new(&store),
            keys,
            store,
            runtime,
            turn: tokio::sync::Mutex::new(()),
            leaving: watch::Sender::new(false),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Binding and signing out.
    pub fn session(&self) -> SessionService {
        SessionService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Payment and identity codes.
    pub fn codes(&self) -> CodeService {
        CodeService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Accounts and their balances.
    pub fn accounts(&self) -> AccountService {
        AccountService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Bills.
    pub fn bills(&self) -> BillService {
        BillService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// The e-wallet.
    pub fn wallet(&self) -> WalletService {
        WalletService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Approving with what unlocks the phone.
    pub fn approvals(&self) -> ApprovalService {
        ApprovalService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Limits that the holder sets.
    pub fn limits(&self) -> LimitService {
        LimitService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// What is lost and found, and the phones that the card is on.
    pub fn security(&self) -> SecurityService {
        SecurityService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// The stalls at which the holder works.
    pub fn merchant(&self) -> MerchantService {
        MerchantService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Electricity and network accounts.
    pub fn utilities(&self) -> UtilityService {
        UtilityService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Top-ups, recharges, withdrawals, and payments for utilities.
    pub fn operations(&self) -> OperationService {
        OperationService {
            inner: Arc::clone(&self.inner),
        }
    }

    /// Brings everything up to date: what is lost, time, credential, operations, accounts, bills, wallet, face photo. Sends what was
    /// reported or confirmed without a network.
    ///
    /// # Errors
    ///
    /// Any [`CoreError`]. A frozen card or a lost phone doesn't keep balances and bills from being read, nor does one of
    /// these hinder the others; the first error comes after all.
    pub async fn synchronise(&self) -> Result<(), CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.in_turn(inner.synchronise()).await };
        self.inner.ask(work).await
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Waits until the next code is signed.
    #[cfg(test)]
    pub(crate) fn finish_ahead(&self) {
        self.inner.codes.finish_ahead();
    }

    /// Waits until what was left for after a code was shown is done. For programs that end right after, and before the last
    /// clone is dropped where that may not block: the drop then waits for nothing.
    ///
    /// # Errors
    ///
    /// [`CoreError::Internal`] where the runtime could not be started.
    pub async fn finish(&self) -> Result<(), CoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run_blocking(move || {
                inner.codes.finish();
                Ok(())
            })
            .await
    }

    /// [`Self::finish`] on the calling thread.
    pub fn finish_blocking(&self) {
        self.inner.codes.finish();
    }
}

impl Drop for Inner {
    /// The store is free for the next opener once this returns: what the keeper still does for it, it does first.
    fn drop(&mut self) {
        self.codes.finish();
    }
}

impl Inner {
    /// Asks the platform, to the end and apart from the caller.
    async fn ask<T: Send + 'static, W>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> W,
    ) -> Result<T, CoreError>
    where
        W: Future<Output = Result<T, CoreError>> + Send + 'static,
    {
        self.runtime.run(work(Arc::clone(self))).await
    }

    /// Looks at what is known of a bound card, where that may block.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, CoreError> {
        let inner = Arc::clone(self);
        let work = move || {
            inner.sessions.bound()?;
            work(&inner)
        };
        self.runtime.run_blocking(work).await
    }

    /// Does `work` when it is its turn, unless the holder is signing out.
    async fn in_turn(&self, work: impl Future<Output = Result<(), CoreError>>) -> Result<(), CoreError> {
        let _turn = self.turn.lock().await;
        let mut leaving = self.leaving.subscribe();
        tokio::select! {
            biased;
            _ = leaving.wait_for(|leaving| *leaving) => Err(CoreError::NotBound),
            result = work => result,
        }
    }

    async fn synchronise(&self) -> Result<(), CoreError> {
        self.sessions.synchronise_clock().await?;
        // What is reported lost first: whatever else is said of the card is said after that.
        if let Err(error) = self.losses.send_waiting(&self.sessions).await {
            tracing::debug!(%error, "what is to be told about what is lost waits");
        }
        let codes = self.codes.synchronise(&self.sessions).await;
        if let Err(error) = &codes
            && !matches!(error, CoreError::CardFrozen | CoreError::PhoneLost)
        {
            return codes;
        }
        // Operations first: what they moved is in the balances then.
        let operations = self.operations.synchronise(&self.sessions).await;
        let accounts = self.ledger.synchronise(&self.sessions).await;
        self.codes.reload();
        let wallet = self.wallets.synchronise(&self.sessions).await;
        let faces = self.faces.synchronise(&self.sessions).await;
        let losses = self.losses.synchronise(&self.sessions).await;
        let returns = self.merchants.send_waiting(&self.sessions).await;
        codes
            .and(accounts.map(|_| ()))
            .and(operations)
            .and(wallet)
            .and(faces)
            .and(losses)
            .and(returns)
    }

    /// Reads balances, bills and wallet after money has moved. What can't be read now is read at the next synchronisation.
    async fn refresh_money(&self) {
        let accounts = self.ledger.synchronise(&self.sessions).await.map(|_| ());
        let wallet = self.wallets.refresh(&self.sessions).await;
        if let Err(error) = accounts.and(wallet) {
            tracing::debug!(%error, "balances are read later");
        }
    }

    async fn bind(&self, origin: Origin, token: HostIdToken) -> Result<(), CoreError> {
        let new = self.sessions.begin(origin, token, &self.device_name).await?;
        let replaced = self.keys_in_use(new.continues)?;
        let mut changes = Changes::new()
            .put(&new.record)?
            .put(&new.keyset)?
            .remove::<Loss>();
        if !new.continues {
            changes = changes
                .remove::<EnrolmentRecord>()
                .remove::<CounterRecord>()
                .remove::<PendingIssue>()
                .remove::<Stop>()
                .remove::<Payers>()
                .remove::<Preferences>()
                .remove::<BankRecord>()
                .remove::<ApprovalRecord>()
                .remove::<DisputeDrafts>()
                .remove::<LostDrafts>()
                .remove::<StallReturns>()
                .remove::<Drafts>();
            changes = FaceState::forget(changes);
        }
        self.store.commit(&changes)?;
        if !new.continues {
            self.store.drop_cache()?;
        }
        let kept = new.record.key.clone();
        self.sessions.install(new);
        self.codes.reload();
        let keys = Arc::clone(&self.keys);
        let replaced = replaced
            .into_iter()
            .filter(move |key| *key != kept)
            .collect::<Vec<_>>();
        self.runtime
            .start_blocking(move || replaced.iter().for_each(|key| delete(&keys, key)))?;
        self.synchronise().await
    }

    /// The keys that a new session replaces: the session's, and where it is another holder's, the code's as well.
    fn keys_in_use(&self, continues: bool) -> Result<Vec<StoredKey>, CoreError> {
        if continues {
            Ok(self
                .store
                .get::<SessionRecord>()?
                .map(|session| session.key)
                .into_iter()
                .collect())
        } else {
            stored_keys(&self.store)
        }
    }

    async fn sign_out(self: &Arc<Self>) -> Result<(), CoreError> {
        // Whatever is under way ends here: it is journalled, or it doesn't matter any more.
        self.leaving.send_replace(true);
        let _turn = self.turn.lock().await;
        let result = self.forget_all().await;
        self.leaving.send_replace(false);
        result
    }

    async fn forget_all(self: &Arc<Self>) -> Result<(), CoreError> {
        self.codes.erase();
        self.store.commit(&Changes::new().put(&SigningOut {})?)?;
        // A courtesy: the session ends by itself, and its key is gone in a moment. What was reported lost, and a consent that was
        // taken back, without a network have their last chance here.
        let farewell = async {
            if let Err(error) = self.losses.send_waiting(&self.sessions).await {
                tracing::warn!(%error, "the platform has not heard that something is lost");
            }
            if let Err(error) = self.faces.send_withdrawal(&self.sessions).await {
                tracing::warn!(%error, "the platform has not heard that a consent was taken back");
            }
            self.sessions.end_remotely().await
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!("signed out without telling the platform");
        }
        let inner = Arc::clone(self);
        let wiped =
            tokio::task::spawn_blocking(move || wipe(&inner.store, &inner.keys, inner.witness.as_ref()))
                .await;
        self.sessions.forget();
        self.codes.reload();
        wiped.map_err(|_| CoreError::Internal {
            fault: crate::InternalFault::TaskEnded,
        })?
    }
}

fn stored_keys(store: &Store) -> Result<Vec<StoredKey>, CoreError> {
    let session = store.get::<SessionRecord>()?.map(|session| session.key);
    let code = store.get::<EnrolmentRecord>()?.map(|enrolment| enrolment.key);
    let pending = store.get::<PendingIssue>()?.and_then(|pending| pending.key);
    let approval = store.get::<ApprovalRecord>()?.map(|approval| approval.key);
    Ok([session, code, pending, approval].into_iter().flatten().collect())
}

/// Forgets keys, witness and store, as much of it as can be; the first that couldn't be is the error.
fn wipe(store: &Store, keys: &Arc<Keys>, witness: &dyn Witness) -> Result<(), CoreError> {
    stored_keys(store)?.iter().for_each(|key| delete(keys, key));
    let cleared = witness.clear().map_err(CoreError::from);
    store.wipe()?;
    cleared
}

/// A key that can't be removed now does no harm: nothing refers to it any more.
fn delete(keys: &Arc<Keys>, key: &StoredKey) {
    if let Err(error) = keys.delete(key) {
        tracing::debug!(%error, "a key is still in the keystore");
    }
}
