//! Sockets that may have died while nobody looked: what is done when a tab, the browser or the machine wakes up.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{InjectedFrame, Selection};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Engine, Scenario, Tier,
    site::{POLL, Page, SOON, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_half_open_socket_is_replaced_when_a_tab_becomes_visible",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(half_open(ctx, VISIBLE)),
        },
        Scenario {
            name: "a_half_open_socket_is_replaced_when_a_page_comes_back",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(half_open(ctx, SHOWN_AGAIN)),
        },
        Scenario {
            name: "a_half_open_socket_is_replaced_when_the_browser_is_online",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(half_open(ctx, ONLINE)),
        },
        Scenario {
            name: "the_servers_ping_is_answered_while_the_page_is_busy",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(busy_page(ctx)),
        },
        Scenario {
            name: "a_wait_ends_when_a_tab_becomes_visible",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(wait_ends(ctx)),
        },
        Scenario {
            name: "a_socket_is_replaced_after_a_long_sleep",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(long_sleep(ctx)),
        },
    ]
}

/// What a browser does to a page; a driven one can't be hidden in every engine.
const VISIBLE: &str =
    "Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));";
const SHOWN_AGAIN: &str =
    "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));";
const ONLINE: &str = "dispatchEvent(new Event('online'));";

async fn half_open(ctx: &Context, hint: &str) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    // The heartbeat alone would need eleven minutes.
    config["heartbeat"] =
        json!({ "every_ms": 600_000, "deadline_ms": 60_000, "ping": "ping", "pong": "ping" });
    config["wake_deadline_ms"] = json!(DEADLINE.as_millis() as u64);
    let page = unhinted(&site, &config).await?;
    page.wait_for_state("connected").await?;
    // Where tabs share a worker it is another tab that gives the hint.
    let other = match ctx.tier {
        Some(Tier::Shared | Tier::Dedicated) => Some(unhinted(&site, &config).await?),
        _ => None,
    };
    let hinting = other.as_ref().unwrap_or(&page);
    hinting.wait_for_state("connected").await?;

    hinting.tab.eval(hint, vec![]).await?;
    page.wait_for_status("an answered ping", |status| {
        status["round_trip_ms"].is_u64()
    })
    .await?;
    ensure!(
        site.server()?.stats().total.sockets_ever == 1,
        "a live socket was replaced"
    );
    sleep(HINT_INTERVAL).await;

    ensure!(site.server()?.faults().half_open(Selection::All) == 1);
    // To come to a tab is no hint.
    hinting.tab.eval("", vec![]).await?;
    page.tab.eval("", vec![]).await?;
    sleep(DEADLINE + Duration::from_millis(500)).await;
    page.wait_for_state("connected").await?;
    let since = Instant::now();
    hinting.tab.eval(hint, vec![]).await?;
    let event = page
        .wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    let noticed = since.elapsed();
    ensure!(event["cause"] == "HeartbeatTimeout", "{event}");
    ensure!(
        (DEADLINE..DEADLINE + LOADED).contains(&noticed),
        "noticed after {noticed:?}"
    );
    page.wait_for_state("connected").await?;
    page.send_ok("alive").await?;
    ensure!(page.wait_for_messages("c", 1).await? == ["alive"]);
    let total = site.server()?.stats().total;
    ensure!(
        total.sockets_ever == 2 && total.sockets_open - total.sockets_half_open == 1,
        "{total:?}"
    );
    Ok(())
}

/// A page that hears nothing of what the driver shows and hides.
async fn unhinted(site: &Site<'_>, config: &Value) -> Result<Page> {
    let page = site.page().await?;
    let deaf = "addEventListener('visibilitychange', (event) => event.isTrusted && event.stopImmediatePropagation(), true)";
    page.tab.eval(deaf, vec![]).await?;
    page.open("c", config.clone()).await?;
    Ok(page)
}

const DEADLINE: Duration = Duration::from_secs(1);

/// By how much a machine under load may be late.
const LOADED: Duration = Duration::from_secs(4);

/// So long after a hint the next one counts.
const HINT_INTERVAL: Duration = Duration::from_millis(3_100);

async fn busy_page(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/sink");
    config["answer"] = json!(["server's ping", "our pong"]);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;

    let busy = "setTimeout((ms) => {
            const until = Date.now() + ms;
            while (Date.now() < until);
            window.freeAt = until;
        }, arguments[0] / 6, arguments[0])";
    let ms = json!(BUSY.as_millis() as u64);
    // Drivers look at the page once more before they say that a script has run.
    page.tab.eval(busy, vec![ms]).await?;
    sleep(BUSY / 3).await;
    let ping = InjectedFrame::Text("server's ping".into());
    ensure!(site.server()?.faults().inject(Selection::All, ping) == 1);
    let until = Instant::now() + SOON;
    while site.server()?.clients().iter().all(|it| it.frames_in == 0) {
        ensure!(Instant::now() < until, "no answer");
        sleep(POLL).await;
    }
    let answered_at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    // It is asked when the page is free.
    let free_at = page.tab.eval("return window.freeAt", vec![]).await?;
    let free_at = free_at.as_u64().context("the page was not busy")?;
    let is_early = answered_at < u128::from(free_at);
    // The book's table of browsers says why. WebKit takes any process of the site for a SharedWorker, and one that a former tab has left is not busy
    // (`WebProcessPool::establishRemoteWorkerContextConnectionToNetworkProcess`).
    let expected = match (ctx.engine(), ctx.tier) {
        (Engine::Chromium, _) => Some(true),
        (Engine::WebKit, Some(Tier::Shared)) => None,
        _ => Some(false),
    };
    ctx.note(format!("answered while the page was busy: {is_early}"));
    ensure!(
        expected.is_none_or(|expected| is_early == expected),
        "answered {answered_at}, free {free_at}"
    );

    // Whatever is delivered after it would stand behind it.
    let news = InjectedFrame::Text("news".into());
    ensure!(site.server()?.faults().inject(Selection::All, news) == 1);
    ensure!(page.wait_for_messages("c", 1).await? == ["news"]);
    Ok(())
}

/// For how long the page does nothing else.
const BUSY: Duration = Duration::from_secs(3);

async fn wait_ends(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["base_ms"] = json!(u32::MAX);
    config["cap_ms"] = json!(u32::MAX);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    site.stop().await;
    page.wait_for_state("reconnecting").await?;
    site.restart().await?;
    page.tab.eval(VISIBLE, vec![]).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("back").await
}

async fn long_sleep(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("sleepy-worker.js");
    let page = site.page_with("?break=clock").await?;
    page.open("c", config).await?;
    page.wait_for_state("connected").await?;

    oversleep(&page, 60_000).await?;
    page.send_ok("short").await?;
    ensure!(page.wait_for_messages("c", 1).await? == ["short"]);
    ensure!(site.server()?.stats().total.sockets_ever == 1);

    ensure!(site.server()?.faults().half_open(Selection::All) == 1);
    oversleep(&page, 140_800).await?;
    // The half-open socket would have taken it, and it would have been lost.
    page.send_ok("long").await?;
    let heard = page.wait_for_messages("c", 2).await?;
    ensure!(heard == ["short", "long"], "{heard:?}");
    let event = page
        .wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    ensure!(event["cause"] == "Slept", "{event}");
    let total = site.server()?.stats().total;
    ensure!(total.sockets_ever == 2, "{total:?}");
    Ok(())
}

/// Sets the wall clock forward, in the page and in its worker, and waits until both have it.
async fn oversleep(page: &Page, millis: u32) -> Result<()> {
    let script = "new BroadcastChannel('sleep').postMessage(arguments[0])";
    page.tab.eval(script, vec![json!(millis)]).await?;
    // Nobody says when the broadcast was heard; a round trip through the worker's port comes later.
    for _ in 0..3 {
        let pong = page.call("ping", &[json!("c")]).await?;
        ensure!(pong == "pong", "{pong}");
        sleep(POLL).await;
    }
    Ok(())
}

const _: () = assert!(SOON.as_secs() > DEADLINE.as_secs() + LOADED.as_secs());
