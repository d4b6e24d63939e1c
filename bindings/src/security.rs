//! Reporting the card, a phone or everything lost, and found again; and the phones that the card is on.

use crate::approvals::{StepUp, into_core};
use crate::error::YikaError;
use crate::types::{UnixMillis, Uuid};

pub use yika_core::lost::{CardDevice, LostItem, LostRow, LostState, Security, SuspendedBy};

/// Reporting the card, a phone or everything lost, and found again; and the phones that the card is on.
#[derive(uniffi::Object)]
pub struct SecurityService {
    pub(crate) core: yika_core::SecurityService,
}

#[uniffi::export]
impl SecurityService {
    /// How things stand, by what was reported here and what the platform told last. Touches the disk; no network.
    pub async fn status(&self) -> Result<Security, YikaError> {
        Ok(self.core.status().await?)
    }

    /// Tells the platform what waits, asks it how things stand, and answers what is known then: without a network what was known
    /// before. Touches the network and the disk. Fails with `Refused` where what waited was refused for good, and waits no
    /// more.
    pub async fn refresh(&self) -> Result<Security, YikaError> {
        Ok(self.core.refresh().await?)
    }

    /// Reports something lost. It is on the disk first, and where it is about this phone its codes stop before anything is sent;
    /// then it is told, now or at the next synchronisation. The answer says from when it counts where, once the platform has
    /// heard; without a network there is no error, and the state is `Sending`. Touches the network, the disk and the witness
    /// port.
    ///
    /// Fails with `Refused` where there is no such phone.
    pub async fn report(&self, item: LostItem) -> Result<Security, YikaError> {
        Ok(self.core.report(item).await?)
    }

    /// Reports something found that the holder had reported lost. Phones get a new epoch then: pictures of before stay dead.
    /// Touches the network, the disk and the ports.
    ///
    /// Fails with `Money` (`StepUpRequired` where a sign-in was too long ago, or this phone is itself suspended and approves
    /// nothing; `ApprovalRefused`, `WalletNotOpen`, `BankRefused`), with `Forbidden` where the card office froze it, with an
    /// approval as the keystore fails, with `SessionExpired`, `Network` and the like.
    pub async fn found(&self, item: LostItem, step_up: Option<StepUp>) -> Result<Security, YikaError> {
        Ok(self.core.found(item, into_core(step_up)?).await?)
    }

    /// Signs another phone out: its session ends, and its codes are dead for good. Touches the network and the disk, with an
    /// approval the keystore.
    ///
    /// Fails as `found` does, and with `Refused` where it is none of the holder's, or this one.
    pub async fn remove_device(&self, device: Uuid, step_up: Option<StepUp>) -> Result<Security, YikaError> {
        Ok(self.core.remove_device(device, into_core(step_up)?).await?)
    }
}

/// What can be lost.
#[uniffi::remote(Enum)]
pub enum LostItem {
    /// The plastic card. Codes on phones go on.
    Card,
    /// This phone: its codes stop, and its session can do no more than report it found.
    ThisPhone,
    /// Another phone of the holder.
    Phone {
        /// Which one.
        device: Uuid,
    },
    /// The plastic card and every phone.
    All,
}

/// Who stopped it, and so who may let it go on.
#[uniffi::remote(Enum)]
pub enum SuspendedBy {
    /// The holder, who may report it found.
    Holder,
    /// The card office, which alone may undo it.
    Office,
}

/// How one of these stands.
#[uniffi::remote(Enum)]
pub enum LostState {
    /// Nobody has reported it lost.
    Active,
    /// It was reported here, and the platform has not heard of it. This phone's codes have stopped, where it is about them.
    Sending {
        /// When it was reported, by the phone's clock.
        since: UnixMillis,
    },
    /// It is reported lost, or frozen.
    Lost {
        /// When it was reported, by the clock of whoever did.
        since: UnixMillis,
        /// Who reported it: what the office froze the holder can't report found.
        by: SuspendedBy,
        /// From when terminals that are online refuse it.
        online_from: UnixMillis,
        /// Until when at the latest a terminal that is offline takes payments with it.
        offline_by: UnixMillis,
        /// Until when at the latest such a terminal takes it for an identity; never before that.
        offline_identity_by: UnixMillis,
    },
}

/// One line of the screen.
#[uniffi::remote(Record)]
pub struct LostRow {
    /// What it is about.
    pub item: LostItem,
    /// How it stands.
    pub state: LostState,
}

/// A phone that the card is on.
#[uniffi::remote(Record)]
pub struct CardDevice {
    /// Its name, for the platform.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// When it was bound last.
    pub bound_at: UnixMillis,
    /// When it was last heard of, to some minutes.
    pub last_seen: UnixMillis,
    /// Whether it is this one.
    pub is_this: bool,
    /// How it stands by itself; everything being lost is not said here.
    pub state: LostState,
}

/// How safe the card is.
#[uniffi::remote(Record)]
pub struct Security {
    /// The card, this phone, everything: in this order.
    pub rows: Vec<LostRow>,
    /// The phones that the card is on, as last told: the one seen last comes first.
    pub devices: Vec<CardDevice>,
    /// Whether everything is stopped, and by whom: then nothing is paid, and reading goes on.
    pub frozen: Option<SuspendedBy>,
    /// When the platform said so; absent before it was first asked.
    pub as_of: Option<UnixMillis>,
}
