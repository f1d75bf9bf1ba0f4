//! What apps make of the npm package: it is packed, installed into an empty project, and built by Vite, by webpack, and by the esbuild of Vite.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{NPM, copy_into, copy_tree, empty};
use crate::{paths, shell::Shell, tools};

/// Builds `target/dist/vite` and `target/dist/webpack` of the package that is in `target/dist/npm`, and checks its types.
pub(crate) fn build_bundled() -> Result<()> {
    let modules = modules()?;
    let project = project();
    empty(&project)?;
    copy_tree(&paths::root().join(PROJECT).join("app"), &project)?;
    install(&project)?;

    let node = |program: &str| Shell::new("node").arg(modules.join(program)).dir(&project);
    // An app that renders on a server imports it there too: nothing of a browser may be needed for that, and nothing go on after it.
    Shell::new("node")
        .args(["--input-type=module", "--eval", ON_A_SERVER])
        .dir(&project)
        .run()?;
    // What is no module has no `import.meta.url`, and can be imported all the same.
    node("esbuild/bin/esbuild")
        .args([
            "onesocket",
            "--bundle",
            "--format=iife",
            "--log-level=error",
        ])
        .arg(format!("--outfile={NO_MODULE}"))
        .run()?;
    Shell::new("node").arg(NO_MODULE).dir(&project).run()?;
    node("typescript/bin/tsc")
        .arg("--project")
        .arg(&project)
        .run()?;
    node("vite/bin/vite.js")
        .arg("build")
        .args(["--logLevel", "warn", "--emptyOutDir", "--outDir"])
        .arg(paths::dist("vite"))
        .run()?;

    let webpack = paths::dist("webpack");
    empty(&webpack)?;
    node("webpack-cli/bin/cli.js")
        .args([
            "build",
            "./app.js",
            "--mode",
            "production",
            "--stats",
            "errors-only",
        ])
        .args(["--output-filename", "app.js", "--output-path"])
        .arg(&webpack)
        .run()?;
    copy_into(&project.join("index.html"), &webpack)
}

/// Where the project is in which the package is installed.
pub(super) fn project() -> PathBuf {
    paths::target().join("bundlers")
}

/// The bundlers, and the TypeScript compiler. All of them are run by node.
pub(super) fn modules() -> Result<PathBuf> {
    tools::node(WHY)?;
    tools::npm_modules(PROJECT, WHY)
}

/// Does what a user does: `npm install onesocket`, from a file instead of the registry.
fn install(project: &Path) -> Result<()> {
    let pack = Shell::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(project)
        .dir(&paths::dist(NPM.dist))
        .read()?;
    let archive = project.join(pack.trim());
    Shell::new("npm")
        .args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ])
        .arg(&archive)
        .dir(project)
        .run()?;
    fs::remove_file(&archive).with_context(|| format!("removing {}", archive.display()))
}

/// Ends by itself; after 10 s what still goes on is a failure.
const ON_A_SERVER: &str = "import 'onesocket'; import 'onesocket/inspector.js'; setTimeout(() => process.exit(1), 10_000).unref();";

const NO_MODULE: &str = "no-module.cjs";

const PROJECT: &str = "tests/bundlers";

const WHY: &str = "the npm package is tested with Vite and webpack, which come from npm";
