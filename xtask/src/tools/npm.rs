//! Packages of npm: exactly the locked ones.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

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
    unless_installed(&root, &lock, || {
        node(why)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(from.join(file), root.join(file))?;
        }
        Shell::new("npm")
            .arg("ci")
            .arg("--prefix")
            .arg(&root)
            .args(["--ignore-scripts", "--no-audit", "--no-fund"])
            .advice(why)
            .run()
    })?;
    Ok(modules)
}

/// Installs what a lock names into a folder, which an installation of another lock's may be in.
fn unless_installed(root: &Path, lock: &[u8], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let done = root.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    fs::create_dir_all(root)?;
    // First, and written last: an installation that was interrupted is none, not even of the lock before.
    match fs::remove_file(&done) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    install()?;
    Ok(fs::write(done, lock)?)
}

/// Makes sure that there are node and npm.
pub(crate) fn node(why: &str) -> Result<()> {
    if paths::on_path("node").is_none() || paths::on_path("npm").is_none() {
        apt::install(&["nodejs", "npm"], why)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_installation_counted_as_the_one_before() {
        let root = paths::target().join("tests-of-xtask/npm");
        let installs = |lock: &str, result: Result<()>| {
            let mut runs = 0;
            let installed = unless_installed(&root, lock.as_bytes(), || {
                runs += 1;
                result
            });
            (runs, installed.is_ok())
        };
        // Whatever an earlier test run has left.
        installs("none", Ok(()));
        assert_eq!(installs("old", Ok(())), (1, true));
        assert_eq!(installs("old", Ok(())), (0, true));
        assert_eq!(installs("new", Err(anyhow::anyhow!("no"))), (1, false));
        assert_eq!(installs("old", Ok(())), (1, true));
    }
}
