//! `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tools::{self, Engine},
    turn::Turn,
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
    /// Writes every figure into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes a page with every figure, and its pictures, into this folder.
    #[arg(long)]
    docs: Option<PathBuf>,
    /// Rounds, each of which measures everything once.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Decides in which order things are measured. Random if it is left out, and printed.
    #[arg(long)]
    shuffle_seed: Option<u64>,
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
    let _pages = Turn::Pages.take();
    let building = Turn::Build.take();
    let dist = wasm::build_bench()?;
    drop(building);
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
        .arg("--dist")
        .arg(dist)
        .args(&args.more);
    for (flag, path) in [("--json", &args.json), ("--docs", &args.docs)] {
        if let Some(path) = path {
            // The caller's folder need not be the workspace's.
            shell = shell.arg(flag).arg(std::path::absolute(path)?);
        }
    }
    if let Some(rounds) = args.rounds {
        shell = shell.args(["--rounds", &rounds.to_string()]);
    }
    if let Some(seed) = args.shuffle_seed {
        shell = shell.args(["--shuffle-seed", &seed.to_string()]);
    }
    for (key, path) in environment {
        shell = shell.env(key, path);
    }
    shell.run()
}
