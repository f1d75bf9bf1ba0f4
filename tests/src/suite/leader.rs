//! A leader that goes, stands still, or is put aside.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use onesocket_server::{HttpFault, LedgerEntry, Selection};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    election::{epoch, open, role, take_leader, wait_for_successor},
    site::{POLL, Page, SOON, Site},
    unshown::PERSISTED,
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    const DEDICATED: &[Tier] = &[Tier::Dedicated];
    vec![
        Scenario {
            name: "the_next_tab_leads_when_the_leader_closes",
            tiers: DEDICATED,
            run: |ctx| Box::pin(leader_closes(ctx)),
        },
        Scenario {
            name: "the_next_tab_leads_when_the_leader_freezes",
            tiers: DEDICATED,
            run: |ctx| Box::pin(leader_freezes(ctx)),
        },
        Scenario {
            name: "a_leader_put_aside_before_its_worker_is_there_deposes_nobody",
            tiers: DEDICATED,
            run: |ctx| Box::pin(starting_leader(ctx)),
        },
        Scenario {
            name: "a_leader_put_aside_while_it_waits_for_the_worker_before_stands_again",
            tiers: DEDICATED,
            run: |ctx| Box::pin(waiting_leader(ctx)),
        },
        Scenario {
            name: "the_next_tab_leads_when_the_leader_navigates_away",
            tiers: DEDICATED,
            run: |ctx| Box::pin(leader_navigates(ctx)),
        },
        Scenario {
            name: "a_follower_takes_over_from_a_leader_that_stands_still_without_a_word",
            tiers: DEDICATED,
            run: |ctx| Box::pin(leader_stands_still(ctx)),
        },
        Scenario {
            name: "followers_that_only_listen_take_over_from_a_leader_that_stands_still_without_a_word",
            tiers: DEDICATED,
            run: |ctx| Box::pin(only_listens(ctx)),
        },
        Scenario {
            name: "leaders_that_freeze_one_after_the_other_are_no_crashes",
            tiers: DEDICATED,
            run: |ctx| Box::pin(three_freeze(ctx)),
        },
        Scenario {
            name: "what_a_leader_sends_behind_its_freeze_is_sent_when_it_goes_on",
            tiers: DEDICATED,
            run: |ctx| Box::pin(sends_behind_freeze(ctx)),
        },
        Scenario {
            name: "a_leader_that_found_no_script_when_it_went_on_starts_when_it_is_online",
            tiers: DEDICATED,
            run: |ctx| Box::pin(goes_on_offline(ctx)),
        },
        Scenario {
            name: "a_tab_that_missed_that_its_browser_is_online_stayed_without_a_worker",
            tiers: DEDICATED,
            run: |ctx| Box::pin(missed_online(ctx)),
        },
        Scenario {
            name: "a_leader_waits_for_the_end_of_the_worker_before",
            tiers: DEDICATED,
            run: |ctx| Box::pin(worker_before(ctx)),
        },
        Scenario {
            name: "a_follower_that_can_not_take_over_sends_nothing_twice",
            tiers: DEDICATED,
            run: |ctx| Box::pin(coup_is_taken(ctx)),
        },
        Scenario {
            name: "who_stood_still_while_it_took_over_was_in_the_way_of_all_others",
            tiers: DEDICATED,
            run: |ctx| Box::pin(coup_is_free_again(ctx)),
        },
    ]
}

/// Every text `SENDER:NUMBER` that was sent must be in the ledger once, a maybe at most once, and those of a sender on one socket in order.
pub(super) async fn check_arrivals(
    site: &Site<'_>,
    outcomes: &BTreeMap<String, String>,
) -> Result<()> {
    let is_sure = |text: &String| outcomes.get(text).is_some_and(|outcome| outcome == "sent");
    let sure = outcomes.keys().filter(|text| is_sure(text)).count();
    let until = Instant::now() + SOON;
    let mut ledger = site.ledger();
    while ledger.iter().filter(|entry| is_sure(&entry.text)).count() < sure
        && Instant::now() < until
    {
        sleep(POLL).await;
        ledger = site.ledger();
    }
    let mut arrived: BTreeMap<&str, u32> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for LedgerEntry { socket, text, .. } in &ledger {
        ensure!(outcomes.contains_key(text), "nobody has sent {text:?}");
        *arrived.entry(text).or_default() += 1;
        let (sender, number) = text.split_once(':').context("a sender and a number")?;
        let number: u64 = number.parse()?;
        let before = last.insert((socket, sender), number);
        ensure!(
            before.is_none_or(|before| before < number),
            "{text:?} came behind {before:?} on socket {socket}"
        );
    }
    for (text, outcome) in outcomes {
        let times = arrived.get(text.as_str()).copied().unwrap_or(0);
        let is_right = match outcome.as_str() {
            "sent" => times == 1,
            outcome => outcome.contains("may have been sent") && times <= 1,
        };
        ensure!(
            is_right,
            "{text:?} ended as {outcome:?}, and came {times} times"
        );
    }
    Ok(())
}

/// For how long a [`patient`] tab waits before it asks a worker that is silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Pages that never stop sending, and note what comes of it.
const SEND_ON: &str = "window.outcomes = {};
    window.goesOn = true;
    const sends = [];
    const one = async (text) => {
        window.outcomes[text] = await api.send('c', text);
    };
    window.stopped = (async () => {
        while (window.goesOn) {
            sends.push(one(`${arguments[0]}:${sends.length}`));
            await Promise.race([sends.at(-1), new Promise((done) => setTimeout(done, 5))]);
        }
        await one(`${arguments[0]}:${sends.length}`);
        await Promise.all(sends);
    })();";

/// Stops them, waits for what is on its way, and returns how each text has ended.
async fn settle(pages: &[Page]) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for page in pages {
        let script = "window.goesOn = false;
            await window.stopped;
            return window.outcomes;";
        let outcomes = page.tab.eval_async(script, vec![]).await?;
        let outcomes: BTreeMap<String, String> = serde_json::from_value(outcomes)?;
        all.extend(outcomes);
    }
    Ok(all)
}

async fn leader_closes(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &patient(&site.config("/ledger")), 6).await?;
    let leader = take_leader(&mut pages).await?;
    let before = epoch(&leader).await?;
    for (number, page) in pages.iter().enumerate() {
        page.tab.eval(SEND_ON, vec![json!(number)]).await?;
    }
    sleep(Duration::from_millis(200)).await;
    let since = Instant::now();
    leader.tab.close().await?;
    let took = wait_for_successor(&pages, &before, since).await?;
    ctx.note(format!(
        "five followers are connected again after {} ms, the closing included",
        took.as_millis()
    ));
    ensure!(took < SILENCE, "it took {took:?}");
    let outcomes = settle(&pages).await?;
    let sent = outcomes.values().filter(|outcome| *outcome == "sent");
    ctx.note(format!("{} of {} sent", sent.count(), outcomes.len()));
    check_arrivals(&site, &outcomes).await?;
    take_leader(&mut pages).await?;
    site.wait_for_sockets(1).await?;
    ensure!(site.server()?.stats().total.sockets_ever == 2);
    Ok(())
}

/// Chromium freezes a page when it is told to; the others have no such thing, and are told by the events alone.
async fn leader_freezes(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &patient(&site.config("/ledger")), 3).await?;
    let leader = take_leader(&mut pages).await?;
    let before = epoch(&leader).await?;
    for (number, page) in pages.iter().enumerate() {
        page.tab.eval(SEND_ON, vec![json!(number)]).await?;
    }
    let since = Instant::now();
    let is_chromium = ctx.engine() == Engine::Chromium;
    if is_chromium {
        set_lifecycle(&leader, "frozen").await?;
    } else {
        let event = "document.dispatchEvent(new Event('freeze'))";
        leader.tab.eval(event, vec![]).await?;
    }
    let took = wait_for_successor(&pages, &before, since).await?;
    ctx.note(format!(
        "two followers are connected again after {} ms",
        took.as_millis()
    ));
    ensure!(took < SILENCE, "it took {took:?}");
    let outcomes = settle(&pages).await?;
    check_arrivals(&site, &outcomes).await?;
    site.wait_for_sockets(1).await?;

    if is_chromium {
        set_lifecycle(&leader, "active").await?;
    } else {
        let event = "document.dispatchEvent(new Event('resume'))";
        leader.tab.eval(event, vec![]).await?;
    }
    wait_for_successor(core::slice::from_ref(&leader), &before, Instant::now()).await?;
    ensure!(role(&leader).await? == "follower");
    leader.send_ok("back").await?;
    site.wait_for_sockets(1).await?;
    take_leader(&mut pages).await?;
    Ok(())
}

/// By the events alone: a browser freezes no page that has just begun.
async fn starting_leader(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    let late = HttpFault::default().delay(Duration::from_secs(2));
    faults.http("/onesocket-worker.js", late)?;
    let aside = site.client("/echo").await?;
    let freeze = "document.dispatchEvent(new Event('freeze'))";
    aside.tab.eval(freeze, vec![]).await?;
    faults.clear();
    let leader = site.client("/echo").await?;
    leader.wait_for_state("connected").await?;
    ensure!(role(&leader).await? == "leader");
    let before = epoch(&leader).await?;
    let resume = "document.dispatchEvent(new Event('resume'))";
    aside.tab.eval(resume, vec![]).await?;
    aside.wait_for_state("connected").await?;
    ensure!(role(&aside).await? == "follower");
    ensure!(epoch(&leader).await? == before && epoch(&aside).await? == before);
    site.wait_for_sockets(1).await
}

/// By the events alone, as above. Who has led before seems to be there still.
async fn waiting_leader(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    page.tab.eval(PUT_ASIDE_WHILE_WAITING, vec![]).await?;
    let mut config = site.config("/echo");
    // A follower of nobody is one until then.
    config["worker"]["hello_timeout_ms"] = json!(60_000);
    page.open("c", config).await?;
    page.tab.wait_for("return window.isAside", SOON).await?;
    // Longer than it waits.
    sleep(Duration::from_millis(500)).await;
    let resume = "document.dispatchEvent(new Event('resume'))";
    page.tab.eval(resume, vec![]).await?;
    page.wait_for_state("connected").await?;
    ensure!(role(&page).await? == "leader");
    Ok(())
}

/// The hall's lock is held, and the page put aside when it is asked for.
const PUT_ASIDE_WHILE_WAITING: &str = "
const { request } = LockManager.prototype;
LockManager.prototype.request = function (name, ...rest) {
  if (name.startsWith('onesocket-hall ') && !window.isAside) {
    window.isAside = true;
    setTimeout(() => document.dispatchEvent(new Event('freeze')));
  }
  return request.call(this, name, ...rest);
};
const script = new URL('onesocket-worker.js', location.href).href;
request.call(navigator.locks, `onesocket-hall onesocket ${script}`, () => new Promise((done) => setTimeout(done, 2000)));";

async fn set_lifecycle(page: &Page, state: &str) -> Result<()> {
    let params = json!({ "state": state });
    page.tab.cdp("Page.setWebLifecycleState", params).await?;
    Ok(())
}

/// Whether or not the browser keeps the page for the back button.
async fn leader_navigates(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &site.config("/echo"), 3).await?;
    let leader = take_leader(&mut pages).await?;
    let before = epoch(&leader).await?;
    let since = Instant::now();
    let elsewhere = site.url("/?elsewhere");
    let go = "location.href = arguments[0]";
    leader.tab.eval(go, vec![json!(elsewhere)]).await?;
    let took = wait_for_successor(&pages, &before, since).await?;
    ctx.note(format!(
        "two followers are connected again after {} ms, the navigation included",
        took.as_millis()
    ));
    site.wait_for_sockets(1).await?;
    leader.tab.back().await?;
    let ready =
        "return !location.search && document.querySelector('#ready')?.textContent === 'ready'";
    leader.tab.wait_for(ready, SOON).await?;
    let is_kept = "try { return !!api.status('c') } catch { return false }";
    let is_kept = leader.tab.eval(is_kept, vec![]).await? == true;
    ctx.note(format!("the page was kept: {is_kept}"));
    if !is_kept {
        // Firefox keeps no page that holds a Web Lock, Chromium not each whose dedicated worker still closes its socket, or of which a lock is
        // still waited for when it goes.
        ensure!(ctx.engine() != Engine::WebKit, "it was not kept");
        let why = leader.tab.eval(PERSISTED, vec![]).await?.to_string();
        ctx.note(format!("why not: {why}"));
        ensure!(!why.contains("broadcastchannel"), "{why}");
        leader.open("c", site.config("/echo")).await?;
    }
    wait_for_successor(core::slice::from_ref(&leader), &before, Instant::now()).await?;
    leader.send_ok("back").await?;
    ensure!(role(&leader).await? == "follower");
    take_leader(&mut pages).await?;
    site.wait_for_sockets(1).await
}

/// Of a tab that does not notice by silence that its worker is lost, or not before others do.
fn patient(config: &Value) -> Value {
    let mut patient = config.clone();
    for timeout in ["ack_timeout_ms", "probe_timeout_ms"] {
        patient["worker"][timeout] = json!(SILENCE.as_millis() as u64);
    }
    patient
}

/// Its worker hangs, which looks the same to followers as one that the browser has frozen without telling the page.
async fn leader_stands_still(ctx: &Context) -> Result<()> {
    let site = super::healing::start(ctx).await?;
    let mut config = super::healing::config(&site);
    config["worker"]["tier"] = json!("dedicated");
    // The driver shows and hides tabs, of which the leader tells its worker. A frozen one would not, and must not notice first.
    let patient = patient(&config);
    let mut pages = open(&site, &patient, 1).await?;
    pages.extend(open(&site, &config, 3).await?);
    let leader = take_leader(&mut pages).await?;
    let before = epoch(&leader).await?;
    let hang = super::healing::Fault::Hang(Duration::from_secs(30));
    let since = super::healing::inject(&leader, hang).await?;
    pages[1].send_many("into the void ", 1).await?;
    let took = wait_for_successor(&pages, &before, since).await?;
    ctx.note(format!(
        "three followers are connected again after {} ms",
        took.as_millis()
    ));
    wait_for_successor(core::slice::from_ref(&leader), &before, since).await?;
    let ladder = leader.ladder().await?;
    ensure!(ladder["role"] == "follower", "{ladder}");
    ensure!(ladder.to_string().contains("Deposed"), "{ladder}");
    for page in pages.iter().chain([&leader]) {
        page.send_ok("after").await?;
    }
    take_leader(&mut pages).await?;
    // It is not asked to go: its socket is closed while it still loops.
    site.wait_for_sockets(1).await?;
    ensure!(
        since.elapsed() < Duration::from_secs(25),
        "it was waited for"
    );
    Ok(())
}

/// Nobody looks at another tab meanwhile, which would ask the worker at once.
async fn only_listens(ctx: &Context) -> Result<()> {
    let site = super::healing::start(ctx).await?;
    let mut config = super::healing::config(&site);
    config["worker"]["tier"] = json!("dedicated");
    let mut pages = open(&site, &config, 3).await?;
    let leader = take_leader(&mut pages).await?;
    for page in pages.iter().chain([&leader]) {
        page.tab.eval(ALWAYS_SHOWN, vec![]).await?;
    }
    let before = epoch(&leader).await?;
    let hang = super::healing::Fault::Hang(HANG);
    let since = super::healing::inject(&leader, hang).await?;
    let moved = format!("return ![null, undefined, {before}].includes(api.epoch('c'))");
    pages[0].tab.wait_for(&moved, HANG - MARGIN).await?;
    let took = wait_for_successor(&pages, &before, since).await?;
    ctx.note(format!(
        "two followers are connected again after {} ms",
        took.as_millis()
    ));
    pages.push(leader);
    take_leader(&mut pages).await?;
    site.wait_for_sockets(1).await
}

/// Much longer than it takes to notice it, which is up to 27 s.
const HANG: Duration = Duration::from_secs(60);
const MARGIN: Duration = Duration::from_secs(10);

/// Whatever the driver does with the tabs.
const ALWAYS_SHOWN: &str = "
Object.defineProperty(document, 'hidden', { get: () => false });
addEventListener('visibilitychange', (event) => event.stopImmediatePropagation(), true);";

/// By the events alone: a browser freezes no page that has just begun.
async fn three_freeze(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &site.config("/echo"), 4).await?;
    let mut frozen = Vec::new();
    for _ in 0..3 {
        let leader = take_leader(&mut pages).await?;
        let before = epoch(&leader).await?;
        let freeze = "document.dispatchEvent(new Event('freeze'))";
        leader.tab.eval(freeze, vec![]).await?;
        wait_for_successor(&pages, &before, Instant::now()).await?;
        frozen.push((leader, before));
    }
    pages[0].send_ok("from the last one").await?;
    let (first, before) = frozen.swap_remove(0);
    let resume = "document.dispatchEvent(new Event('resume'))";
    first.tab.eval(resume, vec![]).await?;
    wait_for_successor(core::slice::from_ref(&first), &before, Instant::now()).await?;
    let ladder = first.ladder().await?;
    ensure!(!ladder.to_string().contains("WorkerGone"), "{ladder}");
    ensure!(ladder["role"] == "follower", "{ladder}");
    site.wait_for_sockets(1).await
}

/// By the events alone, as above.
async fn sends_behind_freeze(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    for when in ["at once", "when its end is known"] {
        let outcome = page.tab.eval_async(SEND_BEHIND_FREEZE, vec![json!(when)]);
        let outcome = outcome.await?;
        ensure!(outcome == "sent", "{when}: {outcome}");
        page.wait_for_state("connected").await?;
    }
    Ok(())
}

const SEND_BEHIND_FREEZE: &str = "
const after = (ms) => new Promise((done) => setTimeout(done, ms));
document.dispatchEvent(new Event('freeze'));
if (arguments[0] !== 'at once') await after(50);
const sent = api.send('c', arguments[0]);
await after(500);
document.dispatchEvent(new Event('resume'));
return await sent;";

/// By the events alone, as above.
async fn goes_on_offline(ctx: &Context) -> Result<()> {
    starts_by(ctx, &["dispatchEvent(new Event('online'))"]).await
}

/// As behind a freeze, and behind a time in which the system had stopped the page.
async fn missed_online(ctx: &Context) -> Result<()> {
    let shown =
        "Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));";
    starts_by(ctx, &["document.dispatchEvent(new Event('resume'))", shown]).await
}

async fn starts_by(ctx: &Context, scripts: &[&str]) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    let faults = site.server()?.faults();
    for script in scripts {
        page.wait_for_state("connected").await?;
        faults.http("/onesocket-worker.js", HttpFault::default().status(503))?;
        for event in ["freeze", "resume"] {
            let event = format!("document.dispatchEvent(new Event('{event}'))");
            page.tab.eval(&event, vec![]).await?;
        }
        page.wait_for_state("stopped").await?;
        faults.clear();
        page.tab.eval(script, vec![]).await?;
        page.wait_for_state("connected").await?;
        page.send_ok("online").await?;
    }
    Ok(())
}

/// It holds the lock as every worker of a hall does, and ends when it is waited for.
async fn worker_before(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    let config = json!(site.config("/echo").to_string());
    page.tab
        .eval_async(START_BEHIND_WORKER, vec![config])
        .await?;
    page.wait_for_state("connected").await?;
    let order = "return window.startedAt >= window.endedAt";
    let order = page.tab.eval(order, vec![]).await?;
    ensure!(order == true, "it was there before the other had ended");
    Ok(())
}

const START_BEHIND_WORKER: &str = "
const script = new URL('onesocket-worker.js', location.href).href;
const hall = `onesocket-hall onesocket ${script}`;
window.Worker = class extends Worker {
  constructor(...args) {
    window.startedAt ??= performance.now();
    super(...args);
  }
};
const { request } = LockManager.prototype;
let end;
const ended = new Promise((resolve) => (end = resolve));
LockManager.prototype.request = function (name, ...rest) {
  if (name === hall)
    setTimeout(() => {
      window.endedAt = performance.now();
      end();
    }, 150);
  return request.call(this, name, ...rest);
};
await new Promise((isHeld) => {
  request.call(navigator.locks, hall, { mode: 'shared' }, () => (isHeld(), ended));
});
api.open('c', arguments[0]);";

/// Who takes over may stand still itself.
async fn coup_is_taken(ctx: &Context) -> Result<()> {
    let site = super::healing::start(ctx).await?;
    let mut config = super::healing::config(&site);
    config["url"] = json!("/ledger");
    config["worker"]["tier"] = json!("dedicated");
    let patient = patient(&config);
    let leader = site.client_with(patient).await?;
    leader.wait_for_state("connected").await?;
    let follower = site.client_with(config).await?;
    follower.wait_for_state("connected").await?;
    let other = site.page().await?;
    other.tab.eval_async(HOLD_COUP, vec![]).await?;

    let faults = site.server()?.faults();
    faults.refuse(1_000, 503)?;
    faults.drop_sockets(Selection::All);
    follower
        .wait_for_status("no socket", |status| status["state"] != "connected")
        .await?;
    follower.tab.eval(SEND_TWO, vec![]).await?;
    follower
        .wait_for_status("queued", |status| status["queued_messages"] == 1)
        .await?;
    let hang = super::healing::Fault::Hang(Duration::from_secs(12));
    super::healing::inject(&leader, hang).await?;
    follower.tab.eval("sendSecond()", vec![]).await?;
    faults.refuse(0, 503)?;
    let outcomes = "return Object.keys(outcomes).length === 2 && outcomes";
    let outcomes = follower.tab.wait_for(outcomes, SOON).await?;
    let outcomes = serde_json::from_value(outcomes)?;
    follower.wait_for_state("connected").await?;
    follower.send_ok("after:1").await?;
    let until = Instant::now() + SOON;
    while !site.ledger().iter().any(|entry| entry.text == "after:1") {
        ensure!(Instant::now() < until, "nothing has come");
        sleep(POLL).await;
    }
    let mut outcomes: BTreeMap<String, String> = outcomes;
    outcomes.insert("after:1".into(), "sent".into());
    check_arrivals(&site, &outcomes).await?;
    take_leader(&mut vec![leader, follower]).await?;
    site.wait_for_sockets(1).await
}

async fn coup_is_free_again(ctx: &Context) -> Result<()> {
    let site = super::healing::start(ctx).await?;
    let mut config = super::healing::config(&site);
    config["worker"]["tier"] = json!("dedicated");
    let patient = patient(&config);
    config["worker"]["hello_timeout_ms"] = json!(2_000);
    let mut pages = open(&site, &patient, 1).await?;
    pages.extend(open(&site, &config, 1).await?);
    let leader = take_leader(&mut pages).await?;
    let other = site.page().await?;
    other.tab.eval_async(HOLD_COUP, vec![]).await?;
    let before = epoch(&leader).await?;
    let hang = super::healing::Fault::Hang(Duration::from_secs(60));
    let since = super::healing::inject(&leader, hang).await?;
    pages[0].send_many("into the void ", 1).await?;
    wait_for_successor(&pages, &before, since).await?;
    pages[0].send_ok("after").await?;
    take_leader(&mut pages).await?;
    Ok(())
}

const HOLD_COUP: &str = "
const script = new URL('own-worker.js', location.href).href;
await new Promise((isHeld) => {
  navigator.locks.request(`onesocket-coup onesocket ${script}`, () => {
    isHeld();
    return new Promise(() => {});
  });
});";

/// One at once, the other when it is told to.
const SEND_TWO: &str = "
window.outcomes = {};
const one = async (text) => {
  window.outcomes[text] = await api.send('c', text);
};
window.sendSecond = () => void one('0:2');
one('0:1');";
