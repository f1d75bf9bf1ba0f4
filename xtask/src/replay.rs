//! `cargo xtask replay FILE`.

use std::path::Path;

use anyhow::Result;

use crate::shell::Shell;

/// Replays a recording of the inspector's.
pub(crate) fn run(file: &Path) -> Result<()> {
    Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-tests"])
        .args(["--bin", "replay", "--"])
        .arg(file)
        .run()
}
