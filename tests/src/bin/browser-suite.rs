//! Runs the browser suite; `cargo xtask test` starts it with the drivers in its environment.

#![expect(clippy::print_stdout, reason = "the report is the output")]

use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode, thread::available_parallelism};

use clap::Parser;
use onesocket_tests::{
    browser::Engine,
    suite::{self, Plan},
};

#[derive(Debug, Parser)]
struct Cli {
    /// Only this engine (may be repeated).
    #[arg(long = "engine")]
    engines: Vec<Engine>,
    /// Only scenarios with this in `<engine>/<tier>/<name>`.
    #[arg(long)]
    filter: Option<String>,
    /// The folder of the built test pages.
    #[arg(long, default_value = "target/dist/tests")]
    dist: PathBuf,
    /// How many browsers run at a time; as many as there are cores, and three at most, unless said.
    #[arg(long)]
    lanes: Option<NonZeroUsize>,
}

impl Cli {
    fn lanes(&self) -> NonZeroUsize {
        const ONE: NonZeroUsize = NonZeroUsize::MIN;
        const THREE: NonZeroUsize = ONE.saturating_add(2);
        self.lanes
            .unwrap_or_else(|| available_parallelism().map_or(ONE, |cores| cores.min(THREE)))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let plan = Plan {
        lanes: cli.lanes(),
        engines: match cli.engines {
            engines if engines.is_empty() => Engine::ALL.to_vec(),
            engines => engines,
        },
        filter: cli.filter,
        dist: cli.dist,
    };
    let report = suite::run(&plan, &suite::scenarios()).await;
    println!("{report}");
    ExitCode::from(u8::from(report.has_failures()))
}
