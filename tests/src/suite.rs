//! The browser suite: the same behaviour in every engine and every tier, with real pages.
//!
//! A scenario is an `async fn(&Context) -> anyhow::Result<()>` in a file of `suite/`, and a line in [`scenarios`]. It
//! runs once per engine and per tier that it names, in a browser without open tabs; tabs that it leaves open are
//! closed for it.

mod auth;
mod back_pressure;
mod bad_input;
mod builds;
pub mod chaos;
mod clients;
mod climbing;
mod delivery;
mod early_dial;
mod early_page;
mod early_worker;
mod election;
mod examples;
mod harness;
mod healing;
mod hostile;
mod hydration;
mod inspector;
mod leader;
mod mixture;
mod npm;
mod npm_client;
mod npm_contract;
mod npm_files;
mod pages;
mod plugins;
mod recovery;
mod report;
mod routes;
mod runner;
mod sharing;
mod site;
pub mod soak;
mod static_server;
mod supervision;
mod tiers;
mod together;
mod turns;
mod unshown;
mod wire;
mod without_locks;

pub use report::Report;
pub use runner::{Plan, run};
pub use static_server::StaticServer;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::ValueEnum;

use crate::browser::{Browser, Engine};

/// Every scenario, in the order of running.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    [
        harness::scenarios(),
        sharing::scenarios(),
        mixture::scenarios(),
        recovery::scenarios(),
        delivery::scenarios(),
        back_pressure::scenarios(),
        turns::scenarios(),
        supervision::scenarios(),
        auth::scenarios(),
        tiers::scenarios(),
        routes::scenarios(),
        early_dial::scenarios(),
        early_page::scenarios(),
        early_worker::scenarios(),
        healing::scenarios(),
        without_locks::scenarios(),
        climbing::scenarios(),
        election::scenarios(),
        leader::scenarios(),
        bad_input::scenarios(),
        builds::scenarios(),
        pages::scenarios(),
        unshown::scenarios(),
        hostile::scenarios(),
        plugins::scenarios(),
        hydration::scenarios(),
        examples::scenarios(),
        npm::scenarios(),
        npm_client::scenarios(),
        npm_contract::scenarios(),
        npm_files::scenarios(),
        clients::scenarios(),
        inspector::scenarios(),
    ]
    .concat()
}

/// One behaviour that has to hold.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Words with underscores, unique.
    pub name: &'static str,
    /// The tiers to run in; none for what has no tier, which then runs once per engine.
    pub tiers: &'static [Tier],
    /// The test itself.
    pub run: for<'a> fn(&'a Context) -> Run<'a>,
}

/// What [`Scenario::run`] returns: `|ctx| Box::pin(my_scenario(ctx))`.
pub type Run<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// Where the engine of the library runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Tier {
    /// A `SharedWorker` that serves all tabs.
    Shared,
    /// A dedicated worker, of the tab that leads.
    Dedicated,
    /// The page itself.
    Main,
}

impl Tier {
    /// Every tier, best first.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Dedicated, Self::Main];

    /// The name in addresses and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Dedicated => "dedicated",
            Self::Main => "main",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a scenario works with.
#[derive(Debug)]
pub struct Context {
    /// A browser without open tabs.
    pub browser: Browser,
    /// The tier to force; `None` for scenarios without tiers.
    pub tier: Option<Tier>,
    /// The folder of the built test pages.
    pub dist: PathBuf,
    notes: Mutex<Vec<String>>,
    is_spent: AtomicBool,
}

impl Context {
    /// Notes something that was measured, to be shown with the outcome. It decides nothing.
    pub fn note(&self, note: impl Into<String>) {
        if let Ok(mut notes) = self.notes.lock() {
            notes.push(note.into());
        }
    }

    /// Says that the browser is not fit for the next scenario: a process of it was killed, and its driver may not know yet.
    pub fn spend_browser(&self) {
        self.is_spent.store(true, Ordering::Relaxed);
    }

    fn take_notes(&self) -> Vec<String> {
        let notes = self.notes.lock();
        notes.map_or_else(|_| Vec::new(), |mut notes| core::mem::take(&mut *notes))
    }

    /// The engine that runs here.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.browser.engine()
    }
}
