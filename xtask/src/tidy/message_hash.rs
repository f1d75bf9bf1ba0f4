//! PROTOCOL.md is the specification of the messages: whoever changes the one has to look at the other.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::Problems;
use crate::paths;

/// Compares the hash in PROTOCOL.md with the message module.
pub(super) fn mismatch() -> Result<Problems> {
    let mut problems: Problems = SOURCES
        .iter()
        .map(|source| paths::root().join(source))
        .chain([spec()])
        .filter(|path| !path.is_file())
        .map(|path| format!("there is no {}", relative(&path)))
        .collect();
    if problems.is_empty() {
        let actual = hash()?;
        let noted = noted(&fs::read_to_string(spec())?).map(str::to_owned);
        if noted.as_deref() != Some(&actual) {
            let noted = noted.unwrap_or_else(|| "nothing".to_owned());
            problems.push(format!(
                "the message module hashes to {actual}, PROTOCOL.md notes {noted}: \
                 bring PROTOCOL.md up to date, then `cargo xtask tidy --bless`"
            ));
        }
    }
    Ok(problems)
}

/// Writes the hash of the message module into PROTOCOL.md.
pub(super) fn bless() -> Result<()> {
    let path = spec();
    let text = fs::read_to_string(&path).context("reading PROTOCOL.md")?;
    let Some(old) = noted(&text) else {
        bail!("PROTOCOL.md has no line `{KEY} <hex>`");
    };
    let new = hash()?;
    fs::write(
        &path,
        text.replace(&format!("{KEY} {old}"), &format!("{KEY} {new}")),
    )?;
    println!("PROTOCOL.md: {KEY} {new}");
    Ok(())
}

fn noted(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(KEY)?;
    rest.split(['\n', '`']).next().map(str::trim)
}

fn hash() -> Result<String> {
    let mut hash = FNV_OFFSET;
    for source in SOURCES {
        let text =
            fs::read(paths::root().join(source)).with_context(|| format!("reading {source}"))?;
        // A checkout on Windows may have other line ends.
        for byte in text.iter().filter(|byte| **byte != b'\r') {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    }
    Ok(format!("{hash:016x}"))
}

fn spec() -> PathBuf {
    paths::root().join("PROTOCOL.md")
}

fn relative(path: &Path) -> String {
    let root = paths::root();
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

const SOURCES: [&str; 6] = [
    "protocol/src/message.rs",
    "protocol/src/message/delivered.rs",
    "protocol/src/message/outgoing.rs",
    "protocol/src/message/worker_side.rs",
    "protocol/src/message/worker_side/writer.rs",
    "protocol/src/frame.rs",
];
const KEY: &str = "message-hash:";

/// FNV-1a: this guards against forgetting, not against malice, and needs no dependency.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noted_hash_is_found_in_prose_and_in_code() {
        assert_eq!(noted("a\nmessage-hash: 12ab\nb"), Some("12ab"));
        assert_eq!(noted("`message-hash: 12ab`, see"), Some("12ab"));
        assert_eq!(noted("none"), None);
    }
}
