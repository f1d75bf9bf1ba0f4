//! Packages of npm: exactly the locked ones.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use super::apt;
use crate::{paths, shell::Shell};

/// The `node_modules` of a folder of this repository that has a `package.json` and a lock. Nothing is done without them in silence: `why` is
/// the advice when they can't be had.
pub(crate) fn modules(folder: &str, why: &str) -> Result<PathBuf> {
    let from = paths::root().join(folder);
    let root = paths::cache()?.join(folder.replace('/', "-"));
    let lock = fs::read(from.join("package-lock.json"))
        .with_context(|| format!("reading the lock of {folder}"))?;
    let modules = root.join("node_modules");
    let done = root.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    node(why)?;
    fs::create_dir_all(&root)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), root.join(file))?;
    }
    Shell::new("npm")
        .arg("ci")
        .arg("--prefix")
        .arg(&root)
        .args(["--ignore-scripts", "--no-audit", "--no-fund"])
        .advice(why)
        .run()?;
    // Last: an installation that was interrupted is none.
    fs::write(done, lock)?;
    Ok(modules)
}

/// Makes sure that there are node and npm.
pub(crate) fn node(why: &str) -> Result<()> {
    if paths::on_path("node").is_none() || paths::on_path("npm").is_none() {
        apt::install(&["nodejs", "npm"], why)?;
    }
    Ok(())
}
