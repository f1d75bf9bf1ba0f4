//! Tabs without a SharedWorker: one of them leads, the others are with its dedicated worker.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    sharing::check_order,
    site::{POLL, Page, SOON, Site},
    together::{self, Ended},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    const DEDICATED: &[Tier] = &[Tier::Dedicated];
    vec![
        Scenario {
            name: "six_tabs_elect_one_worker_with_one_socket",
            tiers: DEDICATED,
            run: |ctx| Box::pin(six_tabs(ctx)),
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

pub(super) async fn open(site: &Site<'_>, config: &Value, count: usize) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for _ in 0..count {
        let page = site.client_with(config.clone()).await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    Ok(pages)
}

pub(super) async fn role(page: &Page) -> Result<String> {
    let ladder = page.ladder().await?;
    Ok(ladder["role"].as_str().unwrap_or_default().to_owned())
}

/// Takes the one page that leads out of these.
pub(super) async fn take_leader(pages: &mut Vec<Page>) -> Result<Page> {
    let roles = try_join_all(pages.iter().map(role)).await?;
    let leaders = roles.iter().filter(|role| *role == "leader").count();
    ensure!(leaders == 1, "{roles:?}");
    let followers = roles.iter().filter(|role| *role == "follower").count();
    ensure!(followers + 1 == pages.len(), "{roles:?}");
    let at = roles.iter().position(|role| role == "leader");
    Ok(pages.remove(at.context("a leader")?))
}

pub(super) async fn epoch(page: &Page) -> Result<Value> {
    page.call("epoch", &[json!("c")]).await
}

/// Waits until all pages are connected by one other worker than before, with one leader among them.
pub(super) async fn wait_for_successor(
    pages: &[Page],
    before: &Value,
    since: Instant,
) -> Result<Duration> {
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
        let args = vec![json!("c"), json!(format!("{number}:")), json!(100)];
        (page, "send_all", args)
    });
    let sends = together::start(sends.collect()).await?;
    for Ended { answer, .. } in together::finish(sends).await? {
        ensure!(answer == r#"{"sent":100}"#, "{answer}");
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
