//! Following a feed of the platform's, page after page, from where the cache stands. Each feature fetches and keeps its own
//! pages.

use yika_api::operation::OperationPage;
use yika_api::payment::PaymentPage;

use crate::error::CoreError;

/// A part of a feed.
pub(crate) trait Page {
    /// Where the next one begins.
    fn cursor(&self) -> &str;

    /// Whether there is more right now.
    fn more(&self) -> bool;
}

impl Page for PaymentPage {
    fn cursor(&self) -> &str {
        &self.cursor
    }

    fn more(&self) -> bool {
        self.more
    }
}

impl Page for OperationPage {
    fn cursor(&self) -> &str {
        &self.cursor
    }

    fn more(&self) -> bool {
        self.more
    }
}

/// Fetches and applies pages until there is no more. `apply` answers whether it did: a cache that was rebuilt meanwhile has
/// begun anew, and so does the feed.
pub(crate) async fn follow<P: Page, F: Future<Output = Result<P, CoreError>>>(
    cursor: impl Fn() -> Result<Option<String>, CoreError>,
    fetch: impl Fn(Option<String>) -> F,
    apply: impl Fn(Option<&str>, &P) -> Result<bool, CoreError>,
) -> Result<(), CoreError> {
    loop {
        let after = cursor()?;
        let page = fetch(after.clone()).await?;
        let is_applied = apply(after.as_deref(), &page)?;
        let is_stuck = page.more() && after.as_deref() == Some(page.cursor());
        if is_stuck {
            return Err(CoreError::AppOutdated);
        }
        if is_applied && !page.more() {
            return Ok(());
        }
    }
}
