//! What a page must not be able to do, and what the library must be able to do without.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use onesocket_protocol::{
    ChannelId, DebugLevel, Encode, Millis, Payload, SendId, ToWorker, Version,
};
use onesocket_server::{HttpFault, InjectedFrame, Selection, feed_frame};
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    sharing::check_order,
    site::{Page, SOON, Site},
    tiers::expect_tier,
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "the_listed_directives_are_enough",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(policy(ctx)),
        },
        Scenario {
            name: "a_page_that_trusts_no_urls_has_a_worker_when_its_default_policy_does",
            tiers: &[],
            run: |ctx| Box::pin(trusted_types(ctx)),
        },
        Scenario {
            name: "a_cross_origin_isolated_page_has_its_tier",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(isolated(ctx)),
        },
        Scenario {
            name: "an_isolated_page_is_told_what_its_workers_script_lacks",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(half_isolated(ctx)),
        },
        Scenario {
            name: "a_hostile_page_gets_nothing_and_harms_nothing",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(hostile(ctx)),
        },
        Scenario {
            name: "a_flooding_page_stalls_nobody",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(flood(ctx)),
        },
    ]
}

/// [Trusted Types](https://developer.mozilla.org/en-US/docs/Web/API/Trusted_Types_API): the URL of a worker has to be one.
async fn trusted_types(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    for path in ["/", "/onesocket-worker.js"] {
        let fault = HttpFault::default().csp("require-trusted-types-for 'script'");
        site.server()?.faults().http(path, fault)?;
    }
    let page = site.page().await?;
    let has_types = page
        .tab
        .eval("return 'trustedTypes' in window", vec![])
        .await?;
    page.open("c", site.config("/echo")).await?;
    let refused = [
        ("shared", "ConstructorThrew"),
        ("dedicated", "ConstructorThrew"),
    ];
    if has_types == true {
        expect_tier(&page, "main", &refused).await?;
    } else {
        expect_tier(&page, "shared", &[]).await?;
    }

    let page = site.page().await?;
    let trust = include_str!("trusted.js");
    page.tab.eval(trust, vec![]).await?;
    page.open("c", site.config("/echo")).await?;
    expect_tier(&page, "shared", &[("shared", "Running")]).await
}

/// Serves a page as those are served that share memory between threads.
async fn isolated(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    for path in ["/", "/onesocket-worker.js"] {
        faults.http(path, HttpFault::default().isolates())?;
    }
    let mut pages = Vec::new();
    for _ in 0..2 {
        let page = site.client("/echo").await?;
        page.wait_for_state("connected").await?;
        let is_isolated = page.tab.eval("return crossOriginIsolated", vec![]).await?;
        ensure!(is_isolated == true, "the page is not isolated");
        pages.push(page);
    }
    let frame = feed_frame(0, 64 * 1024);
    site.server()?
        .faults()
        .inject(Selection::All, InjectedFrame::Binary(frame));
    for page in &pages {
        let heard = page.wait_for_messages("c", 1).await?;
        ensure!(heard[0]["bytes"] == 64 * 1024, "{heard:?}");
        let tier = page.call("tier", &[json!("c")]).await?;
        ensure!(tier == json!(ctx.tier.map(Tier::name)), "{tier}");
    }
    ensure!(site.sockets_open()? == site.sockets_for(2));
    Ok(())
}

/// Browsers ask of the dedicated worker of such a page that it has the page's policy, and of a SharedWorker they do not.
async fn half_isolated(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    faults.http("/", HttpFault::default().isolates())?;
    let shared = site.client("/echo").await?;
    shared.wait_for_state("connected").await?;
    let tier = shared.call("tier", &[json!("c")]).await?;
    ensure!(tier == Tier::Shared.name(), "{tier}");

    let mut config = site.config("/echo");
    config["worker"]["tier"] = json!(Tier::Dedicated.name());
    shared.open("d", config).await?;
    let told = "return JSON.parse(api.ladder('d')).text.includes('served without Cross-Origin-Embedder-Policy')";
    shared.tab.wait_for(told, SOON).await?;
    Ok(())
}

/// Serves everything under `default-src 'none'` and exactly what the book lists.
async fn policy(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let listed = DEPLOYING
        .lines()
        .find(|line| line.starts_with("script-src"))
        .context("the book lists no directives")?;
    let socket = site.url("").replace("http", "ws");
    let listed = listed.replace("wss://your.server", &socket);
    let policy = format!("default-src 'none'; {listed}");
    for path in PATHS {
        let fault = HttpFault::default().csp(policy.as_str());
        site.server()?.faults().http(path, fault)?;
    }
    let page = site.page().await?;
    page.tab
        .eval(
            "window.violations = [];
            document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
                window.violations.push(`${effectiveDirective}: ${blockedURI}`));",
            vec![],
        )
        .await?;
    let mut config = site.config("/echo");
    config["worker"]["debug"] = json!("messages");
    page.open("c", config).await?;
    page.send_ok("allowed").await?;
    page.wait_for_messages("c", 1).await?;
    let (tier, _) = page.wait_for_tier().await?;
    ensure!(Some(tier.as_str()) == ctx.tier.map(Tier::name), "{tier}");
    let violations = page.tab.eval("return window.violations", vec![]).await?;
    ensure!(violations == json!([]), "{violations}");
    // The policy is in force: what it does not allow is refused, and heard of.
    let refused = "fetch('http://127.0.0.1:1/').catch(() => {})";
    page.tab.eval(refused, vec![]).await?;
    let seen = "return window.violations.some((one) => one.startsWith('connect-src'))";
    page.tab.wait_for(seen, SOON).await?;
    // So is a socket, at once. Of that Chromium tells by an `error` alone; the others throw, and not because of the URL.
    let page = site.page().await?;
    let mut config = site.config("");
    config["url"] = json!("ws://127.0.0.2:9999/");
    page.open("c", config).await?;
    let (kind, field, why) = match ctx.engine() {
        Engine::Chromium => ("reconnecting", "cause", "Unreachable"),
        Engine::Firefox | Engine::WebKit => ("disconnected", "reason", "InsecureUrl"),
    };
    page.wait_for_event(why, 0, |event| event["type"] == kind && event[field] == why)
        .await?;
    Ok(())
}

const DEPLOYING: &str = include_str!("../../../docs/deploying.md");

const PATHS: [&str; 8] = [
    "/",
    "/boot.js",
    "/break.js",
    "/page_log.js",
    "/page.js",
    "/page_bg.wasm",
    "/onesocket-worker.js",
    "/onesocket-worker_bg.wasm",
];

/// A tab of an account, with another one beside it; and a page that speaks to their worker by hand.
async fn hostile(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/chat?room=v");
    config["account"] = json!("victim");
    let victims = [
        site.client_with(config.clone()).await?,
        site.client_with(config).await?,
    ];
    for page in &victims {
        page.wait_for_state("connected").await?;
    }
    let foe = site.page().await?;
    foe.tab.eval(KIT, vec![]).await?;
    let epoch = foe.tab.eval_async(HELLO, vec![]).await?;
    // Whatever can be said about a channel, about the channels of others.
    let mut forged = Vec::new();
    for channel in (0..20).chain([255, 256, u32::MAX]).map(ChannelId) {
        let (id, payload) = (SendId(1), Payload::text("forged"));
        forged.extend([
            encoded(&ToWorker::Send {
                channel,
                id,
                keep: true,
                payload,
            }),
            encoded(&ToWorker::Acknowledge { channel, id }),
            encoded(&ToWorker::GetStatus { channel }),
            encoded(&ToWorker::Reconnect { channel }),
            encoded(&ToWorker::Delay {
                channel,
                delay: Millis(3_600_000),
            }),
            encoded(&ToWorker::Disconnect { channel }),
        ]);
    }
    forged.push(encoded(&ToWorker::SetDebug {
        level: DebugLevel::Payloads,
    }));
    forged.push(encoded(&ToWorker::Network { online: false }));
    let batch = foe.tab.eval_async(SAY, vec![json!(forged)]).await?;
    for round in 0..100 {
        for (number, page) in victims.iter().enumerate() {
            page.send_ok(&format!("{number}:{round}")).await?;
        }
        if round % 10 == 0 {
            // The same batch again, of this run and of another, and what is no batch at all.
            foe.tab.eval_async(REPLAY, vec![batch.clone()]).await?;
        }
    }
    for page in &victims {
        let heard = page.wait_for_messages("c", 200).await?;
        ensure!(heard.len() == 200, "{} messages", heard.len());
        check_order(&heard, 2, 100)?;
    }
    let sockets = site.server()?.stats().total;
    ensure!(
        sockets.sockets_ever == 1 && sockets.frames_in == 200,
        "{sockets:?}"
    );
    let seen = foe.tab.eval("return seen()", vec![]).await?;
    let text = seen["text"].as_str().unwrap_or_default();
    ensure!(!text.contains("1:9"), "it has read what is another's");
    let tags: Vec<u64> = serde_json::from_value(seen["tags"].clone())?;
    // Of a connection it is told nothing: complaints, receipts that say no, the log, and that it is there.
    ensure!(
        tags.iter()
            .all(|tag| [129, 136, 138, 140, 141, 142].contains(tag)),
        "{tags:?}"
    );
    ensure!(tags.contains(&140) && tags.contains(&136), "{tags:?}");
    expect_same_run(&foe, &epoch).await
}

fn encoded(message: &ToWorker) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(Version::V1, &mut bytes);
    bytes
}

/// No panic has ended the worker.
async fn expect_same_run(foe: &Page, epoch: &Value) -> Result<()> {
    let now = foe.tab.eval_async(HELLO, vec![]).await?;
    ensure!(now == *epoch, "another run: {now}, not {epoch}");
    Ok(())
}

async fn flood(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    let foe = site.page().await?;
    foe.tab.eval(KIT, vec![]).await?;
    let epoch = foe.tab.eval_async(HELLO, vec![]).await?;
    let ports = match ctx.engine() {
        Engine::Chromium => 10_000,
        // Each constructor asks their parent process.
        Engine::Firefox | Engine::WebKit => 2_000,
    };
    let ask = encoded(&ToWorker::Ping { nonce: 1 });
    let floods = [
        ("hellos", FLOOD_HELLOS, vec![]),
        ("ports", FLOOD_PORTS, vec![json!(ports)]),
        ("noise", FLOOD_NOISE, vec![]),
        ("giants", FLOOD_GIANTS, vec![]),
        ("questions", FLOOD_QUESTIONS, vec![json!(ask)]),
    ];
    let mut heard = 0;
    for (name, script, arguments) in floods {
        foe.tab.eval(script, arguments).await?;
        for _ in 0..5 {
            let since = Instant::now();
            page.send_ok(name).await?;
            heard += 1;
            page.wait_for_messages("c", heard).await?;
            let took = since.elapsed();
            ensure!(took < Duration::from_secs(10), "{name}: it took {took:?}");
        }
        foe.tab
            .wait_for("return window.isDone", Duration::from_secs(60))
            .await
            .with_context(|| name.to_owned())?;
    }
    ensure!(page.messages("c").await?.len() == heard);
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    expect_same_run(&foe, &epoch).await?;
    Ok(())
}

/// A port that is spoken to byte by byte. What comes is acknowledged, or nothing would come any more.
const KIT: &str = r#"
const magic = [0x31, 0x73, 0x6b, 0x74];
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(8)));
window.hello = () => new Uint8Array([...magic, 1, 0, 1, 0, 1, 0, ...token()]);
window.connect = () => new SharedWorker("onesocket-worker.js", { name: "onesocket" }).port;
window.say = (port, bytes) => { const copy = bytes.slice(); port.postMessage(copy.buffer, [copy.buffer]); };
window.batch = (epoch, seq, ack, messages) => {
  const bytes = new Uint8Array(36 + messages.reduce((sum, one) => sum + one.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set([...magic, 5, 1, 0, 0]);
  bytes.set(epoch, 8);
  view.setUint32(16, seq, true);
  view.setUint32(24, ack, true);
  view.setUint32(32, messages.length, true);
  let at = 36;
  for (const one of messages) { bytes.set(one, at); at += one.length; }
  return bytes;
};
const tags = new Set();
let text = "";
window.seen = () => ({ tags: [...tags], text });
window.begin = () => new Promise((resolve) => {
  const port = connect();
  let epoch = null;
  port.onmessage = ({ data }) => {
    const bytes = new Uint8Array(data);
    if (bytes[4] === 2) {
      epoch = bytes.slice(12, 20);
      resolve({ port, epoch });
    }
    if (bytes[4] !== 5) return;
    text += new TextDecoder("latin1").decode(bytes);
    const view = new DataView(data);
    let at = 36;
    for (let left = view.getUint32(32, true); left > 0; left -= 1) {
      tags.add(bytes[at]);
      at += 5 + view.getUint32(at + 1, true);
    }
    const seq = view.getUint32(16, true);
    if (seq > 0) say(port, batch(epoch, 0, seq, []));
  };
  say(port, hello());
});
"#;

/// Returns the run of the worker.
const HELLO: &str = "window.session = await begin(); return Array.from(session.epoch);";

/// Says messages; returns the batch.
const SAY: &str = "
const bytes = batch(session.epoch, 1, 0, arguments[0]);
say(session.port, bytes);
return Array.from(bytes);";

const REPLAY: &str = "
const bytes = new Uint8Array(arguments[0]);
say(session.port, bytes);
const other = bytes.slice();
other[8] ^= 0xff;
say(session.port, other);
say(session.port, bytes.slice(0, bytes.length - 3));
const ahead = bytes.slice();
ahead[16] = 99;
say(session.port, ahead);
for (const none of ['text', 7, null, {}, [bytes], new Uint8Array(3), new Blob(['x'])]) session.port.postMessage(none);
";

const FLOOD_HELLOS: &str = "
window.isDone = false;
const port = connect();
for (let n = 0; n < 10000; n += 1) say(port, hello());
window.isDone = true;";

const FLOOD_PORTS: &str = "
window.isDone = false;
const [count] = arguments;
const step = (from) => {
  for (let n = from; n < from + 100; n += 1) say(connect(), hello());
  if (from + 100 < count) setTimeout(() => step(from + 100));
  else window.isDone = true;
};
step(0);";

const FLOOD_NOISE: &str = "
window.isDone = false;
for (let n = 0; n < 20000; n += 1) {
  const bytes = crypto.getRandomValues(new Uint8Array(n % 200));
  if (n % 2) bytes.set([0x31, 0x73, 0x6b, 0x74, 5, 1, 0, 0].slice(0, bytes.length));
  if (n % 4 === 1 && bytes.length > 40) bytes.set(session.epoch, 8);
  say(session.port, bytes);
}
window.isDone = true;";

const FLOOD_GIANTS: &str = "
window.isDone = false;
for (const megabytes of [70, 66, 64]) {
  const bytes = new Uint8Array(megabytes * 1024 * 1024);
  bytes.set(batch(session.epoch, 1, 0, []));
  bytes.fill(0xff, 32, 64);
  session.port.postMessage(bytes.buffer, [bytes.buffer]);
}
window.isDone = true;";

/// Asks and asks, and never says that it has heard an answer.
const FLOOD_QUESTIONS: &str = "
window.isDone = false;
const ask = arguments[0];
const port = connect();
port.onmessage = ({ data }) => {
  const bytes = new Uint8Array(data);
  if (bytes[4] !== 2) return;
  const epoch = bytes.slice(12, 20);
  for (let seq = 1; seq <= 15; seq += 1) say(port, batch(epoch, seq, 0, new Array(50000).fill(ask)));
  window.isDone = true;
};
say(port, hello());";
