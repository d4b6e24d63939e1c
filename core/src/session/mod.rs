//! Binding a phone to a campus card: from the host app's session to tokens that only this phone's session key can use, keeping them
//! fresh, and ending it all. Everything that the other features ask of the platform goes through here.

mod cache;
mod flow;
mod model;
mod remote;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yika_api::ProblemCode;
use yika_api::school::School;
use yika_api::session::TokenResponse;
use yika_format::PublicKey;
use yika_format::lists::Keyset;
use yika_link::{Origin, ServerTrust};

pub use model::{BoundCard, HostIdToken, SessionState};

use crate::clock::TrustedClock;
use crate::error::{CoreError, InternalFault};
use crate::http::{Answer, Call, Http, HttpError, HttpLimits, Sender};
use crate::keys::{Keys, Signer, StoredKey};
use crate::ports::KeyPurpose;
use crate::store::{Changes, Store};
use crate::trust::{self, KeysetRecord};
use flow::Refused;
pub(crate) use model::SessionRecord;
use model::Tokens;

/// The session of this phone.
pub(crate) struct Sessions {
    store: Arc<Store>,
    keys: Arc<Keys>,
    clock: Arc<TrustedClock>,
    servers: ServerTrust,
    /// The school's root key, where the app knows it.
    root_key: Option<PublicKey>,
    limits: HttpLimits,
    record: Mutex<Option<SessionRecord>>,
    /// Made at the first request: reading root certificates takes longer than showing a code.
    connection: Mutex<Option<Arc<Connection>>>,
    /// One refresh at a time; the others take what it brought.
    refreshing: tokio::sync::Mutex<()>,
}

/// The client and the session key that proves its requests.
struct Connection {
    http: Http,
    key: Arc<Signer>,
}

/// A session just begun, not yet in the journal.
pub(crate) struct NewSession {
    pub record: SessionRecord,
    pub keyset: KeysetRecord,
    /// Whether what is on the phone stays: the same person signed in again.
    pub continues: bool,
    connection: Connection,
}

impl Sessions {
    pub(crate) fn open(
        store: Arc<Store>,
        keys: Arc<Keys>,
        clock: Arc<TrustedClock>,
        servers: ServerTrust,
        root_key: Option<PublicKey>,
        limits: HttpLimits,
    ) -> Result<Self, CoreError> {
        let record = Mutex::new(store.get::<SessionRecord>()?);
        let (connection, refreshing) = (Mutex::new(None), tokio::sync::Mutex::new(()));
        Ok(Self {
            store,
            keys,
            clock,
            servers,
            root_key,
            limits,
            record,
            connection,
            refreshing,
        })
    }

    pub(crate) fn state(&self) -> SessionState {
        self.record()
            .as_ref()
            .map_or(SessionState::Unbound, SessionRecord::state)
    }

    /// What the phone is bound to.
    pub(crate) fn bound(&self) -> Result<SessionRecord, CoreError> {
        self.record().clone().ok_or(CoreError::NotBound)
    }

    /// Exchanges the host's token for a session. Changes nothing here: see [`Self::install`].
    pub(crate) async fn begin(
        &self,
        origin: Origin,
        token: HostIdToken,
        device_name: &str,
    ) -> Result<NewSession, CoreError> {
        let bound = self.record().clone();
        let holder = flow::holder_of(&token);
        let continues = flow::continues(bound.as_ref(), &origin, holder.as_ref());
        let http = Http::new(
            origin.clone(),
            &self.servers,
            self.limits,
            Arc::clone(&self.clock),
        )?;
        let school = remote::school(&http).await?;
        trust::check_root(self.root_key, bound.as_ref(), &origin, &school)?;
        self.anchor(&http).await?;
        // The host's token goes to nobody who can't show the school's signature.
        let keyset = remote::keyset(&http).await?;
        self.open_keyset(&keyset, &school)?;
        // The same key is the same phone to the platform; a keystore that has lost it means a new one.
        let usable = bound
            .filter(|_| continues)
            .map(|bound| bound.key)
            .filter(|key| self.keys.signer(key).is_ok());
        let key = match usable {
            Some(key) => key,
            None => self.create_key().await?,
        };
        let sender = Sender {
            key: self.keys.signer(&key)?,
            access_token: None,
        };
        let response = remote::exchange(&http, &sender, &token, device_name)
            .await
            .map_err(|error| match error {
                HttpError::Token(code) => flow::exchange_refused(code),
                other => other.into(),
            })?;
        let (device_id, tokens) = (response.device_id, Some(self.tokens(response)?));
        let record = SessionRecord {
            origin,
            school,
            holder,
            device_id,
            key,
            tokens,
        };
        Ok(NewSession {
            record,
            keyset,
            continues,
            connection: Connection {
                http,
                key: sender.key,
            },
        })
    }

    /// Takes a session that the journal now has.
    pub(crate) fn install(&self, new: NewSession) {
        *self.record() = Some(new.record);
        *self.connection_slot() = Some(Arc::new(new.connection));
    }

    async fn create_key(&self) -> Result<StoredKey, CoreError> {
        let keys = Arc::clone(&self.keys);
        let key = tokio::task::spawn_blocking(move || keys.create(KeyPurpose::Session));
        Ok(key.await.map_err(|_| CoreError::Internal {
            fault: InternalFault::TaskEnded,
        })??)
    }

    /// Sends a call as the holder. Where the phone's time is not the platform's, which refuses its proofs then, it hears the time and
    /// sends the call once more: nothing was done before.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, HttpOrCore> {
        let connection = self.connect()?;
        match self.send_over(&connection, call).await {
            Err(error) if error.is_of_the_time() && self.anchor(&connection.http).await.is_ok() => {
                self.send_over(&connection, call).await
            }
            other => other,
        }
    }

    /// Sends a call with fresh tokens; once more after a refresh where the platform wants that.
    async fn send_over(&self, connection: &Connection, call: &Call) -> Result<Answer, HttpOrCore> {
        let tokens = self.fresh_tokens(connection, None).await?;
        let sender = |tokens: &Tokens| Sender {
            key: Arc::clone(&connection.key),
            access_token: Some(tokens.access.clone()),
        };
        match connection.http.send(call, Some(&sender(&tokens))).await {
            Err(error) if error.problem() == Some(ProblemCode::SessionExpired) => {
                let renewed = self.fresh_tokens(connection, Some(&tokens)).await?;
                Ok(connection.http.send(call, Some(&sender(&renewed))).await?)
            }
            other => Ok(other?),
        }
    }

    /// Tokens that are neither stale nor `refused`.
    async fn fresh_tokens(
        &self,
        connection: &Connection,
        refused: Option<&Tokens>,
    ) -> Result<Tokens, CoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let tokens = self.bound()?.tokens.ok_or(CoreError::SessionExpired)?;
        if refused != Some(&tokens) && !flow::is_stale(&tokens, self.clock.now_or_floor()?) {
            return Ok(tokens);
        }
        let sender = Sender {
            key: Arc::clone(&connection.key),
            access_token: None,
        };
        match remote::refresh(&connection.http, &sender, &tokens.refresh).await {
            Ok(response) => {
                let tokens = self.tokens(response)?;
                // Durable before use: the platform forgets the old refresh token once the new one is used.
                self.keep(Some(tokens.clone()))?;
                Ok(tokens)
            }
            Err(HttpError::Token(code)) => match flow::refused(code) {
                Refused::Ended => {
                    self.keep(None)?;
                    Err(CoreError::SessionExpired)
                }
                Refused::PhoneLost => {
                    self.keep(None)?;
                    Err(CoreError::PhoneLost)
                }
                Refused::Unchanged(error) => Err(error),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&self, tokens: Option<Tokens>) -> Result<(), CoreError> {
        let record = SessionRecord {
            tokens,
            ..self.bound()?
        };
        self.store.commit(&Changes::new().put(&record)?)?;
        *self.record() = Some(record);
        Ok(())
    }

    fn tokens(&self, response: TokenResponse) -> Result<Tokens, CoreError> {
        let until = self
            .clock
            .now_or_floor()?
            .plus_millis(i64::from(response.expires_in) * 1000);
        Ok(Tokens {
            access: response.access_token.into(),
            access_until: until,
            refresh: response.refresh_token.into(),
        })
    }

    /// Hears the platform's time.
    pub(crate) async fn synchronise_clock(&self) -> Result<(), CoreError> {
        let connection = self.connect()?;
        self.anchor(&connection.http).await
    }

    async fn anchor(&self, http: &Http) -> Result<(), CoreError> {
        if let Some(anchor) = remote::anchor(http, &self.clock).await? {
            let state = self.clock.update(|state, sample| state.anchor(anchor, sample))?;
            self.store.commit(&Changes::new().put(&state)?)?;
        }
        Ok(())
    }

    /// The school's keys as they are now, checked under the root key.
    pub(crate) async fn keyset(&self) -> Result<Keyset, CoreError> {
        let connection = self.connect()?;
        let record = remote::keyset(&connection.http).await?;
        let keyset = self.open_keyset(&record, &self.bound()?.school)?;
        if self.store.get::<KeysetRecord>()?.as_ref() != Some(&record) {
            self.store.commit(&Changes::new().put(&record)?)?;
        }
        Ok(keyset)
    }

    fn open_keyset(&self, record: &KeysetRecord, school: &School) -> Result<Keyset, CoreError> {
        let root = trust::root(self.root_key, school)?;
        let kept = self.store.get::<KeysetRecord>()?;
        let now = self.clock.now_or_floor()?;
        Ok(trust::open_keyset(record, kept.as_ref(), &root, now)?)
    }

    /// Tells the platform that the session is over, if it can be reached.
    pub(crate) async fn end_remotely(&self) -> Result<(), CoreError> {
        let connection = self.connect()?;
        let Some(tokens) = self.bound()?.tokens else {
            return Ok(());
        };
        let sender = Sender {
            key: Arc::clone(&connection.key),
            access_token: Some(tokens.access),
        };
        Ok(remote::end(&connection.http, &sender).await?)
    }

    /// Forgets the session in memory, after the store was wiped.
    pub(crate) fn forget(&self) {
        *self.record() = None;
        *self.connection_slot() = None;
    }

    fn connect(&self) -> Result<Arc<Connection>, CoreError> {
        let bound = self.bound()?;
        let mut slot = self.connection_slot();
        if let Some(connection) = slot.as_ref().filter(|open| *open.http.origin() == bound.origin) {
            return Ok(Arc::clone(connection));
        }
        let http = Http::new(bound.origin, &self.servers, self.limits, Arc::clone(&self.clock))?;
        let connection = Arc::new(Connection {
            http,
            key: self.keys.signer(&bound.key)?,
        });
        *slot = Some(Arc::clone(&connection));
        Ok(connection)
    }

    fn record(&self) -> MutexGuard<'_, Option<SessionRecord>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection_slot(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A failed request of a feature, before it is known whether the feature has an own meaning for it.
#[derive(Debug)]
pub(crate) enum HttpOrCore {
    Http(HttpError),
    Core(CoreError),
}

impl HttpOrCore {
    /// The problem's code, where the platform gave one.
    pub(crate) fn problem(&self) -> Option<ProblemCode> {
        match self {
            Self::Http(error) => error.problem(),
            Self::Core(_) => None,
        }
    }

    /// Whether the platform refused the proof of a request, or of one for fresh tokens, as it does where its time is another.
    fn is_of_the_time(&self) -> bool {
        matches!(self, Self::Core(CoreError::ClockImpossible))
            || self.problem() == Some(ProblemCode::InvalidDpopProof)
    }
}

impl From<HttpError> for HttpOrCore {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<CoreError> for HttpOrCore {
    fn from(error: CoreError) -> Self {
        Self::Core(error)
    }
}

impl From<HttpOrCore> for CoreError {
    fn from(error: HttpOrCore) -> Self {
        match error {
            HttpOrCore::Http(error) => error.into(),
            HttpOrCore::Core(error) => error,
        }
    }
}
