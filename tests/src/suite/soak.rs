//! A feed for a long time: nothing is lost, and no process grows.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Context, Tier, site::Site};
use crate::browser::{Browser, BrowserOptions, Engine};

/// What is run.
#[derive(Debug)]
pub struct Plan {
    /// The browser.
    pub engine: Engine,
    /// For how long.
    pub length: Duration,
    /// Messages a second.
    pub rate: u32,
    /// Bytes of each.
    pub size: u32,
    /// The folder of the built test pages.
    pub dist: PathBuf,
}

/// What was seen at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Since the page was connected.
    pub at: Duration,
    /// Messages that the page has been given.
    pub messages: u64,
    /// Proportional memory of all processes of the browser, in KiB.
    pub memory_kib: u64,
}

/// Runs it in the shared tier; `tell` hears each sample.
///
/// # Errors
///
/// When a message was lost or out of place, when the page did not keep up, or when memory has grown by more than a tenth since the first quarter.
pub async fn run(plan: &Plan, mut tell: impl FnMut(Sample)) -> Result<()> {
    let ctx = Context {
        browser: Browser::launch(plan.engine, BrowserOptions::default()).await?,
        tier: Some(Tier::Shared),
        dist: plan.dist.clone(),
        notes: std::sync::Mutex::default(),
        is_spent: std::sync::atomic::AtomicBool::default(),
    };
    let site = Site::start(&ctx).await?;
    let count = u64::from(plan.rate) * plan.length.as_secs();
    let Plan { rate, size, .. } = plan;
    let mut config = site.config(&format!("/feed?rate={rate}&size={size}&count={count}"));
    config["counts"] = json!(true);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    let start = Instant::now();
    let mut samples = Vec::new();
    while start.elapsed() < plan.length {
        sleep(plan.length / 60).await;
        let tally = page.call("tally", &["c".into()]).await?;
        let sample = Sample {
            at: start.elapsed(),
            messages: number(&tally, "messages")?,
            memory_kib: memory_of_children()?,
        };
        tell(sample);
        samples.push(sample);
    }
    sleep(Duration::from_secs(5)).await;
    let tally = page.call("tally", &["c".into()]).await?;
    drop(site);
    ctx.browser.quit().await?;
    ensure!(
        number(&tally, "misplaced")? == 0 && number(&tally, "missed")? == 0,
        "messages are missing: {tally}"
    );
    ensure!(number(&tally, "messages")? == count, "{tally} of {count}");
    let quarter = samples.len() / 4;
    let highest = |samples: &[Sample]| samples.iter().map(|s| s.memory_kib).max().unwrap_or(0);
    let (early, late) = (
        highest(&samples[..=quarter]),
        highest(&samples[3 * quarter..]),
    );
    ensure!(
        late <= early + early / 10,
        "memory grew from {early} to {late} KiB"
    );
    Ok(())
}

fn number(tally: &Value, name: &str) -> Result<u64> {
    let tally: Value = match tally.as_str() {
        Some(text) => serde_json::from_str(text)?,
        None => tally.clone(),
    };
    tally[name].as_u64().context("a tally")
}

/// The proportional set size of everything that this process has started, which is the browser with its driver. Linux only.
fn memory_of_children() -> Result<u64> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process may end in between.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let parent = behind_name.split_whitespace().nth(1);
        if let Some(parent) = parent.and_then(|parent| parent.parse::<u32>().ok()) {
            parents.insert(pid, parent);
        }
    }
    let ours = std::process::id();
    let is_ours = |pid: u32| {
        let mut at = pid;
        while let Some(parent) = parents.get(&at) {
            if *parent == ours {
                return true;
            }
            at = *parent;
        }
        false
    };
    let mut total = 0;
    for pid in parents.keys().copied().filter(|pid| is_ours(*pid)) {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = pss.and_then(|pss| pss.split_whitespace().next()?.parse::<u64>().ok());
        total += kib.unwrap_or(0);
    }
    ensure!(total > 0, "the memory of the browser can't be read");
    Ok(total)
}
