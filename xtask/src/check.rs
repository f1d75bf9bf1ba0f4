//! `cargo xtask test` and `cargo xtask ci`.

mod wasm_units;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use crate::{
    release,
    shell::Shell,
    sizes,
    steps::{Format, Steps},
    tidy,
    tools::{self, Engine, WASM_TARGET},
    turn::Turn,
    wasm::{self, Profile},
    workspace::{self, Kind},
};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only this browser (may be repeated), and no native tests unless --native asks for them.
    #[arg(long = "engine")]
    engines: Vec<Engine>,
    /// Only the native tests, unless --engine adds browsers.
    #[arg(long)]
    native: bool,
    /// Only the tests whose name contains this.
    #[arg(long)]
    filter: Option<String>,
}

impl TestArgs {
    fn is_native(&self) -> bool {
        self.native || self.engines.is_empty()
    }

    fn engines(&self) -> &[Engine] {
        match (self.engines.is_empty(), self.native) {
            (true, true) => &[],
            (true, false) => &Engine::ALL,
            (false, _) => &self.engines,
        }
    }
}

/// Runs every test that the flags ask for.
pub(crate) fn test(args: &TestArgs) -> ExitCode {
    let mut steps = Steps::default();
    tests(&mut steps, args);
    steps.finish()
}

/// Checks what a change has to hold.
pub(crate) fn ci(args: &TestArgs) -> ExitCode {
    let mut steps = Steps::default();
    steps.check("format", || {
        Shell::cargo().args(["fmt", "--all", "--check"]).run()
    });
    steps.check("clippy (native)", || {
        let all = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        Shell::cargo().args(all).run()
    });
    steps.check("clippy (wasm)", clippy_wasm);
    steps.check("docs", || {
        let doc = |which: &[&str]| {
            Shell::cargo()
                .args(["doc", "--no-deps"])
                .args(which)
                .env("RUSTDOCFLAGS", "-D warnings")
                .run()
        };
        doc(&["--workspace"])?;
        // On a native target the worker is empty.
        doc(&[
            "--target",
            WASM_TARGET,
            "--package",
            "onesocket-worker",
            "--features",
            "gloo-worker,transcode",
        ])
    });
    tidy::add_steps(&mut steps);
    steps.check("publish, but for the upload", release::publish_dry_run);
    steps.check("the oldest Rust", release::oldest_rust);
    tests(&mut steps, args);
    steps.finish()
}

fn tests(steps: &mut Steps, args: &TestArgs) {
    if args.is_native() {
        // The workspace's default members are the crates that a native toolchain can run.
        let cargo_test = Shell::cargo()
            .args(["test", "--no-fail-fast"])
            .args(args.filter.as_ref());
        steps.tests(
            "native tests",
            Format::CargoTest,
            args.filter.is_some(),
            cargo_test,
        );
    }
    if !args.engines().is_empty() {
        browser_tests(steps, args);
    }
    if let Some(filter) = &args.filter {
        steps.filtered(filter);
    }
}

fn browser_tests(steps: &mut Steps, args: &TestArgs) {
    let engines = args.engines();
    let browsers = steps.prepare("browsers", || tools::driver_environment(engines));
    let _pages = Turn::Pages.take();
    let building = Turn::Build.take();
    let dist = steps.prepare("wasm build", || wasm::build_all(Profile::Wasm));
    match &dist {
        Some(folders) => {
            steps.check("size budget", || sizes::check_budget(folders));
        }
        None => steps.blocked("size budget", "wasm build"),
    }
    let next = steps.prepare("wasm build: next versions", wasm::build_next);
    let plugins = steps.prepare("wasm build: plugins", wasm::build_plugins);
    let bundled = match &dist {
        Some(_) => steps.prepare("npm package: Vite and webpack", wasm::build_bundled),
        None => None,
    };
    let clients = match &bundled {
        Some(()) => steps.prepare("npm package: others' clients", wasm::build_clients),
        None => None,
    };
    drop(building);
    let units = steps.prepare("wasm unit tests: build", wasm_units::build);
    let Some(environment) = browsers else {
        steps.blocked("wasm unit tests", "browsers");
        steps.blocked("browser suite", "browsers");
        return;
    };
    match units {
        Some(units) => {
            let run = in_browsers("wasm-tests", args, &environment)
                .arg("--runner")
                .arg(units.runner)
                .args(units.binaries);
            steps.tests("wasm unit tests", Format::Total, args.filter.is_some(), run);
        }
        None => steps.blocked("wasm unit tests", "wasm unit tests: build"),
    }
    if next.is_some() && plugins.is_some() && bundled.is_some() && clients.is_some() {
        let run = in_browsers("browser-suite", args, &environment)
            .arg("--dist")
            .arg(wasm::tests_dist());
        steps.tests("browser suite", Format::Total, args.filter.is_some(), run);
    } else {
        steps.blocked("browser suite", "wasm build");
    }
}

/// A binary of the test package that steers browsers.
fn in_browsers(bin: &str, args: &TestArgs, environment: &[(&str, PathBuf)]) -> Shell {
    let mut shell = Shell::cargo()
        .args(["run", "--quiet", "--package", "onesocket-tests"])
        .args(["--bin", bin, "--"]);
    for engine in args.engines() {
        shell = shell.args(["--engine", engine.name()]);
    }
    if let Some(filter) = &args.filter {
        shell = shell.args(["--filter", filter]);
    }
    for (key, path) in environment {
        shell = shell.env(key, path);
    }
    shell
}

/// Lints the crates that a browser runs, as a browser compiles them.
fn clippy_wasm() -> Result<()> {
    tools::wasm_target()?;
    // As the prebuilt worker is compiled; else that would only be seen when it is built.
    Shell::cargo()
        .args(["clippy", "--target", WASM_TARGET, "--no-default-features"])
        .args(["--package", "onesocket-worker", "--", "-D", "warnings"])
        .run()?;
    for package in IN_THE_BROWSER {
        let has_wasm_tests = workspace::package_named(package)?.is_some_and(|package| {
            let mut dependencies = package.dependencies.iter();
            dependencies.any(|found| found.name == "wasm-bindgen-test" && found.kind == Kind::Dev)
        });
        let mut clippy =
            Shell::cargo().args(["clippy", "--target", WASM_TARGET, "--package", package]);
        if has_wasm_tests {
            // Elsewhere the tests are native and their dependencies need not compile for wasm.
            clippy = clippy.arg("--all-targets");
        }
        clippy.args(["--", "-D", "warnings"]).run()?;
    }
    Ok(())
}

const IN_THE_BROWSER: [&str; 17] = [
    "onesocket-protocol",
    "onesocket-engine",
    "onesocket-worker",
    "onesocket-manager",
    "onesocket-inspector",
    "onesocket",
    "onesocket-leptos",
    "onesocket-yew",
    "onesocket-js",
    "onesocket-example-chat",
    "onesocket-example-dioxus-poll",
    "onesocket-example-leptos-desk",
    "onesocket-example-plain",
    "onesocket-example-yew-board",
    "onesocket-tests-hydration",
    "onesocket-tests-page",
    "onesocket-tests-plugins",
];
