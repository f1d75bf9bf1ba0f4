//! `cargo xtask example NAME`: one of the small apps, from nothing to a page in a browser.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
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
    /// The port to serve on, or the next one that is free; 0 takes any.
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
    let port = free_port(args.port)?;
    Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-server", "--"])
        .args(["--addr", &format!("127.0.0.1:{port}"), "--dir"])
        .arg(dist)
        .interactive()
        .run()?;
    Ok(ExitCode::SUCCESS)
}

/// The demo looks for its port in the same way.
fn free_port(first: u16) -> Result<u16> {
    (first..=first.saturating_add(CANDIDATES))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .with_context(|| format!("no port from {first} on is free"))
}

const CANDIDATES: u16 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_ended_the_example() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        // The last port of all has none behind it.
        assert!(free_port(port).is_ok_and(|free| free > port) || port == u16::MAX);
        assert_eq!(free_port(0).unwrap(), 0);
    }
}
