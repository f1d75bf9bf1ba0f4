//! Unit tests that run where the code runs: in a page, a dedicated worker or a shared worker of every engine.
//!
//! `wasm-bindgen-test-runner` can steer browsers itself, but not WebKitGTK, and each driver in its own way. So it only
//! serves the tests here, and all engines are steered alike.

#![expect(
    clippy::print_stdout,
    reason = "whoever waits for the tests wants to see where they are"
)]

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::join_all;
use tokio::time::Instant;

use crate::browser::{
    Browser, BrowserError, BrowserOptions, Engine,
    process::{ProcessTree, free_port, is_listening},
};

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In these engines.
    pub engines: Vec<Engine>,
    /// Only tests with this in their name.
    pub filter: Option<String>,
    /// `wasm-bindgen-test-runner` of the locked version.
    pub runner: PathBuf,
    /// What `cargo test --no-run` compiled.
    pub binaries: Vec<PathBuf>,
}

/// How many tests passed and failed, over all engines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, and test binaries that never reported.
    pub failed: u64,
}

/// Runs every test binary in every engine of the plan.
///
/// # Errors
///
/// When the runner cannot be started; what goes wrong in a browser is counted as a failure.
pub async fn run(plan: &Plan) -> Result<Counts> {
    let options = BrowserOptions::default();
    let mut served = Vec::new();
    for binary in &plan.binaries {
        let name = binary.file_stem().and_then(OsStr::to_str).unwrap_or("?");
        match Server::start(plan, binary, &options).await? {
            Some(server) => served.push((name, server)),
            None => println!("{name}: no wasm tests"),
        }
    }
    let mut total = Counts::default();
    if plan.filter.is_none() {
        for target in empty_targets(served.iter().map(|(name, _)| *name)) {
            println!("FAILED {target}: a target of this name has no wasm tests any more");
            total.failed += 1;
        }
    }
    // Nothing to run needs no browser.
    let engines = if served.is_empty() {
        &[][..]
    } else {
        &plan.engines
    };
    // At the same time: what takes long is that a browser starts and loads.
    let runs = engines
        .iter()
        .map(|engine| run_engine(*engine, &options, &served));
    for counts in join_all(runs).await {
        total.passed += counts.passed;
        total.failed += counts.failed;
    }
    Ok(total)
}

/// Those of [`NEVER_EMPTY`] that are not among these binaries, which have a hash behind the name of their target.
fn empty_targets<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let targets = names.map(|name| name.rsplit_once('-').map_or(name, |(target, _)| target));
    let mut targets: Vec<_> = targets.collect();
    let mut empty = NEVER_EMPTY.to_vec();
    empty.retain(|target| match targets.iter().position(|it| it == target) {
        Some(found) => {
            targets.swap_remove(found);
            false
        }
        None => true,
    });
    empty
}

/// The targets that have tests for the browser: the files in the `tests` folders of the worker and the manager, and the worker's library. A binary whose tests are
/// no longer compiled, by a feature or a `cfg`, would else pass as one that never had any.
const NEVER_EMPTY: [&str; 5] = [
    "dedicated_worker",
    "onesocket_worker",
    "page",
    "page",
    "shared_worker",
];

async fn run_engine(engine: Engine, options: &BrowserOptions, served: &[(&str, Server)]) -> Counts {
    let mut total = Counts::default();
    let browser = match Browser::launch(engine, options.clone()).await {
        Ok(browser) => browser,
        Err(error) => {
            println!("FAILED {engine}: {:#}", anyhow::Error::from(error));
            total.failed += 1;
            return total;
        }
    };
    for (name, server) in served {
        match run_one(&browser, server).await {
            Ok(output) => {
                let counts = report(engine, name, &output);
                total.passed += counts.passed;
                total.failed += counts.failed;
            }
            Err(error) => {
                println!("FAILED {engine}/{name}: {:#}", anyhow::Error::from(error));
                total.failed += 1;
            }
        }
    }
    if let Err(error) = browser.quit().await {
        // It is gone all the same, and every result is in.
        println!("note: {:#}", anyhow::Error::from(error));
    }
    total
}

/// Opens the page of the tests and returns what they printed.
async fn run_one(browser: &Browser, server: &Server) -> Result<String, BrowserError> {
    let tab = browser.open_tab(&server.url).await?;
    let ended = "const text = document.querySelector('#output')?.textContent ?? ''; \
                 return /test result: |Worker error/.test(text) && text";
    let output = tab.wait_for(ended, LIMIT).await;
    tab.close().await?;
    Ok(output?.as_str().unwrap_or_default().to_owned())
}

fn report(engine: Engine, name: &str, output: &str) -> Counts {
    let result = output.lines().rev().find_map(parse_result);
    match result {
        Some(counts) if counts.failed == 0 && counts.passed > 0 => {
            println!("ok     {engine}/{name}: {} passed", counts.passed);
            counts
        }
        other => {
            println!("FAILED {engine}/{name}");
            // The frames of an optimised stack say nothing; the panic's message does.
            for line in output
                .lines()
                .filter(|line| !line.contains("wasm-function["))
            {
                println!("{line}");
            }
            let counts = other.unwrap_or_default();
            Counts {
                failed: counts.failed.max(1),
                ..counts
            }
        }
    }
}

/// `test result: ok. 5 passed; 0 failed; ...`
fn parse_result(line: &str) -> Option<Counts> {
    let (_, rest) = line
        .trim()
        .strip_prefix("test result: ")?
        .split_once(". ")?;
    let (passed, rest) = rest.split_once(" passed; ")?;
    let (failed, _) = rest.split_once(" failed")?;
    Some(Counts {
        passed: passed.parse().ok()?,
        failed: failed.parse().ok()?,
    })
}

/// A runner that serves the page of one test binary.
#[derive(Debug)]
struct Server {
    url: String,
    _tree: ProcessTree,
}

impl Server {
    /// Starts it; `None` when the binary has no tests for the browser.
    async fn start(plan: &Plan, binary: &Path, options: &BrowserOptions) -> Result<Option<Self>> {
        ensure!(binary.is_file(), "there is no {}", binary.display());
        let mut tree = ProcessTree::new(&options.log_folder, "wasm-tests")?;
        let port = free_port()?;
        let mut command = tree.command(&plan.runner)?;
        command
            .arg(binary)
            .args(&plan.filter)
            .env("NO_HEADLESS", "1")
            .env("WASM_BINDGEN_TEST_ADDRESS", format!("127.0.0.1:{port}"));
        tree.spawn(command)
            .with_context(|| format!("starting {}", plan.runner.display()))?;
        if is_listening(&mut tree, port, Instant::now() + LIMIT).await {
            return Ok(Some(Self {
                url: format!("http://127.0.0.1:{port}/"),
                _tree: tree,
            }));
        }
        let printed = fs::read_to_string(tree.log())?;
        if printed.contains("no tests to run") {
            return Ok(None);
        }
        bail!("the test runner refused {}: {printed}", binary.display());
    }
}

/// Of one test binary in one engine, and of binding it.
const LIMIT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_whose_tests_are_no_longer_compiled_passed() {
        let names = ["page-1", "dedicated_worker-2", "shared_worker-3", "inert-4"];
        let all = names.into_iter().chain(["onesocket_worker-5", "page-6"]);
        assert_eq!(empty_targets(all), [""; 0]);
        assert_eq!(
            empty_targets(names.into_iter()),
            ["onesocket_worker", "page"]
        );
    }

    #[test]
    fn a_result_line_is_read() {
        let line = "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 filtered out";
        let counts = Counts {
            passed: 2,
            failed: 1,
        };
        assert_eq!(parse_result(line), Some(counts));
        assert_eq!(parse_result("running 3 tests"), None);
    }
}
