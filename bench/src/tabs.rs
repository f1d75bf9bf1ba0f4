//! Many tabs that want the same: how soon each has it, and what all of them cost.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_tests::browser::{Browser, Tab};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::{
    contender::Contender,
    figure::Figure,
    load::{Load, median},
    plan::Plan,
    server::Server,
};

/// Opens the tabs of one contender, measures, and closes them.
pub(crate) async fn run(
    browser: &Browser,
    site: &str,
    server: &Server,
    contender: Contender,
    plan: &Plan,
) -> Result<Vec<(Figure, f64)>> {
    server.delay_handshakes(HANDSHAKE);
    let measured = measure(browser, site, server, contender, plan).await;
    server.delay_handshakes(Duration::ZERO);
    browser.close_tabs().await?;
    measured
}

async fn measure(
    browser: &Browser,
    site: &str,
    server: &Server,
    contender: Contender,
    plan: &Plan,
) -> Result<Vec<(Figure, f64)>> {
    let feed = server.url(&format!("/live?rate={RATE}"));
    let feed: String = url::form_urlencoded::byte_serialize(feed.as_bytes()).collect();
    let page = format!("{site}/?{}&first={feed}", contender.query(Load::Tabs));
    let sockets = server.sockets();
    let first = browser.open_tab(&page).await?;
    let start = first_message(&first).await?;
    let mut samples = vec![
        (Figure::FirstTab, start.script),
        (Figure::FirstTabNavigation, start.navigation),
    ];
    let all = plan.tabs_of(contender);
    if all == 1 {
        return Ok(samples);
    }
    sleep(SETTLE).await;
    let memory_of_one = browser.memory_kib();
    let mut tabs = vec![first];
    let mut starts = Vec::new();
    while tabs.len() < all {
        let tab = browser.open_tab(&page).await?;
        starts.push(first_message(&tab).await?);
        tabs.push(tab);
    }
    let median_of =
        |ms: fn(&Start) -> f64| median(starts.iter().map(ms).collect()).context("no tabs");
    samples.push((Figure::NextTab, median_of(|start| start.script)?));
    let navigation = median_of(|start| start.navigation)?;
    samples.push((Figure::NextTabNavigation, navigation));
    sleep(SETTLE).await;

    let (start, cpu, bytes) = (Instant::now(), browser.cpu_times(), server.live_bytes());
    sleep(plan.steady).await;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu.until(&browser.cpu_times()).as_secs_f64() * 1000.0;
    let bytes = (server.live_bytes() - bytes) as f64;
    samples.push((Figure::TabsCpu, cpu / seconds));
    samples.push((Figure::TabsBytes, bytes / seconds));
    let memory = browser.memory_kib().saturating_sub(memory_of_one);
    samples.push((Figure::TabMemory, memory as f64 / (all - 1) as f64));
    let sockets = server.sockets() - sockets;
    samples.push((Figure::TabsSockets, sockets as f64));
    for tab in &tabs {
        let last = tab.eval("return path.last()", vec![]).await?;
        ensure!(
            last.as_f64().is_some_and(|last| last > 0.0),
            "a tab has heard nothing"
        );
    }
    Ok(samples)
}

/// How many milliseconds a tab took to its first message.
#[derive(Debug, Deserialize)]
struct Start {
    /// From the start of its script.
    script: f64,
    /// From its navigation.
    navigation: f64,
}

async fn first_message(tab: &Tab) -> Result<Start> {
    let ready = "return document.querySelector('#ready').textContent === 'ready'";
    tab.wait_for(ready, Duration::from_secs(20)).await?;
    let start = tab.eval_async("return await window.first", vec![]).await?;
    serde_json::from_value(start).context("no time of the first message")
}

/// Messages a second.
const RATE: u32 = 1_000;

/// What a server far away takes for a handshake.
const HANDSHAKE: Duration = Duration::from_millis(50);

/// What a tab does when it starts is over.
const SETTLE: Duration = Duration::from_secs(1);
