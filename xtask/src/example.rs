//! `cargo xtask example NAME`: one of the small apps, from nothing to a page in a browser.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::RangeInclusive,
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
    free_among(first..=first.saturating_add(CANDIDATES), |port| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
    })
}

fn free_among(ports: RangeInclusive<u16>, bind: impl Fn(u16) -> io::Result<()>) -> Result<u16> {
    let (first, last) = (*ports.start(), *ports.end());
    let mut refused = None;
    for port in ports {
        match bind(port) {
            Ok(()) => return Ok(port),
            Err(error) => refused = Some(error),
        }
    }
    let refused = refused.context("there is no port")?;
    Err(refused).with_context(|| format!("no port from {first} to {last} can be listened on"))
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

    #[test]
    fn ports_that_need_rights_were_said_to_be_in_use() {
        let forbidden = |_| Err(io::ErrorKind::PermissionDenied.into());
        let error = free_among(80..=130, forbidden).unwrap_err();
        let told = format!("{error:#}");
        assert_eq!(
            told,
            "no port from 80 to 130 can be listened on: permission denied"
        );
    }
}
