//! A sender that waits until the network has taken what it has sent, and an app that is slow to read.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{InjectedFrame, Selection, SinkReport, feed_frame};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{Page, SOON, Site},
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "an_upload_waits_for_a_server_that_does_not_read",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(upload(ctx)),
        },
        Scenario {
            name: "large_messages_that_are_not_read_wait_outside_of_the_pages_wasm",
            // The page of these tests receives by gloo-net in the main tier, which copies what it gives.
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(hoard(ctx)),
        },
        Scenario {
            name: "an_app_that_is_slow_with_many_messages_does_not_hold_its_page",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(slow_app(ctx)),
        },
    ]
}

async fn slow_app(ctx: &Context) -> Result<()> {
    for hears in ["stream", "listener"] {
        let site = Site::start(ctx).await?;
        let mut config = site.config("/echo");
        config["hears"] = json!(hears);
        config["busy_ms"] = json!(BUSY_MILLIS);
        let page = site.client_with(config).await?;
        page.wait_for_state("connected").await?;
        page.tab.eval(NOTE_TURNS, vec![]).await?;
        for number in 0..BURST {
            let frame = InjectedFrame::Binary(feed_frame(number, 16));
            site.server()?.faults().inject(Selection::All, frame);
        }
        let messages = page.wait_for_messages("c", BURST as usize).await?;
        let numbers = messages.iter().map(|message| message["number"].as_u64());
        ensure!(numbers.eq((0..BURST).map(Some)), "{hears}: {messages:?}");
        let most = page.tab.eval("return window.most", vec![]).await?;
        let most = most.as_u64().context("a number")?;
        ctx.note(format!("{hears}: at most {most} between two turns"));
        ensure!(most <= MOST_IN_A_TURN, "{hears}: {most} in one turn");
    }
    Ok(())
}

/// Tasks of the page's own, which come in between if there is anything in between.
const NOTE_TURNS: &str = "
const { port1, port2 } = new MessageChannel();
window.most = 0;
let before = api.heard('c');
port1.onmessage = () => {
  const heard = api.heard('c');
  window.most = Math.max(window.most, heard - before);
  before = heard;
  port2.postMessage(0);
};
port2.postMessage(0);
";

const BURST: u64 = 400;
const BUSY_MILLIS: u32 = 2;
/// 8 ms, and what is heard before the clock is looked at first; in the main tier as much again before the browser is asked, and until it has had its turn.
const MOST_IN_A_TURN: u64 = 32;

async fn hoard(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    page.call("hoard", &[json!("c")]).await?;
    let before = wasm_bytes(&page).await?;
    for number in 0..HOARDED {
        let frame = feed_frame(number, HOARDED_BYTES);
        let faults = site.server()?.faults();
        faults.inject(Selection::All, InjectedFrame::Binary(frame));
        // Not all at once, or the other stream's would be there together.
        page.wait_for_messages("c", number as usize + 1).await?;
    }
    let grown = wasm_bytes(&page).await? - before;
    let most = 4 * HOARDED_BYTES as u64;
    ensure!(grown <= most, "{grown} B more of wasm memory");
    let read = page
        .call("read_hoard", &[json!("c"), json!(HOARDED)])
        .await?;
    let read: Value = serde_json::from_str(read.as_str().context("a text")?)?;
    let all = (0..HOARDED).map(|number| json!([HOARDED_BYTES, number]));
    ensure!(read == Value::from_iter(all), "{read}");
    let grown = wasm_bytes(&page).await? - before;
    ensure!(grown <= most, "{grown} B more once all is read");
    Ok(())
}

async fn wasm_bytes(page: &Page) -> Result<u64> {
    let bytes = page.tab.eval("return memory.buffer.byteLength", vec![]);
    bytes.await?.as_u64().context("a number")
}

/// Together far more than what a page takes for the one that is read.
const HOARDED: u64 = 32;
const HOARDED_BYTES: usize = 1024 * 1024;

/// A few times of what the kernels of both ends keep.
const FRAMES: u32 = 256;
const FRAME_BYTES: usize = 64 * 1024;
/// 1 MiB is little enough, and one frame more is not.
const FRAMES_WITHOUT_SOCKET: u32 = 17;

async fn upload(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    faults.refuse(u32::MAX, 503)?;
    let uploader = site.client("/sink").await?;
    let other = site.client("/sink").await?;
    let pages = [&uploader, &other];
    for page in pages {
        page.wait_for_state("reconnecting").await?;
        ensure_ready(page).await?;
    }
    let start = "window.ended = null; api.upload('c', arguments[0], arguments[1]).then((how) => (window.ended = how))";
    let args = vec![json!(FRAMES), json!(FRAME_BYTES)];
    uploader.tab.eval(start, args).await?;
    let waits = standstill(&uploader).await?;
    let queued = FRAME_BYTES as u64 * u64::from(FRAMES_WITHOUT_SOCKET);
    let expect = json!({ "frames": FRAMES_WITHOUT_SOCKET, "buffered": queued, "in_socket": 0 });
    ensure!(waits == expect, "without a socket: {waits}");

    // The next sockets are open, and the server reads nothing from them.
    faults.half_open_new(true);
    faults.refuse(0, 503)?;
    for page in pages {
        page.wait_for_state("connected").await?;
    }
    let told = buffered_amount(&other).await?;
    ensure!(told > 0 || ctx.engine() == Engine::WebKit, "the browser");
    let stuck = standstill(&uploader).await?;
    ctx.note(format!("{told} B in a WebSocket; stuck with {stuck}"));
    let is_stuck = stuck["frames"].as_u64() < Some(FRAMES.into())
        && stuck["in_socket"].as_u64() > Some(0)
        && uploader.tab.eval("return ended", vec![]).await?.is_null();
    // What the browser keeps to itself can't be waited for.
    ensure!(
        is_stuck == (told > 0),
        "{stuck}, and {told} B in a WebSocket"
    );

    // Nothing is held back: who does not ask is served as ever, and learns how it is.
    other.send_ok("small").await?;
    let sockets = site.sockets_for(2);
    if is_stuck && sockets == 1 {
        let told = "return JSON.parse(api.uploaded('c')).in_socket > 0";
        other.tab.wait_for(told, SOON).await?;
    }

    faults.clear();
    let ended = uploader.tab.wait_for("return ended", SOON).await?;
    ensure!(ended == "sent", "{ended}");
    for page in pages {
        let drained = "return JSON.parse(api.uploaded('c')).buffered === 0";
        page.tab.wait_for(drained, SOON).await?;
        ensure_ready(page).await?;
    }
    let report = report(&uploader).await?;
    let frames = u64::from(FRAMES) + 2 - sockets;
    ensure!(
        report.first_out_of_order.is_none() && report.frames == frames,
        "{report:?}"
    );
    stops(&site, &uploader).await
}

/// Nobody waits for what will not be sent.
async fn stops(site: &Site<'_>, page: &Page) -> Result<()> {
    let faults = site.server()?.faults();
    faults.refuse(u32::MAX, 503)?;
    faults.drop_sockets(Selection::All);
    page.wait_for_state("reconnecting").await?;
    let waits = "
        api.send_bytes('c', 2 << 20, 0);
        window.waits = null;
        api.ready('c').then((how) => (window.waits = how));";
    page.tab.eval(waits, vec![]).await?;
    ensure!(page.tab.eval("return waits", vec![]).await?.is_null());
    page.call("log_out", &[json!("c")]).await?;
    let how = page.tab.wait_for("return waits", SOON).await?;
    ensure!(how == "the connection has stopped: logged out", "{how}");
    let how = page.call("ready", &[json!("c")]).await?;
    ensure!(how == "the client is closed", "{how}");
    Ok(())
}

async fn ensure_ready(page: &Page) -> Result<()> {
    let ready = page.call("ready", &[json!("c")]).await?;
    ensure!(ready == "ready", "{ready}");
    Ok(())
}

/// Returns what the browser's own `WebSocket` says that it holds, of as much as will be uploaded, when the server reads nothing.
async fn buffered_amount(page: &Page) -> Result<u64> {
    let script = "
        const socket = new WebSocket('/sink');
        await new Promise((resolve) => (socket.onopen = resolve));
        for (let frame = 0; frame < arguments[0]; frame += 1) socket.send(new Uint8Array(arguments[1]));
        await new Promise((resolve) => setTimeout(resolve, arguments[2]));
        const { bufferedAmount } = socket;
        socket.close();
        return bufferedAmount;";
    let args = vec![
        json!(FRAMES),
        json!(FRAME_BYTES),
        json!(STANDSTILL.as_millis() as u64),
    ];
    let told = page.tab.eval_async(script, args).await?;
    told.as_u64().context("a number")
}

/// Waits until an upload goes no further, and returns how far it has come.
async fn standstill(page: &Page) -> Result<Value> {
    let mut before = Value::Null;
    let mut times = 0;
    while times < STILL {
        let now = page.call("uploaded", &[json!("c")]).await?;
        times = if now == before { times + 1 } else { 0 };
        before = now;
        sleep(STANDSTILL).await;
    }
    Ok(serde_json::from_str(before.as_str().context("a text")?)?)
}

/// How often in a row an upload has not moved that stands still: on a machine with much to do a browser may not run for a while.
const STILL: u32 = 4;

/// No browser that has room takes as long to say so.
const STANDSTILL: Duration = Duration::from_millis(300);

async fn report(page: &Page) -> Result<SinkReport> {
    page.send_ok("report").await?;
    let told = page.wait_for_messages("c", 1).await?;
    let text = told.last().and_then(Value::as_str).context("a report")?;
    Ok(serde_json::from_str(text)?)
}
