//! The campus card on this phone, as a shell opens it once and keeps it: everything else hangs from it.

use std::sync::Arc;

use crate::accounts::AccountService;
use crate::approvals::ApprovalService;
use crate::bills::BillService;
use crate::codes::CodeService;
use crate::error::YikaError;
use crate::limits::LimitService;
use crate::merchant::MerchantService;
use crate::operations::OperationService;
use crate::ports::Ports;
use crate::security::SecurityService;
use crate::session::SessionService;
use crate::types::{Authority, RootKey, SpkiPin};
use crate::utilities::UtilityService;
use crate::wallet::WalletService;

/// What the card needs to know before it is opened.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Config {
    /// The folder that the store has to itself, private to the app and left out of backups where that can be had.
    pub folder: String,
    /// What the holder will see this phone called in the list of devices.
    pub device_name: String,
    /// Who may vouch for the platform's TLS certificate; public authorities if absent.
    #[uniffi(default = None)]
    pub roots: Option<Roots>,
    /// The TLS keys that the platform may have, besides that; any if empty.
    #[uniffi(default = [])]
    pub pins: Vec<SpkiPin>,
    /// The school's root key, where the app has it beforehand: phones then bind to no other school, and only the app's next
    /// version can change it. Without it, what the platform tells at the first binding is pinned.
    #[uniffi(default = None)]
    pub root_key: Option<RootKey>,
    /// The root key of the school's bank, where the app has it beforehand. Without it, what the platform tells at the first
    /// look at the wallet is pinned.
    #[uniffi(default = None)]
    pub bank_root_key: Option<RootKey>,
    /// How patient to be with the network; the defaults if absent.
    #[uniffi(default = None)]
    pub limits: Option<HttpLimits>,
}

/// Who may vouch for the platform's TLS certificate.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Roots {
    /// The authorities on Mozilla's list.
    Public,
    /// Those, and the school's own.
    PublicAnd {
        /// The school's.
        authorities: Vec<Authority>,
    },
    /// The school's own, and nobody else.
    Only {
        /// The school's.
        authorities: Vec<Authority>,
    },
}

impl From<Roots> for yika_core::Roots {
    fn from(roots: Roots) -> Self {
        match roots {
            Roots::Public => Self::Public,
            Roots::PublicAnd { authorities } => Self::PublicAnd(authorities),
            Roots::Only { authorities } => Self::Only(authorities),
        }
    }
}

/// How long to wait for the network, and how often to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpLimits {
    /// For the connection, in milliseconds; 5,000 by default.
    #[uniffi(default = 5000)]
    pub connect_timeout_ms: u32,
    /// For the whole of one request and its answer, in milliseconds; 15,000 by default.
    #[uniffi(default = 15000)]
    pub timeout_ms: u32,
    /// Tries beyond the first, where a request may be repeated; 2 by default.
    #[uniffi(default = 2)]
    pub retries: u32,
    /// Before the first retry, in milliseconds, and doubled each time; 300 by default.
    #[uniffi(default = 300)]
    pub backoff_ms: u32,
}

impl From<HttpLimits> for yika_core::HttpLimits {
    fn from(limits: HttpLimits) -> Self {
        let ms = |ms: u32| std::time::Duration::from_millis(ms.into());
        Self {
            connect_timeout: ms(limits.connect_timeout_ms),
            timeout: ms(limits.timeout_ms),
            retries: limits.retries,
            backoff: ms(limits.backoff_ms),
        }
    }
}

impl From<Config> for yika_core::Config {
    fn from(config: Config) -> Self {
        let Config {
            folder,
            device_name,
            roots,
            pins,
            root_key,
            bank_root_key,
            limits,
        } = config;
        let limits = limits.map(Into::into).unwrap_or_default();
        Self {
            folder: folder.into(),
            device_name,
            roots: roots.map(Into::into).unwrap_or_default(),
            pins,
            root_key,
            bank_root_key,
            limits,
        }
    }
}

/// The campus card on this phone. Open one for each store and keep it; opening it touches no network, and neither does
/// showing a code. A call that is cancelled loses its answer, never its work. The store stays open until this object and
/// every service that came from it are closed; closing the last one waits for what `finish` waits for.
#[derive(uniffi::Object)]
pub struct CampusCard {
    pub(crate) core: yika_core::CampusCard,
}

#[uniffi::export]
impl CampusCard {
    /// Opens the card's store, making it if it is not there. Touches the disk, and the key-wrap and witness ports; no
    /// network. A store that turns out damaged is put aside; showing a code then says so. Where the call is cancelled, the
    /// store is opened and closed again: until then it is busy.
    ///
    /// Fails with `StoreBusy` where somebody else has it open, `StorageFull`, `AppOutdated` where a newer version wrote it,
    /// or what the ports answered.
    #[uniffi::constructor]
    pub async fn open(config: Config, ports: Ports) -> Result<Arc<Self>, YikaError> {
        let core = yika_core::CampusCard::open(config.into(), ports.into_core()).await?;
        Ok(Arc::new(Self { core }))
    }

    /// Binding and signing out. Touches nothing.
    pub fn session(&self) -> Arc<SessionService> {
        Arc::new(SessionService {
            core: self.core.session(),
        })
    }

    /// Payment and identity codes. Touches nothing.
    pub fn codes(&self) -> Arc<CodeService> {
        Arc::new(CodeService {
            core: self.core.codes(),
        })
    }

    /// Accounts and their balances. Touches nothing.
    pub fn accounts(&self) -> Arc<AccountService> {
        Arc::new(AccountService {
            core: self.core.accounts(),
        })
    }

    /// Bills. Touches nothing.
    pub fn bills(&self) -> Arc<BillService> {
        Arc::new(BillService {
            core: self.core.bills(),
        })
    }

    /// The e-wallet. Touches nothing.
    pub fn wallet(&self) -> Arc<WalletService> {
        Arc::new(WalletService {
            core: self.core.wallet(),
        })
    }

    /// Approving with finger, face or screen lock. Touches nothing.
    pub fn approvals(&self) -> Arc<ApprovalService> {
        Arc::new(ApprovalService {
            core: self.core.approvals(),
        })
    }

    /// Limits that the holder sets. Touches nothing.
    pub fn limits(&self) -> Arc<LimitService> {
        Arc::new(LimitService {
            core: self.core.limits(),
        })
    }

    /// What is lost and found, and the phones that the card is on. Touches nothing.
    pub fn security(&self) -> Arc<SecurityService> {
        Arc::new(SecurityService {
            core: self.core.security(),
        })
    }

    /// The stalls at which the holder works. Touches nothing.
    pub fn merchant(&self) -> Arc<MerchantService> {
        Arc::new(MerchantService {
            core: self.core.merchant(),
        })
    }

    /// Electricity and network accounts. Touches nothing.
    pub fn utilities(&self) -> Arc<UtilityService> {
        Arc::new(UtilityService {
            core: self.core.utilities(),
        })
    }

    /// Top-ups, recharges, withdrawals, and payments for utilities. Touches nothing.
    pub fn operations(&self) -> Arc<OperationService> {
        Arc::new(OperationService {
            core: self.core.operations(),
        })
    }

    /// Brings everything up to date: what is lost, time, credential, operations, accounts, bills, wallet; sends what was reported or
    /// confirmed without a network. A frozen card or a lost phone doesn't keep balances and bills from being read; the error comes after them.
    /// Touches the network, the disk and the ports.
    pub async fn sync(&self) -> Result<(), YikaError> {
        Ok(self.core.synchronise().await?)
    }

    /// Waits until what was left for after a code was shown is done, which touches the disk and the witness port. For
    /// programs that end right after, and before the card is closed on the main thread: closing then waits for nothing.
    pub async fn finish(&self) -> Result<(), YikaError> {
        Ok(self.core.finish().await?)
    }
}
