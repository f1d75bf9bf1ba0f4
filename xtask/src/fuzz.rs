//! `cargo xtask fuzz`.

use std::process::ExitCode;

use clap::Args;

use crate::{
    shell::Shell,
    steps::{Format, Steps},
};

#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// How long each target runs; all of them run at once.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=MOST_MINUTES))]
    minutes: u64,
    /// Only the targets whose name contains this.
    #[arg(long)]
    filter: Option<String>,
}

/// Runs the targets of `fuzz/` for longer than `cargo test` does, fast and with every check of the compiler's.
pub(crate) fn run(args: &FuzzArgs) -> ExitCode {
    let targets = Shell::cargo()
        .args(["test", "--release", "--package", "onesocket-fuzz"])
        .args(["--test", "targets", "--", "--nocapture"])
        .args(args.filter.as_ref())
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env(
            "BOLERO_RANDOM_TEST_TIME_MS",
            (args.minutes * 60_000).to_string(),
        );
    let mut steps = Steps::default();
    steps.tests("fuzz", Format::CargoTest, args.filter.is_some(), targets);
    if let Some(filter) = &args.filter {
        steps.filtered(filter);
    }
    steps.finish()
}

/// A year.
const MOST_MINUTES: u64 = 365 * 24 * 60;
