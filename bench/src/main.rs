//! The library side by side with what it replaces, in real browsers; `cargo xtask bench` builds the pages and starts it.

#![expect(clippy::print_stdout, reason = "the report is the output")]

mod contender;
mod docs;
mod figure;
mod floor;
mod inspection;
mod load;
mod plan;
mod plot;
mod report;
mod run;
mod server;
mod tabs;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, builder::PossibleValuesParser, value_parser};
use onesocket_tests::browser::Engine;

use crate::{contender::Contender, floor::Verdict, load::Load, plan::Plan, report::Report};

#[derive(Debug, Parser)]
struct Cli {
    /// A browser; may be given again. All three if left out.
    #[arg(long)]
    engine: Vec<Engine>,
    /// Measures less of everything, in less than three minutes: two rounds in one browser, or one in three. What looks lost then is measured again.
    #[arg(long)]
    quick: bool,
    /// Rounds, each of which measures everything once.
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Decides in which order things are measured. Random if it is left out, and printed.
    #[arg(long)]
    shuffle_seed: Option<u64>,
    /// Measures only the tiers and peers with one of these names, with commas between them, the raw WebSocket, and whoever the floors of these tiers are about.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(Contender::ALL.map(Contender::name)))]
    only: Vec<String>,
    /// Measures only these loads, with commas between them; `json` and `transcoded` are measured only if they are asked for.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(Load::ALL.map(Load::name)))]
    figure: Vec<String>,
    /// Fails for each floor that is missed; else not for one that some rounds hold, nor for one that is missed as well by who does the least that can be done, and is no better;
    /// and, with fewer than three rounds, not for one that is missed by less than a half.
    #[arg(long)]
    strict: bool,
    /// Writes every figure into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes a page with every figure, and its pictures, into this folder.
    #[arg(long)]
    docs: Option<PathBuf>,
    /// The folder of the built pages.
    #[arg(long, default_value = "target/dist/bench")]
    dist: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    // Before anything is measured: it would be lost.
    prepare(cli.json.as_deref(), cli.docs.as_deref())?;
    let seed = cli.shuffle_seed.unwrap_or_else(|| fastrand::u64(..));
    let engines = match cli.engine.is_empty() {
        true => Engine::ALL.to_vec(),
        false => cli.engine,
    };
    let mut plan = Plan::new(engines, cli.quick, cli.rounds, seed, cli.dist);
    plan.only = cli.only;
    plan.figures = cli.figure;
    println!("the order is that of --shuffle-seed {seed}");
    let outcome = run::run(&plan).await;
    let report = Report::new(&outcome.samples);
    print!("{}", report.table());
    let missed = floor::missed(&report, plan.slack());
    for floor in &missed {
        println!("missed: {floor}");
    }
    for failure in &outcome.failures {
        println!("failed: {failure}");
    }
    let failures = outcome.failures.len();
    let lost = missed
        .iter()
        .filter(|floor| cli.strict || floor.verdict() == Verdict::Lost)
        .count();
    println!(
        "{} floors are missed, {lost} of them lost; {failures} measurements failed",
        missed.len()
    );
    ensure!(!outcome.samples.is_empty(), "nothing was measured");
    if let Some(path) = cli.json {
        fs::write(&path, report.json()?).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(folder) = cli.docs {
        docs::write(&folder, &report, &outcome.failures, &plan)?;
    }
    if lost == 0 && failures == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Makes the folders of what will be written, and finds out whether it can be.
fn prepare(json: Option<&Path>, docs: Option<&Path>) -> Result<()> {
    let folder = json.and_then(Path::parent);
    for folder in folder.into_iter().chain(docs) {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let pages = docs.map(|docs| docs.join("README.md"));
    for file in json.into_iter().chain(pages.as_deref()) {
        let mut options = fs::OpenOptions::new();
        let opened = options.append(true).create(true).open(file);
        opened.with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
