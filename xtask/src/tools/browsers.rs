//! The three browsers and the drivers that steer them.

use std::{fs, path::PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::{
    apt::{self, Package},
    cargo_install,
};
use crate::paths;

/// A browser engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    #[value(name = "webkit")]
    WebKit,
}

impl Engine {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The name on the command line of the test binaries.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// The Debian packages that this machine lacks for the engine.
    fn missing_packages(self) -> Vec<Package> {
        let needed: &[(&str, &str, bool)] = match self {
            Self::Chromium => &[
                ("chromium", "chromium", paths::on_path("chromium").is_some()),
                (
                    "chromium-driver",
                    "chromedriver",
                    paths::on_path("chromedriver").is_some(),
                ),
            ],
            Self::Firefox => &[(
                "firefox-esr",
                "firefox",
                paths::on_path("firefox-esr")
                    .or_else(|| paths::on_path("firefox"))
                    .is_some(),
            )],
            Self::WebKit => &[
                (
                    "webkit2gtk-driver",
                    "WebKitWebDriver",
                    paths::on_path("WebKitWebDriver").is_some(),
                ),
                (
                    "libwebkit2gtk-4.1-0",
                    "MiniBrowser as /usr/lib/*/webkit2gtk-4.1/MiniBrowser",
                    mini_browser().is_some(),
                ),
                ("xvfb", "Xvfb", paths::on_path("Xvfb").is_some()),
            ],
        };
        let absent = needed.iter().filter(|(_, _, is_there)| !is_there);
        let mut packages: Vec<_> = absent
            .map(|&(name, has, _)| Package { name, has })
            .collect();
        if !packages.is_empty() {
            // Without any font a page has no text to click on.
            packages.push(Package {
                name: "fonts-dejavu-core",
                has: "a font",
            });
        }
        packages
    }
}

/// Makes sure of the engines and their drivers, and returns the variables that tell the test harness where the
/// drivers are.
pub(crate) fn driver_environment(engines: &[Engine]) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut missing = Vec::new();
    for engine in engines {
        missing.extend(engine.missing_packages());
    }
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let names: Vec<_> = engines.iter().map(|engine| engine.name()).collect();
        apt::install(
            &missing,
            &format!("driving {} needs more packages", names.join(", ")),
        )?;
    }
    engines.iter().map(|engine| driver(*engine)).collect()
}

fn driver(engine: Engine) -> Result<(&'static str, PathBuf)> {
    let (key, program) = match engine {
        Engine::Chromium => ("CHROMEDRIVER", "chromedriver"),
        Engine::Firefox => ("GECKODRIVER", "geckodriver"),
        Engine::WebKit => ("WEBKIT_WEBDRIVER", "WebKitWebDriver"),
    };
    if let Some(path) = paths::on_path(program) {
        return Ok((key, path));
    }
    if engine == Engine::Firefox {
        // Debian has no package of it, but it is a crate.
        let folder = cargo_install::folder_of("geckodriver", program, GECKODRIVER_VERSION)?;
        return Ok((key, folder.join(program)));
    }
    bail!("{program} is not on PATH although its package is installed")
}

/// WebKitGTK's own little browser is not on PATH.
fn mini_browser() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?;
    folders
        .flatten()
        .map(|entry| entry.path().join("webkit2gtk-4.1/MiniBrowser"))
        .find(|path| path.is_file())
}

const GECKODRIVER_VERSION: &str = "0.37.1";
