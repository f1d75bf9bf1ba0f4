//! `cargo xtask chaos`.

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tier::Tier,
    tools::{self, Engine},
    turn::Turn,
    wasm::{self, Profile},
};

#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    engine: Engine,
    /// Where the loop starts.
    #[arg(long, default_value = "shared")]
    tier: Tier,
    /// How many tabs take part.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    tabs: u32,
    /// Lets each fault happen so many times in a row, instead of random ones.
    #[arg(long, conflicts_with_all = ["minutes", "seed"], value_parser = clap::value_parser!(u32).range(1..))]
    each: Option<u32>,
    /// Lets only this fault happen, by its name in the table.
    #[arg(long, requires = "each")]
    fault: Option<String>,
    /// For how long faults happen.
    #[arg(long, default_value_t = 5.0, value_parser = minutes)]
    minutes: f64,
    /// The same seed gives the same faults in the same order. Random if it is left out, and printed.
    #[arg(long)]
    seed: Option<u64>,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if minutes > 0.0 && minutes <= MOST_MINUTES => Ok(minutes),
        _ => Err(format!("a number above 0, and at most {MOST_MINUTES}")),
    }
}

/// A year.
const MOST_MINUTES: f64 = 365.0 * 24.0 * 60.0;

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
        .args(["--tier", args.tier.name()])
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
