//! wasm-opt of a version that understands what rustc and wasm-bindgen write today.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{kept::Kept, npm::node};
use crate::{paths, shell::Shell, wasm::Names};

/// A usable wasm-opt.
#[derive(Debug)]
pub(crate) struct WasmOpt {
    program: PathBuf,
    version: u32,
}

impl WasmOpt {
    /// Finds one or installs one. This is the one tool whose lack fails nothing: without it the wasm is bigger but
    /// behaves the same, and a machine without a node registry should still see the demo.
    pub(crate) fn find() -> Result<Option<Self>> {
        if let Some(program) = paths::on_path("wasm-opt")
            && let Some(version) = version(&program).filter(|version| *version >= OLDEST)
        {
            return Ok(Some(Self { program, version }));
        }
        let root = paths::cache()?.join(format!("binaryen-{BINARYEN}"));
        let program = root.join("node_modules/.bin/wasm-opt");
        if let Some(version) = version(&program) {
            return Ok(Some(Self { program, version }));
        }
        let installed = install(&root).and_then(|()| {
            let version = version(&program);
            version.with_context(|| format!("{} does not run", program.display()))
        });
        Ok(match installed {
            Ok(version) => Some(Self { program, version }),
            Err(error) => {
                println!("\n!! no wasm-opt: {error:#}");
                println!("!! the wasm stays unoptimised: it works, and is about a tenth bigger\n");
                None
            }
        })
    }

    /// Rewrites one wasm file for size.
    pub(crate) fn optimise(&self, wasm: &Path) -> Result<()> {
        self.over(wasm, &[]).map(drop)
    }

    /// Rewrites one wasm file for size, with short names for what it imports and exports. Its script must be told them.
    pub(crate) fn optimise_and_shorten(&self, wasm: &Path) -> Result<Names> {
        let map = self.over(wasm, &["--minify-imports-and-exports-and-modules"])?;
        Names::read(&map)
    }

    /// Rewrites one wasm file as `change` rewrites its text.
    pub(crate) fn rewrite(
        &self,
        wasm: &Path,
        change: impl FnOnce(&str) -> Result<String>,
    ) -> Result<()> {
        let path = wasm.with_extension("wat");
        self.translate(wasm, &path, &["--emit-text"])?;
        let text = fs::read_to_string(&path)?;
        let text = change(&text).with_context(|| format!("rewriting {}", wasm.display()))?;
        fs::write(&path, text)?;
        // With its names, which another rewriting needs; they go when it is optimised.
        self.translate(&path, wasm, &["--debuginfo"])?;
        Ok(fs::remove_file(path)?)
    }

    /// Rewrites one wasm file, unless that was done already, and returns what wasm-opt says.
    fn over(&self, wasm: &Path, passes: &[&str]) -> Result<String> {
        let flags = [&FEATURES[..], &SIZE, passes].concat().join(" ");
        let how = format!("wasm-opt {} {flags}", self.version);
        Kept::of(wasm, how).or_rewrite(|| {
            self.shell(wasm, wasm)
                .args(SIZE)
                .args(passes)
                .advice("`cargo xtask build --dev` goes without wasm-opt")
                .read_aloud()
        })
    }

    fn translate(&self, from: &Path, to: &Path, flags: &[&str]) -> Result<()> {
        self.shell(from, to).args(flags).run()
    }

    fn shell(&self, from: &Path, to: &Path) -> Shell {
        Shell::new(&self.program)
            .arg("--quiet")
            .args(FEATURES)
            .arg(from)
            .arg("-o")
            .arg(to)
    }
}

fn install(root: &Path) -> Result<()> {
    node("wasm-opt needs node and npm")?;
    Shell::new("npm")
        .arg("install")
        .arg("--prefix")
        .arg(root)
        .args(["--ignore-scripts", "--no-audit", "--no-fund"])
        .arg(format!("binaryen@{BINARYEN}"))
        .advice(format!(
            "put a wasm-opt of binaryen {OLDEST} or later on PATH"
        ))
        .run()
}

/// `wasm-opt version 132 (version_132)` is 132.
fn version(program: &Path) -> Option<u32> {
    if !program.is_file() {
        return None;
    }
    let text = Shell::new(program).arg("--version").read().ok()?;
    text.split_whitespace().nth(2)?.parse().ok()
}

/// The npm package, which carries wasm-opt as a script for node.
const BINARYEN: &str = "132.0.0";

/// Debian 12 has 108, whose output fails at instantiation with an externref table; 117 was the first to work.
const OLDEST: u32 = 117;

/// A function that is called once goes into its caller only when it is tiny: else a few functions grow so big that they need
/// several bytes to name a variable. Nothing lives at the first 1024 addresses: rustc puts the stack there, which grows downwards
/// from its end. The second round finds more once the control flow was taken apart and put together again.
const SIZE: [&str; 7] = [
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--one-caller-inline-max-function-size=24",
    "--low-memory-unused",
];

/// What rustc 1.95 emits for wasm32-unknown-unknown by default, plus the reference types of wasm-bindgen. Named one by
/// one, because `--all-features` lets it use what no browser loads yet.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
