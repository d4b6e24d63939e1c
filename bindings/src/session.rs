//! Binding this phone to a campus card, and signing out.

use crate::error::YikaError;
use crate::types::{LocalizedText, PlatformUrl, Uuid};

pub use yika_core::session::BoundCard;

/// Binding this phone to a campus card, and signing out.
#[derive(uniffi::Object)]
pub struct SessionService {
    pub(crate) core: yika_core::SessionService,
}

#[uniffi::export]
impl SessionService {
    /// Whether a card is bound. Touches nothing.
    pub fn state(&self) -> SessionState {
        self.core.state().into()
    }

    /// Binds this phone to the campus card of whoever the host app's OIDC ID token is about, and brings everything up to
    /// date. The same person signing in again keeps what is there; another one finds it gone. Touches the network, the disk
    /// and the ports.
    ///
    /// Fails with `InvalidPlatformUrl` or `CleartextRefused` for a bad address, `RootKeyMismatch` where it is not the school
    /// that this phone knows, `Untrusted` where the school's signatures are not right, `Forbidden` where the person has no card
    /// here, `Network` and the like. Where only the bringing up to date failed, the card is bound all the same: `state`
    /// says so, and `sync` tries again.
    pub async fn bind(&self, platform: PlatformUrl, id_token: String) -> Result<(), YikaError> {
        Ok(self.core.bind(platform.into(), id_token.into()).await?)
    }

    /// Forgets the card: keys, codes, balances, bills. Touches the disk and the ports; tells the platform where there is a
    /// network, and works without one too. Where something could not be
    /// forgotten, the next start tries again.
    pub async fn sign_out(&self) -> Result<(), YikaError> {
        Ok(self.core.sign_out().await?)
    }
}

/// Whether a card is bound, for the screen.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SessionState {
    /// No card is bound.
    Unbound,
    /// Bound, and the platform can be asked.
    Active {
        /// What the phone is bound to.
        card: BoundCard,
    },
    /// Bound, but the session has ended: sign in again. Codes that are still valid go on.
    Ended {
        /// What the phone is bound to.
        card: BoundCard,
    },
}

impl From<yika_core::session::SessionState> for SessionState {
    fn from(state: yika_core::session::SessionState) -> Self {
        use yika_core::session::SessionState as Core;
        match state {
            Core::Unbound => Self::Unbound,
            Core::Active(card) => Self::Active { card },
            Core::Ended(card) => Self::Ended { card },
        }
    }
}

/// What a phone is bound to.
#[uniffi::remote(Record)]
pub struct BoundCard {
    /// The platform's address.
    pub platform: PlatformUrl,
    /// The school's DNS name, which every signature covers.
    pub school_domain: String,
    /// The school's name.
    pub school_name: LocalizedText,
    /// The school's time zone (IANA name), in which days are counted.
    pub time_zone: String,
    /// This phone, as the platform knows it.
    pub device_id: Uuid,
}
