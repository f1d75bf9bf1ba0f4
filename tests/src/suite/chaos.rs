//! Faults against a real browser: tabs send numbered messages in three streams, the server writes down what it gets, and
//! afterwards the two are compared.

mod fault;
mod table;
mod verdict;

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

pub use fault::Fault;
pub use table::Report;

use super::{
    Context, Tier,
    site::{Page, Site},
};
use crate::browser::{Browser, BrowserOptions, Engine};

/// What to do to which browser.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The browser.
    pub engine: Engine,
    /// Where the loop starts.
    pub tier: Tier,
    /// How many tabs take part.
    pub tabs: usize,
    /// Which faults happen.
    pub course: Course,
    /// The folder of the built test pages.
    pub dist: PathBuf,
}

/// Which faults happen, one after the other.
#[derive(Debug, Clone, Copy)]
pub enum Course {
    /// Some that a seed decides, in an order that it decides.
    Random {
        /// The same seed gives the same faults.
        seed: u64,
        /// For how long they happen; settling and counting come after.
        length: Duration,
    },
    /// Each that is possible, so many times in a row.
    Each {
        /// How often.
        times: u32,
        /// Only this one.
        only: Option<Fault>,
    },
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random { seed, length } => write!(f, "seed {seed}, {} s", length.as_secs()),
            Self::Each { times, .. } => write!(f, "each {times} ×"),
        }
    }
}

/// Lets faults happen to the tabs and says what became of every message.
///
/// # Errors
///
/// When the browser or the driver fails, or when a tab does not recover.
pub async fn run(plan: &Plan) -> Result<Report> {
    let ctx = Context {
        browser: Browser::launch(plan.engine, BrowserOptions::default()).await?,
        tier: None,
        dist: plan.dist.clone(),
        notes: std::sync::Mutex::default(),
        is_spent: std::sync::atomic::AtomicBool::default(),
    };
    let mut run = Run {
        plan,
        site: Site::start(&ctx).await?,
        tabs: Vec::new(),
        gone: Vec::new(),
        lives: 0,
        strikes: Vec::new(),
        worker_at: Instant::now(),
    };
    let report = run.play().await;
    drop(run);
    ctx.browser.quit().await?;
    report
}

pub(super) struct Run<'a> {
    plan: &'a Plan,
    site: Site<'a>,
    tabs: Vec<Member>,
    /// What tabs that are no more had to say.
    gone: Vec<Account>,
    lives: u64,
    strikes: Vec<Strike>,
    /// When a worker may be lost again.
    worker_at: Instant,
}

/// A tab that takes part.
struct Member {
    page: Page,
}

/// A fault that happened.
#[derive(Debug, Clone)]
struct Strike {
    fault: Fault,
    at: u64,
    /// When the first tab noticed anything.
    noticed: Option<u64>,
    /// When the last tab had a message acknowledged that was sent after the fault was made.
    recovered: Option<u64>,
}

/// What a tab knows of what it has sent, heard and seen.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    life: u64,
    sent: Vec<Sent>,
    moments: Vec<Moment>,
    problems: Vec<String>,
    /// Whether it was there until the end.
    #[serde(default)]
    is_final: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Sent {
    stream: String,
    number: u64,
    at: u64,
    outcome: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Moment {
    at: u64,
}

impl Run<'_> {
    async fn play(&mut self) -> Result<Report> {
        for _ in 0..self.plan.tabs {
            let member = self.open_tab().await?;
            self.tabs.push(member);
        }
        self.recover(0).await.context("before any fault")?;
        match self.plan.course {
            Course::Random { seed, length } => self.play_random(seed, length).await?,
            Course::Each { times, only } => self.play_each(times, only).await?,
        }
        ensure!(
            !self.strikes.is_empty(),
            "no fault has happened: none of those that are asked for is possible in {} in the {} tier, or there was no time for one",
            self.plan.engine.name(),
            self.plan.tier
        );
        self.settle().await
    }

    async fn play_random(&mut self, seed: u64, length: Duration) -> Result<()> {
        let mut rng = Rng::with_seed(seed);
        let until = Instant::now() + length;
        let mut others = WORKER_AFTER;
        while Instant::now() < until {
            let (fault, tab) = (rng.choice(Fault::ALL), rng.usize(0..self.plan.tabs));
            let pause = Duration::from_millis(rng.u64(0..1_500));
            // Only what the seed says decides what comes next; the clock decides when.
            let Some(fault) = fault
                .filter(|fault| fault.is_possible(self.plan.engine, self.plan.tier))
                .filter(|fault| !fault.costs_a_worker() || others >= WORKER_AFTER)
            else {
                continue;
            };
            others += 1;
            if fault.costs_a_worker() {
                others = 0;
            }
            self.strike(fault, tab).await?;
            sleep(pause).await;
        }
        Ok(())
    }

    async fn play_each(&mut self, times: u32, only: Option<Fault>) -> Result<()> {
        let is_chosen = |fault: &Fault| only.is_none_or(|only| only == *fault);
        for fault in Fault::ALL.into_iter().filter(is_chosen) {
            if !fault.is_possible(self.plan.engine, self.plan.tier) {
                continue;
            }
            for time in 0..times as usize {
                self.strike(fault, time % self.plan.tabs).await?;
                // Long enough for a socket to count as stable.
                sleep(STABLE).await;
            }
        }
        Ok(())
    }

    async fn strike(&mut self, fault: Fault, tab: usize) -> Result<()> {
        if fault.costs_a_worker() {
            sleep(self.worker_at.saturating_duration_since(Instant::now())).await;
        }
        let at = millis()?;
        fault
            .strike(self, tab)
            .await
            .with_context(|| format!("making {fault}"))?;
        if fault.costs_a_worker() {
            self.worker_at = Instant::now() + WORKER_EVERY;
        }
        // What was sent before that may have overtaken the fault.
        let recovered = self.recover(millis()?).await;
        self.strikes.push(Strike {
            fault,
            at,
            noticed: None,
            recovered: recovered.as_ref().ok().copied(),
        });
        recovered.with_context(|| format!("after {fault}"))?;
        if fault == Fault::TierFalls {
            self.climb_back().await?;
        }
        Ok(())
    }

    async fn open_tab(&mut self) -> Result<Member> {
        let broken = match self.plan.tier {
            Tier::Dedicated => "?break=no-shared",
            Tier::Shared | Tier::Main => "",
        };
        let page = self.site.page_with(broken).await?;
        self.join(&page).await?;
        Ok(Member { page })
    }

    async fn join(&mut self, page: &Page) -> Result<()> {
        let mut config = self.site.config("/ledger");
        config["codec"] = json!("json");
        config["heartbeat"] =
            json!({ "every_ms": 1_000, "deadline_ms": 1_000, "ping": "0", "pong": "0" });
        config["worker"]["tier"] = json!((self.plan.tier == Tier::Main).then_some("main"));
        config["worker"]["climb_back_ms"] = json!([5_000, 5_000]);
        config["worker"]["script"] = json!("own-worker.js");
        config["worker"]["ack_timeout_ms"] = json!(2_000);
        page.open("c", config).await?;
        self.lives += 1;
        page.tab.eval(PAGE_SCRIPT, vec![json!(self.lives)]).await?;
        Ok(())
    }

    async fn ask_worker(&mut self, tab: usize, what: &str, millis: u32) -> Result<()> {
        let args = [json!("c"), json!(what), json!(millis)];
        self.tabs[tab].page.call("fault", &args).await?;
        Ok(())
    }

    async fn replace_tab(&mut self, tab: usize, reload: bool) -> Result<()> {
        let account = self.account(tab).await?;
        self.gone.push(account);
        if reload {
            let page = Page {
                tab: self.tabs[tab].page.tab.clone(),
            };
            page.tab.reload().await?;
            page.wait_until_ready().await?;
            self.join(&page).await?;
        } else {
            let member = self.open_tab().await?;
            let old = core::mem::replace(&mut self.tabs[tab], member);
            old.page.tab.close().await?;
        }
        Ok(())
    }

    /// Lets a tab leave its page and come back to it.
    async fn cache_tab(&mut self, tab: usize) -> Result<()> {
        let account = self.account(tab).await?;
        let page = Page {
            tab: self.tabs[tab].page.tab.clone(),
        };
        let away = json!(self.site.url("/page_log.js"));
        let leave = "location.href = arguments[0]";
        page.tab.eval(leave, vec![away]).await?;
        sleep(Duration::from_secs(2)).await;
        page.tab.back().await?;
        page.wait_until_ready().await?;
        let was_kept = "return window.chaos !== undefined";
        if page.tab.eval(was_kept, vec![]).await? != true {
            self.gone.push(account);
            self.join(&page).await?;
        }
        Ok(())
    }

    /// Crashes the process of a tab, and replaces every tab that is gone with it.
    async fn crash_tab(&mut self, tab: usize) -> Result<()> {
        let mut accounts = Vec::new();
        for tab in 0..self.tabs.len() {
            accounts.push(self.account(tab).await?);
        }
        let crash = json!({ "url": "chrome://crash" });
        // The answer would come from the process that crashes.
        let crashing = self.tabs[tab].page.tab.clone();
        crashing.cdp("Page.navigate", crash).await.ok();
        for (tab, account) in accounts.into_iter().enumerate() {
            let is_there = self.tabs[tab].page.tab.eval("return 1", vec![]).await;
            if is_there.is_err() {
                self.gone.push(account);
                let member = self.open_tab().await?;
                let old = core::mem::replace(&mut self.tabs[tab], member);
                old.page.tab.close().await.ok();
            }
        }
        Ok(())
    }

    async fn end_workers_until_fallen(&mut self, tab: usize) -> Result<()> {
        for _ in 0..LOSSES {
            let page = &self.tabs[tab].page;
            let here = "`${api.tier('c')} ${api.epoch('c')}`";
            let before = page.tab.eval(&format!("return {here}"), vec![]).await?;
            self.ask_worker(tab, "end", 0).await?;
            let page = &self.tabs[tab].page;
            let is_next = format!("return api.epoch('c') && {here} !== {before}");
            page.tab.wait_for(&is_next, PATIENCE).await?;
            if self.tier_of(tab).await? != self.plan.tier.name() {
                return Ok(());
            }
        }
        bail!("{LOSSES} workers ended, and tab {tab} is still in its tier");
    }

    /// Waits until every tab is back in the tier that it has fallen from.
    async fn climb_back(&self) -> Result<()> {
        let is_back = format!("return api.tier('c') === '{}'", self.plan.tier.name());
        for member in &self.tabs {
            let climbed = member.page.tab.wait_for(&is_back, PATIENCE).await;
            climbed.context("climbing back")?;
        }
        self.recover(millis()?).await.context("climbing back")?;
        Ok(())
    }

    async fn tier_of(&self, tab: usize) -> Result<String> {
        let page = &self.tabs[tab].page;
        let tier = page.tab.eval("return api.tier('c')", vec![]).await?;
        Ok(tier.as_str().unwrap_or_default().to_owned())
    }

    async fn account(&self, tab: usize) -> Result<Account> {
        let text = self.tabs[tab]
            .page
            .tab
            .eval("return JSON.stringify(chaos)", vec![]);
        let text = text.await?;
        Ok(serde_json::from_str(text.as_str().unwrap_or_default())?)
    }

    /// Waits until every tab has had a message acknowledged that it has sent after a moment; returns when the last one had.
    async fn recover(&self, since: u64) -> Result<u64> {
        let mut last = 0;
        for (at, member) in self.tabs.iter().enumerate() {
            let script = format!(
                "return chaos.sent.find(({{stream, at, outcome}}) =>
                   at > {since} && stream === 'until-acknowledged' && outcome === 'sent')?.ended ?? null"
            );
            let until = Instant::now() + PATIENCE;
            loop {
                let ended = member.page.tab.eval(&script, vec![]).await?;
                if let Some(ended) = ended.as_u64() {
                    last = last.max(ended);
                    break;
                }
                ensure!(
                    Instant::now() < until,
                    "tab {at} does not recover within {PATIENCE:?}: {}",
                    member.page.ladder().await?["text"]
                );
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(last)
    }

    /// Lets every send come to its end, and compares.
    async fn settle(&mut self) -> Result<Report> {
        for member in &self.tabs {
            member
                .page
                .tab
                .eval("chaos.isSending = false", vec![])
                .await?;
        }
        let mut hanging = 0;
        for member in &self.tabs {
            let script = "return chaos.sent.every(({ended}) => ended !== null)";
            if member.page.tab.wait_for(script, PATIENCE).await.is_err() {
                hanging += 1;
            }
        }
        let mut accounts = core::mem::take(&mut self.gone);
        for tab in 0..self.tabs.len() {
            let account = self.account(tab).await?;
            accounts.push(Account {
                is_final: true,
                ..account
            });
        }
        verdict::find_noticed(&mut self.strikes, &accounts);
        Ok(verdict::judge(
            self.plan,
            &self.strikes,
            &accounts,
            &self.site.ledger(),
            hanging,
        ))
    }
}

fn millis() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(since.as_millis() as u64)
}

const PAGE_SCRIPT: &str = include_str!("chaos/page.js");

/// How many other faults come between two that cost a worker, at least.
const WORKER_AFTER: u32 = 5;

/// How many workers may end before a tier is given up.
const LOSSES: usize = 4;

/// After this a socket counts as stable.
const STABLE: Duration = Duration::from_secs(5);

/// A little more than half a minute, so that two fit into one and a third does not.
const WORKER_EVERY: Duration = Duration::from_secs(31);

/// What a tab may take to recover, or a send to end. The longest way is a worker that hangs while the server is gone.
const PATIENCE: Duration = Duration::from_secs(60);
