//! What goes wrong, and how it is made to.

use std::{fmt, num::NonZeroU32, time::Duration};

use anyhow::{Result, ensure};
use onesocket_server::Selection;
use serde_json::json;
use tokio::time::sleep;

use super::Run;
use crate::{browser::Engine, suite::Tier};

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The worker closes itself, without a word.
    WorkerEnds,
    /// Its wasm traps.
    WorkerTraps,
    /// It panics.
    WorkerPanics,
    /// It is busy for twelve seconds.
    WorkerHangs,
    /// It keeps its locks and sockets and answers nothing.
    WorkerMute,
    /// Its sockets close behind its back.
    SocketDrops,
    /// The server resets every connection.
    SocketsReset,
    /// Nothing gets through, and neither end is told.
    HalfOpen,
    /// The server is gone for a while.
    ServerRestarts,
    /// A tab is loaded again.
    TabReloads,
    /// A tab is closed, and another one opened.
    TabReplaced,
    /// A tab is frozen for three seconds.
    TabFreezes,
    /// A tab goes into the back-forward cache for two seconds.
    TabCached,
    /// The process of a tab crashes, with whatever else lives in it.
    TabCrashes,
    /// For five seconds the server reads 10 kB a second and answers late.
    NetworkSlow,
    /// Everything stands still for half a minute: the browser, its workers, its network.
    MachineSleeps,
    /// Workers end until their tier is given up.
    TierFalls,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 17] = [
        Self::WorkerEnds,
        Self::WorkerTraps,
        Self::WorkerPanics,
        Self::WorkerHangs,
        Self::WorkerMute,
        Self::SocketDrops,
        Self::SocketsReset,
        Self::HalfOpen,
        Self::ServerRestarts,
        Self::TabReloads,
        Self::TabReplaced,
        Self::TabFreezes,
        Self::TabCached,
        Self::TabCrashes,
        Self::NetworkSlow,
        Self::MachineSleeps,
        Self::TierFalls,
    ];

    /// Whether a worker may be lost by it. Of those there may be two a minute: the third is a loop, and the tier below is taken.
    pub(super) fn costs_a_worker(self) -> bool {
        matches!(
            self,
            Self::WorkerEnds
                | Self::WorkerTraps
                | Self::WorkerPanics
                | Self::WorkerHangs
                | Self::WorkerMute
                | Self::TabCrashes
                | Self::TierFalls
        )
    }

    /// Whether a tab can't but see that its worker or its socket is another than before.
    pub(super) fn is_noticed(self) -> bool {
        match self {
            Self::WorkerEnds
            | Self::WorkerTraps
            | Self::WorkerPanics
            | Self::WorkerHangs
            | Self::WorkerMute
            | Self::SocketDrops
            | Self::SocketsReset
            | Self::HalfOpen
            | Self::ServerRestarts
            | Self::TierFalls => true,
            Self::TabReloads
            | Self::TabReplaced
            | Self::TabFreezes
            | Self::TabCached
            | Self::TabCrashes
            | Self::NetworkSlow
            | Self::MachineSleeps => false,
        }
    }

    /// Whether it can be made to happen there.
    pub(super) fn is_possible(self, engine: Engine, tier: Tier) -> bool {
        match self {
            // The other drivers can't freeze a page, and give up a session of which a process is gone.
            Self::TabFreezes | Self::TabCrashes => engine == Engine::Chromium,
            // It loads the page anew.
            Self::TabCached => engine != Engine::Firefox,
            _ => tier != Tier::Main || !self.costs_a_worker(),
        }
    }

    pub(super) async fn strike(self, run: &mut Run<'_>, tab: usize) -> Result<()> {
        match self {
            Self::WorkerEnds => run.ask_worker(tab, "end", 0).await,
            Self::WorkerTraps => run.ask_worker(tab, "trap", 0).await,
            Self::WorkerPanics => run.ask_worker(tab, "panic", 0).await,
            Self::WorkerHangs => run.ask_worker(tab, "hang", 12_000).await,
            Self::WorkerMute => run.ask_worker(tab, "mute", 0).await,
            Self::SocketDrops => run.ask_worker(tab, "drop-sockets", 0).await,
            Self::SocketsReset => {
                let hit = run.site.server()?.faults().drop_sockets(Selection::All);
                ensure!(hit > 0, "there was no socket");
                Ok(())
            }
            Self::HalfOpen => {
                let hit = run.site.server()?.faults().half_open(Selection::All);
                ensure!(hit > 0, "there was no socket");
                Ok(())
            }
            Self::ServerRestarts => {
                run.site.stop().await;
                sleep(Duration::from_millis(700)).await;
                run.site.restart().await
            }
            Self::TabReloads => run.replace_tab(tab, true).await,
            Self::TabReplaced => run.replace_tab(tab, false).await,
            Self::TabFreezes => {
                let state = |state| json!({ "state": state });
                let tab = run.tabs[tab].page.tab.clone();
                tab.cdp("Page.setWebLifecycleState", state("frozen"))
                    .await?;
                sleep(Duration::from_secs(3)).await;
                tab.cdp("Page.setWebLifecycleState", state("active"))
                    .await?;
                Ok(())
            }
            Self::TabCached => run.cache_tab(tab).await,
            Self::TabCrashes => run.crash_tab(tab).await,
            Self::NetworkSlow => {
                let faults = run.site.server()?.faults().clone();
                faults.slow_reader(NonZeroU32::new(10_000));
                faults.delay(Duration::from_millis(400))?;
                sleep(Duration::from_secs(5)).await;
                faults.slow_reader(None);
                faults.delay(Duration::ZERO)?;
                Ok(())
            }
            Self::MachineSleeps => {
                run.site.browser().sleep()?;
                sleep(Duration::from_secs(30)).await;
                run.site.browser().wake()?;
                Ok(())
            }
            Self::TierFalls => run.end_workers_until_fallen(tab).await,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WorkerEnds => "worker ends",
            Self::WorkerTraps => "worker traps",
            Self::WorkerPanics => "worker panics",
            Self::WorkerHangs => "worker hangs 12 s",
            Self::WorkerMute => "worker mute",
            Self::SocketDrops => "socket closes",
            Self::SocketsReset => "sockets reset",
            Self::HalfOpen => "half-open",
            Self::ServerRestarts => "server restarts",
            Self::TabReloads => "tab reloads",
            Self::TabReplaced => "tab replaced",
            Self::TabFreezes => "tab frozen 3 s",
            Self::TabCached => "tab cached 2 s",
            Self::TabCrashes => "tab crashes",
            Self::NetworkSlow => "network slow 5 s",
            Self::MachineSleeps => "machine sleeps 30 s",
            Self::TierFalls => "tier falls",
        })
    }
}
