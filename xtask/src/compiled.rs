//! Where cargo has put what it compiled: only cargo knows, as a variable or a config file may name another target.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::Shell;

/// Which executables of a build are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Those of tests: a crate's library, or a file of its `tests` folder.
    Tests,
    /// The binary of this name.
    Bin(&'a str),
}

/// Runs a build, and returns where its executables are.
pub(crate) fn executables(cargo: Shell, wanted: Wanted<'_>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut problem = None;
    cargo
        .arg("--message-format=json-render-diagnostics")
        .stream(|line| match executable(line, wanted) {
            Ok(path) => found.extend(path),
            Err(error) => problem = Some(error),
        })?;
    problem.map_or(Ok(found), Err)
}

/// The executable that one line of cargo's messages announces.
fn executable(line: &str, wanted: Wanted<'_>) -> Result<Option<PathBuf>> {
    let message: Value = serde_json::from_str(line)
        .with_context(|| format!("cargo announced something else than JSON: {line}"))?;
    let is_test = message["profile"]["test"].as_bool() == Some(true);
    let is_wanted = match wanted {
        Wanted::Tests => is_test,
        Wanted::Bin(name) => !is_test && message["target"]["name"].as_str() == Some(name),
    };
    let path = message["executable"].as_str().filter(|_| is_wanted);
    Ok(path.map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_was_looked_for_where_no_other_target_is() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"server"},"profile":{"test":false},"executable":"/t/aarch64-unknown-linux-gnu/debug/server"}"#;
        let check = |wanted, expect: Option<&str>| {
            let found = executable(line, wanted).unwrap();
            assert_eq!(found, expect.map(PathBuf::from), "{wanted:?}");
        };
        check(
            Wanted::Bin("server"),
            Some("/t/aarch64-unknown-linux-gnu/debug/server"),
        );
        check(Wanted::Bin("other"), None);
        check(Wanted::Tests, None);
    }

    #[test]
    fn a_build_says_where_its_tests_are() {
        let line = r#"{"target":{"name":"server"},"profile":{"test":true},"executable":"/t/debug/deps/server-1"}"#;
        let found = executable(line, Wanted::Tests).unwrap();
        assert_eq!(found, Some(PathBuf::from("/t/debug/deps/server-1")));
        assert_eq!(executable(line, Wanted::Bin("server")).unwrap(), None);
        assert!(executable("warning: no JSON", Wanted::Tests).is_err());
    }
}
