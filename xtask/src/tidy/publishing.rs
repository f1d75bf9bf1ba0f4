//! What a crate that is to be published has to say and to bring along.

use std::fs;

use anyhow::Result;

use super::Problems;
use crate::{
    paths,
    workspace::{self, Package},
};

/// Finds crates to be published whose `Cargo.toml` leaves something out, or whose folder lacks a file.
pub(super) fn incomplete() -> Result<Problems> {
    let published = workspace::published()?;
    Ok(published.flat_map(lacks).collect())
}

fn lacks(package: &Package) -> Problems {
    let keys = KEYS.into_iter().filter(|key| !package.says(key));
    let files = LICENCES.into_iter().filter(|file| {
        let at = package.folder.join(file);
        // A copy would be one more text to keep; a link is followed when the crate is packed.
        !fs::read(&at)
            .is_ok_and(|text| fs::read(paths::root().join(file)).is_ok_and(|of_all| text == of_all))
    });
    keys.map(|key| format!("{}: Cargo.toml has no {key}", package.name))
        .chain(
            files.map(|file| format!("{}: {file} is not the one of the repository", package.name)),
        )
        .collect()
}

/// Finds features of published crates that the crate's documentation or the book's table leaves out, and a book that promises another Rust.
pub(super) fn undocumented_features() -> Result<Problems> {
    let table = fs::read_to_string(paths::root().join(TABLE))?;
    let mut problems = Problems::new();
    let rust = workspace::rust_version()?;
    if !table.contains(&format!("Rust {rust} ")) {
        problems.push(format!("{TABLE}: Cargo.toml's rust-version is {rust}"));
    }
    for package in workspace::published()? {
        let docs = fs::read_to_string(package.folder.join("src/lib.rs"))?;
        for feature in &package.features {
            if !in_docs(&docs, feature) {
                problems.push(format!(
                    "{}: its documentation does not list `{feature}`",
                    package.name
                ));
            }
            if !in_table(&table, &package.name, feature) {
                problems.push(format!(
                    "{TABLE}: no row for `{feature}` of {}",
                    package.name
                ));
            }
        }
    }
    Ok(problems)
}

/// Whether the section of features names this one.
fn in_docs(docs: &str, feature: &str) -> bool {
    let quoted = format!("`{feature}`");
    docs.lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .skip_while(|line| line.trim() != "# Features")
        .skip(1)
        .take_while(|line| !line.trim_start().starts_with("# "))
        .any(|line| line.contains(&quoted))
}

/// Whether a row of the table is about this feature of this crate.
fn in_table(table: &str, package: &str, feature: &str) -> bool {
    let start = format!("| `{package}` | `{feature}` |");
    table.lines().any(|line| line.starts_with(&start))
}

const KEYS: [&str; 7] = [
    "description",
    "license",
    "repository",
    "readme",
    "rust_version",
    "keywords",
    "categories",
];
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const TABLE: &str = "docs/features.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_counts_where_features_are_listed() {
        let docs =
            "//! `b` elsewhere.\n//! # Features\n//!\n//! - `a`: that.\n//! # Next\n//! `c`\n";
        assert!(in_docs(docs, "a"));
        assert!(!in_docs(docs, "b"));
        assert!(!in_docs(docs, "c"));
    }

    #[test]
    fn a_row_is_of_one_crate() {
        let table = "| `one` | `json` | yes | … |\n";
        assert!(in_table(table, "one", "json"));
        assert!(!in_table(table, "two", "json"));
        assert!(!in_table(table, "one", "js"));
    }
}
