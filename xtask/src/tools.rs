//! The programs that the commands need: found, else installed, else named with the command that installs them.

mod apt;
mod browsers;
mod cargo_install;
mod kept;
mod npm;
mod wasm_opt;

pub(crate) use browsers::{Engine, driver_environment};
pub(crate) use npm::{modules as npm_modules, node};
pub(crate) use wasm_opt::WasmOpt;

use std::path::PathBuf;

use anyhow::Result;

use crate::{shell::Shell, workspace};

/// Makes sure that rustc can compile for the browser.
pub(crate) fn wasm_target() -> Result<()> {
    let installed = Shell::new("rustup").args(["target", "list", "--installed"]);
    let has_target = installed
        .read()
        // A toolchain without rustup (a distribution's) may still have the target: let cargo say so.
        .map_or(true, |list| list.lines().any(|line| line == WASM_TARGET));
    if has_target {
        return Ok(());
    }
    Shell::new("rustup")
        .args(["target", "add", WASM_TARGET])
        .advice("the Rust target of the browser is needed: see https://rustup.rs")
        .run()
}

/// Makes sure that rustup has this toolchain, for this machine and for the browser.
pub(crate) fn toolchain(name: &str) -> Result<()> {
    let advice = format!(
        "Rust {name} is needed: rustup toolchain install {name} --profile minimal --target {WASM_TARGET}"
    );
    let list = |name: &str| {
        Shell::new("rustup")
            .args(["target", "list", "--installed", "--toolchain", name])
            .read()
    };
    if list(name).is_ok_and(|targets| targets.lines().any(|line| line == WASM_TARGET)) {
        return Ok(());
    }
    Shell::new("rustup")
        .args(["toolchain", "install", name])
        .args(["--profile", "minimal", "--target", WASM_TARGET])
        .advice(advice)
        .run()
}

/// The folder of `cargo-semver-checks`.
pub(crate) fn semver_checks() -> Result<PathBuf> {
    let name = "cargo-semver-checks";
    cargo_install::folder_of(name, name, SEMVER_CHECKS_VERSION)
}

/// The folder of `mdbook`.
pub(crate) fn mdbook() -> Result<PathBuf> {
    // It needs neither serve nor watch.
    let features = ["--no-default-features", "--features", "search"];
    cargo_install::folder_with("mdbook", "mdbook", MDBOOK_VERSION, &features)
}

/// The folder of `wasm-bindgen` and `wasm-bindgen-test-runner` of exactly the locked version: the glue and the
/// library refuse each other otherwise.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let version = workspace::locked_version("wasm-bindgen")?;
    cargo_install::folder_of("wasm-bindgen-cli", "wasm-bindgen", &version)
}

/// Installs whatever any command may need.
pub(crate) fn install_all() -> Result<()> {
    wasm_target()?;
    let wasm_bindgen = wasm_bindgen()?;
    let environment = driver_environment(&Engine::ALL)?;
    WasmOpt::find()?;
    println!(
        "WASM_BINDGEN={}",
        wasm_bindgen.join("wasm-bindgen").display()
    );
    for (key, path) in environment {
        println!("{key}={}", path.display());
    }
    Ok(())
}

/// Each reads what some versions of rustdoc write: a newer Rust may need a newer one.
const SEMVER_CHECKS_VERSION: &str = "0.51.0";

const MDBOOK_VERSION: &str = "0.5.4";

/// The target triple of everything that runs in a browser.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
