//! One run of wasm-bindgen.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{paths, shell::Shell};

/// The kind of script that loads the wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsTarget {
    /// A module, for pages and module workers.
    Web,
    /// A classic script, for workers of browsers without module workers.
    NoModules,
}

impl JsTarget {
    fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::NoModules => "no-modules",
        }
    }
}

/// What is left in a wasm beside its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sections {
    /// Stack traces have names.
    All,
    /// wasm-opt is told by names what to leave out, and leaves them out too.
    Names,
    /// Nothing that a browser can do without.
    Needed,
}

/// Where [`bind`] leaves its files.
pub(super) fn folder(name: &str, target: JsTarget) -> PathBuf {
    paths::target()
        .join("bindgen")
        .join(format!("{name}-{}", target.name()))
}

/// What wasm-bindgen left: a folder with the script, the wasm and perhaps snippets.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) folder: PathBuf,
    pub(super) script: PathBuf,
    pub(super) wasm: PathBuf,
}

pub(super) fn bind(
    program: &Path,
    wasm: &Path,
    name: &str,
    target: JsTarget,
    sections: Sections,
) -> Result<Bound> {
    let strip: &[&str] = match sections {
        Sections::All => &[],
        Sections::Names => &["--remove-producers-section"],
        Sections::Needed => &["--remove-name-section", "--remove-producers-section"],
    };
    let folder = folder(name, target);
    let target = target.name();
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    Shell::new(program)
        .arg(wasm)
        .arg("--out-dir")
        .arg(&folder)
        .args(["--out-name", name, "--target", target, "--no-typescript"])
        .args(strip)
        .run()?;
    Ok(Bound {
        script: folder.join(format!("{name}.js")),
        wasm: folder.join(format!("{name}_bg.wasm")),
        folder,
    })
}
