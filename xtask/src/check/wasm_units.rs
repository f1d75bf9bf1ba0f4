//! The unit tests that run inside a page, a dedicated worker and a shared worker: compiled here, run by `wasm-tests`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    shell::Shell,
    tools::{self, WASM_TARGET},
    workspace::{self, Kind},
};

/// What `wasm-tests` needs to know.
#[derive(Debug)]
pub(super) struct WasmUnits {
    pub(super) runner: PathBuf,
    /// One per test target: a crate's library, or a file of its `tests` folder.
    pub(super) binaries: Vec<PathBuf>,
}

/// Compiles the wasm tests of every package that has any: those with `wasm-bindgen-test` among their dev-dependencies.
pub(super) fn build() -> Result<WasmUnits> {
    tools::wasm_target()?;
    let runner = tools::wasm_bindgen()?.join("wasm-bindgen-test-runner");
    let mut binaries = Vec::new();
    for package in workspace::packages()? {
        let mut dependencies = package.dependencies.iter();
        if dependencies.any(|found| found.name == "wasm-bindgen-test" && found.kind == Kind::Dev) {
            binaries.extend(compile(&package.name)?);
        }
    }
    Ok(WasmUnits { runner, binaries })
}

fn compile(package: &str) -> Result<Vec<PathBuf>> {
    let mut binaries = Vec::new();
    let mut problem = None;
    Shell::cargo()
        .args(["test", "--no-run", "--target", WASM_TARGET])
        .args(["--package", package, "--tests"])
        .arg("--message-format=json-render-diagnostics")
        .stream(|line| match executable(line) {
            Ok(found) => binaries.extend(found),
            Err(error) => problem = Some(error),
        })?;
    problem.map_or(Ok(binaries), Err)
}

/// The test binary that one line of cargo's messages announces.
fn executable(line: &str) -> Result<Option<PathBuf>> {
    let message: Value = serde_json::from_str(line)
        .with_context(|| format!("cargo announced something else than JSON: {line}"))?;
    let is_test = message["profile"]["test"].as_bool() == Some(true);
    let path = message["executable"].as_str().filter(|_| is_test);
    Ok(path.map(PathBuf::from))
}
