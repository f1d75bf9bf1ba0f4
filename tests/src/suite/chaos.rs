//! Random faults against a real browser: six tabs send numbered messages in three streams, the server writes down what it gets, and
//! afterwards the two are compared.

mod fault;
mod table;
mod verdict;

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
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
    /// Where the loop starts: the shared or the dedicated tier.
    pub tier: Tier,
    /// For how long faults happen; settling and counting come after.
    pub length: Duration,
    /// The same seed gives the same faults in the same order.
    pub seed: u64,
    /// The folder of the built test pages.
    pub dist: PathBuf,
}

/// Lets faults happen to six tabs and says what became of every message.
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
        for _ in 0..TABS {
            let member = self.open_tab().await?;
            self.tabs.push(member);
        }
        self.recover(0).await.context("before any fault")?;
        let mut rng = Rng::with_seed(self.plan.seed);
        let until = Instant::now() + self.plan.length;
        let mut worker_lost = None::<Instant>;
        let mut others = WORKER_AFTER;
        while Instant::now() < until {
            let (fault, tab) = (rng.choice(Fault::ALL), rng.usize(0..TABS));
            let pause = Duration::from_millis(rng.u64(0..1_500));
            // Only what the seed says decides what comes next; the clock decides when.
            let Some(fault) = fault
                .filter(|fault| fault.is_possible(self.plan.engine))
                .filter(|fault| !fault.costs_a_worker() || others >= WORKER_AFTER)
            else {
                continue;
            };
            others += 1;
            if fault.costs_a_worker() {
                others = 0;
                if let Some(lost) = worker_lost {
                    sleep(WORKER_EVERY.saturating_sub(lost.elapsed())).await;
                }
                worker_lost = Some(Instant::now());
            }
            let at = millis()?;
            fault
                .strike(self, tab)
                .await
                .with_context(|| format!("making {fault}"))?;
            // What was sent before that may have overtaken the fault.
            let recovered = self.recover(millis()?).await;
            self.strikes.push(Strike {
                fault,
                at,
                noticed: None,
                recovered: recovered.as_ref().ok().copied(),
            });
            recovered.with_context(|| format!("after {fault}"))?;
            sleep(pause).await;
        }
        self.settle().await
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
        config["worker"]["tier"] = json!(null);
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
        for strike in &mut self.strikes {
            let moments = accounts.iter().flat_map(|account| &account.moments);
            let seen = moments
                .map(|moment| moment.at)
                .filter(|at| *at >= strike.at);
            strike.noticed = seen
                .min()
                .filter(|at| strike.recovered.is_none_or(|recovered| *at <= recovered));
        }
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

const TABS: usize = 6;
const PAGE_SCRIPT: &str = include_str!("chaos/page.js");

/// How many other faults come between two that cost a worker, at least.
const WORKER_AFTER: u32 = 5;

/// A little more than half a minute, so that two fit into one and a third does not.
const WORKER_EVERY: Duration = Duration::from_secs(31);

/// What a tab may take to recover, or a send to end. The longest way is a worker that hangs while the server is gone.
const PATIENCE: Duration = Duration::from_secs(60);
