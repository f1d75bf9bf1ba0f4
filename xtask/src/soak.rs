//! `cargo xtask soak`.

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tools::{self, Engine},
    turn::Turn,
    wasm::{self, Profile},
};

#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    engine: Engine,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Messages a second, of 200 bytes.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
}

/// Feeds one tab in the shared tier; fails when a message is lost or memory grows.
pub(crate) fn run(args: &SoakArgs) -> Result<()> {
    let environment = tools::driver_environment(&[args.engine])?;
    let _pages = Turn::Pages.take();
    let building = Turn::Build.take();
    wasm::build_all(Profile::Wasm)?;
    drop(building);
    let mut shell = Shell::cargo()
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "onesocket-tests",
        ])
        .args(["--bin", "soak", "--", "--engine", args.engine.name()])
        .args(["--minutes", &args.minutes.to_string()])
        .args(["--rate", &args.rate.to_string()])
        .arg("--dist")
        .arg(wasm::tests_dist());
    for (key, path) in environment {
        shell = shell.env(key, path);
    }
    shell.run()
}
