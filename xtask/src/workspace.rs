//! What Cargo knows of this workspace: packages, binaries, dependencies, the locked versions.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{paths, shell::Shell};

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) bins: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Whether a registry is to have it.
    pub(crate) is_published: bool,
    /// The keys of its `[package]` that say something.
    keys: Vec<String>,
}

impl Package {
    /// Whether its `Cargo.toml` has something under this key.
    pub(crate) fn says(&self, key: &str) -> bool {
        self.keys.iter().any(|said| said == key)
    }
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

/// What `cargo metadata` says.
#[derive(Debug)]
struct Metadata {
    packages: Vec<Package>,
    target: PathBuf,
}

impl Metadata {
    fn read(cargo: Shell) -> Result<Self> {
        let json = cargo
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .read()?;
        let metadata: Value = serde_json::from_str(&json).context("cargo metadata is not JSON")?;
        Ok(Self {
            packages: list(&metadata["packages"]).map(package).collect(),
            target: text(&metadata["target_directory"]).into(),
        })
    }

    fn get() -> Result<&'static Self> {
        static METADATA: OnceLock<Metadata> = OnceLock::new();
        if let Some(metadata) = METADATA.get() {
            return Ok(metadata);
        }
        let metadata = Self::read(Shell::cargo())?;
        Ok(METADATA.get_or_init(|| metadata))
    }
}

/// Every package of the workspace.
pub(crate) fn packages() -> Result<&'static [Package]> {
    Ok(&Metadata::get()?.packages)
}

/// Cargo's target folder: a variable, or a config file of the user's, may have moved it.
pub(crate) fn target() -> Result<&'static Path> {
    Ok(&Metadata::get()?.target)
}

/// The package of that name, if the workspace has it.
pub(crate) fn package_named(name: &str) -> Result<Option<&'static Package>> {
    Ok(packages()?.iter().find(|package| package.name == name))
}

/// The packages that a registry is to have.
pub(crate) fn published() -> Result<impl Iterator<Item = &'static Package>> {
    Ok(packages()?.iter().filter(|package| package.is_published))
}

/// The oldest version of Rust that the workspace promises to compile with: `1.88`.
pub(crate) fn rust_version() -> Result<String> {
    of_all("rust-version")
}

/// Where the repository is.
pub(crate) fn repository() -> Result<String> {
    of_all("repository")
}

/// What the root's `Cargo.toml` says for all packages.
fn of_all(key: &str) -> Result<String> {
    let path = paths::root().join("Cargo.toml");
    let manifest = fs::read_to_string(&path)?;
    manifest
        .lines()
        .find_map(|line| {
            let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
            value.strip_suffix('"')
        })
        .map(str::to_owned)
        .with_context(|| format!("Cargo.toml has no {key}"))
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
    let keys = json.as_object().into_iter().flatten();
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    Package {
        name: text(&json["name"]),
        folder: Path::new(&text(&json["manifest_path"]))
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
        // `publish = false` is a list of registries that is empty.
        is_published: json["publish"].is_null(),
        keys: keys
            .filter(|(_, value)| says(value))
            .map(|(key, _)| key.clone())
            .collect(),
        features: json["features"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .filter(|name| name != "default")
            .collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_folder_that_only_cargo_knows_was_not_found() {
        // As `[build] target-dir` of a config file.
        let cargo = Shell::cargo()
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_BUILD_TARGET_DIR", "elsewhere");
        let metadata = Metadata::read(cargo).unwrap();
        assert_eq!(metadata.target, paths::root().join("elsewhere"));
    }
}
