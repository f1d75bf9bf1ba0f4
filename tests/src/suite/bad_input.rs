//! What is wrong in a configuration, at a server or on the port: a typed error each, and the connection lives on.

use anyhow::{Result, ensure};
use onesocket_server::{InjectedFrame, Selection};
use serde_json::{Value, json};

use super::{Context, Scenario, Tier, site::Site};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "malformed_configurations_are_refused_at_once",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(configurations(ctx)),
        },
        Scenario {
            name: "refused_subprotocols_are_told_from_an_unreachable_server",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(subprotocols(ctx)),
        },
        Scenario {
            name: "an_undecodable_message_is_an_error_event",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(undecodable(ctx)),
        },
        Scenario {
            name: "an_oversize_message_is_an_error_event",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(oversize(ctx)),
        },
        Scenario {
            name: "a_secure_page_opens_no_insecure_socket",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(insecure(ctx)),
        },
        Scenario {
            name: "a_worker_answers_what_it_does_not_know",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(unknown_messages(ctx)),
        },
        Scenario {
            name: "debug_shows_both_sides_and_no_secret",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(debug(ctx)),
        },
    ]
}

async fn configurations(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    let cases = [
        (json!({ "url": "http://[" }), "not a url"),
        (
            json!({ "url": "ftp://example.org/" }),
            "not a websocket url, its scheme is ftp",
        ),
        (
            json!({ "url": "/echo", "subprotocols": ["a b"] }),
            "invalid subprotocol",
        ),
        (
            json!({ "url": "/echo", "subprotocols": ["a", "a"] }),
            "invalid subprotocol",
        ),
        (
            json!({ "url": "/echo", "account": "x".repeat(9000) }),
            "account of message tag 1 is over its cap",
        ),
        (
            json!({ "url": "/echo", "worker": { "name": "" } }),
            "the worker's configuration is wrong",
        ),
        (
            json!({ "url": "/echo", "worker": { "script": "https://example.org/w.js" } }),
            "the worker's configuration is wrong",
        ),
    ];
    for (config, words) in cases {
        let error = page.open_refused(config.clone()).await?;
        ensure!(error.contains(words), "{config}: {error}");
    }
    Ok(())
}

async fn subprotocols(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo?protocols=v2");
    config["subprotocols"] = json!(["v1"]);
    let page = site.client_with(config.clone()).await?;
    let event = page
        .wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    ensure!(event["cause"] == "SubprotocolRefused", "{event}");
    config["subprotocols"] = json!(["v1", "v2"]);
    page.open("d", config).await?;
    page.call("send", &[json!("d"), json!("x")]).await?;
    page.wait_for_messages("d", 1).await?;
    let events = page.events("d").await?;
    ensure!(
        events
            .iter()
            .any(|event| event["type"] == "connected" && event["subprotocol"] == "v2"),
        "{events:?}"
    );
    Ok(())
}

async fn undecodable(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["codec"] = json!("json");
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    site.server()?
        .faults()
        .inject(Selection::All, InjectedFrame::Text("{not json".into()));
    let event = page
        .wait_for_event("error", 0, |event| event["type"] == "error")
        .await?;
    let text = event["text"].as_str().unwrap_or_default();
    ensure!(
        text.contains("a message of 9 bytes can't be decoded"),
        "{event}"
    );
    page.send_ok("1").await?;
    page.wait_for_messages("c", 1).await?;
    Ok(())
}

async fn oversize(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["max_received_bytes"] = json!(1000);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    site.server()?
        .faults()
        .inject(Selection::All, InjectedFrame::Binary(vec![7; 1001]));
    let event = page
        .wait_for_event("error", 0, |event| event["type"] == "error")
        .await?;
    let text = event["text"].as_str().unwrap_or_default();
    ensure!(
        text.contains("1001 bytes from the server is over the cap of 1000"),
        "{event}"
    );
    // The other way: more than a port may carry.
    let outcome = page
        .call(
            "send_bytes",
            &[json!("c"), json!(64 * 1024 * 1024 + 1), json!(0)],
        )
        .await?;
    ensure!(
        outcome
            .as_str()
            .is_some_and(|text| text.contains("is over the cap of 67108864 bytes")),
        "{outcome}"
    );
    page.send_ok("fine").await?;
    page.wait_for_messages("c", 1).await?;
    Ok(())
}

async fn insecure(ctx: &Context) -> Result<()> {
    let site = Site::start_with(ctx, true).await?;
    let page = site.page().await?;
    let error = page
        .open_refused(json!({ "url": "ws://example.org/?token=secret" }))
        .await?;
    ensure!(
        error.contains("an https page may not open ws://example.org/?token=***"),
        "{error}"
    );
    // The page's own origin is secure.
    page.open("c", site.config("/echo")).await?;
    page.send_ok("secure").await?;
    page.wait_for_messages("c", 1).await?;
    Ok(())
}

/// Speaks to the worker as a tab of another build would, byte by byte.
async fn unknown_messages(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    let answers = page.tab.eval_async(FOREIGN_TAB, vec![]).await?;
    let ask = |key: &str| answers[key].clone();
    ensure!(ask("too_new") == "refused", "{answers}");
    ensure!(ask("before_hello") == "stale", "{answers}");
    ensure!(ask("hello") == "welcome", "{answers}");
    // Tag 136 is Error; the Ping behind the unknown message is answered by 139, Pong.
    let tags = ask("tags");
    let tags: Vec<u64> = tags
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    ensure!(tags.contains(&136) && tags.contains(&139), "{answers}");
    page.send_ok("unharmed").await?;
    page.wait_for_messages("c", 1).await?;
    Ok(())
}

const FOREIGN_TAB: &str = r#"
const frame = (kind, ...rest) => new Uint8Array([0x31, 0x73, 0x6b, 0x74, kind, ...rest]);
const versions = (min, max) => [min, 0, max, 0];
const token = [1, 2, 3, 4, 5, 6, 7, 8];
const kinds = { 2: "welcome", 3: "refused", 6: "stale", 5: "batch" };
const port = new SharedWorker("onesocket-worker.js", { name: "onesocket" }).port;
const inbox = [];
let wake = () => {};
port.onmessage = (event) => { inbox.push(new Uint8Array(event.data)); wake(); };
const next = async () => {
  while (inbox.length === 0) await new Promise((resolve) => (wake = resolve));
  return inbox.shift();
};
const say = (bytes) => port.postMessage(bytes.buffer, [bytes.buffer]);
const answer = async (bytes) => { say(bytes); return kinds[(await next())[4]]; };

const result = {};
result.too_new = await answer(frame(1, 0, ...versions(200, 201), ...token));
result.before_hello = await answer(frame(5, ...new Array(31).fill(0)));
say(frame(1, 0, ...versions(1, 1), ...token));
const welcome = await next();
result.hello = kinds[welcome[4]];
const epoch = welcome.slice(12, 20);
const batch = new Uint8Array(36 + 5 + 3 + 5 + 1);
batch.set([0x31, 0x73, 0x6b, 0x74, 5, 1, 0, 0]);
batch.set(epoch, 8);
batch[16] = 1; // seq
batch[32] = 2; // count
batch.set([99, 3, 0, 0, 0, 7, 7, 7], 36); // a tag of the future
batch.set([5, 1, 0, 0, 0, 42], 44); // Ping 42
const bareAck = batch.slice(0, 36);
bareAck[16] = 0;
bareAck[32] = 0;
say(batch);
result.tags = [];
while (!result.tags.includes(139)) {
  const bytes = await next();
  const view = new DataView(bytes.buffer);
  let at = 36;
  for (let left = view.getUint32(32, true); left > 0; left -= 1) {
    result.tags.push(bytes[at]);
    at += 5 + view.getUint32(at + 1, true);
  }
  // Acknowledge, so that the next batch may come.
  const ack = bareAck.slice();
  ack[24] = bytes[16];
  say(ack);
}
say(frame(5));
port.close();
return result;
"#;

async fn debug(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo?token=s3cret");
    config["worker"]["debug"] = json!("messages");
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("an0ther s3cret").await?;
    page.wait_for_messages("c", 1).await?;
    // The tab's own lines, and those that its worker forwards; on the main tier both are written in one place.
    for line in ["tab -> worker: batch.*Send", "port \\d+ -> send"] {
        let seen = format!("return /{line}/.test(window.__log.join('\\n'))");
        page.tab.wait_for(&seen, super::site::SOON).await?;
    }
    let log = page.tab.page_log().await?.join("\n");
    ensure!(!log.contains("s3cret"), "{log}");
    // Off again at run time: nothing more is logged.
    page.call("set_debug", &[json!("c"), json!("off")]).await?;
    page.send_ok("1").await?;
    page.wait_for_messages("c", 2).await?;
    let before = page.tab.page_log().await?.len();
    page.send_ok("2").await?;
    page.wait_for_messages("c", 3).await?;
    let after = page.tab.page_log().await?;
    ensure!(after.len() == before, "{:?}", &after[before..]);
    Ok(())
}
