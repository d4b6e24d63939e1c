//! The phone: session, codes, accounts, wallet, operations, and the store beneath them.

pub mod accounts;
pub mod approvals;
pub mod auto_top_up;
mod client;
pub mod clock;
pub mod codes;
mod error;
#[cfg(feature = "face")]
pub mod face;
mod feed;
mod http;
mod keys;
pub mod limits;
pub mod lost;
pub mod merchant;
pub mod operations;
pub mod ports;
mod runtime;
mod secret;
pub mod session;
mod store;
#[cfg(test)]
mod testing;
mod trust;
pub mod utilities;
pub mod wallet;
mod worker;

pub use client::{
    AccountService, ApprovalService, BillService, CampusCard, CodeService, Config, LimitService,
    MerchantService, OperationService, SecurityService, SessionService, UtilityService, WalletService,
};
#[cfg(feature = "face")]
pub use client::{CameraFrame, CameraPixels, CameraPlane, FaceCamera, FaceService};
pub use error::{CoreError, InternalFault, PhotoFault, PlatformRefusal};
pub use http::HttpLimits;
pub use secret::SecretText;
pub use trust::TrustFault;
pub use yika_link::{Authority, AuthorityError, Origin, OriginError, Roots, SpkiPin};
