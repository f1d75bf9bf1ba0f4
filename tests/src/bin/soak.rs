//! A feed for a long time; `cargo xtask soak` builds the pages and starts it.

#![expect(clippy::print_stdout, reason = "the report is the output")]

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Parser;
use onesocket_tests::{
    browser::Engine,
    suite::soak::{self, Plan},
};

#[derive(Debug, Parser)]
struct Cli {
    /// The browser.
    #[arg(long, default_value = "chromium")]
    engine: Engine,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Messages a second.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Bytes of each.
    #[arg(long, default_value_t = 200)]
    size: u32,
    /// The folder of the built test pages.
    #[arg(long, default_value = "target/dist/tests")]
    dist: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let plan = Plan {
        engine: cli.engine,
        length: Duration::from_secs(60 * cli.minutes),
        rate: cli.rate,
        size: cli.size,
        dist: cli.dist,
    };
    println!("{:>8} {:>12} {:>12}", "seconds", "messages", "memory MiB");
    soak::run(&plan, |sample| {
        let (at, messages) = (sample.at.as_secs(), sample.messages);
        println!("{at:>8} {messages:>12} {:>12}", sample.memory_kib / 1024);
    })
    .await?;
    println!("nothing was lost, and memory did not grow");
    Ok(())
}
