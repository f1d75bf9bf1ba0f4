//! `cargo xtask herd`.

use anyhow::Result;

use crate::shell::Shell;

/// Simulates the herds of `docs/herds.md` and draws its picture.
pub(crate) fn run() -> Result<()> {
    Shell::cargo()
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "onesocket-tests",
        ])
        .args(["--bin", "herd", "--", "--svg", "docs/herd.svg"])
        .run()
}
