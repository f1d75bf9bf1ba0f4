//! `cargo xtask example NAME`: one of the small apps, from nothing to a page in a browser.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, builder::PossibleValuesParser};

use crate::{
    shell::Shell,
    turn::Turn,
    wasm::{self, Profile},
};

#[derive(Debug, Args)]
pub(crate) struct ExampleArgs {
    /// Its folder in `examples`.
    #[arg(value_parser = PossibleValuesParser::new(wasm::EXAMPLES.map(|site| site.name())))]
    name: String,
    /// The port to serve on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Builds the wasm with optimisation: faster, and slower to build.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(args: &ExampleArgs) -> Result<ExitCode> {
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Dev
    };
    let building = Turn::Build.take();
    let dist = wasm::build_example(profile, &args.name)?;
    drop(building);
    Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-server", "--"])
        .args(["--addr", &format!("127.0.0.1:{}", args.port), "--dir"])
        .arg(dist)
        .interactive()
        .run()?;
    Ok(ExitCode::SUCCESS)
}
