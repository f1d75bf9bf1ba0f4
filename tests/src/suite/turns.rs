//! An app that is behind with what has come: what its worker does meanwhile, and what becomes of the turn that the page waits for.

use std::time::Instant;

use anyhow::{Result, ensure};
use onesocket_server::{HttpFault, InjectedFrame, Selection};
use serde_json::json;
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier, npm,
    site::{POLL, Page, SOON, Site},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_worker_posts_no_more_to_an_app_that_is_behind",
            // In the main tier nothing is posted that a script could count.
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(withholds(ctx)),
        },
        Scenario {
            name: "a_turn_that_the_browser_has_lost_with_a_page_in_its_cache_is_asked_for_again",
            // In the main tier the way to the worker asks for turns, too.
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(lost_turn(ctx)),
        },
        Scenario {
            name: "a_client_whose_last_word_is_told_in_a_turn_is_let_go_of",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(last_word(ctx)),
        },
        Scenario {
            name: "npm_one_socket_of_a_page_that_lags_ends",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(lags(ctx)),
        },
    ]
}

const HEARS: [&str; 2] = ["stream", "listener"];

async fn withholds(ctx: &Context) -> Result<()> {
    for hears in HEARS {
        let site = Site::start(ctx).await?;
        let page = busy_page(&site, hears).await?;
        inject(&site, BURST)?;
        page.wait_for_messages("c", BURST).await?;
        let told = "return { arrived, posts, behind }";
        let told = page.tab.eval(told, vec![]).await?;
        ctx.note(format!("{hears}: {told}"));
        ensure!(
            told["arrived"] == BURST && told["behind"] == 0,
            "{hears}: {told}"
        );
    }
    Ok(())
}

/// The script takes away what a browser may lose. By the events alone, which every browser can be told.
async fn lost_turn(ctx: &Context) -> Result<()> {
    for hears in HEARS {
        let site = Site::start(ctx).await?;
        let page = page_without_turns(&site, hears).await?;
        page.tab.eval(CACHED_AND_BACK, vec![]).await?;
        page.send_ok("after").await?;
        page.wait_for_event("the message", 0, |event| event["content"] == "after")
            .await?;
    }
    Ok(())
}

const CACHED_AND_BACK: &str = "
window.takes = false;
for (const event of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(event, { persisted: true }));";

/// Its log-out would be waited for longer than this waits.
async fn last_word(ctx: &Context) -> Result<()> {
    for hears in HEARS {
        let site = Site::start(ctx).await?;
        let page = page_without_turns(&site, hears).await?;
        page.tab.eval(LOG_OUT, vec![]).await?;
        site.wait_for_sockets(0).await?;
        // The worker has told of it, or is about to.
        page.tab.wait_for("return posts > before", SOON).await?;
        page.tab.eval_async(GIVE_BACK, vec![]).await?;
        page.tab.eval_async(UNTIL_LET_GO, vec![]).await?;
    }
    Ok(())
}

const LOG_OUT: &str = "
window.before = posts;
api.log_out('c');
api.drop_client('c');";

const GIVE_BACK: &str = "
window.takes = false;
await new Promise((later) => setTimeout(later, 300));
for (const give of taken) give();";

/// A tab that is let go of has no lock any more.
const UNTIL_LET_GO: &str = "
const holds = async () => (await navigator.locks.query()).held.some(({ name }) => name.startsWith('onesocket-tab-'));
while (await holds()) await new Promise((later) => setTimeout(later, 50));";

/// A page that is busy would keep the worker's socket busy in some browsers: it is what the worker posts that is held back.
async fn lags(ctx: &Context) -> Result<()> {
    let site = npm::start(ctx).await?;
    let tab = npm::open(ctx, &site).await?;
    add_script(&site, &tab, HOLD_BACK).await?;
    let args = vec![json!(ctx.tier.map(Tier::name))];
    tab.eval_async(OPEN_AND_HOLD, args).await?;
    let server = site.server()?;
    for _ in 0..LAG_MIB {
        let frame = InjectedFrame::Binary(vec![0; 1024 * 1024]);
        server.faults().inject(Selection::All, frame);
    }
    let until = Instant::now() + SOON;
    while server.stats().total.frames_out < LAG_MIB {
        ensure!(Instant::now() < until, "{:?}", server.stats().total);
        sleep(POLL).await;
    }
    let goes_on = "window.holds = false; for (const tell of held) tell();";
    tab.eval(goes_on, vec![]).await?;
    let ended = tab.wait_for("return window.ended", SOON).await?;
    ensure!(ended == json!([1006, "", false]), "{ended}");
    Ok(())
}

/// Enough for the worker's cap, and what is on its way.
const LAG_MIB: u64 = 100;

const HOLD_BACK: &str = "{
Object.assign(window, { holds: false, held: [] });
const { addEventListener } = EventTarget.prototype;
EventTarget.prototype.addEventListener = function (type, callback, ...rest) {
  const later = (event) => (holds ? held.push(() => callback(event)) : callback(event));
  const isPort = this instanceof MessagePort || this instanceof Worker;
  return addEventListener.call(this, type, type === 'message' && isPort ? later : callback, ...rest);
};
}";

const OPEN_AND_HOLD: &str = "
window.socket = new onesocket.OneSocket('/echo', [], { share: true, tier: arguments[0] });
socket.onclose = ({ code, reason, wasClean }) => (window.ended = [code, reason, wasClean]);
await new Promise((resolve) => (socket.onopen = resolve));
window.holds = true;";

async fn busy_page(site: &Site<'_>, hears: &str) -> Result<Page> {
    let mut config = site.config("/echo");
    config["hears"] = json!(hears);
    config["busy_ms"] = json!(2);
    let page = site.page().await?;
    add_script(site, &page.tab, LOOK).await?;
    page.open("c", config).await?;
    page.wait_for_state("connected").await?;
    page.tab
        .eval("window.base = api.heard('c')", vec![])
        .await?;
    Ok(page)
}

/// Of the page's own: what a driver runs can't change what a page in Firefox finds.
async fn add_script(site: &Site<'_>, tab: &Tab, script: &str) -> Result<()> {
    let fault = HttpFault::default().body(script).mime("text/javascript");
    site.server()?.faults().http("/added.js", fault)?;
    tab.eval_async(ADD, vec![json!(site.url("/added.js"))])
        .await?;
    Ok(())
}

const ADD: &str = "
const script = Object.assign(document.createElement('script'), { src: arguments[0] });
await new Promise((resolve, reject) => {
  Object.assign(script, { onload: resolve, onerror: reject });
  document.head.append(script);
});";

/// It waits for a turn that does not come.
async fn page_without_turns(site: &Site<'_>, hears: &str) -> Result<Page> {
    let page = busy_page(site, hears).await?;
    page.tab.eval("window.takes = true", vec![]).await?;
    inject(site, BURST)?;
    page.tab.wait_for("return taken.length > 0", SOON).await?;
    Ok(page)
}

fn inject(site: &Site<'_>, count: usize) -> Result<()> {
    let faults = site.server()?.faults();
    for number in 0..count {
        let frame = InjectedFrame::Text(format!("needle {number}"));
        faults.inject(Selection::All, frame);
    }
    Ok(())
}

const BURST: usize = 400;

/// Counts what is posted to this page, and of how much of that the app is behind when more comes. It can take turns away: they are what a page posts to
/// itself.
const LOOK: &str = "{
Object.assign(window, { arrived: 0, posts: 0, behind: 0, takes: false, taken: [] });
const { addEventListener } = EventTarget.prototype;
const look = ({ data }) => {
  const [frame] = [data].flat();
  if (window.base === undefined || !frame?.byteLength) return;
  const text = new TextDecoder('latin1').decode(frame);
  posts += 1;
  if (arrived > 0 && window.before === undefined) behind = Math.max(behind, base + arrived - api.heard('c'));
  arrived += text.split('needle').length - 1;
};
EventTarget.prototype.addEventListener = function (type, ...rest) {
  if (type === 'message') addEventListener.call(this, type, look);
  return addEventListener.call(this, type, ...rest);
};
const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (...args) {
  if (takes && args[0] === null) taken.push(() => postMessage.apply(this, args));
  else postMessage.apply(this, args);
};
}";
