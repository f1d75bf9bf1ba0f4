//! Clients of WebSocket servers that others wrote: a page that has all of them, on the npm package, and the servers that they are for.

use std::{os::unix::fs::symlink, path::Path};

use anyhow::{Context as _, Result};

use super::{bundled, copy_into, copy_tree, empty};
use crate::{paths, shell::Shell, tools};

/// Builds the page into `target/dist/tests-clients`, of the package that `build_bundled` has installed, and lays the servers out in
/// `target/dist/tests-clients-servers`.
pub(crate) fn build_clients() -> Result<()> {
    let vite = bundled::modules()?.join("vite/bin/vite.js");
    let modules = tools::npm_modules(PROJECT, WHY)?;
    let from = paths::root().join(PROJECT);
    let link_modules = |folder: &Path| {
        let link = folder.join("node_modules");
        symlink(&modules, &link).with_context(|| format!("linking {}", link.display()))
    };

    // Inside the project that has the package: what is not among the clients is looked for there.
    let page = bundled::project().join("clients");
    empty(&page)?;
    copy_tree(&from.join("page"), &page)?;
    let log = paths::root().join("tests/page/static/page_log.js");
    copy_into(&log, &page.join("public"))?;
    link_modules(&page)?;
    Shell::new("node")
        .arg(vite)
        .arg("build")
        .args(["--logLevel", "error", "--minify", "false"])
        .args(["--emptyOutDir", "--outDir"])
        .arg(paths::dist("tests-clients"))
        .dir(&page)
        .run()?;

    let servers = paths::dist("tests-clients-servers");
    empty(&servers)?;
    copy_tree(&from.join("servers"), &servers)?;
    copy_into(&from.join("package.json"), &servers)?;
    link_modules(&servers)
}

const PROJECT: &str = "tests/clients";

const WHY: &str =
    "the npm package is tested with the clients of others, which come from npm with their servers";
