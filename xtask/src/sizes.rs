//! What a visitor downloads: the size of every artefact raw, gzipped and brotlied, against a budget.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::paths;

/// The sizes of one artefact in bytes.
#[derive(Debug)]
pub(crate) struct Size {
    /// Relative to the target folder, with slashes: the name that the budget uses.
    name: String,
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// Measures every script and wasm file under these folders.
pub(crate) fn measure(folders: &[PathBuf]) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for folder in folders {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        for file in files {
            sizes.push(measure_one(&file)?);
        }
    }
    Ok(sizes)
}

pub(crate) fn print_table(sizes: &[Size]) {
    let width = sizes.iter().map(|size| size.name.len()).max().unwrap_or(0);
    println!("\n{:width$} {:>9} {:>9} {:>9}", "", "raw", "gzip", "brotli");
    for Size {
        name,
        raw,
        gzip,
        brotli,
    } in sizes
    {
        println!("{name:width$} {raw:>9} {gzip:>9} {brotli:>9}");
    }
}

/// Prints the sizes of what is in the folders, and compares them with `xtask/size-budget.txt`.
pub(crate) fn check_budget(folders: &[PathBuf]) -> Result<()> {
    let sizes = measure(folders)?;
    print_table(&sizes);
    let path = paths::root().join("xtask/size-budget.txt");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let problems: Vec<String> = parse_budget(&text)?
        .iter()
        .filter_map(|limit| limit.problem(&sizes))
        .collect();
    if !problems.is_empty() {
        bail!("over the size budget:\n  {}", problems.join("\n  "));
    }
    Ok(())
}

/// One line of the budget: this file, compressed like this, at most this many bytes.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    name: String,
    encoding: String,
    max_bytes: usize,
}

impl Limit {
    fn problem(&self, sizes: &[Size]) -> Option<String> {
        let Some(size) = sizes.iter().find(|size| size.name == self.name) else {
            return Some(format!("{}: the build did not make it", self.name));
        };
        let bytes = match self.encoding.as_str() {
            "gzip" => size.gzip,
            "brotli" => size.brotli,
            _ => size.raw,
        };
        (bytes > self.max_bytes).then(|| {
            let Self {
                name,
                encoding,
                max_bytes,
            } = self;
            format!("{name}: {bytes} bytes {encoding}, the budget is {max_bytes}")
        })
    }
}

fn parse_budget(text: &str) -> Result<Vec<Limit>> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, encoding @ ("raw" | "gzip" | "brotli"), max_bytes] = words[..] else {
                bail!("size-budget.txt: expected `<file> raw|gzip|brotli <bytes>`: {line}");
            };
            Ok(Limit {
                name: name.strip_prefix("target/").unwrap_or(name).to_owned(),
                encoding: encoding.to_owned(),
                max_bytes: max_bytes
                    .parse()
                    .with_context(|| format!("size-budget.txt: not a number: {line}"))?,
            })
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if matches!(path.extension(), Some(ext) if ext == "wasm" || ext == "js") {
            files.push(path);
        }
    }
    Ok(())
}

fn measure_one(file: &Path) -> Result<Size> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let target = paths::target();
    let name = file.strip_prefix(&target).unwrap_or(file);
    Ok(Size {
        name: name.to_string_lossy().replace('\\', "/"),
        raw: bytes.len(),
        gzip: gzip(&bytes)?,
        brotli: brotli(&bytes)?,
    })
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(bytes: &[u8]) -> Result<usize> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        // 11 is what a build would ship, but takes ten times as long in a debug build for 3 % less.
        quality: 9,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params)?;
    Ok(out.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_lines_are_read_and_compared() {
        let limits = parse_budget("# why\n\ntarget/dist/a.wasm gzip 10\n").unwrap();
        let size = |gzip| {
            [Size {
                name: "dist/a.wasm".into(),
                raw: 99,
                gzip,
                brotli: 1,
            }]
        };
        assert_eq!(limits[0].problem(&size(10)), None);
        assert!(limits[0].problem(&size(11)).is_some());
        assert!(limits[0].problem(&[]).is_some());
        assert!(parse_budget("a.wasm zip 3").is_err());
    }
}
