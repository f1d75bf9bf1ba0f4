//! What neither the compiler nor clippy checks: the rules that keep the map of the repository true.

mod book;
mod dependencies;
mod message_hash;
mod publishing;
mod source;

pub(crate) use book::copy_book;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::steps::Steps;

/// Writes what is taken from elsewhere: the hash in PROTOCOL.md, the snippets of the book.
pub(crate) fn bless() -> Result<()> {
    message_hash::bless()?;
    book::bless()
}

/// Runs the checks alone.
pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::default();
    add_steps(&mut steps);
    steps.finish()
}

/// Runs the checks as steps of a longer run.
pub(crate) fn add_steps(steps: &mut Steps) {
    for (name, check) in CHECKS {
        steps.check(name, || report(check()?));
    }
}

/// One sentence per breach.
type Problems = Vec<String>;

fn report(problems: Problems) -> Result<()> {
    if !problems.is_empty() {
        bail!("{} breaches\n  {}", problems.len(), problems.join("\n  "));
    }
    Ok(())
}

type Check = fn() -> Result<Problems>;

const CHECKS: [(&str, Check); 10] = [
    ("tidy: pure crates", dependencies::impure),
    ("tidy: arrows", dependencies::against_the_arrows),
    ("tidy: lock file", dependencies::foreign_sources),
    ("tidy: published crates", publishing::incomplete),
    ("tidy: features", publishing::undocumented_features),
    ("tidy: sources", source::breaches),
    ("tidy: message hash", message_hash::mismatch),
    ("tidy: links", book::dead_links),
    ("tidy: chapters", book::lost_chapters),
    ("tidy: code in the book", book::untested_code),
];

/// The crates that know no host: no browser, no runtime, no clock.
const PURE: [(&str, &str); 2] = [
    ("onesocket-protocol", "protocol"),
    ("onesocket-engine", "engine"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        for (name, check) in CHECKS {
            let problems = check().unwrap();
            assert!(problems.is_empty(), "{name}: {problems:#?}");
        }
    }
}
