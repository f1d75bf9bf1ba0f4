//! `cargo xtask`: the commands of this repository, so that neither a reader nor CI needs to know the tools behind them.

#![expect(
    clippy::print_stdout,
    reason = "a command line tool speaks through its output"
)]

mod bench;
mod chaos;
mod check;
mod compiled;
mod demo;
mod docs;
mod example;
mod fuzz;
mod herd;
mod paths;
mod release;
mod replay;
mod shell;
mod sizes;
mod soak;
mod steps;
mod tidy;
mod tier;
mod tools;
mod turn;
mod wasm;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    bench::BenchArgs, chaos::ChaosArgs, check::TestArgs, demo::DemoArgs, example::ExampleArgs,
    fuzz::FuzzArgs, release::SemverArgs, soak::SoakArgs, turn::Turn, wasm::Profile,
};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The commands of the onesocket repository"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds the chat, starts the embedded server and serves the page.
    Demo(DemoArgs),
    /// Builds one of the small apps, and serves it with the embedded server.
    Example(ExampleArgs),
    /// Runs every test: native, wasm units in three contexts, and the suite in three browsers.
    Test(TestArgs),
    /// Builds every wasm artefact as static files under `target/dist`.
    Build {
        /// Builds without optimisation: faster, and several times as big.
        #[arg(long)]
        dev: bool,
    },
    /// Checks what a change has to hold: format, lints, docs, tidy, size budget, and then every test.
    Ci(TestArgs),
    /// Checks what neither the compiler nor clippy checks.
    Tidy {
        /// Writes the hash of the message module into PROTOCOL.md, and takes the snippets of the book anew.
        #[arg(long)]
        bless: bool,
    },
    /// Measures the library side by side with what it replaces; fails when a floor is lost.
    Bench(BenchArgs),
    /// Builds the book that is in `docs`, into `target/book`.
    Docs,
    /// Lets random faults happen to six tabs of a real browser; fails when a message is lost, doubled or reordered.
    Chaos(ChaosArgs),
    /// Fuzzes frames, and sequences of what can happen to a worker and its tabs.
    Fuzz(FuzzArgs),
    /// Lets 10,000 simulated clients lose their server, prints what becomes of them and draws `docs/herd.svg`.
    Herd,
    /// Compares the public items of the published crates with those of the last release; fails when something breaks, or when there is none.
    Semver(SemverArgs),
    /// Feeds a tab for a long time; fails when a message is lost or memory grows.
    Soak(SoakArgs),
    /// Replays a recording of the inspector's in the native engine; fails at the first difference.
    Replay {
        /// The file that the inspector has exported.
        file: PathBuf,
    },
    /// Installs every tool and prints where it is, as shell assignments.
    Tools,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Example(args) => example::run(&args),
        Command::Test(args) => Ok(check::test(&args)),
        Command::Ci(args) => Ok(check::ci(&args)),
        Command::Build { dev } => {
            let profile = if dev { Profile::Dev } else { Profile::Wasm };
            let _turns = (Turn::Pages.take(), Turn::Build.take());
            let dist = wasm::build_all(profile)?;
            if dev {
                wasm::build_next()?;
                wasm::build_plugins()?;
                wasm::build_bundled()?;
                wasm::build_clients()?;
            }
            sizes::print_table(&sizes::measure(&dist)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Tidy { bless: true } => tidy::bless().map(|()| ExitCode::SUCCESS),
        Command::Tidy { bless: false } => Ok(tidy::run()),
        Command::Replay { file } => replay::run(&file).map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Chaos(args) => chaos::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Fuzz(args) => Ok(fuzz::run(&args)),
        Command::Docs => docs::run().map(|()| ExitCode::SUCCESS),
        Command::Semver(args) => release::semver(&args).map(|()| ExitCode::SUCCESS),
        Command::Soak(args) => soak::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Herd => herd::run().map(|()| ExitCode::SUCCESS),
        Command::Tools => tools::install_all().map(|()| ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_run_was_refused_after_the_build_or_not_at_all() {
        let refuses = |line: &str| Cli::try_parse_from(line.split(' ')).is_err();
        for line in [
            "xtask demo --tier typo",
            "xtask chaos --tier typo",
            "xtask chaos --each 0",
            "xtask chaos --minutes 0",
            "xtask chaos --minutes -1",
            "xtask chaos --minutes NaN",
            "xtask chaos --tabs 0",
            "xtask fuzz --minutes 0",
            "xtask soak --minutes 0",
            "xtask soak --rate 0",
        ] {
            assert!(refuses(line), "{line}");
        }
        for line in [
            "xtask demo --tier main",
            "xtask chaos --tier dedicated --minutes 0.1",
            "xtask chaos --each 1",
            "xtask fuzz --minutes 1",
            "xtask soak --minutes 1",
        ] {
            assert!(!refuses(line), "{line}");
        }
    }
}
