//! How a browser is started.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

/// How a browser is started, and how long it may take over anything.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BrowserOptions {
    /// Trusts self-signed certificates. Default: no.
    pub accept_insecure_certs: bool,
    /// Keeps the timers of tabs in the background at full speed (Chromium only). Default: no, as for users.
    pub unthrottled: bool,
    /// Makes `performance.memory` exact (Chromium only). Default: no, it costs a little speed.
    pub precise_memory: bool,
    /// More arguments for the browser's command line. Default: none.
    pub arguments: Vec<String>,
    /// Limit of a start, driver and browser together. Default: 60 s; a warm start takes 1 to 3 s.
    pub launch_timeout: Duration,
    /// Limit of a page load. Default: 30 s.
    pub page_load_timeout: Duration,
    /// Limit of one script, asynchronous ones included. Default: 30 s.
    pub script_timeout: Duration,
    /// Limit of any other command; the driver counts as hung after it. Default: 20 s.
    pub command_timeout: Duration,
    /// Where the drivers' logs go. Default: `browser-logs` in Cargo's target folder.
    pub log_folder: PathBuf,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self {
            accept_insecure_certs: false,
            unthrottled: false,
            precise_memory: false,
            arguments: Vec::new(),
            launch_timeout: Duration::from_secs(60),
            page_load_timeout: Duration::from_secs(30),
            script_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(20),
            log_folder: target_folder().join("browser-logs"),
        }
    }
}

impl BrowserOptions {
    /// Trusts self-signed certificates.
    #[must_use]
    pub fn accept_insecure_certs(mut self, accept: bool) -> Self {
        self.accept_insecure_certs = accept;
        self
    }

    /// Keeps the timers of tabs in the background at full speed (Chromium only).
    #[must_use]
    pub fn unthrottled(mut self, unthrottled: bool) -> Self {
        self.unthrottled = unthrottled;
        self
    }

    /// Makes `performance.memory` exact (Chromium only).
    #[must_use]
    pub fn precise_memory(mut self, precise: bool) -> Self {
        self.precise_memory = precise;
        self
    }

    /// Adds an argument to the browser's command line.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Limits one script, asynchronous ones included.
    #[must_use]
    pub fn script_timeout(mut self, limit: Duration) -> Self {
        self.script_timeout = limit;
        self
    }
}

fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let named = env::var_os("CARGO_TARGET_DIR");
    target_folder_of(&program, named.as_deref())
}

/// The folder that the program is in and that cargo has marked as its own: a config file may have moved it, too. Cargo marks none that was there before it,
/// so else it is the one that is named.
fn target_folder_of(program: &Path, named: Option<&OsStr>) -> PathBuf {
    let mut folders = program.ancestors();
    folders
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .map_or_else(
            || {
                let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
                named.map_or_else(|| workspace.join("target"), |named| workspace.join(named))
            },
            Path::to_path_buf,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_in_the_target_folder_that_this_test_is_in() {
        let logs = BrowserOptions::default().log_folder;
        let target = logs.parent().unwrap();
        assert!(env::current_exe().unwrap().starts_with(target), "{logs:?}");
    }

    #[test]
    fn a_target_folder_without_cargos_mark_is_found_by_its_name() {
        let program = Path::new("/unmarked/debug/browser-suite");
        let named = Some(OsStr::new("/unmarked"));
        assert_eq!(target_folder_of(program, named), Path::new("/unmarked"));
        let default = target_folder_of(program, None);
        assert!(default.ends_with("target"), "{default:?}");
    }
}
