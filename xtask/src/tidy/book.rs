//! The book in `docs`: its links lead somewhere, each file is a chapter, and its code is code that the tests compile or run.
//!
//! Snippets stand in the book as they are, so that it can be read without building it. A line above each names the source it was
//! taken from, `<!-- source: ../tests/book/src/auth.rs#provider -->`; here both are compared, and `cargo xtask tidy --bless` takes it anew.

mod links;
mod snippet;

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use super::{Problems, source::files};
use crate::{Cli, paths, workspace};

/// Finds links within the repository that lead nowhere, in all of its texts.
pub(super) fn dead_links() -> Result<Problems> {
    let mut problems = Problems::new();
    for file in texts()? {
        let text = read(&file)?;
        for link in links::of(&text) {
            if let Err(why) = follow(&file, link.target)? {
                problems.push(format!(
                    "{}:{}: {}: {why}",
                    file.display(),
                    link.line,
                    link.target
                ));
            }
        }
    }
    Ok(problems)
}

/// Finds chapters that the table of contents leaves out.
pub(super) fn lost_chapters() -> Result<Problems> {
    let summary = read(Path::new(SUMMARY))?;
    let listed: Vec<_> = links::of(&summary)
        .map(|link| Path::new(BOOK).join(link.target))
        .collect();
    Ok(chapters()?
        .into_iter()
        .filter(|file| file != Path::new(SUMMARY) && !listed.contains(file))
        .map(|file| format!("{} is not in {SUMMARY}", file.display()))
        .collect())
}

/// Finds code in the book that nothing has compiled or run.
pub(super) fn untested_code() -> Result<Problems> {
    let mut problems = Problems::new();
    for file in chapters()? {
        let text = read(&file)?;
        for fence in snippet::fences(&text) {
            let at = format!("{}:{}", file.display(), fence.line);
            match fence.source {
                Some(source) => match snippet::taken(&file, source) {
                    Ok(taken) if taken == fence.code => {}
                    Ok(_) => problems.push(format!(
                        "{at}: {source} says otherwise: `cargo xtask tidy --bless`"
                    )),
                    Err(error) => problems.push(format!("{at}: {error:#}")),
                },
                None => problems.extend(unsourced(&fence)?.map(|why| format!("{at}: {why}"))),
            }
        }
    }
    Ok(problems)
}

/// Takes the snippets anew from their sources.
pub(super) fn bless() -> Result<()> {
    for file in chapters()? {
        let old = read(&file)?;
        let new = snippet::retaken(&file, &old)?;
        if new != old {
            fs::write(paths::root().join(&file), new)?;
            println!("{}: snippets taken anew", file.display());
        }
    }
    Ok(())
}

/// Copies the book, its links to what is not in it as links into the repository.
pub(crate) fn copy_book(to: &Path) -> Result<()> {
    let files = files(&paths::root(), Some(BOOK))?;
    let repository = format!("{}/blob/main", workspace::repository()?);
    for file in files.lines().map(Path::new) {
        let Ok(within) = file.strip_prefix(BOOK) else {
            continue;
        };
        let copy = to.join(within);
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        if file.extension().is_some_and(|extension| extension == "md") {
            let mut text = read(file)?;
            for link in links::of(&text.clone()) {
                let new = moved(file, link.target, &repository);
                text = text.replace(&format!("]({})", link.target), &format!("]({new})"));
            }
            fs::write(copy, text)?;
        } else {
            fs::copy(paths::root().join(file), copy)?;
        }
    }
    Ok(())
}

/// Where a link leads from a page of the book.
fn moved(from: &Path, target: &str, repository: &str) -> String {
    let (path, fragment) = target.split_at(target.find('#').unwrap_or(target.len()));
    let leads_to = joined(from, path);
    if !path.is_empty() && !leads_to.starts_with(BOOK) {
        return format!("{repository}/{}{fragment}", leads_to.display());
    }
    // mdBook makes `index.html` of these, and leaves the links to them alone.
    let page = path.replace("README.md", "index.md");
    format!("{page}{fragment}")
}

/// What is wrong with code that names no source.
fn unsourced(fence: &snippet::Fence<'_>) -> Result<Option<String>> {
    match fence.language {
        "sh" => Ok(fence.code.lines().find_map(unknown_command)),
        "toml" => Ok(snippet::wrong_dependency(&fence.code)?),
        // What a reader sees or a server says.
        "text" => Ok(None),
        language => Ok(Some(format!(
            "a fence of {language:?} needs `<!-- source: FILE#ANCHOR -->` above it"
        ))),
    }
}

/// A command of this repository that it does not have.
fn unknown_command(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("cargo xtask ")?;
    let name = rest.split_whitespace().next()?;
    let cli = Cli::command();
    cli.find_subcommand(name)
        .is_none()
        .then(|| format!("there is no `cargo xtask {name}`"))
}

/// Whether a link of this text leads to something that is there.
fn follow(from: &Path, target: &str) -> Result<Result<(), String>> {
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let to = match path {
        "" => from.to_path_buf(),
        path => joined(from, path),
    };
    if !paths::root().join(&to).exists() {
        return Ok(Err(format!("there is no {}", to.display())));
    }
    // Lines of a source are not headings.
    if fragment.is_empty() || to.extension().is_none_or(|extension| extension != "md") {
        return Ok(Ok(()));
    }
    let text = read(&to)?;
    Ok(if links::anchors(&text).any(|anchor| anchor == fragment) {
        Ok(())
    } else {
        Err(format!("{} has no such heading", to.display()))
    })
}

/// A path that is relative to a file, from the root.
fn joined(from: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    let folder = from.parent().unwrap_or_else(|| Path::new(""));
    for part in folder.join(path).components() {
        match part {
            Component::ParentDir => {
                joined.pop();
            }
            Component::CurDir => {}
            part => joined.push(part),
        }
    }
    joined
}

/// The texts of the repository, by their paths from the root.
fn texts() -> Result<Vec<PathBuf>> {
    Ok(files(&paths::root(), Some("*.md"))?
        .lines()
        .map(PathBuf::from)
        // A deleted file is listed until the deletion is staged.
        .filter(|file| paths::root().join(file).is_file())
        .collect())
}

fn chapters() -> Result<Vec<PathBuf>> {
    let mut files = texts()?;
    files.retain(|file| file.starts_with(BOOK));
    Ok(files)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(paths::root().join(file))
        .with_context(|| format!("reading {}", file.display()))
}

const BOOK: &str = "docs";
const SUMMARY: &str = "docs/SUMMARY.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file() {
        let check =
            |from, path, expect| assert_eq!(joined(Path::new(from), path), Path::new(expect));
        check("docs/start/yew.md", "../tiers.md", "docs/tiers.md");
        check("docs/tiers.md", "../README.md", "README.md");
        check("README.md", "docs/tiers.md", "docs/tiers.md");
    }

    #[test]
    fn a_link_has_to_lead_somewhere() {
        let from = Path::new("docs/features.md");
        let follow = |target| follow(from, target).unwrap();
        assert_eq!(follow("../README.md#tiers"), Ok(()));
        assert!(follow("../README.md#no-such-heading").is_err());
        assert!(follow("no-such-file.md").is_err());
    }

    #[test]
    fn links_out_of_the_book_lead_into_the_repository() {
        let moved = |target| moved(Path::new("docs/start/yew.md"), target, "https://r");
        assert_eq!(moved("../../README.md#x"), "https://r/README.md#x");
        assert_eq!(moved("../tiers.md#x"), "../tiers.md#x");
        assert_eq!(moved("../bench/README.md"), "../bench/index.md");
        assert_eq!(moved("#x"), "#x");
    }

    #[test]
    fn a_command_has_to_exist() {
        assert_eq!(unknown_command("cargo xtask demo --check"), None);
        assert!(unknown_command("cargo xtask demonstrate").is_some());
        assert_eq!(unknown_command("ls"), None);
    }
}
