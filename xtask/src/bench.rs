//! `cargo xtask bench`.

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tools::{self, Engine},
    wasm,
};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// A browser; may be given again. All three if left out.
    #[arg(long)]
    engine: Vec<Engine>,
    /// Measures less of everything, in less than three minutes.
    #[arg(long)]
    quick: bool,
    /// Builds the pages and measures nothing.
    #[arg(long)]
    pages: bool,
    /// More for the benchmark itself: `-- --help` lists it.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Builds the pages as an app would and measures.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let engines = match args.engine.is_empty() {
        true => Engine::ALL.to_vec(),
        false => args.engine.clone(),
    };
    let environment = tools::driver_environment(&engines)?;
    let dist = wasm::build_bench()?;
    if args.pages {
        return Ok(());
    }
    let mut shell = Shell::cargo()
        .args(["run", "--quiet", "--release"])
        .args(["--package", "onesocket-bench", "--bin", "bench", "--"])
        .args(
            engines
                .iter()
                .flat_map(|engine| ["--engine", engine.name()]),
        )
        .args(args.quick.then_some("--quick"))
        .args(&args.more)
        .arg("--dist")
        .arg(dist);
    for (key, path) in environment {
        shell = shell.env(key, path);
    }
    shell.run()
}
