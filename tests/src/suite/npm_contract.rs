//! What the types of the npm package promise: outcomes, and what options do.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{HttpFault, Selection};
use serde_json::json;

use super::{
    Context, Scenario, Tier,
    npm::{open, start},
    site::SOON,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "npm_client_says_what_a_lost_worker_may_have_sent",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(maybe_sent(ctx)),
        },
        Scenario {
            name: "npm_client_that_joins_is_told_what_is_replayed",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(replayed(ctx)),
        },
        Scenario {
            name: "npm_client_pauses_by_a_close_code_of_its_own_for_another_credential",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(refused(ctx)),
        },
        Scenario {
            name: "npm_requests_of_two_tabs_have_their_own_answers",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(own_answers(ctx)),
        },
        Scenario {
            name: "npm_client_that_is_closed_rejects_its_requests",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(unanswered(ctx)),
        },
    ]
}

/// The worker hangs when it is given the message, so it can't have said what became of it when it is ended.
async fn maybe_sent(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let read = format!("return await (await fetch('{WORKER}')).text()");
    let script = tab.eval_async(&read, vec![]).await?;
    let script = script.as_str().context("a script")?;
    let fault = HttpFault::default().body(format!("{HANGS}{script}"));
    let faults = site.server()?.faults();
    faults.http(WORKER, fault.mime("text/javascript"))?;
    let outcomes = tab.eval_async(IN_FLIGHT, vec![]).await?;
    ensure!(
        outcomes == json!(["sent", "MaybeSent", "sent"]),
        "{outcomes}"
    );
    Ok(())
}

const WORKER: &str = "/onesocket/onesocket-worker.js";

const HANGS: &str = "{
  const channel = new BroadcastChannel('hang');
  channel.onmessage = () => {
    channel.postMessage('hangs');
    for (;;);
  };
}
";

const IN_FLIGHT: &str = "
const workers = [];
const { Worker } = window;
window.Worker = class extends Worker {
  constructor(...how) {
    super(...how);
    workers.push(this);
  }
};
const client = onesocket.connect('/echo', { tier: 'dedicated' });
const send = (message) => client.send(message).then(() => 'sent', ({ name }) => name);
const outcomes = [await send('before')];
const channel = new BroadcastChannel('hang');
const hangs = new Promise((resolve) => (channel.onmessage = resolve));
channel.postMessage('hang');
await hangs;
const inFlight = send('in flight');
await new Promise((later) => setTimeout(later));
for (const worker of workers) worker.terminate();
return [...outcomes, await inFlight, await send('after')];";

async fn replayed(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tier = || vec![json!(ctx.tier.map(Tier::name))];
    let first = open(ctx, &site).await?;
    first.eval(REPLAY, tier()).await?;
    first
        .eval(
            "for (const text of ['a', 'b', 'c']) client.send(text);",
            vec![],
        )
        .await?;
    first.wait_for("return heard.length === 3", SOON).await?;
    let second = open(ctx, &site).await?;
    second.eval(REPLAY, tier()).await?;
    second.wait_for("return heard.length === 2", SOON).await?;
    second.eval("client.send('d')", vec![]).await?;
    let is_last = "return heard.at(-1)?.[0] === 'd' && heard";
    let heard = second.wait_for(is_last, SOON).await?;
    ensure!(
        heard == json!([["b", true], ["c", true], ["d", false]]),
        "{heard}"
    );
    let heard = first.wait_for(is_last, SOON).await?;
    let live = ["a", "b", "c", "d"].map(|text| (text, false));
    ensure!(heard == json!(live), "{heard}");
    Ok(())
}

const REPLAY: &str = "
window.heard = [];
window.client = onesocket.connect('/echo', { codec: 'text', replay: 2, tier: arguments[0] });
client.addEventListener('message', ({ data, replayed }) => heard.push([data, replayed]));";

async fn refused(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    let faults = site.server()?.faults();
    for token in ["one", "two"] {
        faults.allow_token(token);
    }
    tab.eval_async(FIRST_TOKEN, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    ensure!(faults.close(Selection::All, 4403, "not this one")? == 1);
    tab.wait_for("return client.status.state === 'needs-auth'", SOON)
        .await?;
    let seen = tab.eval_async(SECOND_TOKEN, vec![]).await?;
    ensure!(seen == json!(["two", [false, true, true], 2, 0]), "{seen}");
    Ok(())
}

const FIRST_TOKEN: &str = "
window.asked = [];
window.token = 'one';
window.ends = 0;
const auth = ({ refused }) => {
  asked.push(refused);
  const credential = token && { query: ['token', token] };
  window.token = null;
  return credential;
};
window.client = onesocket.connect('/auth', { codec: 'text', authCodes: [4403], auth, tier: arguments[0] });
client.addEventListener('close', () => (window.ends += 1));
window.echo = async (text) => {
  const heard = new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  await client.send(text);
  return heard;
};
await echo('one');";

const SECOND_TOKEN: &str = "
window.token = 'two';
client.reconnect();
return [await echo('two'), asked, client.status.dials, ends];";

/// Both wait by the time in which the first answer comes, and hear both answers.
async fn own_answers(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tabs = [open(ctx, &site).await?, open(ctx, &site).await?];
    for tab in &tabs {
        let args = vec![json!(ctx.tier.map(Tier::name))];
        tab.eval_async(CONNECT_TO_ASK, args).await?;
    }
    ensure!(site.sockets_open()? == 1);
    let faults = site.server()?.faults();
    // No answer leaves before both have asked.
    faults.delay(Duration::from_secs(60))?;
    for (tab, who) in tabs.iter().zip(["first", "second"]) {
        tab.eval(ASK, vec![json!(who)]).await?;
    }
    site.wait_for_frames(2).await?;
    faults.delay(Duration::ZERO)?;
    for (tab, who) in tabs.iter().zip(["first", "second"]) {
        let answer = tab.eval_async("return await answer", vec![]).await?;
        ensure!(answer == *who, "{who}: {answer}");
    }
    Ok(())
}

const CONNECT_TO_ASK: &str = "
const replyTo = ({ answers }) => answers;
window.client = onesocket.connect('/echo', { replyTo, tier: arguments[0] });
await new Promise((resolve) => client.addEventListener('open', resolve, { once: true }));";

const ASK: &str = "
const [who] = arguments;
window.answer = client.request((answers) => ({ answers, who })).then(({ who }) => who);";

async fn unanswered(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let tab = open(ctx, &site).await?;
    tab.eval(UNANSWERED, vec![json!(ctx.tier.map(Tier::name))])
        .await?;
    // What was not sent would be rejected as such.
    site.wait_for_frames(1).await?;
    let sent = "return client.bufferedAmount === 0";
    tab.wait_for(sent, SOON).await?;
    tab.eval("client.close()", vec![]).await?;
    let rejected = tab.wait_for("return rejected", SOON).await?;
    ensure!(
        rejected == json!(["Error", "closed by this client"]),
        "{rejected}"
    );
    Ok(())
}

const UNANSWERED: &str = "
window.rejected = null;
window.client = onesocket.connect('/sink', { replyTo: ({ answers }) => answers, tier: arguments[0] });
client.request((answers) => ({ answers })).catch(({ name, message }) => (window.rejected = [name, message]));";
