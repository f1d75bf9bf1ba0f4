//! Lets herds of clients lose their server; `cargo xtask herd` starts it. Prints the table of `docs/herds.md`.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use onesocket_tests::herd::{self, Scenario};

#[derive(Debug, Parser)]
struct Cli {
    /// How many clients a herd has.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// The same seed gives the same table.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the picture goes.
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    for scenario in Scenario::ALL {
        let herds = scenario.run(cli.clients, cli.seed);
        println!("### {}\n\n{}", scenario.title(), herd::table(&herds));
        if let (Scenario::Restart, Some(path)) = (scenario, &cli.svg) {
            let svg = herd::plot(&herds, scenario.server())?;
            fs::write(path, svg).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    Ok(())
}
