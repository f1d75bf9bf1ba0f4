//! Replays a recording of the inspector's; `cargo xtask replay FILE` starts it.

#![expect(clippy::print_stdout, reason = "the verdict is the output")]

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use onesocket_tests::replay::{self, Trace};

#[derive(Debug, Parser)]
struct Cli {
    /// The file that the inspector has exported.
    file: PathBuf,
}

fn main() -> Result<()> {
    let Cli { file } = Cli::parse();
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let replayed = replay::replay(&Trace::parse(&text)?)?;
    println!(
        "the same: {} inputs in {:.1} s, {} entries",
        replayed.inputs,
        f64::from(replayed.millis) / 1_000.0,
        replayed.entries
    );
    Ok(())
}
