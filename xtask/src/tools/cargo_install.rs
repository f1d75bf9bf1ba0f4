//! Tools that are crates: compiled once into the cache that all clones share.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{paths, shell::Shell};

/// The folder that holds `program` of `crate_name` at exactly this version.
pub(super) fn folder_of(crate_name: &str, program: &str, version: &str) -> Result<PathBuf> {
    folder_with(crate_name, program, version, &[])
}

/// The same, installed with these features' flags of `cargo install`.
pub(super) fn folder_with(
    crate_name: &str,
    program: &str,
    version: &str,
    features: &[&str],
) -> Result<PathBuf> {
    if let Some(path) = paths::on_path(program)
        && has_version(&path, version)
    {
        return Ok(path.parent().map(Path::to_path_buf).unwrap_or_default());
    }
    let root = paths::cache()?.join(format!("{crate_name}-{version}"));
    let folder = root.join("bin");
    if has_version(&folder.join(program), version) {
        return Ok(folder);
    }
    println!("installing {crate_name} {version}, once for all clones (a few minutes)");
    let install = |dependencies: Dependencies| {
        let arguments = arguments(crate_name, version, features, dependencies);
        Shell::cargo()
            .args(&arguments)
            .arg("--root")
            .arg(&root)
            // The caller's target folder and lints are for this workspace, not for a tool.
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .dir(&std::env::temp_dir())
            .advice(format!("install it by hand: cargo {}", arguments.join(" ")))
            .run()
    };
    install(Dependencies::Locked)
        .or_else(|error| {
            println!("{error:#}\nonce more, with other versions of its dependencies");
            install(Dependencies::Latest)
        })
        .with_context(|| format!("{program} {version} is needed and could not be installed"))?;
    Ok(folder)
}

/// Of what a tool is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependencies {
    /// What its authors have tested: what is published later may need another Rust, not compile, or be another program.
    Locked,
    /// What the registry has. A mirror that lags behind may lack one that is locked: wasm-bindgen-cli 0.2.130 is locked to a webpki-roots
    /// of its own day.
    Latest,
}

fn arguments(
    crate_name: &str,
    version: &str,
    features: &[&str],
    dependencies: Dependencies,
) -> Vec<String> {
    let version = format!("={version}");
    let locked = (dependencies == Dependencies::Locked).then_some("--locked");
    let arguments = ["install", crate_name, "--version", &version].into_iter();
    let arguments = arguments.chain(locked).chain(features.iter().copied());
    arguments.map(str::to_owned).collect()
}

fn has_version(program: &Path, version: &str) -> bool {
    program.is_file()
        && Shell::new(program)
            .arg("--version")
            .read()
            .is_ok_and(|text| {
                let said = text.split_whitespace().nth(1);
                said.map(|said| said.trim_start_matches('v')) == Some(version)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_was_built_from_whatever_its_dependencies_are_today() {
        let check = |name, features: &[&str], dependencies, expect| {
            let arguments = arguments(name, "1.0.0", features, dependencies);
            assert_eq!(arguments.join(" "), expect);
        };
        let (locked, latest) = (Dependencies::Locked, Dependencies::Latest);
        let all = "install geckodriver --version =1.0.0 --locked";
        check("geckodriver", &[], locked, all);
        let features = &["--no-default-features"];
        let some = "install mdbook --version =1.0.0 --locked --no-default-features";
        check("mdbook", features, locked, some);
        let others = "install mdbook --version =1.0.0 --no-default-features";
        check("mdbook", features, latest, others);
    }
}
