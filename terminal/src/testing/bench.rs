//! A home that is not enrolled yet, a machine's clock, and a platform to enrol at over HTTP.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, MerchantId, TerminalKind};
use yika_format::PublicKey;
use yika_testkit::{ListBuilder, SignerKit};

use super::platform::FakePlatform;
use super::{DOMAIN, FakeClock, enrolled};
use crate::{Enrol, Terminal, TerminalError, TerminalOptions, enrol};

pub(crate) struct Bench {
    pub(crate) kind: TerminalKind,
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) kit: SignerKit,
    pub(crate) platform: FakePlatform,
}

impl Bench {
    pub(crate) async fn of(kind: TerminalKind) -> Self {
        let kit = SignerKit::new(DOMAIN);
        let platform = FakePlatform::start(ListBuilder::new(&kit), enrolled(&kit, TerminalKind::Pos)).await;
        Self {
            kind,
            dir: tempfile::tempdir().unwrap(),
            clock: FakeClock::new(),
            kit,
            platform,
        }
    }

    pub(crate) fn options(&self) -> TerminalOptions {
        TerminalOptions {
            clock: self.clock.clone(),
            patience: Duration::ZERO,
        }
    }

    pub(crate) async fn enrol(&self, root_key: Option<PublicKey>) -> Result<EnrolledTerminal, TerminalError> {
        let request = Enrol {
            platform: self.platform.origin().parse().unwrap(),
            request: EnrolTerminal {
                kind: self.kind,
                merchant: Some(MerchantId(42)),
                label: None,
                enrolment_code: None,
                directory_key: None,
            },
            root_key,
            authorities: Vec::new(),
        };
        enrol(self.dir.path(), &self.options(), &request).await
    }

    pub(crate) fn open(&self) -> Terminal {
        Terminal::open(self.dir.path(), &self.options()).unwrap()
    }

    /// Raises the platform's lists to this version.
    pub(crate) fn publish(&self, version: u64, deltas: Option<Vec<Vec<u8>>>) {
        let mut campus = self.platform.campus();
        campus.lists.version = version;
        campus.deltas = deltas;
    }
}
