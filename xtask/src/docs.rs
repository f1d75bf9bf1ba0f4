//! `cargo xtask docs`: the book as pages.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use crate::{paths, shell::Shell, tidy, tools};

/// Builds `target/book`. Links of the chapters to sources lead into the repository then: the pages may be anywhere.
pub(crate) fn run() -> Result<()> {
    let (sources, pages) = (
        paths::target().join("book-sources"),
        paths::target().join("book"),
    );
    for folder in [&sources, &pages] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    tidy::copy_book(&sources)?;
    let mdbook = tools::mdbook()?.join("mdbook");
    Shell::new(mdbook)
        .arg("build")
        .arg(&sources)
        .arg("--dest-dir")
        .arg(&pages)
        .run()?;
    let links = check(&pages)?;
    ensure!(links > 0, "no page links to another one");
    println!(
        "{} ({links} links followed)",
        pages.join("index.html").display()
    );
    Ok(())
}

/// Follows the links between pages; counts them.
fn check(folder: &Path) -> Result<usize> {
    let mut links = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            links += check(&path)?;
            continue;
        }
        // The page for what is not found has a base of its own.
        if path.extension().is_none_or(|extension| extension != "html")
            || path.ends_with("404.html")
        {
            continue;
        }
        let html = fs::read_to_string(&path)?;
        for link in html.split("href=\"").skip(1) {
            let target = link.split(['"', '#', '?']).next().unwrap_or_default();
            if target.is_empty() || target.contains(':') {
                continue;
            }
            let to = folder.join(target);
            ensure!(
                to.exists(),
                "{} links to {target}, which is not there",
                path.display()
            );
            links += 1;
        }
    }
    Ok(links)
}
