//! The npm package: `OneSocket` side by side with the browser's own `WebSocket`, and what bundlers make of it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{Endpoint, HttpFault, InjectedFrame, Selection, feed_frame};
use serde_json::json;
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{POLL, SOON, Site},
};
use crate::browser::{Engine, Tab};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "npm_one_socket_does_what_websocket_does",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(conformance(ctx)),
        },
        Scenario {
            name: "npm_one_socket_knows_what_its_socket_holds",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(buffered(ctx)),
        },
        Scenario {
            name: "npm_one_socket_keeps_what_the_network_has_not_taken",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(more_than_fits(ctx)),
        },
        Scenario {
            name: "npm_what_one_socket_received_before_a_gap_is_told",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(before_a_gap(ctx)),
        },
        Scenario {
            name: "npm_one_socket_dials_whatever_the_browser_says_of_its_network",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(offline(ctx)),
        },
        Scenario {
            name: "npm_the_socket_of_a_page_that_is_one_too_many_ends",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(too_many(ctx)),
        },
        Scenario {
            name: "npm_a_class_that_extends_has_the_options",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(extended(ctx)),
        },
        Scenario {
            name: "npm_tabs_share_one_socket_when_asked_to",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(share(ctx)),
        },
        Scenario {
            name: "npm_a_socket_ends_with_its_worker",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(lost_worker(ctx)),
        },
        Scenario {
            name: "npm_a_socket_ends_no_later_than_its_worker",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(slow_successor(ctx)),
        },
        Scenario {
            name: "npm_a_socket_ends_with_its_worker_offline",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(lost_worker_offline(ctx)),
        },
        Scenario {
            name: "npm_the_leaders_last_socket_takes_no_other_with_it",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(kept_worker(ctx)),
        },
        Scenario {
            name: "npm_small_and_large_messages_are_each_clients_own_and_in_order",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(small_and_large(ctx)),
        },
        Scenario {
            name: "npm_package_built_by_vite_serves_two_tabs_by_one_socket",
            tiers: &[],
            run: |ctx| Box::pin(bundled(ctx, "vite")),
        },
        Scenario {
            name: "npm_package_built_by_webpack_serves_two_tabs_by_one_socket",
            tiers: &[],
            run: |ctx| Box::pin(bundled(ctx, "webpack")),
        },
    ]
}

/// Runs all cases of `tests/npm/cases.js` with both classes. What differs has to be what the docs say, no more and no less.
async fn conformance(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let names = tab.eval("return names", vec![]).await?;
    let names = names.as_array().context("no list of cases")?;
    let expected = documented(ctx.engine())?;
    let mut found = BTreeSet::new();
    let mut surprises = String::new();
    for name in names {
        let script = "return await compare(arguments[0], { tier: arguments[1] })";
        let args = vec![name.clone(), json!(ctx.tier.map(Tier::name))];
        let seen = tab.eval_async(script, args).await?;
        if seen["native"] == seen["ours"] {
            continue;
        }
        let name = name.as_str().context("no name")?;
        found.insert(name);
        if !expected.contains(name) {
            let (native, ours) = (&seen["native"], &seen["ours"]);
            surprises += &format!("\n  {name}\n    native {native}\n    ours   {ours}");
        }
    }
    ensure!(
        surprises.is_empty(),
        "not in docs/conformance.md:{surprises}"
    );
    ensure!(found == expected, "docs/conformance.md has {expected:?}");
    ctx.note(format!("{} cases, {} differ", names.len(), found.len()));
    Ok(())
}

/// The cases that differ in an engine, by the table in the docs: `| case | engines | why |`.
fn documented(engine: Engine) -> Result<BTreeSet<&'static str>> {
    let rows = CONFORMANCE.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        Some((cells.next()?.strip_suffix('`')?, cells.next()?))
    });
    let cases: BTreeSet<_> = rows
        .filter(|(_, engines)| *engines == "all" || engines.contains(engine.name()))
        .map(|(case, _)| case)
        .collect();
    Ok(cases)
}

const CONFORMANCE: &str = include_str!("../../../docs/conformance.md");

/// A browser that says nothing of its own `WebSocket` says nothing of the worker's.
async fn buffered(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let faults = site.server()?.faults();
    faults.half_open_new(true);
    tab.eval_async(CLOG, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    let told = tab.eval("return native.bufferedAmount > 0", vec![]).await?;
    ensure!(told == (ctx.engine() != Engine::WebKit), "{told}");
    tab.wait_for(HOLDS, SOON).await?;
    faults.clear();
    tab.wait_for("return one.bufferedAmount === 0", SOON)
        .await?;
    Ok(())
}

/// What waits in front of the worker's socket is no multiple of the steps in which is told what the socket holds.
const CLOG: &str = "
window.native = new WebSocket('/sink');
window.one = new onesocket.OneSocket('/sink', [], { tier: arguments[0] });
for (const socket of [native, one]) {
  await new Promise((resolve) => (socket.onopen = resolve));
  for (let frame = 0; frame < 200; frame += 1) socket.send(new Uint8Array(65_537));
}
if (one.bufferedAmount !== 200 * 65_537) throw new Error('not all of it was taken');";

const HOLDS: &str = "
const isTold = native.bufferedAmount > 0;
return one.bufferedAmount % (256 * 1024) === 0 && (one.bufferedAmount > 0) === isTold;";

async fn share(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tabs = [open(ctx, &site).await?, open(ctx, &site).await?];
    for tab in &tabs {
        tab.eval_async(SHARE, vec![json!(ctx.tier.map(Tier::name))])
            .await?;
    }
    ensure!(site.sockets_open()? == 1);
    tabs[0].eval("socket.send('to all')", vec![]).await?;
    for tab in &tabs {
        heard(tab, "message to all").await?;
    }

    // One that leaves leaves the socket to the other.
    tabs[0].eval("socket.close(3000, 'mine')", vec![]).await?;
    heard(&tabs[0], "close 3000 mine true").await?;
    tabs[1].eval("socket.send('still open')", vec![]).await?;
    heard(&tabs[1], "message still open").await?;

    site.server()?
        .faults()
        .close(Selection::All, 4001, "theirs")?;
    heard(&tabs[1], "close 4001 theirs true").await?;
    // What libraries do then.
    for tab in &tabs {
        tab.eval_async(SHARE, vec![json!(ctx.tier.map(Tier::name))])
            .await?;
    }
    ensure!(site.sockets_open()? == 1);
    for tab in &tabs {
        tab.eval("socket.close()", vec![]).await?;
    }
    site.wait_for_sockets(0).await
}

const BUSY: &str = "
setTimeout(() => {
  const until = performance.now() + 4000;
  while (performance.now() < until);
});";

const SHARE: &str = "
window.heard = [];
window.socket = new onesocket.OneSocket('/echo', [], { share: true, tier: arguments[0] });
socket.onmessage = ({ data }) => heard.push(`message ${data}`);
socket.onclose = ({ code, reason, wasClean }) => heard.push(`close ${code} ${reason} ${wasClean}`);
await new Promise((resolve) => (socket.onopen = resolve));";

async fn heard(tab: &Tab, what: &str) -> Result<()> {
    let script = format!("return heard.includes({})", json!(what));
    tab.wait_for(&script, SOON).await?;
    Ok(())
}

/// The socket of a follower has ended with its worker.
async fn lost(ctx: &Context, tab: &Tab) -> Result<()> {
    let closed = "return heard.find((what) => what.startsWith('close '))";
    let closed = tab.wait_for(closed, SOON).await?;
    // Firefox closes the sockets of a page's workers when the page begins to go elsewhere, as `docs/conformance.md` says. The worker may live to hear of it.
    let is_firefoxs = ctx.engine() == Engine::Firefox && closed == "close 1001  true";
    ensure!(closed == "close 1006  false" || is_firefoxs, "{closed}");
    Ok(())
}

/// A page may have 128 MiB of sends without an outcome, of all its sockets.
async fn more_than_fits(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let args = || vec![json!(ctx.tier.map(Tier::name))];
    tab.eval_async(FILL, args()).await?;
    for socket in 0..2 {
        let emptied = format!("return sockets[{socket}].bufferedAmount === 0");
        tab.wait_for(&emptied, LARGE_UPLOAD).await?;
    }
    // The server has what came in front of it, in order.
    tab.wait_for("return got.length === 2", SOON).await?;
    // What the browser has taken may still be on its way.
    let all = 90 * 1024 * 1024 * 2;
    let until = Instant::now() + LARGE_UPLOAD;
    let bytes = loop {
        let stats = site.server()?.stats();
        let sink = stats.paths.get(&Endpoint::Sink).context("no sink")?;
        if sink.bytes_in >= all || Instant::now() > until {
            break sink.bytes_in;
        }
        sleep(POLL).await;
    };
    ensure!(bytes == all, "{bytes} B");

    let heard = tab.eval_async(TOO_LARGE, args()).await?;
    ensure!(heard == json!(["open", "first", "close 1006"]), "{heard}");
    Ok(())
}

const LARGE_UPLOAD: Duration = Duration::from_secs(60);

const FILL: &str = "
const { OneSocket } = onesocket;
window.sockets = ['/sink?a', '/sink?b'].map((url) => new OneSocket(url, [], { tier: arguments[0] }));
window.echo = new OneSocket('/echo', [], { tier: arguments[0] });
window.got = [];
echo.onmessage = ({ data }) => got.push(data);
await Promise.all([...sockets, echo].map((socket) => new Promise((resolve) => (socket.onopen = resolve))));
const chunk = new Uint8Array(1024 * 1024);
for (const socket of sockets) for (let sent = 0; sent < 90; sent += 1) socket.send(chunk);
for (const text of ['one', 'two']) echo.send(text);
for (const { readyState, bufferedAmount } of sockets) {
  if (readyState !== 1 || bufferedAmount < 80 * 1024 * 1024) throw new Error(`${readyState}, ${bufferedAmount}`);
}";

const TOO_LARGE: &str = "
const heard = [];
const socket = new onesocket.OneSocket('/echo', [], { tier: arguments[0] });
socket.onmessage = ({ data }) => {
  heard.push(data);
  socket.send(new Uint8Array(65 * 1024 * 1024));
  socket.send('behind it');
};
socket.onopen = () => {
  heard.push('open');
  socket.send('first');
};
await new Promise((resolve) => (socket.onclose = ({ code }) => resolve(heard.push(`close ${code}`))));
return heard;";

/// A message that is too large to be delivered comes behind others, for a page that is busy with the first: all of it is there when the page looks next.
async fn before_a_gap(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    tab.eval_async(SHARE, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    tab.eval(BUSY_UNTIL_SENT, vec![]).await?;
    let faults = site.server()?.faults();
    let small = (0..50).map(|number| InjectedFrame::Text(number.to_string()));
    let too_large = InjectedFrame::Binary(vec![0; 65 * 1024 * 1024]);
    for frame in small.chain([too_large]) {
        faults.inject(Selection::All, frame);
    }
    heard(&tab, "close 1006  false").await?;
    let told = tab.eval("return heard", vec![]).await?;
    let mut expect: Vec<_> = (0..50).map(|number| format!("message {number}")).collect();
    expect.push("close 1006  false".into());
    ensure!(told == json!(expect), "{told}");
    Ok(())
}

/// And a while longer: what the server has begun to send the worker has to receive.
const BUSY_UNTIL_SENT: &str = "
socket.addEventListener('message', () => {
  const stats = new XMLHttpRequest();
  do {
    stats.open('GET', '/stats', false);
    stats.send();
  } while (JSON.parse(stats.responseText).paths['/echo'].frames_out < 51);
  const until = performance.now() + 2500;
  while (performance.now() < until);
}, { once: true });";

async fn offline(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    // Whose page tells the worker.
    tab.eval_async(SHARE, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    tab.eval("dispatchEvent(new Event('offline'))", vec![])
        .await?;
    let args = vec![json!(ctx.tier.map(Tier::name))];
    let ended = tab.eval_async(END, args.clone()).await?;
    ensure!(ended == json!(["open", "close 1000"]), "{ended}");
    site.server()?.faults().refuse(1, 503)?;
    let ended = tab.eval_async(END, args).await?;
    ensure!(ended == json!(["error", "close 1006"]), "{ended}");
    Ok(())
}

const END: &str = "
const heard = [];
const socket = new onesocket.OneSocket('/echo', [], { tier: arguments[0] });
socket.onopen = () => {
  heard.push('open');
  socket.close(1000);
};
socket.onerror = () => heard.push('error');
await new Promise((resolve) => (socket.onclose = ({ code }) => resolve(heard.push(`close ${code}`))));
return heard;";

async fn too_many(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let args = vec![json!(ctx.tier.map(Tier::name))];
    let told = tab.eval_async(TOO_MANY, args).await?;
    ensure!(
        told == json!([256, ["error", "close 1006"], "open"]),
        "{told}"
    );
    ensure!(site.sockets_open()? == 1);
    Ok(())
}

/// One that is closed makes room again.
const TOO_MANY: &str = "
const make = () => new onesocket.OneSocket('/echo', [], { share: true, tier: arguments[0] });
const until = (socket, type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }));
const sockets = Array.from({ length: 256 }, make);
await Promise.all(sockets.map((socket) => until(socket, 'open')));
const heard = [];
const last = make();
for (const type of ['open', 'error', 'close']) last.addEventListener(type, ({ code }) => heard.push(code ? `${type} ${code}` : type));
await until(last, 'close');
const open = sockets.filter(({ readyState }) => readyState === 1).length;
const closed = until(sockets[0], 'close');
sockets[0].close();
await closed;
return [open, heard, (await until(make(), 'open')).type];";

async fn extended(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    tab.eval_async(EXTEND, vec![]).await?;
    ensure!(site.sockets_open()? == 1);
    Ok(())
}

const EXTEND: &str = "
class Mine extends onesocket.OneSocket.with({ share: true, tier: 'shared' }) {}
const Named = Mine.with({ account: '' });
class Others extends Named {}
const sockets = [Mine, Mine, Named, Others].map((Class) => new Class('/echo'));
await Promise.all(sockets.map((socket) => new Promise((resolve) => (socket.onopen = resolve))));";

/// Nothing dials again behind a socket's back: neither this tab nor one that was sooner.
async fn lost_worker(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        let tab = open(ctx, &site).await?;
        tab.eval_async(SHARE, vec![json!("dedicated")]).await?;
        tabs.push(tab);
    }
    ensure!(site.sockets_open()? == 1);
    let [leader, follower, busy] = tabs.try_into().ok().context("three tabs")?;
    // The other one has opened another socket by the time it looks.
    follower
        .eval(
            "socket.addEventListener('close', () => new onesocket.OneSocket('/echo', [], { share: true, tier: 'dedicated' }))",
            vec![],
        )
        .await?;
    // By itself: drivers close no tab while another one is busy.
    leader
        .eval(
            "setTimeout(() => location.assign('about:blank'), 1000)",
            vec![],
        )
        .await?;
    busy.eval(BUSY, vec![]).await?;
    lost(ctx, &follower).await?;
    lost(ctx, &busy).await?;
    follower.eval_async(SHARE, vec![json!("dedicated")]).await?;
    follower.eval("socket.send('anew')", vec![]).await?;
    heard(&follower, "message anew").await?;
    site.wait_for_sockets(1).await
}

/// However long the next worker takes.
async fn slow_successor(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let [leader, follower] = [open(ctx, &site).await?, open(ctx, &site).await?];
    for tab in [&leader, &follower] {
        tab.eval_async(SHARE, vec![json!("dedicated")]).await?;
    }
    let late = HttpFault::default().delay(LATE);
    let faults = site.server()?.faults();
    faults.http("/onesocket/onesocket-worker.js", late)?;
    let since = Instant::now();
    leader
        .eval("location.assign('about:blank')", vec![])
        .await?;
    lost(ctx, &follower).await?;
    let took = since.elapsed();
    ctx.note(format!("told after {} ms", took.as_millis()));
    ensure!(took < LATE / 2, "it took {took:?}");
    follower.eval_async(SHARE, vec![json!("dedicated")]).await?;
    site.wait_for_sockets(1).await
}

const LATE: Duration = Duration::from_secs(6);

/// What the next worker dials is no socket of theirs.
async fn lost_worker_offline(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let [leader, follower] = [open(ctx, &site).await?, open(ctx, &site).await?];
    for tab in [&leader, &follower] {
        tab.eval_async(SHARE, vec![json!("dedicated")]).await?;
    }
    follower
        .eval("dispatchEvent(new Event('offline'))", vec![])
        .await?;
    leader
        .eval("location.assign('about:blank')", vec![])
        .await?;
    lost(ctx, &follower).await?;
    follower
        .eval("dispatchEvent(new Event('online'))", vec![])
        .await?;
    follower.eval_async(SHARE, vec![json!("dedicated")]).await?;
    Ok(())
}

/// Libraries are without a socket between two dials. What is left of the last one is collected then, sooner or later.
async fn kept_worker(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let [leader, follower] = [open(ctx, &site).await?, open(ctx, &site).await?];
    for tab in [&leader, &follower] {
        tab.eval_async(SHARE, vec![json!("dedicated")]).await?;
    }
    leader.eval("socket.close()", vec![]).await?;
    heard(&leader, "close 1005  true").await?;
    leader.eval(LET_GO, vec![]).await?;
    match ctx.engine() {
        Engine::Chromium => {
            leader.cdp("HeapProfiler.collectGarbage", json!({})).await?;
            leader.wait_for(IS_COLLECTED, SOON).await?;
        }
        // Which takes its time, and is not waited for: there it may not matter what hangs on the socket.
        Engine::Firefox => {
            leader.eval(LITTER, vec![]).await?;
            if leader.wait_for(IS_COLLECTED, SHORTLY).await.is_err() {
                ctx.note("not collected");
            }
        }
        Engine::WebKit => {
            leader.eval(LITTER, vec![]).await?;
            leader.wait_for(IS_COLLECTED, SOON).await?;
        }
    }
    // The registry of the wasm's objects is another one.
    let turn = "clearInterval(window.litter); await new Promise((done) => setTimeout(done))";
    leader.eval_async(turn, vec![]).await?;
    leader.eval_async(SHARE, vec![json!("dedicated")]).await?;
    for tab in [&leader, &follower] {
        tab.eval("socket.send('still open')", vec![]).await?;
        heard(tab, "message still open").await?;
    }
    let closed = "return heard.some((what) => what.startsWith('close'))";
    ensure!(follower.eval(closed, vec![]).await? == false);
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    Ok(())
}

/// Makes the socket, and what hangs on it, garbage.
const LET_GO: &str = "
window.registry = new FinalizationRegistry(() => (window.isCollected = true));
registry.register(socket, true);
socket = null;";

/// Makes the browser collect garbage, when it finds the time.
const LITTER: &str = "window.litter = setInterval(() => (window.garbage = Array.from({ length: 300_000 }, (_, index) => ({ index }))), 5)";

const IS_COLLECTED: &str = "return window.isCollected";

const SHORTLY: Duration = Duration::from_secs(5);

/// The package as it was installed and built: worker and wasm have other names then.
async fn bundled(ctx: &Context, bundler: &str) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    site.deploy(bundler).await?;
    let tabs = [
        ctx.browser.open_tab(&site.url("/")).await?,
        ctx.browser.open_tab(&site.url("/")).await?,
    ];
    for tab in &tabs {
        let connected =
            "return document.querySelector('#status')?.textContent === 'connected, shared'";
        tab.wait_for(connected, SOON).await?;
    }
    // One of the clients, and one of the OneSockets.
    site.wait_for_sockets(2).await?;
    tabs[0].type_text("#text", "hello").await?;
    tabs[0].click("#send").await?;
    for tab in &tabs {
        let said = "return document.querySelector('#said li')?.textContent === 'hello'";
        tab.wait_for(said, SOON).await?;
        tab.wait_for("return document.title === 'hello?'", SOON)
            .await?;
    }
    ensure!(site.sockets_open()? == 2);
    Ok(())
}

/// Its page receives as those of most apps do, which have no gloo-net: in the main tier the browser gathers, and small messages are packed.
async fn small_and_large(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    // Each does with its message what it likes: writes over it, and gives it away.
    let script = "
        window.got = { client: [], other: [], socket: [] };
        const tell = (name, data) => {
            const bytes = new Uint8Array(data);
            const number = new DataView(data).getUint32(0, true);
            const intact = bytes.every((byte, at) => at < 8 || byte === ((number + at) & 255));
            got[name].push([number, data.byteLength, intact]);
            bytes.fill(0);
            structuredClone(data, { transfer: [data] });
        };
        const tier = arguments[0];
        for (const name of ['client', 'other']) {
            window[name] = onesocket.connect('/echo', { codec: 'bytes', tier });
            window[name].addEventListener('message', ({ data }) => tell(name, data.buffer));
        }
        window.socket = new onesocket.OneSocket('/echo', [], { tier });
        socket.binaryType = 'arraybuffer';
        socket.onmessage = ({ data }) => tell('socket', data);";
    tab.eval(script, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    let is_open = "return [client, other].every(({ status }) => status.state === 'connected') && socket.readyState === 1";
    tab.wait_for(is_open, SOON).await?;
    let length = |number: u64| LENGTHS[number as usize % LENGTHS.len()];
    for number in 0..STREAM {
        let frame = InjectedFrame::Binary(feed_frame(number, length(number)));
        site.server()?.faults().inject(Selection::All, frame);
    }
    let all: Vec<_> = (0..STREAM)
        .map(|number| (number, length(number), true))
        .collect();
    for name in ["client", "other", "socket"] {
        let is_all = format!("return got.{name}.length >= {STREAM} && got.{name}");
        let got = tab.wait_for(&is_all, SOON).await?;
        ensure!(got == json!(all), "{name}: {got}");
    }
    Ok(())
}

/// So many that most of them are gathered.
const STREAM: u64 = 240;
/// On both sides of the size from which on a message is large.
const LENGTHS: [usize; 6] = [8, 20_000, 200, 16 * 1024, 16 * 1024 - 1, 70_000];

pub(super) async fn start(ctx: &Context) -> Result<Site<'_>> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-npm").await?;
    Ok(site)
}

pub(super) async fn open(ctx: &Context, site: &Site<'_>) -> Result<Tab> {
    let tab = ctx.browser.open_tab(&site.url("/")).await?;
    let ready = "return document.querySelector('#ready')?.textContent === 'ready'";
    tab.wait_for(ready, SOON).await?;
    Ok(tab)
}
