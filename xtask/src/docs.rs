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
        for target in links_to_pages(&html) {
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

/// Returns what a page's tags link to, without links to other sites and places within a page. What a code block shows is text: its tags are escaped.
fn links_to_pages(html: &str) -> impl Iterator<Item = &str> {
    let tags = html.split('<').filter_map(|part| part.split('>').next());
    tags.filter_map(|tag| {
        let (_, link) = tag.split_once(" href=\"")?;
        let target = link.split(['"', '#', '?']).next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_those_of_tags_and_not_what_a_code_block_shows() {
        let html = r##"<a class="a" href="pace.html#burst">pace</a> <a href="#here">here</a> <a href="https://e.org/x">there</a>
            <code>&lt;link rel="modulepreload" href="chat.js"&gt;</code> <link rel="icon" href="favicon.svg?v=1">"##;
        let links: Vec<&str> = links_to_pages(html).collect();
        assert_eq!(links, ["pace.html", "favicon.svg"]);
    }
}
