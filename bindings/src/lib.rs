//! The core for Kotlin and Swift: a UniFFI facade with one client, sub-clients and one error enum, and no logic.
//!
//! Plain values are the core's own types, declared here once more for the generator (`uniffi::remote`): the compiler holds the two
//! together. What the languages need otherwise (named fields, byte arrays, milliseconds) is a record here with a `From`.
//! Objects ([`CampusCard`] and the services that it hands out) only pass on. What may wait, for the disk, a port or the network, is
//! asynchronous (`suspend` in Kotlin, `async` in Swift) and done on the core's threads, so it may be called on the main
//! thread; what is not looks at memory only, but for `show_blocking`. Each method says what it touches. A documented item's comment is what an app
//! developer reads in the IDE, so it speaks of variants and fields by their plain names.

mod accounts;
mod approvals;
mod bills;
mod client;
mod codes;
mod error;
#[cfg(feature = "face")]
mod face;
#[cfg(feature = "face")]
mod face_record;
mod guard;
mod limits;
mod logging;
mod merchant;
mod operations;
mod ports;
mod refusals;
mod security;
mod session;
mod types;
mod utilities;
mod wallet;

#[cfg(test)]
mod tests;

pub use accounts::{
    Account, AccountService, AccountStatus, AutoTopUp, AutoTopUpProblem, AutoTopUpRule, Balance,
    auto_top_up_consent_version,
};
pub use approvals::{ApprovalService, StepUp};
pub use bills::{
    Bill, BillCursor, BillKind, BillPage, BillQuery, BillService, BillStatus, BillSummary, Dispute,
    DisputeDraft, DisputePhase, DisputeReason, KindTotal, MerchantTotal,
};
pub use client::{CampusCard, Config, HttpLimits, Roots};
pub use codes::{
    ClockQuality, ClockStory, CodeForm, CodeFrame, CodePurpose, CodeService, CodesUntil, FormChoice,
};
pub use error::{InternalFault, PhotoFault, PlatformRefusal, TrustFault, YikaError};
#[cfg(feature = "face")]
pub use face::{
    CameraFrame, CameraPixels, CameraPlane, FaceAdvice, FaceCamera, FaceMeasure, FacePortrait, FaceQuality,
    FaceService, FrameReport, PhotoReport,
};
#[cfg(feature = "face")]
pub use face_record::{
    ConsentText, FaceConsent, FaceDeletion, FaceRecord, FaceUpload, FaceUploadPhase, PhotoRefusal,
    PhotoRefusalReason,
};
pub use logging::{LogEntry, LogLevel, LogSink, LogSinkError, set_log_sink};
pub use operations::{
    Funding, Operation, OperationCursor, OperationKind, OperationPage, OperationRefusal, OperationService,
    Phase, Plan, Step, TopUpAmount, TopUpSource, UtilitySource,
};
pub use ports::{
    ClockSample, DeviceClock, DeviceClockError, DeviceKey, DeviceKeyError, DeviceSigner, KeyPurpose,
    KeyStorage, KeyWrap, Ports, Witness, WitnessError,
};
pub use refusals::{BankRefusal, InputField, MoneyReason, MoneyRefusal, RefusalReason};
pub use security::{CardDevice, LostItem, LostRow, LostState, Security, SecurityService, SuspendedBy};
pub use session::{BoundCard, SessionService, SessionState};
pub use types::{
    Authority, Fen, LocalizedText, PlatformUrl, ProblemCode, RootKey, Slot, SpkiPin, UnixMillis, Uuid,
};

pub use limits::{LimitService, SpendLimits};
pub use merchant::{
    DayTakings, HourTakings, KindTakings, MerchantService, Stall, StallDays, StallExport, StallExportFormat,
    StallExportOf, StallId, StallIncome, StallList, StallPayment, StallPaymentPage, StallPaymentStatus,
    StallReturn, StallReturnKind, StallRole, StallStatement, StallStatementPage, Takings, Tally, TerminalId,
    TerminalTakings, Till,
};
pub use utilities::{
    BoundPlace, MeterBalance, Place, PlaceBalance, PlaceLookup, Provider, UtilityKind, UtilityService,
};
pub use wallet::{
    BankCard, CardBinding, CardFee, CardInput, CloseBlocker, IdentityInput, Terms, TopUpLimits, Wallet,
    WalletService, WalletStatus,
};

uniffi::setup_scaffolding!();
