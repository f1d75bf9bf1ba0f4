//! What a source file may not contain.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use super::{PURE, Problems};
use crate::{paths, shell::Shell};

/// Finds files that are too long, unfinished, hidden from the tests, or tied to one machine.
pub(super) fn breaches() -> Result<Problems> {
    let mut problems = Vec::new();
    for file in files(&paths::root(), None)?.lines() {
        // Pictures are not text, and a deleted file is listed until the deletion is staged.
        let Ok(text) = fs::read_to_string(paths::root().join(file)) else {
            continue;
        };
        problems.extend(check(file, &text));
    }
    problems.sort();
    Ok(problems)
}

/// The files of a clone, one a line; of one folder, or of one pattern. New ones count before they are committed; ignored ones never do.
pub(super) fn files(clone: &Path, which: Option<&str>) -> Result<String> {
    // Else git lists those of a clone around it.
    ensure!(
        clone.join(".git").exists(),
        "git has the list of files, and {} is no clone of the repository: an unpacked archive will not do",
        clone.display()
    );
    Shell::git()
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .args(which)
        .dir(clone)
        .advice("the list of files is read from git, of 2.38 or later where the clone belongs to another user")
        .read()
}

fn check(file: &str, text: &str) -> Problems {
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = format!("{file}:{}", number + 1);
        if let Some(path) = machine_path(line) {
            problems.push(format!("{at}: {path} is a path of one machine"));
        }
        if file.ends_with(".rs") && !is_comment(line) {
            problems.extend(forbidden(file, line).map(|what| format!("{at}: {what}")));
        }
    }
    if file.ends_with(".rs") && !is_test(file) {
        problems.extend(too_long(file, text));
    }
    problems
}

fn forbidden(file: &str, line: &str) -> Option<&'static str> {
    let is_pure = PURE
        .iter()
        .any(|(_, folder)| file.starts_with(&format!("{folder}/src/")));
    if is_pure && line.contains(ASYNC) {
        return Some("a pure crate has no async function");
    }
    FORBIDDEN
        .iter()
        .find(|(needle, _)| line.contains(needle))
        .map(|(_, why)| *why)
}

/// An absolute path below the folder of a user or of a build machine.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_FOLDERS.into_iter().find(|folder| {
        line.match_indices(folder).any(|(start, _)| {
            // `https://example.org/home/` and `../work/` are not paths of a machine.
            let before = line[..start].chars().next_back();
            !before.is_some_and(|char| char.is_alphanumeric() || "-_.}~*$".contains(char))
        })
    })
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let lines = code_lines(text);
    let is_explained = text.lines().take(10).any(|line| line.contains(EXPLANATION));
    (lines > MAX_CODE_LINES && !is_explained).then(|| {
        format!(
            "{file}: {lines} lines of code: split it by who owns the state, \
             or say `{EXPLANATION} <why>` in its first lines"
        )
    })
}

/// Lines that are neither blank nor comments, up to the unit tests, which come last in a file.
fn code_lines(text: &str) -> usize {
    let mut lines = text.lines().peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            break;
        }
        if !line.trim().is_empty() && !is_comment(line) {
            count += 1;
        }
    }
    count
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn is_test(file: &str) -> bool {
    let path = Path::new(file);
    path.ends_with("tests.rs")
        || path
            .components()
            .skip(1)
            .any(|part| part.as_os_str() == "tests")
}

const MAX_CODE_LINES: usize = 600;
const EXPLANATION: &str = "Longer than most:";

// In two pieces each, so that this file passes its own check.
const ASYNC: &str = concat!("async", " fn");
const FORBIDDEN: [(&str, &str); 3] = [
    (concat!("todo", "!("), "unfinished code does not land"),
    (concat!("#[ign", "ore"), "a test that never runs is no test"),
    (
        concat!("#[should", "_panic"),
        "a panic is not an expectation: match the error",
    ),
];
const MACHINE_FOLDERS: [&str; 4] = [
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Use", "rs/"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpacked_archive_had_the_files_of_the_clone_around_it() {
        let folder = paths::target().join("tests-of-xtask/archive");
        fs::create_dir_all(&folder).unwrap();
        let error = files(&folder, None).unwrap_err().to_string();
        assert!(error.contains("no clone"), "{error}");
        assert!(
            files(&paths::root(), Some("*.md"))
                .unwrap()
                .contains("README.md")
        );
    }

    #[test]
    fn code_lines_leave_out_blanks_comments_and_unit_tests() {
        let text = "//! Why.\n\nfn a() {}\n// b\nfn c() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(code_lines(text), 2);
        assert_eq!(code_lines("#[cfg(test)]\nuse a;\nfn b() {}\n"), 3);
    }

    #[test]
    fn a_path_of_a_machine_is_told_from_a_url() {
        assert!(machine_path(concat!("see /ho", "me/ann/x")).is_some());
        assert!(machine_path(concat!("\"/wo", "rk/x\"")).is_some());
        assert!(machine_path(concat!("https://example.org/ho", "me/")).is_none());
        assert!(machine_path(concat!("../wo", "rk/x")).is_none());
    }

    #[test]
    fn unfinished_and_async_code_is_found_where_it_may_not_be() {
        let unfinished = concat!("    todo", "!()");
        assert_eq!(check("engine/src/a.rs", unfinished).len(), 1);
        assert_eq!(check("README.md", unfinished).len(), 0);
        let line = concat!("pub async", " fn a() {}");
        assert_eq!(check("engine/src/a.rs", line).len(), 1);
        assert_eq!(check("client/src/a.rs", line).len(), 0);
    }

    #[test]
    fn a_long_file_has_to_say_why() {
        let long = "fn a() {}\n".repeat(MAX_CODE_LINES + 1);
        assert_eq!(check("engine/src/a.rs", &long).len(), 1);
        assert_eq!(check("engine/tests/it/a.rs", &long).len(), 0);
        let explained = format!("//! {EXPLANATION} a table.\n{long}");
        assert_eq!(check("engine/src/a.rs", &explained).len(), 0);
    }
}
