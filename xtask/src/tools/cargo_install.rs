//! Tools that are crates: compiled once into the cache that all clones share.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{paths, shell::Shell};

/// The folder that holds `program` of `crate_name` at exactly this version.
pub(super) fn folder_of(crate_name: &str, program: &str, version: &str) -> Result<PathBuf> {
    folder_with(crate_name, program, version, &[])
}

/// The same, installed with these flags of `cargo install`.
pub(super) fn folder_with(
    crate_name: &str,
    program: &str,
    version: &str,
    flags: &[&str],
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
    Shell::cargo()
        .args(["install", crate_name, "--version", &format!("={version}")])
        .arg("--root")
        .arg(&root)
        .args(flags)
        // The caller's target folder and lints are for this workspace, not for a tool.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .dir(&std::env::temp_dir())
        .advice(format!(
            "install it by hand: cargo install {crate_name} --version ={version}"
        ))
        .run()
        .with_context(|| format!("{program} {version} is needed and could not be installed"))?;
    Ok(folder)
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
