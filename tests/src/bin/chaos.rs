//! Lets faults happen to the tabs of a real browser; `cargo xtask chaos` builds the pages and starts it.

#![expect(clippy::print_stdout, reason = "the report is the output")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use onesocket_tests::{
    browser::Engine,
    suite::{
        Tier,
        chaos::{self, Course, Fault, Plan},
    },
};

#[derive(Debug, Parser)]
struct Cli {
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
    #[arg(long, requires = "each", value_parser = fault)]
    fault: Option<Fault>,
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

fn fault(name: &str) -> Result<Fault, String> {
    let mut all = Fault::ALL.into_iter();
    all.find(|fault| fault.to_string() == name).ok_or_else(|| {
        let names = Fault::ALL.map(|fault| fault.to_string());
        format!("the faults are: {}", names.join(", "))
    })
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let course = if let Some(times) = cli.each {
        Course::Each {
            times,
            only: cli.fault,
        }
    } else {
        let seed = cli.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
        println!("seed {seed}");
        Course::Random {
            seed,
            length: Duration::from_secs_f64(cli.minutes * 60.0),
        }
    };
    let report = chaos::run(&Plan {
        engine: cli.engine,
        tier: cli.tier,
        tabs: cli.tabs as usize,
        course,
        dist: cli.dist,
    })
    .await?;
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.problems.is_empty())))
}
