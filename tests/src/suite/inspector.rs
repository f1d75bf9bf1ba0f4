//! The inspector, in the demo: what it shows, that it is used by the keyboard, and that it looks no more when it is closed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_protocol::log::kind;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{SOON, Site},
};
use crate::{
    browser::{Engine, Tab},
    replay::{self, NotReplayable, ReplayError, Trace},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "the_inspector_shows_tier_tabs_connections_and_frames",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(shows(ctx)),
        },
        Scenario {
            name: "the_inspector_switches_the_tier_and_shows_a_lost_connection",
            tiers: &[],
            run: |ctx| Box::pin(switches(ctx)),
        },
        Scenario {
            name: "the_inspector_looks_no_more_when_it_is_closed",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(closed(ctx)),
        },
        Scenario {
            name: "the_inspector_is_a_page_of_its_own",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(alone(ctx)),
        },
        Scenario {
            name: "the_inspector_makes_a_worker_of_a_test_build_fail",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(fails(ctx)),
        },
        Scenario {
            name: "the_inspector_is_in_the_npm_package",
            tiers: &[],
            run: |ctx| Box::pin(in_javascript(ctx)),
        },
        Scenario {
            name: "the_inspector_keeps_a_recording_that_has_ended",
            tiers: &[],
            run: |ctx| Box::pin(keeps_recording(ctx)),
        },
        Scenario {
            name: "the_inspector_keeps_little_of_many_sockets",
            tiers: &[],
            run: |ctx| Box::pin(many_sockets(ctx)),
        },
        Scenario {
            name: "the_inspector_records_what_the_native_engine_replays",
            tiers: &[Tier::Shared, Tier::Main],
            run: |ctx| Box::pin(records(ctx)),
        },
    ]
}

async fn shows(ctx: &Context) -> Result<()> {
    let (_site, url) = demo(ctx).await?;
    let tier = ctx.tier.map_or("auto", Tier::name);
    let has_peers = ctx.tier == Some(Tier::Shared);
    if has_peers {
        ctx.browser.open_tab(&format!("{url}?tier={tier}")).await?;
    }
    let page = Inspected::open(ctx, &format!("{url}?tier={tier}&inspector")).await?;
    let tabs = if has_peers { 2 } else { 1 };
    page.wait_for(&format!(
        "text('.overview').includes('Tabs{tabs}') && text('.links').includes('Connected')"
    ))
    .await?;
    page.wait_for(&format!(
        "one('[data-tier={tier}]').getAttribute('aria-pressed') === 'true'"
    ))
    .await?;
    page.wait_for("text('.ladder').includes('running')").await?;
    // The address of the room is in its query.
    ensure!(page.text(".url").await?.ends_with("/chat?room=***"));
    if has_peers {
        let word = match ctx.engine() {
            // Its driver shows all tabs, most of the time.
            Engine::WebKit => "visible|hidden",
            Engine::Chromium | Engine::Firefox => "hidden",
        };
        page.wait_for(&format!("/{word}/.test(text('.ports'))"))
            .await?;
    }

    let said = "<b>hello</b>";
    page.say(said).await?;
    page.wait_for(
        "[...all('.row')].filter((row) => row.textContent.includes('hello')).length === 2",
    )
    .await?;
    ensure!(
        page.look("return s.querySelector('.row b')")
            .await?
            .is_null(),
        "a payload was read as markup"
    );
    page.wait_for("/Received1 ·/.test(text('.links')) && /Sent1 ·/.test(text('.links'))")
        .await?;

    // By the keyboard: the last row, with its content in full.
    page.key(".rows", "End").await?;
    let content = page.text(".detail pre").await?;
    let content: Value = serde_json::from_str(&content).context("no JSON")?;
    ensure!(content["text"] == said, "{content}");

    page.fill("[type=search]", "nobody says this").await?;
    page.wait_for("one('.rows').hidden && text('.empty').includes('filter')")
        .await?;
    page.fill("[type=search]", "").await?;
    page.click_text("Pause").await?;
    page.say("in the meantime").await?;
    page.wait_for("text('.note').startsWith('Paused, 2 new')")
        .await?;
    page.click_text("Go on").await?;
    page.wait_for("text('.rows').includes('in the meantime')")
        .await?;

    page.tab.eval(DECODER, vec![]).await?;
    page.say("the other way").await?;
    page.wait_for("/said on 1: the other way/.test(text('.rows'))")
        .await?;

    // A decoder of which something else than a string came, while it was filtered by, made the page deaf.
    page.look(NO_STRINGS).await?;
    for (text, said, rows) in [
        ("[object", "an object", 2),
        ("textless", "textless", 2),
        ("[object", "another one", 4),
    ] {
        page.fill("[type=search]", text).await?;
        page.say(said).await?;
        let text = json!(text);
        page.wait_for(&format!(
            "[...all('.row')].filter((row) => row.textContent.includes({text})).length === {rows}"
        ))
        .await?;
    }

    page.key(".panel", "Escape").await?;
    ensure!(
        page.tab
            .eval(
                "return document.querySelector('onesocket-inspector')",
                vec![]
            )
            .await?
            .is_null()
    );
    Ok(())
}

async fn switches(ctx: &Context) -> Result<()> {
    let (mut site, url) = demo(ctx).await?;
    let page = Inspected::open(ctx, &format!("{url}?inspector")).await?;
    page.wait_for("text('.links').includes('Connected')")
        .await?;
    page.look("one('[data-tier=main]').click()").await?;
    page.wait_for("text('.pill') === 'running (main)' && text('.links').includes('Connected')")
        .await?;
    ensure!(page.text(".ladder").await?.contains("until it was left"));
    site.stop().await;
    page.wait_for("/Reconnecting|Connecting/.test(text('.links'))")
        .await?;
    page.wait_for(
        "one('rect[data-state=reconnecting]') !== null && text('.rows').includes('is closed')",
    )
    .await?;
    page.say("for later").await?;
    page.wait_for("/Waiting1 ·/.test(text('.links')) && text('.links').includes('oldest')")
        .await?;
    site.restart().await?;
    page.wait_for("text('.links').includes('Connected') && /Waiting0/.test(text('.links'))")
        .await?;
    Ok(())
}

/// Of another tab's connection a tab is posted nothing but what the inspector asks for, and answers whatever it is posted.
async fn closed(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    page.call("inspect", &[json!("c")]).await?;
    let page = Inspected { tab: page.tab };
    page.wait_for("text('.links').includes('Connected')")
        .await?;
    let elsewhere = site.client("/echo?elsewhere").await?;
    elsewhere.wait_for_state("connected").await?;
    page.tab.eval(POSTS, vec![]).await?;
    let posts_while_others_talk = async || {
        let before = page.tab.eval("return window.posts", vec![]).await?;
        for text in ["one", "two", "three"] {
            elsewhere.send_ok(text).await?;
            sleep(Duration::from_millis(200)).await;
        }
        let after = page.tab.eval("return window.posts", vec![]).await?;
        anyhow::Ok(after.as_u64() > before.as_u64())
    };
    let until = Instant::now() + SOON;
    while !posts_while_others_talk().await? {
        ensure!(Instant::now() < until, "it does not look");
    }
    page.key(".panel", "Escape").await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(!posts_while_others_talk().await?, "it still looks");
    Ok(())
}

/// Counts what the page posts to workers, but for what it says of a driver that shows and hides it.
const POSTS: &str = "window.posts = 0;
    addEventListener('visibilitychange', (event) => event.isTrusted && event.stopImmediatePropagation(), true);
    for (const Kind of [MessagePort, Worker]) {
        const post = Kind.prototype.postMessage;
        Kind.prototype.postMessage = function (...args) {
            window.posts += 1;
            return post.apply(this, args);
        };
    }";

async fn alone(ctx: &Context) -> Result<()> {
    let (_site, url) = demo(ctx).await?;
    let tier = ctx.tier.map_or("auto", Tier::name);
    let chat = Inspected {
        tab: ctx.browser.open_tab(&format!("{url}?tier={tier}")).await?,
    };
    chat.tab
        .wait_for(
            "return document.getElementById('status').textContent === 'connected'",
            SOON,
        )
        .await?;
    let page = Inspected::open(ctx, &format!("{url}?tier={tier}&inspector=page")).await?;
    page.wait_for("text('.ports').includes('this tab') && text('.links').includes('Connected')")
        .await?;
    chat.say("not for a tab without a channel").await?;
    page.wait_for("text('.rows').includes('text')").await?;
    ensure!(
        !page.text(".rows").await?.contains("without a channel"),
        "a payload was shown to a tab that has no channel"
    );
    Ok(())
}

async fn fails(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["script"] = json!("own-worker.js");
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    page.call("inspect", &[json!("c")]).await?;
    let inspected = Inspected {
        tab: page.tab.clone(),
    };
    inspected
        .wait_for("text('.links').includes('Connected') && text('.links').includes('1 dial')")
        .await?;
    inspected.click_text("Drop sockets").await?;
    inspected
        .wait_for("text('.links').includes('Connected') && text('.links').includes('2 dials')")
        .await?;
    Ok(())
}

async fn in_javascript(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-npm").await?;
    let tab = ctx.browser.open_tab(&site.url("/")).await?;
    let open = "const { connect } = await import('/onesocket/index.js');
        const { inspect } = await import('/onesocket/inspector.js');
        window.client = connect('/echo');
        await inspect(client);
        await client.send({ text: 'from a script' });";
    tab.eval_async(open, vec![]).await?;
    let page = Inspected { tab };
    page.wait_for("text('.links').includes('Connected')")
        .await?;
    page.wait_for("text('.rows').includes('from a script')")
        .await
}

async fn keeps_recording(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-npm").await?;
    let tab = ctx.browser.open_tab(&site.url("/")).await?;
    let script = "const { Trace, KIND } = await import('/onesocket/inspector/trace.js');
        const content = new Uint8Array(10);
        const trace = new Trace();
        const add = (count, kind) => {
            for (let n = 0; n < count; n += 1) trace.add({ at: 0, kind, id: 1, code: 0, len: 10, content });
        };
        const seen = [];
        const see = () => seen.push([trace.recorded, trace.length, trace.hasRecorded, JSON.parse(trace.export({}, () => '').split('\\n')[0]).opening]);
        const record = (count) => {
            trace.isRecording = true;
            trace.begin([content]);
            add(1, KIND.BEGINNING);
            add(count, KIND.MOMENT);
            trace.isRecording = false;
            add(6000, KIND.RECEIVED);
            see();
        };
        record(7000);
        trace.clear();
        add(1, KIND.MOMENT);
        see();
        trace.clear();
        record(99);
        trace.clear();
        add(6000, KIND.RECEIVED);
        see();
        return seen;";
    let seen = tab.eval_async(script, vec![]).await?;
    let opening = ["AAAAAAAAAAAAAA=="];
    let expect = json!([
        [7001, 7001, true, opening],
        [0, 1, true, null],
        [100, 5000, true, opening],
        [0, 5000, false, null],
    ]);
    ensure!(seen == expect, "{seen}");
    Ok(())
}

async fn many_sockets(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-npm").await?;
    let tab = ctx.browser.open_tab(&site.url("/")).await?;
    let script = "const { Model } = await import('/onesocket/inspector/model.js');
        const { KIND } = await import('/onesocket/inspector/trace.js');
        const model = new Model();
        for (let socket = 1; socket <= 9000; socket += 3) {
            // A survey shows the first of three, and then none.
            for (const id of [socket, socket + 1, socket + 2]) {
                model.onEntry({ kind: KIND.RECEIVED, id, len: 5 });
                if (id === socket) model.onLink({ id: 1, state: 'open', socket }, socket);
                if (id === socket) model.onEntry({ kind: KIND.TRANSMITTED, id, len: 2 });
                else model.onLink({ id: 1, state: 'waiting' }, socket);
            }
            model.settle(socket);
        }
        const { received, receivedBytes, sent, sentBytes } = model.countsOf(model.links.get(1));
        return [received, receivedBytes, sent, sentBytes, model.counts.size <= 1000];";
    let seen = tab.eval_async(script, vec![]).await?;
    ensure!(seen == json!([3000, 15000, 3000, 6000, true]), "{seen}");
    Ok(())
}

async fn records(ctx: &Context) -> Result<()> {
    let text = replayable(ctx).await?;
    let replayed = replay::replay(&Trace::parse(&text)?)?;
    ctx.note(format!("{replayed:?}"));
    ensure!(
        replayed.inputs > 10 && replayed.entries > 50,
        "{replayed:?}"
    );

    // An export is cut off wherever the last batch ended.
    let lines = text.lines().count();
    for kept in lines.saturating_sub(50)..lines {
        let first: Vec<&str> = text.lines().take(kept).collect();
        replay::replay(&Trace::parse(&first.join("\n"))?)
            .with_context(|| format!("the first {kept} of {lines} lines"))?;
    }

    // A worker that had dialled another way would be found out.
    let dial = format!("\"kind\":{}", kind::DIALLED);
    let line = text.lines().position(|line| line.contains(&dial));
    let line = line.context("no dial")?;
    let other: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, text)| match at == line {
            true => text.replace("\"code\":0", "\"code\":1"),
            false => text.to_owned(),
        })
        .collect();
    match replay::replay(&Trace::parse(&other.join("\n"))?) {
        Err(ReplayError::Differs(difference)) => ensure!(difference.line == line + 1),
        other => bail!("the difference was not found: {other:?}"),
    }
    Ok(())
}

/// Records a chat whose server is away for a while, and returns what is exported.
async fn replayable(ctx: &Context) -> Result<String> {
    for _ in 0..3 {
        let text = recorded(ctx).await?;
        match Trace::parse(&text).map(|trace| replay::replay(&trace)) {
            // The second knock at a worker that was slow to start came when it was recorded already: as good as another tab.
            Ok(Err(ReplayError::NotReplayable(NotReplayable::Withheld { line, .. })))
                if line < 15 =>
            {
                ctx.note("the worker was knocked at twice");
            }
            _ => return Ok(text),
        }
    }
    bail!("each worker was knocked at twice")
}

async fn recorded(ctx: &Context) -> Result<String> {
    let (mut site, url) = demo(ctx).await?;
    let tier = ctx.tier.map_or("auto", Tier::name);
    let page = record(ctx, &site, &format!("{url}?tier={tier}&inspector=record")).await?;
    page.wait_for("text('.links').includes('Connected')")
        .await?;
    page.say("before").await?;
    page.wait_for("/Received1 ·/.test(text('.links'))").await?;
    site.stop().await;
    page.wait_for("text('.links').includes('Reconnecting')")
        .await?;
    page.say("meanwhile").await?;
    page.wait_for("/Waiting1 ·/.test(text('.links'))").await?;
    site.restart().await?;
    page.wait_for("/Waiting0/.test(text('.links')) && /Sent2 ·/.test(text('.links'))")
        .await?;
    let text = page.look("return inspector.export()").await?;
    page.tab.close().await?;
    Ok(text.as_str().context("no text")?.to_owned())
}

/// Opens a page that records a worker from its first moment on. One that takes more than half a second to start has been knocked at twice, and
/// has a past then, which the panel says.
async fn record(ctx: &Context, site: &Site<'_>, url: &str) -> Result<Inspected> {
    for _ in 0..5 {
        let page = Inspected::open(ctx, url).await?;
        page.wait_for("text('.notice').includes('replay')").await?;
        let notice = page.text(".notice").await?;
        if notice.contains("can be replayed") {
            return Ok(page);
        }
        ctx.note("the worker was slow to start");
        page.tab.close().await?;
        site.wait_for_sockets(0).await?;
    }
    bail!("each worker had a past")
}

/// The demo, and its address.
pub(super) async fn demo(ctx: &Context) -> Result<(Site<'_>, String)> {
    let mut site = Site::start(ctx).await?;
    site.deploy("chat").await?;
    let url = site.url("/");
    Ok((site, url))
}

/// The demo with its inspector open.
pub(super) struct Inspected {
    pub(super) tab: Tab,
}

impl Inspected {
    pub(super) async fn open(ctx: &Context, url: &str) -> Result<Self> {
        let tab = ctx.browser.open_tab(url).await?;
        let page = Self { tab };
        page.wait_for("text('.pill').startsWith('running')").await?;
        Ok(page)
    }

    /// Runs a script in which the inspector is `inspector`, and its inside can be read.
    pub(super) async fn look(&self, script: &str) -> Result<Value> {
        let script = format!("{INSIDE}{script}");
        Ok(self.tab.eval(&script, vec![]).await?)
    }

    pub(super) async fn wait_for(&self, condition: &str) -> Result<()> {
        let script = format!(
            "{INSIDE}return {condition} || (() => {{ throw new Error(s.querySelector('.overview').innerText + '\\n' + text('.rows').slice(-600)) }})()"
        );
        self.tab
            .wait_for(&script, SOON)
            .await
            .with_context(|| condition.to_owned())?;
        Ok(())
    }

    async fn text(&self, css: &str) -> Result<String> {
        let text = self.look(&format!("return text({})", json!(css))).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    async fn click_text(&self, label: &str) -> Result<()> {
        let script = "[...all('button')].find((button) => button.textContent === LABEL).click()";
        self.look(&script.replace("LABEL", &json!(label).to_string()))
            .await?;
        Ok(())
    }

    async fn key(&self, css: &str, key: &str) -> Result<()> {
        let script =
            "one(CSS).dispatchEvent(new KeyboardEvent('keydown', { key: KEY, bubbles: true }))";
        let script = script.replace("CSS", &json!(css).to_string());
        self.look(&script.replace("KEY", &json!(key).to_string()))
            .await?;
        Ok(())
    }

    async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let script = "one(CSS).value = TEXT; one(CSS).dispatchEvent(new Event('input'))";
        let script = script.replace("CSS", &json!(css).to_string());
        self.look(&script.replace("TEXT", &json!(text).to_string()))
            .await?;
        Ok(())
    }

    /// Says something in the chat behind it.
    pub(super) async fn say(&self, text: &str) -> Result<()> {
        let say = "document.getElementById('text').value = arguments[0];
            document.getElementById('composer').requestSubmit();";
        self.tab.eval(say, vec![json!(text)]).await?;
        Ok(())
    }
}

/// As docs/inspector.md shows it.
const DECODER: &str = include_str!("inspector.js");

/// Some of what it makes has no text either.
const NO_STRINGS: &str = "inspector.decoder = (content) =>
    new TextDecoder().decode(content).includes('textless') ? Object.create(null) : {};";

const INSIDE: &str =
    "const inspector = document.querySelector('onesocket-inspector'), s = inspector.shadowRoot;
const one = (css) => s.querySelector(css), all = (css) => s.querySelectorAll(css);
const text = (css) => one(css)?.textContent ?? '';
";
