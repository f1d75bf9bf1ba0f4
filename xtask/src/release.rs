//! What has to hold before a release: the crates can be published, compile with the Rust that they promise, and break nobody.

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    shell::Shell,
    tools::{self, WASM_TARGET},
    workspace,
};

/// Does everything of a publication but the upload: packs each crate, and compiles it from its package, for a browser, where all of its
/// code is.
pub(crate) fn publish_dry_run() -> Result<()> {
    tools::wasm_target()?;
    Shell::cargo()
        .args(["publish", "--workspace", "--dry-run", "--locked"])
        // What is checked here may not be committed yet.
        .args(["--allow-dirty", "--target", WASM_TARGET])
        .run()
}

/// Compiles what is published with the oldest Rust that it promises, and the locked dependencies.
pub(crate) fn oldest_rust() -> Result<()> {
    let toolchain = format!("{}.0", workspace::rust_version()?);
    tools::toolchain(&toolchain)?;
    let check = || {
        Ok::<_, anyhow::Error>(
            Shell::new("rustup")
                .args(["run", &toolchain, "cargo", "check", "--locked"])
                .args(packages(|_| true)?)
                .advice(format!(
                    "a dependency or the code needs a newer Rust than {toolchain}: \
                     Cargo.toml's rust-version says which one is promised"
                )),
        )
    };
    check()?.arg("--all-features").run()?;
    // Without all features: `ssr` of Leptos is nothing for a browser.
    check()?.args(["--target", WASM_TARGET]).run()
}

#[derive(Debug, Args)]
pub(crate) struct SemverArgs {
    /// The revision to compare with; without it the newest tag `v*`.
    #[arg(long)]
    baseline: Option<String>,
}

/// Compares the public items of the published crates with those of a release. Without one there is nothing that could break, and nothing is
/// checked: that is an error, not a pass.
pub(crate) fn semver(args: &SemverArgs) -> Result<()> {
    let Some(baseline) = args.baseline.clone().or_else(newest_tag) else {
        bail!(
            "no release is tagged (`v*`), so there is nothing to compare with; \
             `--baseline REVISION` compares with any other"
        );
    };
    println!("comparing with {baseline}");
    let folder = tools::semver_checks()?;
    Shell::new(folder.join("cargo-semver-checks"))
        .arg("semver-checks")
        // The worker is empty on this target, and cargo-semver-checks 0.51 can't ask rustc about the browser's.
        .args(packages(|name| name != "onesocket-worker")?)
        .args(["--baseline-rev", &baseline])
        .run()
}

fn newest_tag() -> Option<String> {
    let tags = Shell::git()
        .args(["tag", "--list", "v*", "--sort", "-version:refname"])
        .read();
    tags.ok()?.lines().next().map(str::to_owned)
}

fn packages(which: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let published = workspace::published()?;
    Ok(published
        .filter(|package| which(&package.name))
        .flat_map(|package| ["--package".to_owned(), package.name.clone()])
        .collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::paths;

    #[test]
    fn the_texts_say_which_rust_will_do() {
        let commands = env!("CARGO_PKG_RUST_VERSION");
        let crates = workspace::rust_version().unwrap();
        for text in ["README.md", "CONTRIBUTING.md", "docs/features.md"] {
            let said = fs::read_to_string(paths::root().join(text)).unwrap();
            let line = said.lines().find(|line| line.contains(commands));
            assert!(line.is_some_and(|line| line.contains(&crates)), "{text}");
        }
    }
}
