//! The peers of the benchmark that come from npm: exactly the locked ones.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use super::apt;
use crate::{paths, shell::Shell};

/// The folder with the `node_modules` of the locked versions. Without a peer there is no benchmark: a comparison that leaves somebody out in
/// silence is none.
pub(crate) fn peers() -> Result<PathBuf> {
    let from = paths::root().join("bench/peers");
    let root = paths::cache()?.join("bench-peers");
    let lock = fs::read(from.join("package-lock.json")).context("reading the lock of the peers")?;
    let modules = root.join("node_modules");
    let done = root.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    if paths::on_path("node").is_none() || paths::on_path("npm").is_none() {
        apt::install(
            &["nodejs", "npm"],
            "the benchmark's peers need node and npm",
        )?;
    }
    fs::create_dir_all(&root)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), root.join(file))?;
    }
    Shell::new("npm")
        .arg("ci")
        .arg("--prefix")
        .arg(&root)
        .args(["--ignore-scripts", "--no-audit", "--no-fund"])
        .advice("the benchmark compares with packages of npm, and is not run without them")
        .run()?;
    // Last: an installation that was interrupted is none.
    fs::write(done, lock)?;
    Ok(modules)
}
