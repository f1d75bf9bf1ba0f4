//! What Cargo knows of this workspace: packages, binaries, dependencies, the locked versions.

use std::{fs, sync::OnceLock};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{paths, shell::Shell};

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) bins: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// Every package of the workspace, as `cargo metadata` lists them.
pub(crate) fn packages() -> Result<&'static [Package]> {
    static PACKAGES: OnceLock<Vec<Package>> = OnceLock::new();
    if let Some(packages) = PACKAGES.get() {
        return Ok(packages);
    }
    let text = Shell::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .read()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let packages = list(&metadata["packages"]).map(package).collect();
    Ok(PACKAGES.get_or_init(|| packages))
}

/// The package of that name, if the workspace has it.
pub(crate) fn package_named(name: &str) -> Result<Option<&'static Package>> {
    Ok(packages()?.iter().find(|package| package.name == name))
}

/// The version of a dependency that Cargo.lock pins.
pub(crate) fn locked_version(name: &str) -> Result<String> {
    let path = paths::root().join("Cargo.lock");
    let lock = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let header = format!("name = \"{name}\"");
    lock.lines()
        .skip_while(|line| *line != header)
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock has no {name}: does any crate depend on it yet?"))
}

fn package(json: &Value) -> Package {
    let is_bin = |target: &&Value| list(&target["kind"]).any(|kind| kind == "bin");
    Package {
        name: text(&json["name"]),
        bins: list(&json["targets"])
            .filter(is_bin)
            .map(|target| text(&target["name"]))
            .collect(),
        dependencies: list(&json["dependencies"])
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                kind: match dependency["kind"].as_str() {
                    Some("dev") => Kind::Dev,
                    Some("build") => Kind::Build,
                    _ => Kind::Normal,
                },
            })
            .collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
