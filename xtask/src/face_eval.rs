//! `cargo xtask face-eval DIR`: the face checks over a folder of photos.

use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Judges the photos of a folder; the sheet goes to the target folder.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let [folder] = arguments else {
        return Err(Error::Usage("face-eval takes a folder".to_owned()));
    };
    let sheet = workspace.in_target("face-eval.png");
    process::run(
        workspace
            .cargo("run --quiet --release -p yika-face-eval --")
            .arg(folder)
            .arg(sheet),
    )
}
