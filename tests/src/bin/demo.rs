//! The demo: the embedded server and the chat page, or their headless check.

#![expect(clippy::print_stdout, reason = "the demo speaks to whoever started it")]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

#[derive(Debug, Parser)]
struct Cli {
    /// The folder of the built chat page.
    #[arg(long)]
    dist: PathBuf,
    /// Checks six headless tabs per tier instead of waiting for visitors.
    #[arg(long)]
    check: bool,
    /// The port to serve on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Only this tier: shared, dedicated or main.
    #[arg(long)]
    tier: Option<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    println!("the demo is not there yet: {cli:?}");
    ExitCode::FAILURE
}
