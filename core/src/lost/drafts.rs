//! Reports that the platform may not know yet, and what it told last.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::device::DeviceList;
use yika_api::lost::{Lost, SuspensionList};

use crate::store::{Record, Snapshot};

/// In the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostDrafts {
    pub(super) reports: Vec<ReportDraft>,
}

/// A report to be told under this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportDraft {
    pub(super) id: Uuid,
    pub(super) lost: Lost,
    pub(super) decided_at: UnixMillis,
}

impl Record for LostDrafts {
    const NAME: &'static str = "lost_reports";
}

impl Snapshot for SuspensionList {
    const NAME: &'static str = "suspensions";

    fn version(&self) -> u64 {
        self.version
    }
}

impl Snapshot for DeviceList {
    const NAME: &'static str = "devices";
}
