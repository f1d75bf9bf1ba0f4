//! Lets random faults happen to six tabs of a real browser; `cargo xtask chaos` builds the pages and starts it.

#![expect(clippy::print_stdout, reason = "the report is the output")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use clap::Parser;
use onesocket_tests::{
    browser::Engine,
    suite::{Tier, chaos},
};

#[derive(Debug, Parser)]
struct Cli {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    engine: Engine,
    /// Where the loop starts: shared or dedicated.
    #[arg(long, default_value = "shared")]
    tier: String,
    /// For how long faults happen.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// The same seed gives the same faults in the same order. Random if it is left out, and printed.
    #[arg(long)]
    seed: Option<u64>,
    /// The folder of the built test pages.
    #[arg(long, default_value = "target/dist/tests")]
    dist: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let Some(tier) = [Tier::Shared, Tier::Dedicated]
        .into_iter()
        .find(|tier| tier.name() == cli.tier)
    else {
        bail!("--tier is shared or dedicated: in the main tier a worker's faults are the page's");
    };
    let seed = cli.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("seed {seed}");
    let report = chaos::run(&chaos::Plan {
        engine: cli.engine,
        tier,
        length: Duration::from_secs_f64(cli.minutes * 60.0),
        seed,
        dist: cli.dist,
    })
    .await?;
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.problems.is_empty())))
}
