//! A worker is one script, so that an app copies two files and needs neither `blob:` nor `importScripts`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use super::bindgen::Bound;
use crate::paths;

/// Checks that one wasm fits both scripts.
pub(super) fn compare(name: &str, classic: &Bound, module: &Bound) -> Result<()> {
    if fs::read(&classic.wasm)? != fs::read(&module.wasm)? {
        bail!("{name}: wasm-bindgen made different wasm for the classic and the module script");
    }
    Ok(())
}

/// Writes `<name>.js` (classic) and `<name>.module.js`: the prelude, the glue, the start.
///
/// The prelude comes first because it must run before anything can fail or wait: it queues the `connect` events that
/// arrive until the wasm is up.
pub(super) fn write(name: &str, classic: &Bound, module: &Bound) -> Result<[PathBuf; 2]> {
    Ok([
        concatenate(&format!("{name}.js"), classic, "boot.classic.js")?,
        concatenate(&format!("{name}.module.js"), module, "boot.module.js")?,
    ])
}

/// Writes `onesocket-dial.js`, for the head of a page: the part of the prelude that dials.
pub(super) fn write_dial() -> Result<PathBuf> {
    let prelude = paths::root().join("worker/js/prelude.js");
    let text =
        fs::read_to_string(&prelude).with_context(|| format!("reading {}", prelude.display()))?;
    let (dial, _) = text
        .split_once(CUT)
        .with_context(|| format!("{} has no line {CUT:?}", prelude.display()))?;
    let path = folder()?.join("onesocket-dial.js");
    fs::write(&path, dial)?;
    Ok(path)
}

/// The line of the prelude behind which a page has no use for it.
const CUT: &str = "// The rest is the worker's.\n";

fn concatenate(name: &str, bound: &Bound, boot: &str) -> Result<PathBuf> {
    if bound.folder.join("snippets").exists() {
        bail!("{name}: a dependency brings JS snippets, which a one-file worker cannot load");
    }
    let js = paths::root().join("worker/js");
    let parts = [js.join("prelude.js"), bound.script.clone(), js.join(boot)];
    let mut script = String::new();
    for part in parts {
        let text = fs::read_to_string(&part)
            .with_context(|| format!("{name} needs {}", part.display()))?;
        script.push_str(&text);
        script.push('\n');
    }
    let path = folder()?.join(name);
    fs::write(&path, script)?;
    Ok(path)
}

fn folder() -> Result<PathBuf> {
    let folder = paths::target().join("bindgen").join("workers");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
