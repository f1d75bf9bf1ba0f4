//! The three engines and where their programs are.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use super::BrowserError;

/// A browser engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Engine {
    /// Chromium, through chromedriver.
    Chromium,
    /// Firefox, through geckodriver.
    Firefox,
    /// WebKitGTK's MiniBrowser, through WebKitWebDriver and in an Xvfb of its own.
    #[value(name = "webkit")]
    WebKit,
}

impl Engine {
    /// Every engine, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The name on command lines and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// The engine's WebDriver: where the environment says (`cargo xtask` does), else on PATH.
    pub(super) fn driver(self) -> Result<PathBuf, BrowserError> {
        let (variable, program) = match self {
            Self::Chromium => ("CHROMEDRIVER", "chromedriver"),
            Self::Firefox => ("GECKODRIVER", "geckodriver"),
            Self::WebKit => ("WEBKIT_WEBDRIVER", "WebKitWebDriver"),
        };
        match env::var_os(variable) {
            Some(path) => Ok(path.into()),
            None => on_path(program).ok_or(BrowserError::MissingProgram { program }),
        }
    }

    /// The browser itself, where the driver would not find it.
    pub(super) fn browser(self) -> Result<PathBuf, BrowserError> {
        match self {
            Self::Chromium => first_on_path(&["chromium", "google-chrome"]),
            Self::Firefox => first_on_path(&["firefox-esr", "firefox"]),
            Self::WebKit => mini_browser().ok_or(BrowserError::MissingProgram {
                program: "MiniBrowser",
            }),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn first_on_path(programs: &[&'static str]) -> Result<PathBuf, BrowserError> {
    programs
        .iter()
        .find_map(|program| on_path(program))
        .ok_or(BrowserError::MissingProgram {
            program: programs[0],
        })
}

pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Debian puts it below the library folder of the architecture.
fn mini_browser() -> Option<PathBuf> {
    fs::read_dir(Path::new("/usr/lib"))
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("webkit2gtk-4.1/MiniBrowser"))
        .find(|path| path.is_file())
}
