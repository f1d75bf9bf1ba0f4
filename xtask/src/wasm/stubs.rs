//! The formatting of panics, taken out of a worker: 2 kB that the standard library brings, for texts that nobody needs once the
//! place of a panic is known.
//!
//! It works on wasm-opt's text, one line per instruction, which has the functions' names.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// Replaces what formats by what returns at once.
///
/// It fails when there is nothing to replace, because then names have changed; and when anything but a panic formats, because
/// then a text would be missing that somebody reads.
pub(super) fn without_formatting(text: &str) -> Result<String> {
    let mut written = String::with_capacity(text.len());
    let mut stubs = 0;
    let mut callers = BTreeSet::new();
    let mut caller = String::new();
    let mut is_stub = false;
    for line in text.lines() {
        if let Some(function) = line.strip_prefix(" (func $") {
            caller = plain(name(function));
            is_stub = formats(&caller);
            if is_stub {
                stubs += 1;
                let body = match function.split_once("(result ") {
                    None => "(nop)",
                    Some((_, "i32)")) => "(i32.const 0)",
                    Some((_, result)) => bail!("{caller} formats and returns {result}"),
                };
                written.push_str(&format!("{line}\n  {body}\n )\n"));
            }
        }
        if is_stub {
            continue;
        }
        let call = line.split_once("call $").map(|(_, called)| name(called));
        if call.is_some_and(|called| formats(&plain(called))) && !panics(&caller) {
            callers.insert(caller.clone());
        }
        written.push_str(line);
        written.push('\n');
    }
    if stubs == 0 {
        bail!("no function of `core::fmt` is found by its name");
    }
    if !callers.is_empty() {
        bail!("formatting is wanted by {callers:#?}");
    }
    Ok(written)
}

/// Returns the name that text begins with: in quotes, if it has anything special.
fn name(text: &str) -> &str {
    let (text, end): (_, &[char]) = match text.strip_prefix('"') {
        Some(quoted) => (quoted, &['"']),
        None => (text, &[' ', ')']),
    };
    text.split(end).next().unwrap_or_default()
}

/// Without the hashes of crates: `core[c5930c85a12de822]::fmt::write` is `core::fmt::write`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        rest = match after.split_once(']') {
            Some((hash, after)) if hash.len() == HASH && is_hex(hash) => after,
            Some(_) | None => {
                plain.push('[');
                after
            }
        };
    }
    plain + rest
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn formats(name: &str) -> bool {
    name.contains("core::fmt::") || name.contains("std::panicking::default_hook")
}

/// The message of a panic, which is asked for by whoever looks at the panic.
fn panics(name: &str) -> bool {
    name.contains("std::panicking::panic_handler::FormatStringPayload")
}

const HASH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: &str = " (func $\"core[c5930c85a12de822]::fmt::write\" (param $0 i32) (result i32)
  (call $other)
 )
";

    fn module(caller: &str) -> String {
        format!(
            "(module
{WRITE} (func ${caller} (param $0 i32)
  (drop
   (call $\"core[c5930c85a12de822]::fmt::write\"
    (local.get $0)
   )
  )
 )
)"
        )
    }

    #[test]
    fn what_formats_returns_at_once() {
        let payload =
            "\"<std[a543996e6e7dbf1e]::panicking::panic_handler::FormatStringPayload>::get\"";
        let text = without_formatting(&module(payload)).unwrap();
        let stub = WRITE.replace("(call $other)", "(i32.const 0)");
        assert!(text.contains(&stub), "{text}");
        assert!(text.contains(payload), "{text}");
        assert!(!text.contains("$other"), "{text}");
    }

    #[test]
    fn a_worker_that_formats_is_refused_and_so_are_unknown_names() {
        let error = without_formatting(&module("greet")).unwrap_err();
        assert!(error.to_string().contains("greet"), "{error}");
        assert!(without_formatting("(module\n (func $_ZN4core3fmt5write\n )\n)").is_err());
        let wide = " (func $core::fmt::wide (result i64)\n )\n";
        assert!(without_formatting(wide).is_err());
    }
}
