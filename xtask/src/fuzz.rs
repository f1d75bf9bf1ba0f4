//! `cargo xtask fuzz`.

use anyhow::Result;
use clap::Args;

use crate::shell::Shell;

#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// How long each target runs; all of them run at once.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Only the targets whose name contains this.
    #[arg(long)]
    filter: Option<String>,
}

/// Runs the targets of `fuzz/` for longer than `cargo test` does, fast and with every check of the compiler's.
pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    Shell::cargo()
        .args(["test", "--release", "--package", "onesocket-fuzz"])
        .args(["--test", "targets", "--", "--nocapture"])
        .args(args.filter.as_ref())
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env(
            "BOLERO_RANDOM_TEST_TIME_MS",
            (args.minutes * 60_000).to_string(),
        )
        .run()
}
