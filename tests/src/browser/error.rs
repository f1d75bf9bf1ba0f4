//! What can go wrong with a browser.

use std::{io, path::PathBuf, time::Duration};

use fantoccini::error::{CmdError, NewSessionError};

use super::Engine;

/// A failure of a browser, its driver, or a script in a page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// A program is not on this machine: `cargo xtask test` installs it or says how.
    #[error(
        "{program} is not installed: `cargo xtask tools` installs what is missing or names the command"
    )]
    MissingProgram {
        /// What was looked for on PATH.
        program: &'static str,
    },
    /// A program could not be started.
    #[error("{program} did not start")]
    Spawn {
        /// What was started.
        program: String,
        /// Why the system refused.
        source: io::Error,
    },
    /// A driver or display ended, or was not ready in time.
    #[error("{program} was not ready within {after:?}; its log is {}", log.display())]
    NotReady {
        /// What was started.
        program: String,
        /// The limit.
        after: Duration,
        /// What it printed.
        log: PathBuf,
    },
    /// The driver refused to open a browser.
    #[error("{engine} did not open a session; the driver's log is {}", log.display())]
    NewSession {
        /// The engine.
        engine: Engine,
        /// What the driver said.
        source: Box<NewSessionError>,
        /// What it printed.
        log: PathBuf,
    },
    /// The driver did not answer in time: the browser hangs, launch another one.
    #[error("{engine} hung: no answer to `{command}` within {after:?}; the driver's log is {}", log.display())]
    Hung {
        /// The engine.
        engine: Engine,
        /// The command that was not answered.
        command: &'static str,
        /// The limit.
        after: Duration,
        /// What the driver printed.
        log: PathBuf,
    },
    /// The driver answered with an error.
    #[error("{engine} failed to `{command}`")]
    Command {
        /// The engine.
        engine: Engine,
        /// The command.
        command: &'static str,
        /// What the driver said.
        source: Box<CmdError>,
    },
    /// A script in the page threw, or its promise was rejected.
    #[error("the page threw: {message}")]
    Script {
        /// The JavaScript error's text.
        message: String,
    },
    /// A condition did not come true in time.
    #[error("not within {after:?}: {script}\n  last value: {last}\n  page: {page}")]
    WaitTimeout {
        /// The condition.
        script: String,
        /// The limit.
        after: Duration,
        /// What it evaluated to, or threw, at last.
        last: String,
        /// The address of the page, the end of its log.
        page: String,
    },
    /// No process of the browser stands out as the one asked for, or it has ended.
    #[error("no process of the browser is the one that was asked for")]
    NoProcess,
    /// No element of the page matches.
    #[error("no element matches {css}")]
    NoSuchElement {
        /// The selector.
        css: String,
    },
    /// The engine has no such function.
    #[error("{engine} has no {what}")]
    Unsupported {
        /// The engine.
        engine: Engine,
        /// What was asked for.
        what: &'static str,
    },
}
