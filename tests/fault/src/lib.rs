//! Named points at which a test build can be made to die, as a power cut would: no destructor runs, nothing is flushed.
//!
//! Phone, terminal and platform have one before and after each durable write (`NAME.before-commit`, `NAME.after-commit`,
//! by [`commit!`]), each send and each reply. In a build without the feature `armed`, which is every build that ships, the call is empty. In an armed build the
//! environment says what happens: `YIKA_KILL_AT=point:3` aborts the process the third time that `point` is reached, and
//! `YIKA_FAULT_LOG=file` appends the name of each point reached to a file, a line each, so that a test can tell a point
//! that was survived from one that was never met.

/// Does something that is to be durable, between two points: `NAME.before-commit`, and `NAME.after-commit` once it has
/// succeeded. `NAME` is a literal, so that a search finds every point.
#[macro_export]
macro_rules! commit {
    ($name:literal, $step:expr) => {{
        $crate::reach(concat!($name, ".before-commit"));
        let outcome = $step;
        if outcome.is_ok() {
            $crate::reach(concat!($name, ".after-commit"));
        }
        outcome
    }};
}

/// Says that this point was reached.
#[inline]
pub fn reach(point: &'static str) {
    #[cfg(feature = "armed")]
    armed::reach(point);
    #[cfg(not(feature = "armed"))]
    let _ = point;
}

#[cfg(feature = "armed")]
mod armed {
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Plan {
        /// The point to die at, and the hit that kills.
        kill: Option<(String, u32)>,
        log: Option<std::path::PathBuf>,
        hits: AtomicU32,
    }

    static PLAN: OnceLock<Plan> = OnceLock::new();

    fn plan() -> &'static Plan {
        PLAN.get_or_init(|| Plan {
            kill: std::env::var("YIKA_KILL_AT").ok().and_then(|text| {
                let (point, count) = text.rsplit_once(':')?;
                Some((point.to_owned(), count.parse().ok()?))
            }),
            log: std::env::var_os("YIKA_FAULT_LOG").map(Into::into),
            hits: AtomicU32::new(0),
        })
    }

    pub(super) fn reach(point: &str) {
        let plan = plan();
        if let Some(path) = &plan.log
            && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
        {
            // A line that cannot be written makes the point look unmet, and the test that counts it fails.
            let _ = writeln!(file, "{point}");
        }
        if let Some((name, count)) = &plan.kill
            && name == point
            && plan.hits.fetch_add(1, Ordering::SeqCst) + 1 == *count
        {
            std::process::abort();
        }
    }
}
