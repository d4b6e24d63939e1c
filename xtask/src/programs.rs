//! Building what tests and the demo run: the library and every program, once, in one way.

use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Builds the library, the generator and every program as tests want them: with all features, which arm the points at
/// which a test may kill a program, and with exactly the dependencies that the tests themselves are built with. Crates
/// chosen one by one would be built with other features of the same dependencies, and those once more; so would the
/// workspace without `--examples`, which is what makes cargo count the features that only tests ask for.
pub(crate) fn build(workspace: &Workspace) -> Result<(), Error> {
    process::run(
        &mut workspace.cargo("build --workspace --all-features --lib --bins --examples --profile ci"),
    )
}
