//! `cargo xtask chaos`.

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tools::{self, Engine},
    turn::Turn,
    wasm::{self, Profile},
};

#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    engine: Engine,
    /// Where the loop starts: shared, dedicated or main.
    #[arg(long, default_value = "shared")]
    tier: String,
    /// How many tabs take part.
    #[arg(long, default_value_t = 6)]
    tabs: u32,
    /// Lets each fault happen so many times in a row, instead of random ones.
    #[arg(long, conflicts_with_all = ["minutes", "seed"])]
    each: Option<u32>,
    /// Lets only this fault happen, by its name in the table.
    #[arg(long, requires = "each")]
    fault: Option<String>,
    /// For how long faults happen.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// The same seed gives the same faults in the same order. Random if it is left out, and printed.
    #[arg(long)]
    seed: Option<u64>,
}

/// Lets faults happen to the tabs of a browser; fails when a promise is broken.
pub(crate) fn run(args: &ChaosArgs) -> Result<()> {
    let environment = tools::driver_environment(&[args.engine])?;
    let _pages = Turn::Pages.take();
    let building = Turn::Build.take();
    wasm::build_all(Profile::Dev)?;
    drop(building);
    let mut shell = Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-tests"])
        .args(["--bin", "chaos", "--", "--engine", args.engine.name()])
        .args(["--tier", &args.tier])
        .args(["--tabs", &args.tabs.to_string()])
        .arg("--dist")
        .arg(wasm::tests_dist());
    shell = match args.each {
        Some(times) => shell.args(["--each", &times.to_string()]),
        None => shell.args(["--minutes", &args.minutes.to_string()]),
    };
    if let Some(fault) = &args.fault {
        shell = shell.args(["--fault", fault]);
    }
    if let Some(seed) = args.seed {
        shell = shell.args(["--seed", &seed.to_string()]);
    }
    for (key, path) in environment {
        shell = shell.env(key, path);
    }
    shell.run()
}
