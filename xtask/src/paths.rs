//! Where things are: the workspace, what a build leaves behind, and the tools that every clone shares.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context as _, Result};

use crate::workspace;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Cargo's target folder, wherever the caller moved it.
pub(crate) fn target() -> PathBuf {
    // Whoever builds something finds out by themselves, and says, that cargo does not run.
    workspace::target().map_or_else(|_| root().join("target"), Path::to_path_buf)
}

/// A folder of finished static files: `target/dist/<name>`.
pub(crate) fn dist(name: &str) -> PathBuf {
    target().join("dist").join(name)
}

/// Where downloaded and compiled tools live: outside the clone, so that the next clone finds them.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => PathBuf::from(env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    Ok(base.join("onesocket"))
}

/// Has the programs of this folder found first, here and by everything that is started from now on.
pub(crate) fn prefer(folder: PathBuf) {
    // There is one such folder: whoever comes second has found the same.
    let _ = PREFERRED.set(folder);
}

/// PATH, where it is another than the caller's.
pub(crate) fn other_path() -> Option<OsString> {
    let preferred = PREFERRED.get()?.clone();
    let callers = env::var_os("PATH").unwrap_or_default();
    let folders = [preferred].into_iter().chain(env::split_paths(&callers));
    env::join_paths(folders).ok()
}

static PREFERRED: OnceLock<PathBuf> = OnceLock::new();

/// The first file of that name on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&other_path().or_else(|| env::var_os("PATH"))?)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}
