//! `cargo xtask demo`: from nothing to a page in a browser.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{
    shell::Shell,
    tier::Tier,
    tools::{self, Engine},
    turn::Turn,
    wasm::{self, Profile},
};

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Runs headless: six tabs of Chromium per tier chat while the server restarts under them; prints a table.
    #[arg(long)]
    check: bool,
    /// The port to serve on.
    #[arg(long)]
    port: Option<u16>,
    /// Only this tier.
    #[arg(long)]
    tier: Option<Tier>,
    /// Builds the wasm without optimisation.
    #[arg(long)]
    dev: bool,
}

pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode> {
    let profile = if args.dev {
        Profile::Dev
    } else {
        Profile::Wasm
    };
    let building = Turn::Build.take();
    let dist = wasm::build_chat(profile)?;
    drop(building);
    let mut demo = Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-tests"])
        .args(["--bin", "demo", "--", "--dist"])
        .arg(dist)
        .interactive();
    if args.check {
        demo = demo.arg("--check");
        // Only the check steers a browser; whoever serves the page opens their own.
        for (key, path) in tools::driver_environment(&[Engine::Chromium])? {
            demo = demo.env(key, path);
        }
    }
    if let Some(port) = args.port {
        demo = demo.args(["--port", &port.to_string()]);
    }
    if let Some(tier) = args.tier {
        demo = demo.args(["--tier", tier.name()]);
    }
    demo.run()?;
    Ok(ExitCode::SUCCESS)
}
