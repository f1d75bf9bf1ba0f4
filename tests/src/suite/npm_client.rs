//! The typed client of the npm package.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_server::Selection;
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    npm::{open, start},
    site::{PATIENCE_MS, SOON},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "npm_client_sends_asks_and_reconnects",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(client(ctx)),
        },
        Scenario {
            name: "npm_client_takes_no_harm_from_what_it_is_given",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(harmless(ctx)),
        },
        Scenario {
            name: "npm_client_bounds_what_waits_for_its_reader",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(bounded_without_reader(ctx)),
        },
        Scenario {
            name: "npm_client_that_is_slow_with_many_messages_does_not_hold_its_page",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(slow_reader(ctx)),
        },
        Scenario {
            name: "npm_client_reads_what_has_waited_in_order_and_moves_none_of_it",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(far_behind(ctx)),
        },
        Scenario {
            name: "npm_client_proves_itself_for_each_dial",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(credentials(ctx)),
        },
        Scenario {
            name: "npm_client_greets_each_socket_replaces_a_dead_one_and_answers_pings",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(greetings(ctx)),
        },
    ]
}

async fn client(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let tier = json!(ctx.tier.map(Tier::name));
    let run = async |script: &str| tab.eval_async(script, vec![tier.clone()]).await;

    let got = run(r#"
        const replyTo = (message) => message.answers;
        window.client = onesocket.connect("/echo", { tier: arguments[0], replyTo, readyAt: 15 });
        window.events = [];
        for (const type of ["open", "reconnecting", "close", "error"]) client.addEventListener(type, () => events.push(type));
        window.got = [];
        window.reading = (async () => { for await (const message of client) got.push(message); })();
        // Before there is a worker, or even the wasm.
        const sends = [client.send({ said: 1 }), client.send({ said: 2 })];
        const amounts = [client.bufferedAmount];
        await client.ready();
        amounts.push(client.bufferedAmount);
        await Promise.all(sends);
        const answer = await client.request((id) => ({ answers: id, question: "?" }));
        return [got, answer.question, client.status.state, client.status.cause, client.status.tier, events, amounts];
    "#)
    .await?;
    let expect = json!([
        [{ "said": 1 }, { "said": 2 }],
        "?",
        "connected",
        null,
        tier,
        ["open"],
        [20, 0]
    ]);
    ensure!(got == expect, "{got}");

    site.server()?.faults().drop_sockets(Selection::All);
    tab.wait_for("return events.includes('reconnecting')", SOON)
        .await?;
    run("await client.send({ said: 3 })").await?;
    tab.wait_for("return got.length === 3", SOON).await?;
    tab.eval("client.reconnect()", vec![]).await?;
    let thrice = "return events.filter((type) => type === 'open').length === 3";
    tab.wait_for(thrice, SOON).await?;

    let ended = run(r#"
        const late = client.request((id) => ({ nobody: id }), { timeout: 50 }).catch((error) => error.name);
        const names = [await late];
        const own = onesocket.connect("/echo", { codec: "bytes", share: false, tier: arguments[0] });
        const bytes = new Promise((resolve) => own.addEventListener("message", ({ data }) => resolve([...data])));
        await own.send(new Uint8Array([1, 2, 3]));
        names.push(await bytes);
        own.close();
        names.push(await own.send(new Uint8Array(1)).catch((error) => error.name));
        client.close();
        await reading;
        names.push(await client.send({}).catch((error) => error.name), client.status.state, client.status.cause, events.at(-1));
        names.push(await client.ready().catch((error) => error.name));
        const early = onesocket.connect("/echo", { tier: arguments[0] });
        const unsent = early.send({});
        // Two bytes too many, with the quotes.
        const tooLarge = early.send("x".repeat(64 * 1024 * 1024));
        names.push(early.bufferedAmount);
        early.close();
        names.push(await tooLarge.catch((error) => error.name));
        names.push(await unsent.catch((error) => error.name), early.bufferedAmount);
        names.push(await early.ready().catch((error) => error.name));
        try { onesocket.connect("ftp://x/"); } catch (error) { names.push(error.name); }
        try { onesocket.connect("/echo", { codec: "xml" }); } catch (error) { names.push(error.name); }
        return names;
    "#)
    .await?;
    let expect = json!([
        "TimeoutError",
        [1, 2, 3],
        "NotSent",
        "NotSent",
        "stopped",
        "closed by this client",
        "close",
        "NotReady",
        2,
        "NotSent",
        "NotSent",
        0,
        "NotReady",
        "SyntaxError",
        "TypeError"
    ]);
    ensure!(ended == expect, "{ended}");
    site.wait_for_sockets(0).await
}

/// What an app's own functions throw, and what can't be sent or counted, is told, and nothing else comes to a stop by it.
async fn harmless(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let told = tab
        .eval_async(HARM, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    let expect = json!([
        "error TypeError",
        "message after null",
        "another client's",
        ["undefined", "TypeError"],
        ["bigint", "TypeError"],
        ["bytes: string", "TypeError"],
        ["bytes: Blob", "TypeError"],
        ["a ping of a number", "TypeError"],
        ["no interval", "TypeError"],
        ["an interval of NaN ms", "TypeError"],
        ["an interval of 0 ms", "TypeError"],
        ["an interval of -1 ms", "TypeError"],
        ["an interval of 99 ms", "TypeError"],
        ["a deadline of NaN ms", "TypeError"],
        ["a deadline of 0 ms", "TypeError"],
        ["a deadline of 99 ms", "TypeError"],
        ["a tier", "TypeError"],
        ["a close code of HTTP", "TypeError"],
        ["a number of codes", "TypeError"],
        ["one close code", "TypeError"],
        ["a linger of no number", "TypeError"],
        ["a codec", "TypeError"],
        ["a codec of nothing", "TypeError"],
        ["a token in place of its provider", "TypeError"],
        ["a timeout of no number", "TypeError"],
        ["no options", "taken"],
        ["a build of no number", "TypeError"],
        ["encode: a text", "TypeError"],
        ["encode: a promise", "TypeError"],
        ["a greeting: a text", "TypeError"],
        "1,2",
        "named",
        "answered",
        ["dials", 1],
        "copied",
        "left",
        true,
        true,
        "message 7",
    ]);
    ensure!(told == expect, "{told}\n{expect}");
    Ok(())
}

const HARM: &str = r#"
const [tier] = arguments;
const told = [];
const { connect } = onesocket;
const next = (client, type) => new Promise((resolve) => client.addEventListener(type, resolve, { once: true }));

// It reads a field of whatever comes.
const asked = connect("/echo", { tier, replyTo: ({ answers }) => answers });
const wrong = next(asked, "error");
await asked.send(null);
told.push(`error ${(await wrong).error.name}`);
const heard = next(asked, "message");
await asked.send("after null");
told.push(`message ${(await heard).data}`);
const other = connect("/echo?other", { tier, codec: "text" });
const echoed = next(other, "message");
await other.send("another client's");
told.push((await echoed).data);

const refused = async (name, act) => told.push([name, await Promise.resolve().then(act).then(() => "taken", (error) => error.name)]);
await refused("undefined", () => asked.send(undefined));
await refused("bigint", () => asked.send(1n));
const bytes = connect("/echo?bytes", { tier, codec: "bytes" });
await refused("bytes: string", () => bytes.send("hello"));
await refused("bytes: Blob", () => bytes.send(new Blob(["abc"])));
await refused("a ping of a number", () => connect("/echo", { tier, heartbeat: { interval: 1000, ping: 7 } }));
const beats = (times) => connect("/echo", { tier, heartbeat: { ping: "ping", ...times } });
await refused("no interval", () => beats({}));
for (const interval of [NaN, 0, -1, 99]) await refused(`an interval of ${interval} ms`, () => beats({ interval }));
for (const deadline of [NaN, 0, 99]) await refused(`a deadline of ${deadline} ms`, () => beats({ interval: 1000, deadline }));
await refused("a tier", () => connect("/echo", { tier: "best" }));
await refused("a close code of HTTP", () => connect("/echo", { tier, authCodes: [4401, 401] }));
await refused("a number of codes", () => connect("/echo", { tier, fatalCodes: Array(257).fill(4000) }));
await refused("one close code", () => connect("/echo", { tier, fatalCodes: 1008 }));
await refused("a linger of no number", () => connect("/echo", { tier, linger: "2 s" }));
await refused("a codec", () => connect("/echo", { tier, codec: "constructor" }));
await refused("a codec of nothing", () => connect("/echo", { tier, codec: {} }));
await refused("a token in place of its provider", () => connect("/echo", { tier, auth: "token" }));
await refused("a timeout of no number", () => asked.request((answers) => ({ answers }), { timeout: NaN }));
await refused("no options", () => connect("/echo?out", null).logOut(null));
onesocket.configure({ build: "1.2.3" });
await refused("a build of no number", () => connect("/echo", { tier }));
onesocket.configure({ build: undefined });

// What is no `Uint8Array` would be sent as nothing, or as noughts.
const coded = (encode) => connect("/echo?coded", { tier, codec: { isText: false, encode, decode: (data) => data } });
await refused("encode: a text", () => coded(() => "abc").send(1));
await refused("encode: a promise", () => coded(async () => new Uint8Array(2)).send(1));
await refused("a greeting: a text", () => coded(() => "abc").greet(1));
const buffers = coded(() => new Uint8Array([1, 2]).buffer);
await next(buffers, "open");
const came = next(buffers, "message");
await buffers.send(1);
told.push(String((await came).data));

onesocket.configure({ name: 7 });
const named = connect("/echo?named", { tier });
await named.send(1);
told.push("named");
named.close();
onesocket.configure({ name: undefined });

// Longer than any timer.
const question = asked.request((answers) => ({ answers }), { timeout: Infinity });
await question;
told.push("answered");
const patient = connect("/echo?patient", { tier, account: 42, heartbeat: { interval: 300, deadline: Infinity, ping: "ping" }, readyAt: Infinity, linger: Infinity });
await next(patient, "open");
await new Promise((resolve) => setTimeout(resolve, 1500));
told.push(["dials", patient.status.dials]);
patient.close();

// The bytes of a greeting are taken by the call.
const greeted = connect("/echo?greeted", { tier, codec: "bytes" });
const own = new Uint8Array([1, 2]);
greeted.greet(own);
own.fill(9);
told.push(String((await next(greeted, "message")).data) === "1,2" ? "copied" : "changed");

// Somebody who reads with a timeout leaves while a message is waited for.
const reader = asked[Symbol.asyncIterator]();
const waits = reader.next();
told.push((await reader.return("left")).value, (await waits).done, (await reader.next()).done);

const last = next(bytes, "message");
await bytes.send(new Uint8Array([7]));
told.push(`message ${(await last).data}`);
return told;
"#;

async fn bounded_without_reader(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let seen = patiently(ctx, &tab, UNREAD).await?;
    let [read, missed, all] = [0, 1, 2].map(|at| seen[at].as_u64().unwrap_or_default());
    ctx.note(format!("{read} read, {missed} missed"));
    // The first is read before all that are kept have come, unless they come together.
    ensure!((64..=65).contains(&read) && read + missed == 100, "{seen}");
    // What was read makes room.
    ensure!(all == 100, "{seen}");
    Ok(())
}

/// Runs a script that may take longer than a driver waits for one.
async fn patiently(ctx: &Context, tab: &Tab, script: &str) -> Result<Value> {
    let run = format!(
        "window.seen = null;
        const run = async () => {{ {script} }};
        run().catch(String).then((seen) => (window.seen = seen));"
    );
    tab.eval(&run, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    Ok(tab.wait_for("return window.seen", MUCH).await?)
}

/// How long is waited for what moves tens of megabytes, or tens of thousands of messages.
const MUCH: Duration = Duration::from_secs(90);

/// The loop is left when the client is closed, behind what waits. For the other reader two are there when it reads the next one.
const UNREAD: &str = "
const client = onesocket.connect('/feed?count=100&size=1048576', { tier: arguments[0], codec: 'bytes' });
let [heard, missed, read] = [0, 0, 0];
client.addEventListener('message', () => (heard += 1));
client.addEventListener('lagged', (event) => (missed += event.missed));
const readAll = async () => {
  let all = 0;
  for await (const message of client) {
    all += 1;
    while (heard < Math.min(all + 2, 100)) await new Promise((more) => client.addEventListener('message', more, { once: true }));
  }
  return all;
};
const all = readAll();
for await (const message of client) {
  read += 1;
  while (heard + missed < 100) await new Promise((later) => setTimeout(later, 20));
  client.close();
}
return [read, missed, await all];";

async fn slow_reader(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let seen = tab
        .eval_async(SLOW, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    let most = seen.as_u64().context("a number")?;
    ctx.note(format!("at most {most} between two turns"));
    // 8 ms of 2 ms each; in the main tier also what is read before the browser is asked for a turn, and until it has had that.
    ensure!(most <= 32, "{most} in one turn");
    Ok(())
}

const SLOW: &str = "
const client = onesocket.connect('/feed?rate=100000&count=400&size=16', { tier: arguments[0], codec: 'bytes' });
let [read, before, most] = [0, 0, 0];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => {
  most = Math.max(most, read - before);
  before = read;
  port2.postMessage(0);
};
port2.postMessage(0);
for await (const message of client) {
  const until = performance.now() + 2;
  while (performance.now() < until);
  read += 1;
  if (read === 400) break;
}
await new Promise((done) => setTimeout(done, 20));
port1.close();
return most;";

async fn far_behind(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let seen = patiently(ctx, &tab, FAR_BEHIND).await?;
    ensure!(seen == json!([20_000, 0, 0, 0]), "{seen}");
    Ok(())
}

/// In Chromium a `shift` of an array with tens of thousands of items takes a good part of a millisecond: who was behind stayed so. Firefox's driver runs this in a realm
/// of its own, whose `shift` is not the package's: there only the order is looked at.
const FAR_BEHIND: &str = "
const client = onesocket.connect('/feed?rate=0&count=20000&size=16', { tier: arguments[0], codec: 'bytes' });
let [heard, missed, read, misplaced, moved] = [0, 0, 0, 0, 0];
client.addEventListener('message', () => (heard += 1));
client.addEventListener('lagged', (event) => (missed += event.missed));
const { shift } = Array.prototype;
Array.prototype.shift = function () {
  if (this.length > 100) moved += 1;
  return shift.call(this);
};
let first = null;
for await (const message of client) {
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  first ??= number;
  if (number !== first + read) misplaced += 1;
  read += 1;
  // Once at the beginning, and once when some of what has waited is read.
  const least = read === 1 ? 10000 : read === 5000 ? 20000 : 0;
  while (heard + missed < least) await new Promise((later) => setTimeout(later, 20));
  if (read === 20000) break;
}
Array.prototype.shift = shift;
client.close();
return [read, misplaced, missed, moved];";

/// The first token of each is good until it expires, the second from then on.
async fn credentials(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let tier = json!(ctx.tier.map(Tier::name));
    let faults = site.server()?.faults();
    for part in ["query", "url", "subprotocol", "first"] {
        let tokens = [format!("{part}-1"), format!("{part}-2")];
        for token in &tokens {
            faults.allow_token(token);
        }
        let args = vec![tier.clone(), json!(part), json!(tokens)];
        tab.eval_async(PROVE, args).await?;
        faults.expire_token(&tokens[0]);
        tab.wait_for("return opened === 2", SOON).await?;
        let proved = tab
            .eval_async(
                "return [await say('two'), asked, client.status.dials]",
                vec![],
            )
            .await?;
        ensure!(
            proved == json!(["two", [false, true], 2]),
            "{part}: {proved}"
        );
        tab.eval("client.logOut()", vec![]).await?;
        let ended = "return client.status.state === 'stopped' && said.at(-1) === 'close'";
        tab.wait_for(ended, SOON).await?;
    }

    let unproved = tab.eval_async(UNPROVED, vec![tier]).await?;
    let no_credential =
        "A credential has one of `query: [name, value]`, `url`, `subprotocol` and `firstMessage`.";
    let expect = json!([
        "no token",
        no_credential,
        no_credential,
        no_credential,
        no_credential,
        no_credential,
        "an error without a text",
        "an error without a text"
    ]);
    ensure!(unproved == expect, "{unproved}");
    Ok(())
}

const PROVE: &str = "
const [tier, part, tokens] = arguments;
const as = {
  query: (token) => ({ query: ['token', token] }),
  url: (token) => ({ url: `/auth?token=${token}` }),
  subprotocol: (token) => ({ subprotocol: `bearer.${token}` }),
  first: (token) => ({ firstMessage: `token:${token}` }),
};
window.asked = [];
window.said = [];
window.opened = 0;
const auth = async ({ refused }) => (asked.push(refused), as[part](tokens[asked.length - 1]));
window.client = onesocket.connect('/auth', { codec: 'text', account: part, tier, auth });
client.addEventListener('open', () => (window.opened += 1));
client.addEventListener('close', () => said.push('close'));
window.say = async (text) => {
  const heard = new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  await client.send(text);
  return heard;
};
if ((await say('one')) !== 'one') throw new Error('no echo');";

const UNPROVED: &str = "
const errors = [];
const token = 'token=abc';
const queries = [{ token }, token, new URLSearchParams(token), ['token', undefined]];
const malformed = [{ tokens: 1 }, ...queries.map((query) => ({ query }))].map((credential) => () => credential);
for (const auth of [() => { throw new Error('no token') }, ...malformed, () => { throw Object.create(null) }, () => { throw { message: Symbol() } }]) {
  const client = onesocket.connect('/auth', { account: `nobody ${errors.length}`, tier: arguments[0], auth });
  client.addEventListener('error', ({ message }) => errors.push(message));
  await new Promise((resolve) => client.addEventListener('status', ({ status }) => status.state === 'needs-auth' && resolve()));
  client.close();
}
return errors;";

async fn greetings(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let args = vec![json!(ctx.tier.map(Tier::name)), json!(PATIENCE_MS)];
    tab.eval(GREET, args).await?;
    let heard = async |messages: &str| {
        let script = format!(
            "if (`${{heard}}` !== '{messages}') throw new Error(`${{heard}} ${{cause}}`); return true"
        );
        tab.wait_for(&script, SOON).await
    };
    heard("hi").await?;
    let faults = site.server()?.faults();
    faults.drop_sockets(Selection::All);
    heard("hi,hi").await?;
    tab.eval("stop()", vec![]).await?;
    heard("hi,hi,bye").await?;
    // What has its place then is dropped by nobody else.
    tab.eval("client.greet('hey'); stop();", vec![]).await?;
    heard("hi,hi,bye,hey").await?;

    ensure!(faults.half_open(Selection::All) == 1);
    let replaced = "return cause.includes('heartbeat') && client.status.state === 'connected'";
    tab.wait_for(replaced, SOON).await?;
    tab.eval_async("await client.send('again')", vec![]).await?;
    // Neither pongs, nor a greeting that was dropped.
    heard("hi,hi,bye,hey,hey,again").await?;

    // What is echoed is the server's ping, and so is what it is answered with, which is a message.
    tab.eval("client.send('ping')", vec![]).await?;
    heard("hi,hi,bye,hey,hey,again,pong").await?;
    Ok(())
}

const GREET: &str = r#"
window.heard = [];
window.cause = '';
window.client = onesocket.connect('/echo', {
  tier: arguments[0],
  heartbeat: { interval: 300, deadline: arguments[1], ping: 'beat', pong: 'beat' },
  answer: { ping: '"ping"', pong: '"pong"' },
});
client.addEventListener('message', ({ data }) => heard.push(data));
client.addEventListener('reconnecting', (event) => (window.cause = event.cause));
// Before there is a socket, or even the wasm.
window.stop = client.greet('hi', 'bye');"#;
