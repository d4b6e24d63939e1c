//! What a shell shows of what is lost, and of the phones that the card is on.

use uuid::Uuid;
use yika_api::UnixMillis;

pub use yika_api::lost::SuspendedBy;

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// How one of these stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRow {
    /// What it is about.
    pub item: LostItem,
    /// How it stands.
    pub state: LostState,
}

/// A phone that the card is on.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The card, this phone, everything: in this order.
    pub rows: Vec<LostRow>,
    /// The phones that the card is on, as last told: the one seen last comes first.
    pub devices: Vec<CardDevice>,
    /// Whether everything is stopped, and by whom: then nothing is paid, and reading goes on.
    pub frozen: Option<SuspendedBy>,
    /// When the platform said so; nothing before it was first asked.
    pub as_of: Option<UnixMillis>,
}
