//! The files of the npm package: late, missing, on another origin, or where a bundler has put them.

use anyhow::{Context as _, Result, ensure};
use onesocket_server::HttpFault;
use serde_json::json;

use super::{
    Context, Scenario, Tier,
    npm::{open, start},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "npm_client_waits_for_its_wasm",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(late_wasm(ctx)),
        },
        Scenario {
            name: "npm_client_bounds_what_waits_for_its_wasm",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(bounded_without_wasm(ctx)),
        },
        Scenario {
            name: "npm_without_a_worker_of_the_pages_origin_the_page_connects",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(foreign_script(ctx)),
        },
        Scenario {
            name: "npm_a_url_that_is_relative_to_the_page_is_its_workers",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(relative_url(ctx)),
        },
    ]
}

/// A bundler writes a URL where the package has asked for one of a file beside it.
async fn foreign_script(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let read = format!("return await (await fetch('{CORE}')).text()");
    let core = tab.eval_async(&read, vec![]).await?;
    let core = core.as_str().context("a script")?;
    for elsewhere in ["https://cdn.example/assets/w.js", "data:text/javascript,"] {
        let bundled = core.replace(
            r#"new URL("./onesocket-worker.js", import.meta.url)"#,
            &format!("new URL('{elsewhere}')"),
        );
        ensure!(bundled != core);
        let fault = HttpFault::default().body(bundled).mime("text/javascript");
        site.server()?.faults().http(CORE, fault)?;
        let tab = open(ctx, &site).await?;
        let heard = tab.eval_async(FOREIGN_SCRIPT, vec![]).await?;
        let expect = json!([
            "main",
            "main",
            "open",
            true,
            1,
            1006,
            true,
            "close 1006",
            true
        ]);
        ensure!(heard == expect, "{heard}");
        site.server()?.faults().clear();
    }
    Ok(())
}

const CORE: &str = "/onesocket/core.js";

const FOREIGN_SCRIPT: &str = r#"
const told = [];
console.error = (text) => told.push(text);
const { OneSocket, configure, connect } = onesocket;
const clients = [connect('/echo'), connect('/echo', { tier: 'main' })];
const tiers = await Promise.all(clients.map(async (client) => (await client.send('x'), client.status.tier)));
const socket = new OneSocket('/echo');
await new Promise((resolve) => (socket.onopen = resolve));
const heard = [...tiers, 'open', told[0]?.includes('configure({ script'), told.length];
// Who asks for a worker is told that there is none.
const asks = connect('/echo', { tier: 'shared' });
heard.push((await new Promise((resolve) => asks.addEventListener('close', resolve))).code);
// On the console, too: an app that listens to nothing would see a client that stays silent.
heard.push(told[1]?.startsWith("onesocket: the worker's configuration is wrong"));
// What the app has chosen is not put right.
configure({ script: 'https://cdn.example/w.js' });
const { code } = await new Promise((resolve) => (new OneSocket('/echo').onclose = resolve));
return [...heard, `close ${code}`, told[2]?.includes('cdn.example')];
"#;

/// A client that is closed meanwhile, and a socket, fetch nothing any more.
async fn late_wasm(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let faults = site.server()?.faults();
    faults.http(CORE_WASM, HttpFault::default().status(503))?;
    let told = tab
        .eval_async(WITHOUT_WASM, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    let expect = json!([
        ["socket", "error", "close 1006"],
        ["closed", "error", "close 1000", "NotSent"],
        ["client", "error", "connecting"],
        1,
    ]);
    ensure!(told == expect, "{told}");
    faults.clear();
    let heard = tab.eval_async(WITH_WASM, vec![]).await?;
    ensure!(heard == json!(["early", "connected", 1]), "{heard}");
    Ok(())
}

const CORE_WASM: &str = "/onesocket/onesocket-core_bg.wasm";

const WITHOUT_WASM: &str = "
const [tier] = arguments;
const { OneSocket, connect } = onesocket;
const until = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
const told = [];
const errors = [];
console.error = (text) => errors.push(text);
const hear = (name, target) => {
  const heard = [name];
  told.push(heard);
  target.addEventListener('error', () => heard.push('error'), { once: true });
  target.addEventListener('close', ({ code }) => heard.push(`close ${code}`));
  return heard;
};
const socket = new OneSocket('/echo', [], { tier });
hear('socket', socket);
await until(socket, 'close');
const closed = connect('/echo', { tier });
const heard = hear('closed', closed);
const unsent = closed.send({});
closed.addEventListener('error', () => closed.close());
await until(closed, 'close');
heard.push(await unsent.catch(({ name }) => name));
window.client = connect('/echo', { tier });
const waiting = hear('client', client);
window.echo = until(client, 'message');
client.send('early');
for (let times = 0; times < 2; times += 1) await until(client, 'error');
waiting.push(client.status.state);
told.push(errors.filter((text) => text.startsWith('onesocket: the wasm could not be loaded')).length);
return told;";

/// At once: by then it may wait for seconds.
const WITH_WASM: &str = "
client.reconnect();
return [(await echo).data, client.status.state, client.status.dials];";

/// In number, bytes and time, as what waits for a socket.
async fn bounded_without_wasm(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let faults = site.server()?.faults();
    faults.http(CORE_WASM, HttpFault::default().status(503))?;
    let tier = json!(ctx.tier.map(Tier::name));
    let told = tab.eval_async(OVER, vec![tier]).await?;
    let expect = json!([
        ["NotSent", 10_000 * 3],
        ["NotSent", 8 * 1024 * 1024],
        ["NotSent", 0],
        "waits"
    ]);
    ensure!(told == expect, "{told}");
    faults.clear();
    let heard = tab.eval_async(IN_TIME, vec![]).await?;
    ensure!(heard == json!(["in time", 0]), "{heard}");
    Ok(())
}

const OVER: &str = "
const [tier] = arguments;
const { connect } = onesocket;
// Five minutes are too long for a test.
const { setTimeout } = self;
self.setTimeout = (act, millis) => setTimeout(act, millis === 300_000 ? 500 : millis);
const waits = () => new Promise((resolve) => setTimeout(resolve, 2000, 'waits'));
const outcome = (sent) => Promise.race([sent.then(() => 'sent', ({ name }) => name), waits()]);
const told = [];
const many = connect('/echo', { tier, codec: 'text' });
for (let count = 0; count < 10_000; count += 1) many.send('abc').catch(() => {});
told.push([await outcome(many.send('abc')), many.bufferedAmount]);
many.close();
const large = connect('/echo', { tier, codec: 'bytes' });
large.send(new Uint8Array(8 * 1024 * 1024)).catch(() => {});
told.push([await outcome(large.send(new Uint8Array(1))), large.bufferedAmount]);
large.close();
window.client = connect('/echo', { tier, codec: 'text' });
window.heard = new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data), { once: true }));
told.push([await outcome(client.send('too old')), client.bufferedAmount]);
self.setTimeout = setTimeout;
window.young = client.send('in time');
told.push(await outcome(young));
return told;";

const IN_TIME: &str = "
client.reconnect();
await young;
return [await heard, client.bufferedAmount];";

/// The class is that of Next.js with webpack; with Turbopack it does the same.
async fn relative_url(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let read = format!("return await (await fetch('{CORE}')).text()");
    let core = tab.eval_async(&read, vec![]).await?;
    let mut core = core.as_str().context("a script")?.to_owned();
    for file in ["onesocket-worker.js", "onesocket-worker_bg.wasm"] {
        let found = format!(r#"new URL("./{file}", import.meta.url)"#);
        ensure!(core.contains(&found), "{file}");
        core = core.replace(&found, &format!("new RelativeURL('/onesocket/{file}')"));
    }
    let fault = HttpFault::default().body(format!("{core}{RELATIVE_URL}"));
    let faults = site.server()?.faults();
    faults.http(CORE, fault.mime("text/javascript"))?;
    let tab = open(ctx, &site).await?;
    let told = tab.eval_async(CONNECTED, vec![]).await?;
    ensure!(told == json!(["shared", []]), "{told}");
    Ok(())
}

const RELATIVE_URL: &str = "
function RelativeURL(path) {
  const url = new URL(path, 'x:/');
  const values = {};
  for (const name in url) values[name] = url[name];
  Object.assign(values, { href: path, pathname: path.replace(/[?#].*/, ''), origin: '', protocol: '' });
  values.toString = values.toJSON = () => path;
  for (const name in values) Object.defineProperty(this, name, { enumerable: true, configurable: true, value: values[name] });
}
RelativeURL.prototype = URL.prototype;";

const CONNECTED: &str = "
const told = [];
console.error = (text) => told.push(text);
const client = onesocket.connect('/echo');
await client.send('x');
return [client.status.tier, told];";
