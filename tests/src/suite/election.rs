//! Tabs without a SharedWorker: one of them leads, the others are with its dedicated worker.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::{join_all, try_join_all};
use onesocket_server::{HttpFault, LedgerEntry};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    sharing::check_order,
    site::{POLL, Page, SOON, Site},
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    const DEDICATED: &[Tier] = &[Tier::Dedicated];
    vec![
        Scenario {
            name: "six_tabs_elect_one_worker_with_one_socket",
            tiers: DEDICATED,
            run: |ctx| Box::pin(six_tabs(ctx)),
        },
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
            name: "what_a_worker_has_sent_unread_by_the_page_that_ends_it_is_not_sent_again",
            tiers: DEDICATED,
            run: |ctx| Box::pin(ended_unread(ctx, "once")),
        },
        Scenario {
            name: "what_must_arrive_and_is_unread_by_the_page_that_ends_its_worker_is_sent_again",
            tiers: DEDICATED,
            run: |ctx| Box::pin(ended_unread(ctx, "at-least-once")),
        },
        Scenario {
            name: "followers_of_two_accounts_hear_their_own",
            tiers: DEDICATED,
            run: |ctx| Box::pin(two_accounts(ctx)),
        },
        Scenario {
            name: "a_follower_sends_and_receives_a_mebibyte",
            tiers: DEDICATED,
            run: |ctx| Box::pin(mebibyte(ctx)),
        },
        Scenario {
            name: "a_follower_reads_the_log_of_the_leaders_worker",
            tiers: DEDICATED,
            run: |ctx| Box::pin(log(ctx)),
        },
        Scenario {
            name: "garbage_in_the_hall_harms_nobody",
            tiers: DEDICATED,
            run: |ctx| Box::pin(garbage(ctx)),
        },
        Scenario {
            name: "tabs_that_can_elect_nobody_have_sockets_of_their_own",
            tiers: &[],
            run: |ctx| Box::pin(alone(ctx)),
        },
    ]
}

async fn open(site: &Site<'_>, config: &Value, count: usize) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for _ in 0..count {
        let page = site.client_with(config.clone()).await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    Ok(pages)
}

async fn role(page: &Page) -> Result<String> {
    let ladder = page.ladder().await?;
    Ok(ladder["role"].as_str().unwrap_or_default().to_owned())
}

/// Takes the one page that leads out of these.
async fn take_leader(pages: &mut Vec<Page>) -> Result<Page> {
    let roles = try_join_all(pages.iter().map(role)).await?;
    let leaders = roles.iter().filter(|role| *role == "leader").count();
    ensure!(leaders == 1, "{roles:?}");
    let followers = roles.iter().filter(|role| *role == "follower").count();
    ensure!(followers + 1 == pages.len(), "{roles:?}");
    let at = roles.iter().position(|role| role == "leader");
    Ok(pages.remove(at.context("a leader")?))
}

async fn epoch(page: &Page) -> Result<Value> {
    page.call("epoch", &[json!("c")]).await
}

/// Waits until all pages are connected by one other worker than before, with one leader among them.
async fn wait_for_successor(pages: &[Page], before: &Value, since: Instant) -> Result<Duration> {
    let moved = "const epoch = api.epoch('c');
        return epoch && epoch !== arguments[0] && JSON.parse(api.status('c')).state === 'connected'";
    for page in pages {
        let until = Instant::now() + SOON;
        while page.tab.eval(moved, vec![before.clone()]).await? != true {
            let ladder = page.ladder().await?;
            ensure!(Instant::now() < until, "not moved: {}", ladder["text"]);
            sleep(POLL).await;
        }
    }
    let took = since.elapsed();
    let epochs = try_join_all(pages.iter().map(epoch)).await?;
    ensure!(
        epochs.iter().all(|epoch| *epoch == epochs[0]),
        "two workers: {epochs:?}"
    );
    Ok(took)
}

async fn six_tabs(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &site.config("/chat?room=a"), 6).await?;
    let total = site.server()?.stats().total;
    ensure!(
        (total.sockets_open, total.sockets_ever) == (1, 1),
        "{} sockets, {} ever",
        total.sockets_open,
        total.sockets_ever
    );
    let sends = pages.iter().enumerate().map(|(number, page)| {
        let args = [json!("c"), json!(format!("{number}:")), json!(100)];
        async move { page.call("send_all", &args).await }
    });
    for outcomes in try_join_all(sends).await? {
        ensure!(outcomes == r#"{"sent":100}"#, "{outcomes}");
    }
    let mut orders = Vec::new();
    for page in &pages {
        let heard = page.wait_for_messages("c", 600).await?;
        ensure!(heard.len() == 600, "{} messages", heard.len());
        check_order(&heard, 6, 100)?;
        orders.push(heard);
    }
    ensure!(
        orders.iter().all(|order| *order == orders[0]),
        "the tabs disagree about the order"
    );
    let leader = take_leader(&mut pages).await?;
    leader
        .wait_for_status("six tabs", |status| status["tabs"] == 6)
        .await?;
    // Nothing but its lock tells that a follower is gone.
    for follower in pages {
        follower.tab.close().await?;
    }
    leader
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    ensure!(site.server()?.stats().total.sockets_ever == 1);
    Ok(())
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

/// Less than it takes to find out by silence (5 s until the worker is asked, 3 s for its answer, 1 s of lease).
const AT_ONCE: Duration = Duration::from_secs(6);

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
    let mut pages = open(&site, &site.config("/ledger"), 6).await?;
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
    ensure!(took < AT_ONCE, "it took {took:?}");
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
    let mut pages = open(&site, &site.config("/ledger"), 3).await?;
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
    ensure!(took < AT_ONCE, "it took {took:?}");
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
    let since = Instant::now();
    page.open("c", site.config("/echo")).await?;
    page.tab.wait_for("return window.isAside", SOON).await?;
    // Longer than it waits.
    sleep(Duration::from_millis(500)).await;
    let resume = "document.dispatchEvent(new Event('resume'))";
    page.tab.eval(resume, vec![]).await?;
    page.wait_for_state("connected").await?;
    ensure!(role(&page).await? == "leader");
    ensure!(since.elapsed() < AT_ONCE, "it took {:?}", since.elapsed());
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
    // Firefox keeps no page that holds a Web Lock.
    ensure!(
        is_kept || ctx.engine() == Engine::Firefox,
        "it was not kept"
    );
    if !is_kept {
        leader.open("c", site.config("/echo")).await?;
    }
    wait_for_successor(core::slice::from_ref(&leader), &before, Instant::now()).await?;
    leader.send_ok("back").await?;
    ensure!(role(&leader).await? == "follower");
    take_leader(&mut pages).await?;
    site.wait_for_sockets(1).await
}

/// Its worker hangs, which looks the same to followers as one that the browser has frozen without telling the page.
async fn leader_stands_still(ctx: &Context) -> Result<()> {
    let site = super::healing::start(ctx).await?;
    let mut config = super::healing::config(&site);
    config["worker"]["tier"] = json!("dedicated");
    let mut patient = config.clone();
    // The driver shows and hides tabs, of which the leader tells its worker. A frozen one would not, and must not notice first.
    patient["worker"]["ack_timeout_ms"] = json!(60_000);
    patient["worker"]["probe_timeout_ms"] = json!(60_000);
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

/// What has come from a dedicated worker and was not read yet, a browser drops when the page terminates it.
async fn ended_unread(ctx: &Context, delivery: &str) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = || Ok::<_, anyhow::Error>(site.server()?.faults());
    faults()?.refuse(u32::MAX, 503)?;
    let page = site.page().await?;
    page.tab.eval(DEAF, vec![]).await?;
    page.open("c", site.config("/echo")).await?;
    page.wait_for_event("a dial that failed", 0, |event| {
        event["type"] == "reconnecting"
    })
    .await?;
    let send = "api.deliver('c', 'x', arguments[0]).then((outcome) => (window.outcome = outcome))";
    page.tab.eval(send, vec![json!(delivery)]).await?;
    // The worker has it: it acknowledges what came later.
    page.call("ping", &[json!("c")]).await?;

    page.tab.eval("window.deaf = true", vec![]).await?;
    faults()?.clear();
    site.wait_for_frames(1).await?;
    let end =
        "document.dispatchEvent(new Event('freeze')); document.dispatchEvent(new Event('resume'))";
    page.tab.eval(end, vec![]).await?;
    page.tab.wait_for("return window.outcome", SOON).await?;
    let outcome = page.tab.eval("return window.outcome", vec![]).await?;
    let (ends_as, times) = match delivery {
        "once" => ("message 1 may have been sent", 1),
        _ => ("sent", 2),
    };
    ensure!(outcome == ends_as, "{outcome}");
    page.send_ok("after").await?;
    let frames = site.wait_for_frames(times + 1).await?;
    ensure!(frames == times + 1, "it was sent {} times", frames - 1);
    Ok(())
}

/// Keeps what comes from workers from the page when it is told to.
const DEAF: &str = "
const Native = Worker;
window.Worker = class extends Native {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', (event) => window.deaf && event.stopImmediatePropagation());
  }
};";

async fn two_accounts(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = Vec::new();
    for account in ["alice", "bob", "alice", "bob"] {
        let mut config = site.config("/echo");
        config["account"] = json!(account);
        pages.extend(open(&site, &config, 1).await?);
    }
    site.wait_for_sockets(2).await?;
    pages[2].send_ok("of alice").await?;
    pages[3].send_ok("of bob").await?;
    for (page, expect) in pages
        .iter()
        .zip(["of alice", "of bob", "of alice", "of bob"])
    {
        let heard = page.wait_for_messages("c", 1).await?;
        ensure!(heard == [json!(expect)], "{heard:?}");
    }
    take_leader(&mut pages).await?;
    Ok(())
}

async fn mebibyte(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &site.config("/echo"), 2).await?;
    let leader = take_leader(&mut pages).await?;
    let follower = &pages[0];
    let len = 1024 * 1024;
    let args = [json!("c"), json!(len), json!(7)];
    let sent = follower.call("send_bytes", &args).await?;
    let sent: Value = serde_json::from_str(sent.as_str().unwrap_or_default())?;
    ensure!(sent["outcome"] == "sent", "{sent}");
    for page in [follower, &leader] {
        let heard = page.wait_for_messages("c", 1).await?;
        ensure!(
            heard[0]["bytes"] == len && heard[0]["sum"] == sent["sum"],
            "{heard:?}"
        );
    }
    Ok(())
}

async fn log(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["worker"]["debug"] = json!("messages");
    let mut pages = open(&site, &config, 2).await?;
    take_leader(&mut pages).await?;
    pages[0].send_ok("to be logged").await?;
    let until = Instant::now() + SOON;
    loop {
        let log = pages[0].tab.page_log().await?;
        if log.iter().any(|line| line.contains("socket 1 <- text")) {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{log:?}");
        sleep(POLL).await;
    }
}

/// A page of the same origin that knows the names, and says what nobody should say.
const VANDAL: &str = r#"
const name = `onesocket-hall onesocket ${new URL('onesocket-worker.js', location)}`;
const hall = new BroadcastChannel(name);
const junk = [null, 7, {}, [[]], 'x', '!', ' ', '! ', new ArrayBuffer(3), new Map([[1, 2]]), 'é'.repeat(100000)];
const leader = await new Promise((done) => {
  hall.onmessage = ({ data }) => typeof data === 'string' && data[0] === '!' && done(data.slice(1));
  hall.postMessage('?');
});
junk.forEach((data) => hall.postMessage(data));
for (let n = 0; n < 100; n += 1) hall.postMessage(`!nobody-${n}`);
const topic = `${leader} vandal`;
const meeting = new BroadcastChannel(`${name} ${topic}`);
const answers = [];
await new Promise((done) => {
  setTimeout(done, 3000);
  meeting.onmessage = ({ data }) => {
    if (typeof data === 'string') {
      junk.forEach((data) => meeting.postMessage(data));
      meeting.postMessage(new Uint8Array([0x31, 0x73, 0x6b, 0x74, 5, 1, 0, 0, 9, 9, 9, 9]).buffer);
    } else {
      answers.push(data.byteLength);
      done();
    }
  };
  hall.postMessage(topic);
});
for (let n = 0; n < 1500; n += 1) hall.postMessage(`${leader} flood-${n}`);
return answers.length;
"#;

async fn garbage(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = open(&site, &site.config("/echo"), 2).await?;
    let before = epoch(&pages[0]).await?;
    let vandal = site.page().await?;
    let answers = vandal.tab.eval_async(VANDAL, vec![]).await?;
    ensure!(answers.as_u64() >= Some(1), "no error was answered");
    for page in &pages {
        page.send_ok("unharmed").await?;
        ensure!(epoch(page).await? == before, "the worker was lost");
    }
    take_leader(&mut pages).await?;
    site.wait_for_sockets(1).await
}

async fn alone(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    let mut switched_off = config.clone();
    switched_off["worker"]["share_dedicated"] = json!(false);
    let mut bare = config.clone();
    bare["worker"]["script"] = json!("bare-worker.js");
    config["worker"]["tier"] = json!("dedicated");
    switched_off["worker"]["tier"] = json!("dedicated");
    bare["worker"]["tier"] = json!("dedicated");
    let cases = [
        ("", switched_off, "switched off"),
        ("?break=no-locks", config.clone(), "no web locks"),
        ("?break=no-broadcast", config, "no broadcast channel"),
        ("", bare, "no prelude in the worker's script"),
    ];
    for (query, config, why) in cases {
        let expect = format!("alone: {why}");
        let pages = try_join_all([site.page_with(query), site.page_with(query)]).await?;
        let opened = pages.iter().map(|page| page.open("c", config.clone()));
        try_join_all(opened).await?;
        for page in &pages {
            let is_alone = format!("return JSON.parse(api.ladder('c')).role === {expect:?}");
            page.tab
                .wait_for(&is_alone, SOON)
                .await
                .with_context(|| expect.clone())?;
            page.wait_for_state("connected").await?;
            page.send_ok("alone").await?;
            let ladder = page.ladder().await?;
            ensure!(
                ladder["text"].to_string().contains(&format!("({expect})")),
                "{ladder}"
            );
        }
        site.wait_for_sockets(2).await?;
        join_all(pages.into_iter().map(|page| page.tab.close())).await;
        site.wait_for_sockets(0).await?;
    }
    Ok(())
}
