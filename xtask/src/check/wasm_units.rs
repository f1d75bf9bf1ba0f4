//! The unit tests that run inside a page, a dedicated worker and a shared worker: compiled here, run by `wasm-tests`.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    compiled::{self, Wanted},
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
    let cargo = Shell::cargo()
        .args(["test", "--no-run", "--target", WASM_TARGET])
        .args(["--package", package, "--tests"]);
    compiled::executables(cargo, Wanted::Tests)
}
