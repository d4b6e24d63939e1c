//! Kinds, phases and stages of operations as the stable texts in the database.

use super::flow::{Contact, Next, Stage};
use crate::db::{stored_enum, variant};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::operation::{OperationKind, Phase, Refusal};

stored_enum!(Next {
    Next::Rest = "rest",
    Next::Submit = "submit",
    Next::Query = "query",
    Next::CallOff = "call_off",
    Next::GiveBack = "give_back",
    Next::Credit = "credit",
    Next::QueryCredit = "query_credit",
    Next::Recall = "recall",
});

/// The kinds that this version stores.
#[derive(Clone, Copy)]
pub(super) enum StoredKind {
    TopUp,
    Recharge,
    Withdraw,
    Utility,
}
stored_enum!(StoredKind {
    StoredKind::TopUp = "top_up",
    StoredKind::Recharge = "recharge",
    StoredKind::Withdraw = "withdraw",
    StoredKind::Utility = "utility",
});

#[derive(Clone, Copy)]
pub(super) enum StoredPhase {
    Sent,
    Confirming,
    Paid,
    Credited,
    Refunded,
    Refused,
}
stored_enum!(StoredPhase {
    StoredPhase::Sent = "sent",
    StoredPhase::Confirming = "confirming",
    StoredPhase::Paid = "paid",
    StoredPhase::Credited = "credited",
    StoredPhase::Refunded = "refunded",
    StoredPhase::Refused = "refused",
});

/// How far it has come, without the reason that stands beside it.
#[derive(Clone, Copy)]
pub(super) enum StoredStage {
    Untold,
    Unknown,
    Pending,
    CallingOff,
    CreditUntold,
    CreditUnknown,
    CreditPending,
    Recalling,
    RecallingUnpaid,
    GivingBack,
    Credited,
    Refunded,
    Refused,
}
stored_enum!(StoredStage {
    StoredStage::Untold = "untold",
    StoredStage::Unknown = "unknown",
    StoredStage::Pending = "pending",
    StoredStage::CallingOff = "calling_off",
    StoredStage::CreditUntold = "credit_untold",
    StoredStage::CreditUnknown = "credit_unknown",
    StoredStage::CreditPending = "credit_pending",
    StoredStage::Recalling = "recalling",
    StoredStage::RecallingUnpaid = "recalling_unpaid",
    StoredStage::GivingBack = "giving_back",
    StoredStage::Credited = "credited",
    StoredStage::Refunded = "refunded",
    StoredStage::Refused = "refused",
});

impl Stage {
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::GivingBack(refusal) | Self::Refunded(refusal) | Self::Refused(refusal) => Some(refusal),
            Self::Ordering(_)
            | Self::CallingOff
            | Self::Crediting(_)
            | Self::Recalling
            | Self::RecallingUnpaid
            | Self::Credited => None,
        }
    }

    /// Whether the order may have to be sent to the bank again.
    pub(super) fn needs_password(&self) -> bool {
        matches!(self, Self::Ordering(_) | Self::CallingOff)
    }

    pub(super) fn to_stored(&self) -> StoredStage {
        match self {
            Self::Ordering(Contact::None) => StoredStage::Untold,
            Self::Ordering(Contact::Unknown) => StoredStage::Unknown,
            Self::Ordering(Contact::Pending) => StoredStage::Pending,
            Self::CallingOff => StoredStage::CallingOff,
            Self::Crediting(Contact::None) => StoredStage::CreditUntold,
            Self::Crediting(Contact::Unknown) => StoredStage::CreditUnknown,
            Self::Crediting(Contact::Pending) => StoredStage::CreditPending,
            Self::Recalling => StoredStage::Recalling,
            Self::RecallingUnpaid => StoredStage::RecallingUnpaid,
            Self::GivingBack(_) => StoredStage::GivingBack,
            Self::Credited => StoredStage::Credited,
            Self::Refunded(_) => StoredStage::Refunded,
            Self::Refused(_) => StoredStage::Refused,
        }
    }

    pub(super) fn of_row(row: &AnyRow) -> Result<Self> {
        let refusal = || {
            let stored: Option<String> = row.try_get("refusal")?;
            Ok::<Refusal, Error>(serde_json::from_str(&stored.unwrap_or_default())?)
        };
        Ok(match variant(row, "stage")? {
            StoredStage::Untold => Self::Ordering(Contact::None),
            StoredStage::Unknown => Self::Ordering(Contact::Unknown),
            StoredStage::Pending => Self::Ordering(Contact::Pending),
            StoredStage::CallingOff => Self::CallingOff,
            StoredStage::CreditUntold => Self::Crediting(Contact::None),
            StoredStage::CreditUnknown => Self::Crediting(Contact::Unknown),
            StoredStage::CreditPending => Self::Crediting(Contact::Pending),
            StoredStage::Recalling => Self::Recalling,
            StoredStage::RecallingUnpaid => Self::RecallingUnpaid,
            StoredStage::GivingBack => Self::GivingBack(refusal()?),
            StoredStage::Credited => Self::Credited,
            StoredStage::Refunded => Self::Refunded(refusal()?),
            StoredStage::Refused => Self::Refused(refusal()?),
        })
    }
}

pub(super) fn stored_phase(phase: Phase) -> Result<StoredPhase> {
    match phase {
        Phase::Sent => Ok(StoredPhase::Sent),
        Phase::Confirming => Ok(StoredPhase::Confirming),
        Phase::Paid => Ok(StoredPhase::Paid),
        Phase::Credited => Ok(StoredPhase::Credited),
        Phase::Refunded => Ok(StoredPhase::Refunded),
        Phase::Refused => Ok(StoredPhase::Refused),
        Phase::Other => Err(Error::StoredValue {
            what: "operation.phase",
            value: "other".to_owned(),
        }),
    }
}

pub(super) fn phase(row: &AnyRow) -> Result<Phase> {
    Ok(match variant(row, "phase")? {
        StoredPhase::Sent => Phase::Sent,
        StoredPhase::Confirming => Phase::Confirming,
        StoredPhase::Paid => Phase::Paid,
        StoredPhase::Credited => Phase::Credited,
        StoredPhase::Refunded => Phase::Refunded,
        StoredPhase::Refused => Phase::Refused,
    })
}

pub(super) fn stored_kind(kind: OperationKind) -> Result<StoredKind> {
    match kind {
        OperationKind::TopUp => Ok(StoredKind::TopUp),
        OperationKind::Recharge => Ok(StoredKind::Recharge),
        OperationKind::Withdraw => Ok(StoredKind::Withdraw),
        OperationKind::Utility => Ok(StoredKind::Utility),
        OperationKind::Other => Err(Error::StoredValue {
            what: "operation.kind",
            value: "other".to_owned(),
        }),
    }
}

/// What an operation is.
pub(super) fn kind(row: &AnyRow) -> Result<OperationKind> {
    Ok(match variant(row, "kind")? {
        StoredKind::TopUp => OperationKind::TopUp,
        StoredKind::Recharge => OperationKind::Recharge,
        StoredKind::Withdraw => OperationKind::Withdraw,
        StoredKind::Utility => OperationKind::Utility,
    })
}
