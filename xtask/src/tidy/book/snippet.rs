//! Code in a chapter, and the sources it is taken from.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use super::joined;
use crate::{paths, workspace};

/// A block of code.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) language: &'a str,
    /// What the line above says that it was taken from.
    pub(super) source: Option<&'a str>,
    pub(super) code: String,
}

/// The blocks of code of a text.
pub(super) fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut found = Vec::new();
    let mut above = "";
    let mut lines = (1..).zip(text.lines());
    while let Some((line, mark)) = lines.next() {
        if let Some(info) = mark.trim_start().strip_prefix(MARK) {
            let code = lines.by_ref().map(|(_, line)| line);
            let code = code
                .take_while(|line| !is_mark(line))
                .map(|line| format!("{line}\n"));
            found.push(Fence {
                line,
                language: info.split(',').next().unwrap_or(info),
                source: source(above),
                code: code.collect(),
            });
        }
        above = mark;
    }
    found
}

/// The text with each block that names its source taken anew.
pub(super) fn retaken(file: &Path, text: &str) -> Result<String> {
    let mut new = String::new();
    let mut lines = text.lines();
    let mut above = "";
    while let Some(line) = lines.next() {
        new.push_str(line);
        new.push('\n');
        if is_mark(line) {
            let old: Vec<_> = lines.by_ref().take_while(|line| !is_mark(line)).collect();
            match source(above) {
                Some(source) => new.push_str(&taken(file, source)?),
                None => old.iter().for_each(|line| new.extend([*line, "\n"])),
            }
            new.push_str(MARK);
            new.push('\n');
        }
        above = line;
    }
    Ok(new)
}

/// What a source says: a file, or `FILE#ANCHOR`, the lines between `ANCHOR:` and `ANCHOR_END:` of this name; or `FILE#doc`, the first
/// example of a crate's documentation.
pub(super) fn taken(file: &Path, source: &str) -> Result<String> {
    let (path, anchor) = source.split_once('#').unwrap_or((source, ""));
    let path = joined(file, path);
    let text = fs::read_to_string(paths::root().join(&path))
        .with_context(|| format!("there is no {}", path.display()))?;
    let lines = match anchor {
        "" => text.lines().filter(|line| !is_anchor(line)).collect(),
        "doc" => example(&text),
        anchor => between(&text, anchor),
    };
    if lines.is_empty() {
        bail!("{} has no {anchor}", path.display());
    }
    Ok(dedented(&lines))
}

/// A dependency that a manifest may not have like this: ours is elsewhere, or another one is not the version that is tested.
pub(super) fn wrong_dependency(code: &str) -> Result<Option<String>> {
    for line in code.lines() {
        let Some((name, value)) = line.split_once(" = ") else {
            continue;
        };
        if let Some((_, path)) = value.split_once("path = \"../onesocket/") {
            let folder = path.split('"').next().unwrap_or_default();
            let is_there = workspace::package_named(name)?
                .is_some_and(|package| package.folder == paths::root().join(folder));
            if !is_there {
                return Ok(Some(format!("{name} is not in {folder}")));
            }
        } else if let Some(version) = value.split('"').nth(1) {
            let locked = workspace::locked_version(name)?;
            if !locked.starts_with(version) {
                return Ok(Some(format!(
                    "{name} {locked} is what is tested, not {version}"
                )));
            }
        }
    }
    Ok(None)
}

fn source(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix("<!-- source: ")?
        .strip_suffix(" -->")
}

fn between<'a>(text: &'a str, anchor: &str) -> Vec<&'a str> {
    let (start, end) = (format!("ANCHOR: {anchor}"), format!("ANCHOR_END: {anchor}"));
    let names = |line: &str, mark: &str| {
        let comment = line.trim_end_matches("-->").trim_end();
        comment.ends_with(mark)
    };
    text.lines()
        .skip_while(|line| !names(line, &start))
        .skip(1)
        .take_while(|line| !names(line, &end))
        .filter(|line| !is_anchor(line))
        .collect()
}

/// The first example of a crate's documentation, without what rustdoc hides.
fn example(text: &str) -> Vec<&str> {
    let docs = text.lines().filter_map(|line| line.strip_prefix("//!"));
    docs.map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| !is_mark(line))
        .skip(1)
        .take_while(|line| !is_mark(line))
        .filter(|line| !line.starts_with("# "))
        .collect()
}

fn dedented(lines: &[&str]) -> String {
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = full.map(|line| line.len() - line.trim_start().len()).min();
    lines
        .iter()
        .map(|line| format!("{}\n", line.get(indent.unwrap_or(0)..).unwrap_or_default()))
        .collect()
}

fn is_anchor(line: &str) -> bool {
    line.contains("ANCHOR: ") || line.contains("ANCHOR_END: ")
}

fn is_mark(line: &str) -> bool {
    line.trim_start().starts_with(MARK)
}

const MARK: &str = "```";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_has_the_source_that_stands_above_it() {
        let text = "<!-- source: ../a.rs#b -->\n```rust\nc\n```\n\n```sh\nd\n```\n";
        let found = fences(text);
        assert_eq!(found[0].source, Some("../a.rs#b"));
        assert_eq!((found[0].language, found[0].code.as_str()), ("rust", "c\n"));
        assert_eq!((found[1].source, found[1].line), (None, 6));
    }

    #[test]
    fn anchors_nest_and_lose_their_indentation() {
        let text = "x\n    // ANCHOR: a\n    b {\n        // ANCHOR: c\n        d\n        // ANCHOR_END: c\n    }\n    // ANCHOR_END: a\n";
        assert_eq!(dedented(&between(text, "a")), "b {\n    d\n}\n");
        assert_eq!(dedented(&between(text, "c")), "d\n");
        assert!(between(text, "e").is_empty());
    }

    #[test]
    fn an_example_is_shown_without_its_hidden_lines() {
        let text = "//! Why.\n//!\n//! ```\n//! # use a;\n//! b();\n//!\n//! c();\n//! ```\n";
        assert_eq!(example(text), ["b();", "", "c();"]);
    }

    #[test]
    fn a_manifest_names_what_is_tested() {
        let of = |line: &str| wrong_dependency(line).unwrap();
        assert_eq!(
            of("onesocket-yew = { path = \"../onesocket/plugins/yew\" }"),
            None
        );
        assert!(of("onesocket-yew = { path = \"../onesocket/yew\" }").is_some());
        assert!(of("yew = \"0.1\"").is_some());
    }
}
