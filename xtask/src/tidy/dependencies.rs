//! Which crate may know which.

use std::fs;

use anyhow::Result;

use super::{PURE, Problems};
use crate::{
    paths,
    shell::Shell,
    workspace::{self, Kind},
};

/// Finds hosts among everything that a pure crate pulls in.
pub(super) fn impure() -> Result<Problems> {
    let mut problems = Vec::new();
    for (package, _) in PURE {
        let tree = Shell::cargo()
            .args(["tree", "--package", package, "--edges", "normal"])
            // A browser's dependencies count although this machine is none.
            .args(["--target", "all", "--prefix", "none", "--format", "{p}"])
            .read()?;
        let mut names: Vec<_> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| is_host(name))
            .collect();
        names.sort_unstable();
        names.dedup();
        problems.extend(
            names
                .iter()
                .map(|name| format!("{package} depends on {name}")),
        );
    }
    Ok(problems)
}

fn is_host(name: &str) -> bool {
    matches!(name, "web-sys" | "js-sys" | "wasm-bindgen" | "tokio") || name.starts_with("gloo")
}

/// Finds dependencies from a lower layer to a higher one.
pub(super) fn against_the_arrows() -> Result<Problems> {
    let mut problems = Vec::new();
    for package in workspace::packages()? {
        let Some(own) = layer(&package.name) else {
            continue;
        };
        for dependency in &package.dependencies {
            // Tests may look up: the client's tests start the server.
            let counts = dependency.kind != Kind::Dev;
            if counts
                && is_ours(&dependency.name)
                && layer(&dependency.name).is_none_or(|to| to >= own)
            {
                problems.push(format!("{} depends on {}", package.name, dependency.name));
            }
        }
    }
    Ok(problems)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("onesocket") || name == "xtask"
}

/// How far up a crate stands; the server, the examples and the tests stand beside the layers.
fn layer(name: &str) -> Option<usize> {
    if let Some(layer) = LAYERS.iter().position(|layer| *layer == name) {
        return Some(layer);
    }
    PLUGINS.contains(&name).then_some(LAYERS.len())
}

/// Lowest first.
const LAYERS: [&str; 6] = [
    "onesocket-protocol",
    "onesocket-engine",
    "onesocket-worker",
    "onesocket-manager",
    "onesocket-inspector",
    "onesocket",
];

const PLUGINS: [&str; 3] = ["onesocket-yew", "onesocket-leptos", "onesocket-js"];

/// Finds locked packages that come from elsewhere than a registry, or from another one than the rest: a clone elsewhere might
/// not get them.
pub(super) fn foreign_sources() -> Result<Problems> {
    let lock = fs::read_to_string(paths::root().join("Cargo.lock"))?;
    let sources = || lock.lines().filter(|line| line.starts_with("source = "));
    let registry = sources().find(|line| line.starts_with("source = \"registry+"));
    Ok(sources()
        .filter(|line| Some(*line) != registry)
        .map(|line| format!("Cargo.lock: {line}"))
        .collect())
}
