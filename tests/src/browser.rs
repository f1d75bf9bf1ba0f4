//! Real browsers, driven from Rust: three engines behind one interface, and nothing left running afterwards.
//!
//! [`Browser::launch`] starts an engine's WebDriver with a fresh profile; [`Browser::open_tab`] opens tabs that share
//! it, as the tabs of a user do. Everything has a time-out and a typed error, and a dropped [`Browser`] takes all its
//! processes with it, even when this process is killed.
//!
//! ```no_run
//! use onesocket_tests::browser::{Browser, BrowserOptions, Engine};
//!
//! # async fn example() -> Result<(), onesocket_tests::browser::BrowserError> {
//! let browser = Browser::launch(Engine::Firefox, BrowserOptions::default()).await?;
//! let tab = browser.open_tab("http://127.0.0.1:8080/").await?;
//! let title = tab.eval("return document.title", vec![]).await?;
//! assert_eq!(title, "Chat");
//! browser.quit().await
//! # }
//! ```

mod capabilities;
mod cdp;
mod driver;
mod engine;
mod error;
mod options;
pub(crate) mod process;
mod session;
mod tab;

pub use engine::Engine;
pub use error::BrowserError;
pub use options::BrowserOptions;
pub use tab::Tab;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use driver::Driver;
use serde_json::Value;
use session::Session;

/// A running browser with its own profile.
#[derive(Debug)]
pub struct Browser {
    session: Arc<Session>,
    // After the session: its processes die when it is dropped.
    driver: Driver,
}

/// How long the processes of a browser and its driver had run at one time.
#[derive(Debug, Clone)]
pub struct CpuTimes(BTreeMap<u32, u64>);

impl CpuTimes {
    /// Returns how long all processes together have run between this time and a later one. One that has ended in between counts nothing: what it ran is not
    /// to be had any more, and what it had run before is no part of it.
    #[must_use]
    pub fn until(&self, later: &Self) -> Duration {
        let ran = |(process, ticks): (&u32, &u64)| {
            ticks.saturating_sub(self.0.get(process).copied().unwrap_or(0))
        };
        let ticks: u64 = later.0.iter().map(ran).sum();
        // The kernel's clock for this is the same on every Linux: `getconf CLK_TCK`.
        Duration::from_millis(ticks * 10)
    }
}

impl Browser {
    /// Starts the engine's driver and a browser with a fresh profile.
    ///
    /// # Errors
    ///
    /// When a program is missing, or does not answer within [`BrowserOptions::launch_timeout`].
    pub async fn launch(engine: Engine, options: BrowserOptions) -> Result<Self, BrowserError> {
        let driver = Driver::start(engine, &options).await?;
        let session = Session::open(engine, &options, &driver).await?;
        Ok(Self {
            session: Arc::new(session),
            driver,
        })
    }

    /// The engine that runs here.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.session.engine()
    }

    /// The file with what the driver and the browser printed.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.driver.log()
    }

    /// Opens a tab on this address and waits until its page has loaded.
    ///
    /// # Errors
    ///
    /// When the page cannot be loaded in time.
    pub async fn open_tab(&self, url: &str) -> Result<Tab, BrowserError> {
        let tab = Tab::new(Arc::clone(&self.session), self.session.new_tab().await?);
        tab.goto(url).await?;
        Ok(tab)
    }

    /// The open tabs; the blank window that keeps the browser alive is not one of them.
    ///
    /// # Errors
    ///
    /// When the driver does not answer.
    pub async fn tabs(&self) -> Result<Vec<Tab>, BrowserError> {
        let handles = self.session.tabs().await?;
        let tab = |handle| Tab::new(Arc::clone(&self.session), handle);
        Ok(handles.into_iter().map(tab).collect())
    }

    /// Closes every tab, so that the next test starts without the last one's pages and workers.
    ///
    /// # Errors
    ///
    /// When the driver does not answer.
    pub async fn close_tabs(&self) -> Result<(), BrowserError> {
        for tab in self.tabs().await? {
            tab.close().await?;
        }
        Ok(())
    }

    /// Finds the process that runs a tab's page: the one that works when the page does.
    ///
    /// # Errors
    ///
    /// When the page can't be run a script in, or no process stands out.
    pub async fn process_of(&self, tab: &Tab) -> Result<u32, BrowserError> {
        let tree = self.driver.tree();
        for _ in 0..ATTEMPTS {
            let before = tree.cpu_times();
            tab.eval(BUSY, vec![]).await?;
            let mut worked: Vec<(u64, u32)> = tree
                .cpu_times()
                .into_iter()
                .map(|(id, now)| (now - before.get(&id).copied().unwrap_or(0).min(now), id))
                .collect();
            worked.sort_unstable();
            if let [.., (second, _), (first, id)] = worked[..]
                && first > 2 * second + 2
            {
                return Ok(id);
            }
        }
        Err(BrowserError::NoProcess)
    }

    /// Returns how long each process of the browser and its driver has run so far.
    #[must_use]
    pub fn cpu_times(&self) -> CpuTimes {
        CpuTimes(self.driver.tree().cpu_times())
    }

    /// Returns the memory of all processes of the browser and its driver, in KiB; what they share counts once.
    #[must_use]
    pub fn memory_kib(&self) -> u64 {
        self.driver.tree().memory_kib()
    }

    /// Kills a process of the browser, as an operating system does that is short of memory.
    ///
    /// # Errors
    ///
    /// When it is none of the browser's, or cannot be killed.
    pub fn kill(&self, process: u32) -> Result<(), BrowserError> {
        self.driver.tree().signal(process, "KILL")
    }

    /// Stops a process of the browser until it is [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// As [`kill`](Self::kill).
    pub fn stop(&self, process: u32) -> Result<(), BrowserError> {
        self.driver.tree().signal(process, "STOP")
    }

    /// Lets a stopped process go on.
    ///
    /// # Errors
    ///
    /// As [`kill`](Self::kill).
    pub fn resume(&self, process: u32) -> Result<(), BrowserError> {
        self.driver.tree().signal(process, "CONT")
    }

    /// Stops all of its processes at once, as a machine does that sleeps, until [`wake`](Self::wake). Clocks go on, as
    /// the browser's do in a sleep of Windows.
    ///
    /// # Errors
    ///
    /// When no signal can be sent.
    pub fn sleep(&self) -> Result<(), BrowserError> {
        self.driver.tree().signal_all("STOP")
    }

    /// Lets all of its processes go on.
    ///
    /// # Errors
    ///
    /// When no signal can be sent.
    pub fn wake(&self) -> Result<(), BrowserError> {
        self.driver.tree().signal_all("CONT")
    }

    /// Sends a command of the Chrome DevTools Protocol to the current tab. See also [`Tab::cdp`].
    ///
    /// # Errors
    ///
    /// On other engines than Chromium, and when the command is refused.
    pub async fn cdp(&self, method: &str, params: Value) -> Result<Value, BrowserError> {
        self.session.cdp(None, method, params).await
    }

    /// Closes the browser in order and ends all its processes.
    ///
    /// # Errors
    ///
    /// When the driver does not answer; the processes are gone all the same.
    pub async fn quit(self) -> Result<(), BrowserError> {
        let closed = self.session.close().await;
        let Self { driver, .. } = self;
        // Ending processes waits for them.
        let ended = tokio::task::spawn_blocking(move || drop(driver)).await;
        debug_assert!(ended.is_ok(), "ending the processes panicked");
        closed
    }
}

const ATTEMPTS: u32 = 5;

/// Long enough to stand out from what the browser itself has to do.
const BUSY: &str = "const end = Date.now() + 400; while (Date.now() < end);";

/// A script that a page under test includes first: it keeps console output and uncaught errors where
/// [`Tab::wait_for`] finds them, because only one of the three drivers hands out a console.
pub const PAGE_LOG_SCRIPT: &str = include_str!("../page/static/page_log.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_takes_nothing_from_what_the_others_have_run() {
        let times = |all: &[(u32, u64)]| CpuTimes(all.iter().copied().collect());
        let before = times(&[(1, 100), (2, 900)]);
        let ran = |later: &[(u32, u64)]| before.until(&times(later)).as_millis();
        assert_eq!(ran(&[(1, 107), (2, 900)]), 70);
        assert_eq!(ran(&[(1, 107)]), 70, "2 has ended");
        assert_eq!(ran(&[(1, 107), (2, 900), (3, 5)]), 120, "3 has begun");
        assert_eq!(ran(&[(1, 100), (2, 3)]), 0, "a number that another has now");
    }
}
