//! How often a message reaches the server, by what its sender asked for.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{HttpFault, Selection};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Engine, Scenario, Tier,
    site::{PATIENCE_MS, POLL, SOON, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "what_is_not_acknowledged_is_sent_again_on_the_next_socket",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(until_acknowledged(ctx)),
        },
        Scenario {
            name: "a_socket_that_has_closed_before_the_worker_may_act_is_handed_nothing",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(late_opening(ctx)),
        },
        Scenario {
            name: "what_was_sent_arrives_though_the_last_client_goes",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(last_words(ctx)),
        },
        Scenario {
            name: "what_is_never_acknowledged_ends_in_time",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(never_acknowledged(ctx)),
        },
        Scenario {
            name: "a_busy_page_is_given_the_latest_only_if_it_asked_for_that",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(latest(ctx)),
        },
        Scenario {
            name: "a_hidden_page_is_woken_by_a_stream_a_few_times_a_second",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(hidden(ctx)),
        },
        Scenario {
            name: "an_apps_own_worker_turns_json_into_postcard_for_its_tabs",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(transcoded(ctx)),
        },
    ]
}

/// The echo of a message is its acknowledgement.
fn message(ack: u32) -> Value {
    json!({ "ack": ack, "acked": ack }).to_string().into()
}

/// The handshake takes longer than the lease, and the browser its time to say who holds the worker's lock.
async fn late_opening(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    let script = HttpFault::default()
        .body(SLOW_LOCKS)
        .mime("text/javascript");
    faults.http("/slow-locks-worker.js", script)?;
    faults.handshake_delay(Duration::from_millis(1500))?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("slow-locks-worker.js");
    let page = site.client_with(config).await?;
    page.tab.eval(SEND, vec![]).await?;
    site.wait_for_sockets(1).await?;
    site.server()?.faults().close(Selection::All, 1000, "")?;
    site.server()?.faults().handshake_delay(Duration::ZERO)?;
    let outcome = page.tab.wait_for("return window.outcome", SOON).await?;
    ensure!(outcome == "sent", "{outcome}");
    page.wait_for_messages("c", 1).await?;
    let total = site.server()?.stats().total;
    ensure!(total.sockets_ever == 2 && total.frames_in == 1, "{total:?}");
    Ok(())
}

const SEND: &str = "api.send('c', 'waits').then((outcome) => (window.outcome = outcome));";

const SLOW_LOCKS: &str = r#"
const { query } = LockManager.prototype;
LockManager.prototype.query = async function () {
  await new Promise((done) => setTimeout(done, 400));
  return query.call(this);
};
importScripts("onesocket-worker.js");
self.onesocket.wasm = () => fetch("onesocket-worker_bg.wasm");
"#;

async fn until_acknowledged(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["codec"] = json!("json");
    config["heartbeat"] =
        json!({ "every_ms": 300, "deadline_ms": PATIENCE_MS, "ping": "0", "pong": "0" });
    let page = site.client_with(config.clone()).await?;
    let other = site.client_with(config).await?;
    for page in [&page, &other] {
        page.wait_for_state("connected").await?;
    }
    let args = |ack: u32| ["c".into(), message(ack), "until-acknowledged".into()];
    let outcome = page.call("deliver", &args(1)).await?;
    ensure!(outcome == "sent", "{outcome}");

    // What is written into a half-open socket is gone, and nobody is told.
    ensure!(site.server()?.faults().half_open(Selection::All) >= 1);
    let outcome = page.call("deliver", &args(2)).await?;
    ensure!(outcome == "sent", "{outcome}");
    let heard = page.wait_for_event("the loss", 0, |event| event["type"] == "reconnecting");
    ensure!(heard.await?["cause"] == "HeartbeatTimeout");
    for page in [&page, &other] {
        let messages = page.messages("c").await?;
        ensure!(
            messages.is_empty(),
            "acknowledgements are no messages: {messages:?}"
        );
    }
    Ok(())
}

/// Sent is what was handed to the socket. It may not be on the network yet, and the client may go, or its tier, and the worker with either.
async fn last_words(ctx: &Context) -> Result<()> {
    let ways = [
        "api.drop_client('c')",
        "if (await api.switch_tier('c', 'main') !== 'switched') throw new Error('it stays')",
    ];
    // From the main tier there is no other.
    let ways = &ways[..if ctx.tier == Some(Tier::Main) { 1 } else { 2 }];
    for way in ways {
        let site = Site::start(ctx).await?;
        let mut config = site.config("/sink");
        // One that is forced would be the only one.
        config["worker"]["tier"] = Value::Null;
        let page = site.client_with(config).await?;
        page.wait_for_state("connected").await?;
        let tier = json!(ctx.tier.map(Tier::name));
        page.call("switch_tier", &[json!("c"), tier.clone()])
            .await?;
        page.wait_for_state("connected").await?;
        ensure!(page.wait_for_tier().await?.0 == tier);
        site.server()?.faults().slow_reader(NonZeroU32::new(SLOW));
        let go = format!(
            "const sent = Array.from({{ length: 20 }}, (_, at) => api.send_bytes('c', 1_000_000, at));
            const outcomes = await Promise.all(sent);
            const held = JSON.parse(api.uploaded('c')).in_socket;
            {way};
            return outcomes.every((told) => JSON.parse(told).outcome === 'sent') && held;"
        );
        let held = page.tab.eval_async(&go, vec![]).await?;
        ctx.note(format!("the socket holds {held} B: {way}"));
        // WebKit takes all of it off a worker at once, or nearly.
        let is_webkit = ctx.engine() == Engine::WebKit;
        let least = if is_webkit { 0 } else { 10_000_000 };
        ensure!(held.as_u64() >= Some(least), "{held}");
        site.server()?.faults().slow_reader(None);
        let arrived = async |bytes: u64| {
            let until = Instant::now() + SOON;
            loop {
                let now = site.server()?.stats().total.bytes_in;
                ensure!(Instant::now() < until, "{now} B: {way}");
                if now == bytes {
                    return Ok(());
                }
                sleep(POLL).await;
            }
        };
        arrived(20_000_000).await?;
        ctx.browser.close_tabs().await?;
    }
    Ok(())
}

/// So few bytes a second that most of what was sent waits in the socket.
const SLOW: u32 = 100_000;

async fn never_acknowledged(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["codec"] = json!("json");
    config["queue_timeout_ms"] = json!(500);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    let unanswered = json!({ "ack": 7 }).to_string();
    let args = ["c".into(), unanswered.into(), "until-acknowledged".into()];
    let outcome = page.call("deliver", &args).await?;
    ensure!(outcome == "message 1 may have been sent", "{outcome}");
    let nameless = ["c".into(), "{}".into(), "until-acknowledged".into()];
    let outcome = page.call("deliver", &nameless).await?;
    let expect = "the codec does not say how the message is acknowledged";
    ensure!(outcome == expect, "{outcome}");
    page.send_ok("{}").await
}

/// In the main tier the loop is as busy as the page, so nothing gathers there.
async fn latest(ctx: &Context) -> Result<()> {
    const COUNT: u64 = 3_000;
    let site = Site::start(ctx).await?;
    let mut config = site.config(&format!("/feed?rate=2000&size=64&count={COUNT}"));
    let mut all = config.clone();
    config["latest"] = json!(true);
    let page = site.client_with(config).await?;
    page.tab.eval_async(&busy_from("feed('c')"), vec![]).await?;
    let last = |messages: &[Value]| messages.last().map(|last| last["number"].clone());
    let mut messages = page.messages("c").await?;
    while last(&messages) != Some(json!(COUNT - 1)) {
        sleep(Duration::from_millis(100)).await;
        messages = page.messages("c").await?;
    }
    let numbers: Vec<u64> = messages
        .iter()
        .filter_map(|message| message["number"].as_u64())
        .collect();
    ensure!(numbers.is_sorted_by(|a, b| a < b), "in order, each once");
    let widest = numbers.windows(2).map(|pair| pair[1] - pair[0]).max();
    ensure!(
        widest.is_some_and(|gap| gap > 200),
        "what came while the page was busy: {widest:?}"
    );
    let events = page.events("c").await?;
    ensure!(events.iter().all(|event| event["type"] != "lagged"));

    // What a link keeps for a busy tab is said by its first client.
    all["account"] = json!("all");
    all["counts"] = json!(true);
    page.open("all", all).await?;
    page.tab
        .eval_async(&busy_from("tally('all')"), vec![])
        .await?;
    let tally = format!(
        "const tally = JSON.parse(api.tally('all')); return tally.messages >= {COUNT} && tally"
    );
    let tally = page.tab.wait_for(&tally, SOON).await?;
    let expect = json!({ "messages": COUNT, "misplaced": 0, "missed": 0 });
    ensure!(tally == expect, "the one that did not ask: {tally}");
    Ok(())
}

/// Makes the page busy as soon as the first messages of a feed are there: a driver may be told of them when all have come.
fn busy_from(count: &str) -> String {
    format!(
        "while (JSON.parse(api.{count}).messages < 1) await new Promise((later) => setTimeout(later, 1));
        const end = performance.now() + 700;
        while (performance.now() < end);"
    )
}

/// What a browser does to a page, which a driven one can't be told everywhere; and a count of what its workers wake it with.
const HIDDEN: &str =
    "Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    window.wakes = 0;
    const listen = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
        const isWorker = [MessagePort, Worker, BroadcastChannel].some((Kind) => this instanceof Kind);
        if (isWorker && type === 'message') listen.call(this, type, () => window.wakes += 1);
        return listen.call(this, type, ...rest);
    };";

async fn hidden(ctx: &Context) -> Result<()> {
    const COUNT: u64 = 2_000;
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    page.tab.eval(HIDDEN, vec![]).await?;
    let start = Instant::now();
    let feed = format!("/feed?rate=1000&size=64&count={COUNT}");
    let mut config = site.config(&feed);
    config["counts"] = json!(true);
    page.open("c", config).await?;
    let all = format!(
        "const tally = JSON.parse(api.tally('c')); return tally.messages === {COUNT} && tally"
    );
    let tally = page.tab.wait_for(&all, SOON).await?;
    ensure!(tally["misplaced"] == 0 && tally["missed"] == 0, "{tally}");
    let wakes = page.tab.eval("return window.wakes", vec![]).await?;
    let wakes = wakes.as_u64().context("a count")?;
    // Eight messages and a batch in each quarter of a second, and some for the beginning.
    let quarters = start.elapsed().as_millis() as u64 / 250 + 1;
    ctx.note(format!("{COUNT} messages, {wakes} wakes"));
    // The feed alone takes eight quarters, or half of that on a machine that stands still for a second.
    ensure!(
        (4..=20 + 9 * quarters).contains(&wakes),
        "{wakes} wakes in {quarters} quarters"
    );
    Ok(())
}

/// The main tier has no code of the app's in its loop: the same app reads the JSON itself.
async fn transcoded(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["codec"] = json!("transcoded");
    config["worker"]["script"] = json!("own-worker.js");
    let kind = match ctx.tier {
        Some(Tier::Main) => "Text",
        _ => "Binary",
    };
    let page = site.client_with(config.clone()).await?;
    page.wait_for_state("connected").await?;
    let quote = json!({ "symbol": "ÄBC", "bid": 0.1, "levels": [1, 300] });
    page.send_ok(&quote.to_string()).await?;
    page.send_ok("[]").await?;
    let expect = [
        json!({ "kind": kind, "quote": quote }),
        json!({ "kind": "Text", "quote": null }),
    ];
    let messages = page.wait_for_messages("c", 2).await?;
    ensure!(messages == expect, "{messages:?}");

    // Tabs of a build that means another type by the same message have another account.
    config["account"] = json!("quotes-0");
    page.open("former", config).await?;
    let outcome = page
        .call("send", &["former".into(), quote.to_string().into()])
        .await?;
    ensure!(outcome == "sent", "{outcome}");
    let messages = page.wait_for_messages("former", 1).await?;
    ensure!(
        messages == [json!({ "kind": "Text", "quote": quote })],
        "{messages:?}"
    );
    Ok(())
}
