//! Runs compiled wasm unit tests in browsers; `cargo xtask test` compiles them and starts this.

#![expect(clippy::print_stdout, reason = "the report is the output")]

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use onesocket_tests::{
    browser::Engine,
    wasm_units::{self, Plan},
};

#[derive(Debug, Parser)]
struct Cli {
    /// Only this engine (may be repeated).
    #[arg(long = "engine")]
    engines: Vec<Engine>,
    /// Only tests with this in their name.
    #[arg(long)]
    filter: Option<String>,
    /// `wasm-bindgen-test-runner` of the locked version.
    #[arg(long)]
    runner: PathBuf,
    /// What `cargo test --no-run --target wasm32-unknown-unknown` compiled.
    binaries: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let counts = wasm_units::run(&Plan {
        engines: match cli.engines {
            engines if engines.is_empty() => Engine::ALL.to_vec(),
            engines => engines,
        },
        filter: cli.filter,
        runner: cli.runner,
        binaries: cli.binaries,
    })
    .await?;
    println!("\n{} passed, {} failed", counts.passed, counts.failed);
    Ok(ExitCode::from(u8::from(counts.failed > 0)))
}
