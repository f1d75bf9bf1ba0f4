//! Pages that are there and not shown: in the back-forward cache, or prerendered.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use onesocket_server::{HttpFault, Selection};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    healing::epoch,
    sharing::check_order,
    site::{POLL, Page, SOON, Site},
    tiers::SCRIPT,
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_cached_page_is_left_in_peace_and_comes_back",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(cached_page(ctx)),
        },
        Scenario {
            name: "what_waits_in_a_cached_page_is_sent_when_it_is_back",
            tiers: &[Tier::Main],
            run: |ctx| Box::pin(cached_queue(ctx)),
        },
        Scenario {
            name: "a_page_that_is_cached_while_it_starts_comes_back",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(cached_start(ctx)),
        },
        Scenario {
            name: "a_tab_whose_lock_is_stolen_while_it_starts_says_hello_again",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(stolen_lock(ctx)),
        },
        Scenario {
            name: "a_tab_whose_lock_is_stolen_while_it_runs_says_hello_again",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(stolen_from_one_that_runs(ctx)),
        },
        Scenario {
            name: "a_prerendered_page_waits_for_its_activation",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(prerendered(ctx)),
        },
    ]
}

async fn cached_page(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let stays = site.client("/chat?room=a").await?;
    stays.wait_for_state("connected").await?;
    let cached = site.client("/chat?room=a").await?;
    cached.wait_for_state("connected").await?;
    cached.send_ok("0:0").await?;
    stays.wait_for_messages("c", 1).await?;
    let away = json!(site.url("/page_log.js"));
    cached.tab.eval(LEAVE, vec![away]).await?;
    if ctx.tier == Some(Tier::Shared) {
        // The first of its last words went out. Elsewhere a browser may cut the socket before.
        stays.wait_for_messages("c", 2).await?;
    }
    if ctx.tier != Some(Tier::Dedicated) {
        site.wait_for_sockets(1).await?;
        stays
            .wait_for_status("one tab", |status| status["tabs"] == 1)
            .await?;
    }
    stays.send_ok("meanwhile").await?;
    stays
        .wait_for_event("the message", 0, |e| e["content"] == "meanwhile")
        .await?;
    let since = Instant::now();
    cached.tab.back().await?;
    cached.tab.wait_for(IS_BACK, SOON).await?;
    let persisted = cached.tab.eval(PERSISTED, vec![]).await?;
    if !was_kept(ctx, &persisted)? {
        return Ok(());
    }
    cached.wait_for_state("connected").await?;
    let back = since.elapsed();
    site.wait_for_sockets(site.sockets_for(2)).await?;
    let tabs = 3 - site.sockets_for(2);
    stays
        .wait_for_status("every tab", |status| status["tabs"] == tabs)
        .await?;
    let first = cached.tab.wait_for("return window.first", SOON).await?;
    ensure!(
        first == "sent" || first.to_string().contains("may have been sent"),
        "{first}"
    );
    // What was sent too late to leave with the page was kept.
    let second = cached.tab.wait_for("return window.second", SOON).await?;
    ensure!(second == "sent", "{second}");
    cached.send_ok("0:3").await?;
    stays
        .wait_for_event("the last", 0, |e| e["content"] == "0:3")
        .await?;
    let mut heard = stays.messages("c").await?;
    if first != "sent" && !heard.contains(&json!("0:1")) {
        ensure!(ctx.tier != Some(Tier::Shared), "{heard:?}");
        heard.insert(1, json!("0:1"));
    }
    check_order(&heard, 1, 4)?;
    stays.send_ok("welcome back").await?;
    cached
        .wait_for_event("the message", 0, |e| e["content"] == "welcome back")
        .await?;
    ctx.note(format!("connected {back:.0?} after it was shown again"));
    Ok(())
}

/// Whether a page that was left has come back from the cache, which has to be so where the browser is known to keep it.
fn was_kept(ctx: &Context, persisted: &Value) -> Result<bool> {
    match (ctx.engine(), ctx.tier) {
        // Firefox keeps no page that holds a Web Lock, and loads it anew; Chromium throws a page out whose dedicated worker still closes its socket.
        (Engine::Firefox, _) | (Engine::Chromium, Some(Tier::Dedicated)) if *persisted != true => {
            ctx.note(format!("the browser did not keep the page: {persisted}"));
            Ok(false)
        }
        _ => {
            ensure!(*persisted == true, "{persisted}");
            Ok(true)
        }
    }
}

/// No socket was there to be handed it, so it is not in doubt either. Of a worker that was terminated the page can't know.
async fn cached_queue(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    site.server()?.faults().refuse(u32::MAX, 503)?;
    site.server()?.faults().drop_sockets(Selection::All);
    page.wait_for_state("reconnecting").await?;
    let away = json!(site.url("/page_log.js"));
    page.tab.eval(QUEUE_AND_LEAVE, vec![away]).await?;
    page.tab.wait_for(IS_AWAY, SOON).await?;
    site.server()?.faults().clear();
    page.tab.back().await?;
    page.tab.wait_for(IS_BACK, SOON).await?;
    let persisted = page.tab.eval(PERSISTED, vec![]).await?;
    if !was_kept(ctx, &persisted)? {
        // A page that is loaded anew has sent nothing.
        return Ok(());
    }
    page.wait_for_state("connected").await?;
    let outcomes = page
        .tab
        .wait_for("return window.outcomes.length === 3 && outcomes", SOON);
    ensure!(outcomes.await? == json!(["sent", "sent", "sent"]));
    page.wait_for_messages("c", 3).await?;
    ensure!(page.messages("c").await? == ["1", "2", "3"].map(|text| json!(text)));
    Ok(())
}

/// The worker is late, so that its page is away when it reads the hello, or back by then.
async fn cached_start(ctx: &Context) -> Result<()> {
    for stay in [Duration::from_millis(100), Duration::from_secs(3)] {
        let site = Site::start(ctx).await?;
        let late = HttpFault::default().delay(Duration::from_secs(2));
        let wasm = "/onesocket-worker_bg.wasm";
        site.server()?.faults().http(wasm, late)?;
        let page = site.client("/echo").await?;
        sleep(Duration::from_millis(300)).await;
        let away = json!(site.url("/page_log.js"));
        page.tab.eval(JUST_LEAVE, vec![away]).await?;
        page.tab.wait_for(IS_AWAY, SOON).await?;
        sleep(stay).await;
        page.tab.back().await?;
        page.tab.wait_for(IS_BACK, SOON).await?;
        let persisted = page.tab.eval(PERSISTED, vec![]).await?;
        if !was_kept(ctx, &persisted)? {
            return Ok(());
        }
        expect_unharmed(&page).await?;
        ctx.browser.close_tabs().await?;
    }
    Ok(())
}

/// It is connected and sends, and no worker was taken for lost.
async fn expect_unharmed(page: &Page) -> Result<()> {
    page.wait_for_state("connected").await?;
    page.send_ok("here").await?;
    page.wait_for_messages("c", 1).await?;
    let ladder = page.ladder().await?.to_string();
    let is_lost = |word: &&str| ladder.contains(*word);
    let lost = ["HelloTimeout", "Unresponsive", "Gone", "CrashLoop"].iter();
    ensure!(lost.copied().find(is_lost).is_none(), "{ladder}");
    Ok(())
}

/// As WebKit releases it when a page goes into the cache, and whoever calls itself a thief anywhere.
async fn stolen_lock(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let late = HttpFault::default().delay(Duration::from_secs(2));
    site.server()?.faults().http(SCRIPT, late)?;
    let page = site.client("/echo").await?;
    let stolen = page.tab.eval_async(STEAL, vec![]).await?;
    ensure!(stolen == 1, "{stolen} locks of tabs");
    expect_unharmed(&page).await?;
    let held = page
        .tab
        .eval_async("return (await tabLocks()).length", vec![]);
    let held = held.await?;
    ensure!(held == 1, "{held} locks of tabs");
    Ok(())
}

/// The worker takes the tab for gone.
async fn stolen_from_one_that_runs(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The first one leads where there is one to lead.
    let (other, robbed) = (site.client("/echo").await?, site.client("/echo").await?);
    for page in [&other, &robbed] {
        page.wait_for_state("connected").await?;
    }
    let run = epoch(&other).await?;
    let stolen = robbed.tab.eval_async(STEAL_OWN, vec![]).await?;
    ensure!(stolen == 1, "{stolen} locks of this tab");
    let has_another = "const { held } = await navigator.locks.query();
        return held.filter(({ name }) => name.startsWith('onesocket-tab-')).length === 2";
    let until = Instant::now() + SOON;
    while other.tab.eval_async(has_another, vec![]).await? != true {
        ensure!(Instant::now() < until, "it holds no lock");
        sleep(POLL).await;
    }
    while robbed.call("ping", &[json!("c")]).await? != "pong" {
        ensure!(Instant::now() < until, "it has no worker");
        sleep(POLL).await;
    }
    other.send_ok("of another tab").await?;
    robbed.wait_for_messages("c", 1).await?;
    for page in [&other, &robbed] {
        ensure!(epoch(page).await? == run, "another worker");
    }
    let ladder = robbed.ladder().await?.to_string();
    ensure!(!ladder.contains("Failed"), "{ladder}");
    robbed.send_ok("of its own").await?;
    site.wait_for_sockets(site.sockets_for(2)).await
}

const STEAL_OWN: &str = "
const query = async () => (await navigator.locks.query()).held;
const who = async () => (await query()).find(({ name }) => name === 'own').clientId;
const own = await navigator.locks.request('own', who);
const locks = (await query()).filter(({ name, clientId }) => name.startsWith('onesocket-tab-') && clientId === own);
for (const { name } of locks) await navigator.locks.request(name, { steal: true }, () => {});
return locks.length;";

const STEAL: &str = "
window.tabLocks = async () => (await navigator.locks.query()).held.filter(({ name }) => name.startsWith('onesocket-tab-'));
let locks = [];
while (locks.length === 0) {
  // The hello follows the lock at once: it is on its way when this comes to find the lock.
  await new Promise((done) => setTimeout(done, 20));
  locks = await tabLocks();
}
for (const { name } of locks) await navigator.locks.request(name, { steal: true }, () => {});
return locks.length;";

/// In a tab that no driver looks into: Chromium prerenders nothing for one. What comes of it the page tells another tab.
async fn prerendered(ctx: &Context) -> Result<()> {
    if ctx.engine() != Engine::Chromium {
        ctx.note("the engine prerenders no page".to_owned());
        return Ok(());
    }
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["hello_timeout_ms"] = json!(1000);
    let shown = SHOWN.replace("CONFIG", &json!(config.to_string()).to_string());
    for (path, html) in [("/before.html", BEFORE), ("/shown.html", &shown)] {
        let fault = HttpFault::default().body(html).mime("text/html");
        let own = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";
        site.server()?.faults().http(path, fault.csp(own))?;
    }
    let listens = site.page().await?;
    listens.tab.eval(LISTEN, vec![]).await?;
    let told = listens.tab.wait_for("return window.told", SOON).await?;
    ensure!(told["began"] == true, "it was not prerendered: {told}");
    ensure!(told["outcome"] == "sent", "{told}");
    ensure!(!told["ladder"].to_string().contains("Failed"), "{told}");
    Ok(())
}

const LISTEN: &str = "
new BroadcastChannel('told').onmessage = ({ data }) => (window.told = data);
open('before.html', '_blank', 'noopener');";

/// The page that is left for the prerendered one, after longer than a worker is waited for.
const BEFORE: &str = r#"<!doctype html>
<script type="speculationrules">{ "prerender": [{ "source": "list", "urls": ["shown.html"] }] }</script>
<script>setTimeout(() => (location.href = "shown.html"), 3000);</script>"#;

/// It starts its client before it is shown.
const SHOWN: &str = r#"<!doctype html><p id="ready"></p>
<script type="module">
const began = document.prerendering;
const { default: init, ...api } = await import("./page.js");
await init();
api.open("c", CONFIG);
const outcome = await api.send("c", "here");
new BroadcastChannel("told").postMessage({ began, outcome, ladder: api.ladder("c") });
</script>"#;

const JUST_LEAVE: &str = "
addEventListener('pageshow', (event) => (window.persisted = event.persisted));
location.href = arguments[0];";

/// To go back while the next page still comes is to go nowhere.
const IS_AWAY: &str =
    "return !document.querySelector('#ready') && document.readyState === 'complete'";

const IS_BACK: &str = "return document.querySelector('#ready')?.textContent === 'ready'";

/// The messages are with the loop for a while before the page goes.
const QUEUE_AND_LEAVE: &str = "
window.outcomes = [];
addEventListener('pageshow', (event) => (window.persisted = event.persisted));
for (const text of ['1', '2', '3']) api.send('c', text).then((outcome) => outcomes.push(outcome));
setTimeout(() => location.assign(arguments[0]), 300);";

/// Whether the page comes from the cache; if not, what Chromium says about that.
pub(super) const PERSISTED: &str = "
const [{ notRestoredReasons }] = performance.getEntriesByType('navigation');
return window.persisted ?? JSON.parse(JSON.stringify(notRestoredReasons ?? null));";

/// Leaves the page, with last words before the library knows of it and after.
const LEAVE: &str = "
const note = (name) => (outcome) => (window[name] = outcome);
addEventListener('pagehide', () => api.send('c', '0:2').then(note('second')));
addEventListener('pageshow', (event) => (window.persisted = event.persisted));
api.send('c', '0:1').then(note('first'));
location.href = arguments[0];";
