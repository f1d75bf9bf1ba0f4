//! The demo: the embedded server and the chat page, or their headless check.

#![expect(clippy::print_stdout, reason = "the demo speaks to whoever started it")]

mod check;
mod serve;
mod site;
mod table;
mod tabs;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use onesocket_tests::suite::Tier;

#[derive(Debug, Parser)]
struct Cli {
    /// The folder of the built chat page.
    #[arg(long, default_value = "target/dist/chat")]
    dist: PathBuf,
    /// Checks six headless tabs per tier instead of waiting for visitors.
    #[arg(long)]
    check: bool,
    /// The port to serve on; the next free one when it is taken.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Only this tier.
    #[arg(long)]
    tier: Option<Tier>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    if !cli.check {
        serve::run(&cli.dist, cli.port, cli.tier).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let tiers = cli
        .tier
        .map_or_else(|| Tier::ALL.to_vec(), |tier| vec![tier]);
    let report = check::run(&cli.dist, &tiers).await?;
    println!("\n{report}");
    Ok(ExitCode::from(u8::from(report.has_failures())))
}
