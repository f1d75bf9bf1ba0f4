//! What browsers do to tabs: they end, freeze and slow down.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_protocol::limits;
use onesocket_server::{InjectedFrame, Selection, feed_frame};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    early_worker::EARLY,
    sharing::check_order,
    site::{POLL, Page, SOON, Site},
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_tab_that_goes_is_forgotten_within_a_second",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(gone_tab(ctx)),
        },
        Scenario {
            name: "a_tab_that_crashes_is_forgotten_within_a_second",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(crashed_tab(ctx, Start::Usual)),
        },
        Scenario {
            name: "a_tab_that_started_early_and_crashes_is_forgotten_within_a_second",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(crashed_tab(ctx, Start::Early)),
        },
        Scenario {
            name: "a_thousand_rounds_leave_nothing_behind",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(rounds(ctx)),
        },
        Scenario {
            name: "a_frozen_tab_is_told_how_much_it_has_missed",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(frozen_tab(ctx)),
        },
        Scenario {
            name: "the_loop_needs_no_timer_of_the_page",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(no_timers(ctx)),
        },
        Scenario {
            name: "fifty_tabs_on_one_socket",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(fifty_tabs(ctx)),
        },
        Scenario {
            name: "thirty_reconnects_in_a_row_lose_nothing",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(reconnects(ctx)),
        },
    ]
}

/// A tab that stays, and one that will not: that one shares a connection with the first (tier permitting) and has one of its own.
async fn two_tabs(site: &Site<'_>, start: Start) -> Result<(Page, Page)> {
    let stays = site.client("/echo").await?;
    stays.wait_for_state("connected").await?;
    let goes = going_tab(site, start).await?;
    Ok((stays, goes))
}

/// How the tab that goes comes to its worker.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Usual,
    /// It is greeted before the tab has its lock.
    Early,
}

async fn going_tab(site: &Site<'_>, start: Start) -> Result<Page> {
    let before = site.sockets_open()?;
    let goes = site.page().await?;
    if start == Start::Early {
        goes.tab.eval(EARLY, vec![]).await?;
    }
    goes.open("c", site.config("/echo")).await?;
    let mut own = site.config("/echo");
    own["account"] = json!("own");
    own["linger_ms"] = json!(0);
    goes.open("own", own).await?;
    goes.wait_for_state("connected").await?;
    site.wait_for_sockets(before + site.sockets_for(2)).await?;
    Ok(goes)
}

/// Waits until only the first tab is left, which must not take long.
async fn expect_one_left(
    ctx: &Context,
    site: &Site<'_>,
    stays: &Page,
    since: Instant,
) -> Result<()> {
    site.wait_for_sockets(1).await?;
    let sockets = since.elapsed();
    stays
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    let tabs = since.elapsed();
    ctx.note(format!(
        "its socket closed after {sockets:.0?}, it was counted out after {tabs:.0?}"
    ));
    ensure!(
        tabs < Duration::from_secs(1),
        "its socket closed after {sockets:?}, it was counted out after {tabs:?}"
    );
    stays.send_ok("still here").await?;
    stays.wait_for_messages("c", 1).await?;
    Ok(())
}

async fn gone_tab(ctx: &Context) -> Result<()> {
    for is_closed in [true, false] {
        if !is_closed && ctx.tier == Some(Tier::Dedicated) {
            // The page may come back from the back-forward cache, with its worker, which nobody else counts on.
            return Ok(());
        }
        let site = Site::start(ctx).await?;
        let (stays, goes) = two_tabs(&site, Start::Usual).await?;
        if is_closed {
            goes.tab.close().await?;
        } else {
            goes.tab
                .eval("location.href = 'about:blank'", vec![])
                .await?;
        }
        // How long the driver takes to close a tab is not the library's.
        let since = Instant::now();
        expect_one_left(ctx, &site, &stays, since)
            .await
            .with_context(|| format!("closed: {is_closed}"))?;
        ctx.browser.close_tabs().await?;
    }
    Ok(())
}

async fn crashed_tab(ctx: &Context, start: Start) -> Result<()> {
    let site = Site::start(ctx).await?;
    let (stays, mut goes) = two_tabs(&site, start).await?;
    ctx.spend_browser();
    let home = ctx.browser.process_of(&stays.tab).await?;
    let mut process = ctx.browser.process_of(&goes.tab).await?;
    // Tabs of one site share processes, and this one must not die with another tab or the worker, which is in the first's.
    let mut spare = Vec::new();
    while process == home {
        ensure!(spare.len() < 8, "all tabs share one process");
        goes.call("drop_client", &[json!("own")]).await?;
        goes.call("drop_client", &[json!("c")]).await?;
        site.wait_for_sockets(1).await?;
        spare.push(goes);
        goes = going_tab(&site, start).await?;
        process = ctx.browser.process_of(&goes.tab).await?;
    }
    let since = Instant::now();
    ctx.browser.kill(process)?;
    if ctx.engine() != Engine::Chromium {
        // The drivers give up the session, so nobody can ask the tab that is left.
        site.wait_for_sockets(1).await?;
        let sockets = since.elapsed();
        ctx.note(format!("its socket closed after {sockets:.0?}"));
        ensure!(sockets < Duration::from_secs(1), "{sockets:?}");
        return Ok(());
    }
    expect_one_left(ctx, &site, &stays, since).await
}

async fn fifty_tabs(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The other engines start a process for each tab and take minutes on a small machine.
    let count = match ctx.engine() {
        Engine::Chromium => 50,
        Engine::Firefox | Engine::WebKit => 20,
    };
    let mut pages = Vec::new();
    for _ in 0..count {
        pages.push(site.client("/chat?room=a").await?);
    }
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    pages[0]
        .wait_for_status("all tabs", |status| status["tabs"] == count)
        .await?;
    let since = Instant::now();
    for (number, page) in pages.iter().enumerate() {
        page.send_ok(&format!("{number}:0")).await?;
    }
    for page in &pages {
        let heard = page.wait_for_messages("c", count).await?;
        ensure!(heard.len() == count, "{} messages", heard.len());
        check_order(&heard, count, 1)?;
    }
    ctx.note(format!(
        "{count} tabs, each has sent one message and read {count} after {:.1?}",
        since.elapsed()
    ));
    Ok(())
}

async fn reconnects(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let since = Instant::now();
        ensure!(site.server()?.faults().drop_sockets(Selection::All) == 1);
        wait_for_reconnecting(&page, round + 1).await?;
        // One is queued, one goes through the fresh socket; both are at the server before that goes too.
        page.send_ok(&format!("0:{}", 2 * round)).await?;
        page.send_ok(&format!("0:{}", 2 * round + 1)).await?;
        page.wait_for_messages("c", 2 * round + 2).await?;
        times.push(since.elapsed());
    }
    times.sort_unstable();
    ctx.note(format!(
        "back after {:.0?} (median of {ROUNDS}), {:.0?} at most",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    ));
    let heard = page.messages("c").await?;
    ensure!(heard.len() == 2 * ROUNDS, "{} messages", heard.len());
    check_order(&heard, 1, 2 * ROUNDS as u32)?;
    let sockets = site.server()?.stats().total.sockets_ever;
    ensure!(sockets == ROUNDS as u64 + 1, "{sockets} sockets");
    Ok(())
}

async fn wait_for_reconnecting(page: &Page, count: usize) -> Result<()> {
    let until = Instant::now() + SOON;
    loop {
        let events = page.events("c").await?;
        let seen = events.iter().filter(|e| e["type"] == "reconnecting");
        if seen.count() >= count {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the socket lives on");
        sleep(POLL).await;
    }
}

const ROUNDS: usize = 30;

async fn frozen_tab(ctx: &Context) -> Result<()> {
    let freezes: &[Freeze] = match ctx.engine() {
        Engine::Chromium => &[Freeze::Lifecycle, Freeze::Process],
        // Their drivers can't freeze a page; their processes can be stopped all the same.
        Engine::Firefox | Engine::WebKit => &[Freeze::Process],
    };
    for freeze in freezes {
        frozen(ctx, *freeze)
            .await
            .with_context(|| format!("{freeze:?}"))?;
        ctx.browser.close_tabs().await?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Freeze {
    /// As the browser does it to tabs in the background.
    Lifecycle,
    /// As an operating system does it to processes.
    Process,
}

async fn frozen(ctx: &Context, freeze: Freeze) -> Result<()> {
    let site = Site::start(ctx).await?;
    let awake = site.client("/echo").await?;
    awake.wait_for_state("connected").await?;
    let home = ctx.browser.process_of(&awake.tab).await?;
    let (frozen, process) = tab_elsewhere(ctx, &site, home).await?;
    awake
        .wait_for_status("two tabs", |status| status["tabs"] == 2)
        .await?;
    match freeze {
        Freeze::Lifecycle => set_lifecycle(&frozen, "frozen").await?,
        Freeze::Process => ctx.browser.stop(process)?,
    }
    inject(&site, 0)?;
    awake.wait_for_messages("c", 1).await?;
    // For a tab that was posted a batch lately four times as much may wait.
    sleep(Duration::from_millis(
        u64::from(limits::MAX_BURST_MILLIS) + 100,
    ))
    .await;
    for number in 1..FLOOD {
        inject(&site, number)?;
        if number % 50 == 0 {
            // No faster than the socket takes it.
            awake.wait_for_messages("c", number as usize).await?;
        }
    }
    // The other tab has all of it, and is served as ever.
    awake.wait_for_messages("c", FLOOD as usize).await?;
    let since = Instant::now();
    awake.send_ok("still quick").await?;
    awake.wait_for_messages("c", FLOOD as usize + 1).await?;
    ensure!(since.elapsed() < Duration::from_secs(5), "{since:?}");
    match freeze {
        Freeze::Lifecycle => set_lifecycle(&frozen, "active").await?,
        Freeze::Process => ctx.browser.resume(process)?,
    }
    let woken = Instant::now();
    frozen
        .wait_for_event("lagged", 0, |event| event["type"] == "lagged")
        .await?;
    let lagged = woken.elapsed();
    inject(&site, FLOOD)?;
    let is_last = |event: &Value| event["content"]["number"] == FLOOD;
    frozen.wait_for_event("the last", 0, is_last).await?;
    ctx.note(format!(
        "{freeze:?}: it knew of its gap {lagged:.0?} after it woke, and was up to date after {:.0?}",
        woken.elapsed()
    ));
    check_gaps(&frozen.events("c").await?)?;
    frozen
        .wait_for_status("two tabs, connected", |status| {
            status["tabs"] == 2 && status["state"] == "connected"
        })
        .await?;
    frozen.send_ok("awake").await?;
    let ladder = frozen.ladder().await?;
    ensure!(
        !ladder["text"].to_string().contains("acknowledge"),
        "{ladder}"
    );
    Ok(())
}

/// Messages of the flood: several times what may wait for a tab.
const FLOOD: u64 = 600;
const FLOOD_BYTES: usize = 64 * 1024;
/// What may wait in the worker, and on top of that the batch in flight and the one that is posted next.
const MAX_WAITING_BYTES: usize = (16 + 1 + 1) * 1024 * 1024 + 4 * FLOOD_BYTES;

fn inject(site: &Site<'_>, number: u64) -> Result<()> {
    let frame = feed_frame(number, FLOOD_BYTES);
    let sockets = site
        .server()?
        .faults()
        .inject(Selection::All, InjectedFrame::Binary(frame));
    ensure!(sockets == 1, "{sockets} sockets");
    Ok(())
}

/// What is missing must be what `Lagged` counts, in its place.
fn check_gaps(events: &[Value]) -> Result<()> {
    let (mut next, mut heard) = (0, 0);
    for event in events {
        match event["type"].as_str() {
            Some("lagged") => {
                let missed = event["missed"].as_u64().context("no count")?;
                ensure!(missed > 0, "nothing was missed");
                next += missed;
            }
            Some("message") => {
                // The other tab's text has no number, and a place of its own among the messages that may be missed.
                match event["content"]["number"].as_u64() {
                    Some(FLOOD) => next = FLOOD.max(next.saturating_sub(1)),
                    Some(_) => {}
                    None => continue,
                }
                let number = event["content"]["number"].as_u64().unwrap_or_default();
                ensure!(number == next, "message {number} where {next} belongs");
                next += 1;
                heard += 1;
            }
            _ => {}
        }
    }
    ensure!(next == FLOOD + 1, "{next} of {} accounted for", FLOOD + 1);
    let bytes = heard * FLOOD_BYTES;
    ensure!(bytes <= MAX_WAITING_BYTES, "{bytes} bytes waited");
    Ok(())
}

async fn set_lifecycle(page: &Page, state: &str) -> Result<()> {
    page.tab
        .cdp("Page.setWebLifecycleState", json!({ "state": state }))
        .await?;
    Ok(())
}

/// Opens a tab in another process than this one. Tabs of one site share them.
async fn tab_elsewhere(ctx: &Context, site: &Site<'_>, home: u32) -> Result<(Page, u32)> {
    for _ in 0..8 {
        let page = site.page().await?;
        let process = ctx.browser.process_of(&page.tab).await?;
        if process != home {
            page.open("c", site.config("/echo")).await?;
            page.wait_for_state("connected").await?;
            return Ok((page, process));
        }
    }
    bail!("all tabs share one process")
}

async fn no_timers(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["queue_timeout_ms"] = json!(1000);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    // A tab in the background gets its timers once a second, once a minute, or not at all.
    page.tab
        .eval("window.setTimeout = window.setInterval = () => 0", vec![])
        .await?;
    page.send_ok("one").await?;
    // It is with the browser then, and perhaps not yet with the server.
    page.wait_for_messages("c", 1).await?;
    for round in 0..3 {
        site.server()?.faults().drop_sockets(Selection::All);
        wait_for_reconnecting(&page, round + 1).await?;
        page.send_ok("again").await?;
        page.wait_for_messages("c", round + 2).await?;
    }
    site.server()?.faults().refuse(u32::MAX, 503)?;
    site.server()?.faults().drop_sockets(Selection::All);
    wait_for_reconnecting(&page, 4).await?;
    let outcome = page.send("expires").await?;
    ensure!(outcome.contains("not sent"), "{outcome}");
    site.server()?.faults().clear();
    page.send_ok("back").await?;
    page.wait_for_messages("c", 5).await?;
    Ok(())
}

async fn rounds(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let measured = |mut config: Value| {
        config["worker"]["script"] = json!("measured-worker.js");
        config
    };
    let stays = site.client_with(measured(site.config("/echo"))).await?;
    stays.wait_for_state("connected").await?;
    let comes = site.page().await?;
    let config = measured(site.config("/echo"));
    // The first rounds fill what is kept for the next ones.
    open_and_close(&comes, &config, 1000).await?;
    let before = measure(&stays, &comes).await?;
    open_and_close(&comes, &config, 1000).await?;
    let after = measure(&stays, &comes).await?;
    let told = format!("before: {before:?}, after: {after:?}");
    ctx.note(&told);
    ensure!(before.left == after.left, "{told}");
    let grown = |after: u64, before| after.saturating_sub(before);
    let page = grown(after.page_heap, before.page_heap);
    ensure!(page <= MAX_PAGE_GROWTH, "{told}");
    let worker = grown(after.worker_memory, before.worker_memory);
    ensure!(worker <= MAX_WORKER_GROWTH, "{told}");
    stays
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    stays.send_ok("unharmed").await?;
    stays.wait_for_messages("c", 1).await?;
    Ok(())
}

/// Eight bytes a round. What one could forget is more, but for a place in wasm-bindgen's table of objects: that table doubles.
const MAX_PAGE_GROWTH: u64 = 8 * 1024;

/// Two of wasm's pages, for the noise of an allocator.
const MAX_WORKER_GROWTH: u64 = 128 * 1024;

/// Each round makes a manager, which takes a port of its own, and lets go of it.
async fn open_and_close(page: &Page, config: &Value, count: u32) -> Result<()> {
    // Within the limit of one script.
    for _ in 0..count / 50 {
        let args = vec![json!(config.to_string()), json!(50)];
        page.tab.eval_async(OPEN_AND_CLOSE, args).await?;
    }
    Ok(())
}

const OPEN_AND_CLOSE: &str = "
const [config, count] = arguments;
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
const held = async () => (await navigator.locks.query()).held.filter(({ name }) => name.startsWith('onesocket-tab')).length;
const before = await held();
for (let round = 0; round < count; round += 1) {
  api.open('round', config);
  while (JSON.parse(api.status('round')).state !== 'connected') await pause();
  api.drop_client('round');
  while (await held() !== before) await pause();
}";

/// What must not grow.
#[derive(Debug)]
struct Kept {
    /// Objects of JavaScript that the wasm of page and worker holds on to, ports in the worker, locks that are held or waited for.
    left: Value,
    /// The size of the worker's wasm memory, in bytes.
    worker_memory: u64,
    /// What is in use of the page's heap, in bytes.
    page_heap: u64,
}

async fn measure(stays: &Page, comes: &Page) -> Result<Kept> {
    let page_heap = settled_heap(comes).await?;
    let mut left = stays.tab.eval_async(MEASURE_WORKER, vec![]).await?;
    left["page_objects"] = comes.tab.eval("return objects()", vec![]).await?;
    let worker_memory = left["worker_bytes"].take();
    Ok(Kept {
        left,
        worker_memory: worker_memory.as_u64().context("no size")?,
        page_heap,
    })
}

/// Waits until nothing is given back any more: timers of some seconds hold on to what they are for.
async fn settled_heap(page: &Page) -> Result<u64> {
    let mut least = u64::MAX;
    let mut same = 0;
    while same < 10 {
        sleep(Duration::from_millis(500)).await;
        let bytes = page.tab.eval("return api.heap_in_use()", vec![]).await?;
        let bytes = bytes.as_u64().context("no size")?;
        same = if bytes < least { 0 } else { same + 1 };
        least = least.min(bytes);
    }
    Ok(least)
}

/// The last goodbye may still be under way.
const MEASURE_WORKER: &str = "
const channel = new BroadcastChannel('measure');
const ask = () => new Promise((resolve) => {
  channel.onmessage = ({ data }) => resolve(data);
  channel.postMessage('');
});
let told = await ask();
for (let tries = 0; told.ports > 1 && tries < 50; tries += 1) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  told = await ask();
}
const { held, pending } = await navigator.locks.query();
const ours = (locks) => locks.filter(({ name }) => name.startsWith('onesocket')).length;
return { ...told, held: ours(held), pending: ours(pending) };";
