//! Step-up: how the holder shows to be there, for what the session alone must not do.

use crate::error::YikaError;
use crate::wallet::payment_password;
use yika_core::approvals;

/// How the holder shows to be there, where a limit is raised, a payment is above it, something is found again or a phone
/// removed.
#[derive(uniffi::Enum)]
pub enum StepUp {
    /// By the payment password, which the bank checks.
    Password {
        /// Six digits. The library overwrites its copy.
        password: Vec<u8>,
    },
    /// By finger, face or screen lock: the keystore port asks, with the key for `KeyPurpose.APPROVAL`.
    Approval,
    /// By having signed in at the host just now, with the password there or the like. It does only to report something found and to
    /// remove a phone, for holders who have no payment password.
    SignIn {
        /// The host's OIDC ID token, asked for with `max_age=0` or `prompt=login`: its `auth_time` says when that was.
        id_token: String,
    },
}

/// What a shell gave, for the core.
pub(crate) fn into_core(step_up: Option<StepUp>) -> Result<Option<approvals::StepUp>, YikaError> {
    Ok(match step_up {
        None => None,
        Some(StepUp::Approval) => Some(approvals::StepUp::Approval),
        Some(StepUp::SignIn { id_token }) => Some(approvals::StepUp::SignIn {
            id_token: id_token.into(),
        }),
        Some(StepUp::Password { password }) => Some(approvals::StepUp::Password {
            password: payment_password(password)?,
        }),
    })
}

/// Approving with finger, face or screen lock where otherwise the payment password is needed.
#[derive(uniffi::Object)]
pub struct ApprovalService {
    pub(crate) core: yika_core::ApprovalService,
}

#[uniffi::export]
impl ApprovalService {
    /// Whether this phone approves. Touches the disk; no network.
    pub async fn is_on(&self) -> Result<bool, YikaError> {
        Ok(self.core.is_on().await?)
    }

    /// Lets this phone approve from now on, by the payment password (six digits): makes a key that asks for the user each time,
    /// and asks once. Touches the ports, the network and the disk.
    ///
    /// Fails with `KeyUnavailable` where the keystore isn't one of hardware, with `NoScreenLock`, `BiometricCancelled` and the
    /// like from the keystore, with `Money` (`WalletNotOpen`, `BankRefused`), `InvalidInput`, `Network` and the like. After any
    /// of these this phone doesn't approve.
    pub async fn turn_on(&self, password: Vec<u8>) -> Result<(), YikaError> {
        Ok(self.core.turn_on(payment_password(password)?).await?)
    }

    /// Forgets the key, at the platform and here. Touches the network, the disk and the keystore. After an error this phone
    /// approves as before.
    pub async fn turn_off(&self) -> Result<(), YikaError> {
        Ok(self.core.turn_off().await?)
    }
}
