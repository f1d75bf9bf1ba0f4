//! One connection for every tab, and what each tab hears of it.

use std::time::Duration;

use anyhow::{Result, ensure};
use onesocket_server::{HttpFault, InjectedFrame, Selection, feed_frame};
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    site::{Page, SOON, Site},
    together::{self, Ended},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "payloads_of_every_kind_come_back_as_they_were",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(payloads_come_back(ctx)),
        },
        Scenario {
            name: "tabs_share_one_socket_and_hear_everything_once_in_order",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(tabs_share_one_socket(ctx)),
        },
        Scenario {
            name: "a_flood_arrives_whole_and_in_order",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(flood(ctx)),
        },
        Scenario {
            name: "messages_that_come_while_a_worker_waits_for_its_lock_keep_their_order",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(waits_for_its_lock(ctx)),
        },
        Scenario {
            name: "small_and_large_messages_reach_every_tab_whole_and_in_order",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(small_and_large(ctx)),
        },
        Scenario {
            name: "ten_tabs",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(ten_tabs(ctx)),
        },
        Scenario {
            name: "two_accounts_have_two_sockets",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(two_accounts(ctx)),
        },
        Scenario {
            name: "clients_of_one_page_share_its_port_and_socket",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(clients_of_one_page(ctx)),
        },
        Scenario {
            name: "a_closed_tab_releases_its_references",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(closed_tab(ctx)),
        },
        Scenario {
            name: "a_dropped_client_disconnects",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(dropped_client(ctx)),
        },
        Scenario {
            name: "a_send_before_a_disconnect_ends_as_what_became_of_it",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(send_before_disconnect(ctx)),
        },
        Scenario {
            name: "a_tab_that_joins_gets_the_last_messages_once",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(replay(ctx)),
        },
        Scenario {
            name: "a_tab_that_joins_may_have_the_server_asked",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(replay_by_asking(ctx)),
        },
        Scenario {
            name: "answers_go_to_who_asked",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(answers(ctx)),
        },
    ]
}

async fn payloads_come_back(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    for text in ["", "plain", "grüße 👋 \u{0}"] {
        page.send_ok(text).await?;
    }
    let mut expect: Vec<Value> = ["", "plain", "grüße 👋 \u{0}"].map(Value::from).into();
    for len in [0, 1, 200, 1024 * 1024] {
        let args = [json!("c"), json!(len), json!(7)];
        let sent = page.call("send_bytes", &args).await?;
        let sent: Value = serde_json::from_str(sent.as_str().unwrap_or_default())?;
        ensure!(sent["outcome"] == "sent", "{sent}");
        expect.push(json!({ "bytes": len, "sum": sent["sum"] }));
    }
    let mut heard = page.wait_for_messages("c", expect.len()).await?;
    for message in heard.iter_mut().filter_map(Value::as_object_mut) {
        message.remove("number");
    }
    ensure!(heard == expect, "{heard:?}");
    Ok(())
}

async fn flood(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let pages = [
        site.client("/feed?rate=0&size=200&count=30000").await?,
        site.client("/feed?rate=1000&size=64&count=500").await?,
    ];
    for (page, count) in pages.iter().zip([30_000, 500]) {
        expect_feed(page, count).await?;
    }
    Ok(())
}

/// A worker that has not heard in time that its lock is still its own does nothing; what comes meanwhile comes in order all the same.
async fn waits_for_its_lock(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let script = tokio::fs::read_to_string(ctx.dist.join("onesocket-worker.js")).await?;
    let slow = HttpFault::default()
        .body(format!("{SLOW_LOCKS}\n{script}"))
        .mime("text/javascript");
    site.server()?.faults().http("/onesocket-worker.js", slow)?;
    let page = site
        .client(&format!("/feed?rate=10000&size=200&count={SLOW}"))
        .await?;
    expect_feed(&page, SLOW).await
}

/// Waits for a feed of so many messages, which must be whole and in order.
async fn expect_feed(page: &Page, count: u64) -> Result<()> {
    let arrived = format!("return JSON.parse(api.feed('c')).messages >= {count}");
    page.tab.wait_for(&arrived, MUCH).await?;
    let feed = page.call("feed", &[json!("c")]).await?;
    let expect = json!({ "messages": count, "misplaced": null }).to_string();
    ensure!(feed == expect, "{feed}");
    Ok(())
}

/// How long is waited for tens of thousands of messages.
const MUCH: Duration = Duration::from_secs(90);

/// Five seconds, in which the worker has to ask again and again.
const SLOW: u64 = 50_000;

/// A browser that has much to do. A worker asks half a second before it has to know, and may act for a second from when it has asked: for 300 ms of
/// each 700, if the machine adds nothing. One that added all of that would let it do nothing at all.
const SLOW_LOCKS: &str = "{
  const query = navigator.locks.query.bind(navigator.locks);
  navigator.locks.query = async () => {
    const answer = await query();
    await new Promise((wake) => setTimeout(wake, 700));
    return answer;
  };
}";

/// A large message stays the browser's own buffer, which only one of the tabs can be given.
async fn small_and_large(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = Vec::new();
    for _ in 0..3 {
        let page = site.client("/echo").await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    // The page gets its message once for each client, and the buffer of a large one is the same for both.
    pages[0].open("d", site.config("/echo")).await?;
    let connected = "return JSON.parse(api.status('d')).state === 'connected'";
    pages[0].tab.wait_for(connected, SOON).await?;
    let frames: Vec<Vec<u8>> = (0..APART + STREAM)
        .map(|number| {
            let sizes = if number < APART { SIZES } else { STREAM_SIZES };
            feed_frame(number, sizes[number as usize % sizes.len()])
        })
        .collect();
    for (number, frame) in frames.iter().enumerate() {
        let sockets = site
            .server()?
            .faults()
            .inject(Selection::All, InjectedFrame::Binary(frame.clone()));
        ensure!(sockets as u64 == site.sockets_for(3), "{sockets} sockets");
        if (number as u64) < APART && number % 10 == 9 {
            // Some go alone, most of them with others, and the last ones all at once.
            pages[0].wait_for_messages("c", number).await?;
        }
    }
    let expect: Vec<Value> = frames
        .iter()
        .zip(0..)
        .map(|(frame, number)| told(frame, number))
        .collect();
    let clients = pages.iter().map(|page| (page, "c"));
    for (page, client) in clients.chain([(&pages[0], "d")]) {
        let heard = page.wait_for_messages(client, frames.len()).await?;
        ensure!(heard == expect, "{client}: {heard:?}");
    }
    Ok(())
}

/// A binary message as a page tells it.
pub(super) fn told(frame: &[u8], number: u64) -> Value {
    let sum = frame.iter().fold(0x811c_9dc5, |sum: u32, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    json!({ "bytes": frame.len(), "sum": sum, "number": number })
}

/// On both sides of the size from which on a message is large, and more than is posted in one frame.
const SIZES: [usize; 6] = [8, 200_000, 200, 16 * 1024, 16 * 1024 - 1, 1_500_000];

/// So many in front of the stream.
const APART: u64 = 30;

/// So many that most of them are gathered, and no more bytes than may wait for a tab.
const STREAM: u64 = 240;
const STREAM_SIZES: [usize; 6] = [8, 20_000, 200, 16 * 1024, 16 * 1024 - 1, 70_000];

async fn tabs_share_one_socket(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = Vec::new();
    for _ in 0..3 {
        let page = site.client("/chat?room=a").await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    ensure!(
        site.sockets_open()? == site.sockets_for(3),
        "{} sockets",
        site.sockets_open()?
    );
    for (number, page) in pages.iter().enumerate() {
        page.send_many(&format!("{number}:"), 100).await?;
    }
    let mut orders = Vec::new();
    for page in &pages {
        let heard = page.wait_for_messages("c", 300).await?;
        ensure!(heard.len() == 300, "{} messages", heard.len());
        check_order(&heard, 3, 100)?;
        orders.push(heard);
    }
    ensure!(
        orders[0] == orders[1] && orders[1] == orders[2],
        "the tabs disagree about the order"
    );
    Ok(())
}

/// Each sender's messages `<sender>:<n>` must be there once, in order.
pub(super) fn check_order(heard: &[Value], senders: usize, count: u32) -> Result<()> {
    for sender in 0..senders {
        let prefix = format!("{sender}:");
        let of_sender: Vec<&str> = heard
            .iter()
            .filter_map(|m| m.as_str()?.strip_prefix(&prefix))
            .collect();
        let expect: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        ensure!(of_sender == expect, "sender {sender}: {of_sender:?}");
    }
    Ok(())
}

async fn ten_tabs(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = Vec::new();
    for _ in 0..10 {
        pages.push(site.client("/chat?room=a").await?);
    }
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    ensure!(
        site.sockets_open()? == site.sockets_for(10),
        "{} sockets",
        site.sockets_open()?
    );
    if site.sockets_for(10) == 1 {
        pages[0]
            .wait_for_status("ten tabs", |status| status["tabs"] == 10)
            .await?;
    }
    for (number, page) in pages.iter().enumerate() {
        page.send_ok(&format!("{number}:0")).await?;
    }
    for page in &pages {
        let heard = page.wait_for_messages("c", 10).await?;
        check_order(&heard, 10, 1)?;
        ensure!(heard.len() == 10);
    }
    Ok(())
}

async fn two_accounts(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    for account in ["alice", "bob"] {
        let mut config = site.config("/echo");
        config["account"] = json!(account);
        page.open(account, config).await?;
    }
    site.wait_for_sockets(2).await?;
    for account in ["alice", "bob"] {
        page.call("send", &[json!(account), json!(account)]).await?;
    }
    for account in ["alice", "bob"] {
        let heard = page.wait_for_messages(account, 1).await?;
        ensure!(heard == [json!(account)], "{account} heard {heard:?}");
    }
    Ok(())
}

async fn clients_of_one_page(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.open("d", site.config("/echo")).await?;
    page.send_ok("from c").await?;
    page.wait_for_messages("d", 1).await?;
    ensure!(page.call("send", &[json!("d"), json!("from d")]).await? == "sent");
    for name in ["c", "d"] {
        let heard = page.wait_for_messages(name, 2).await?;
        ensure!(
            heard == [json!("from c"), json!("from d")],
            "{name} heard {heard:?}"
        );
    }
    ensure!(
        site.sockets_open()? == 1,
        "{} sockets",
        site.sockets_open()?
    );
    page.wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    Ok(())
}

async fn closed_tab(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let first = site.client("/echo").await?;
    let second = site.client("/echo").await?;
    first.wait_for_state("connected").await?;
    second.wait_for_state("connected").await?;
    ensure!(site.sockets_open()? == site.sockets_for(2));
    second.tab.close().await?;
    site.wait_for_sockets(1).await?;
    first
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    first.send_ok("still here").await?;
    first.wait_for_messages("c", 1).await?;
    // A session needs a tab to go on; this one has no client.
    let _idle = site.page().await?;
    first.tab.close().await?;
    site.wait_for_sockets(0).await
}

async fn dropped_client(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    page.call("drop_client", &[json!("c")]).await?;
    site.wait_for_sockets(0).await?;
    page.open("c", site.config("/echo")).await?;
    page.send_ok("again").await?;
    if ctx.tier == Some(Tier::Dedicated) {
        // Not with the worker before, which parts, and would be gone in a moment.
        ensure!(page.ladder().await?["role"] == "leader");
    }
    page.call("disconnect", &[json!("c")]).await?;
    site.wait_for_sockets(0).await?;
    let outcome = page.send("too late").await?;
    ensure!(outcome.contains("the client is closed"), "{outcome}");
    Ok(())
}

async fn send_before_disconnect(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    let script = "const sent = api.send('c', 'last words');
        await new Promise((resolve) => setTimeout(resolve));
        api.disconnect('c');
        return await sent;";
    let outcome = page.tab.eval_async(script, vec![]).await?;
    // The server has read all that came before the close.
    site.wait_for_sockets(0).await?;
    let frames = site.server()?.stats().total.frames_in;
    let was_sent = outcome == "sent";
    ensure!(
        was_sent == (frames == 1),
        "{outcome}, but the server got {frames} frames"
    );
    Ok(())
}

async fn replay(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["replay_last"] = json!(3);
    let first = site.client_with(config.clone()).await?;
    first.wait_for_state("connected").await?;
    first.send_many("", 5).await?;
    first.wait_for_messages("c", 5).await?;
    let second = site.client_with(config).await?;
    second.wait_for_state("connected").await?;
    first.send_ok("live").await?;
    let live = second.wait_for_messages("c", 1).await?;
    ensure!(live == ["live"], "{live:?}");
    let replayed = replayed(&second).await?;
    ensure!(replayed == ["2", "3", "4"], "{replayed:?}");
    Ok(())
}

async fn replayed(page: &Page) -> Result<Vec<Value>> {
    let events = page
        .events("c")
        .await?
        .into_iter()
        .filter(|event| event["type"] == "replayed");
    Ok(events.map(|mut event| event["content"].take()).collect())
}

async fn replay_by_asking(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["replay_ask"] = json!("snapshot, please");
    let first = site.client_with(config.clone()).await?;
    first.wait_for_state("connected").await?;
    let second = site.client_with(config).await?;
    second.wait_for_messages("c", 1).await?;
    second.send_ok("end").await?;
    for page in [&first, &second] {
        let heard = page.wait_for_messages("c", 2).await?;
        ensure!(heard == ["snapshot, please", "end"], "{heard:?}");
    }
    Ok(())
}

async fn answers(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut pages = Vec::new();
    for _ in 0..3 {
        let mut config = site.config("/echo");
        config["codec"] = json!("json");
        let page = site.client_with(config).await?;
        page.wait_for_state("connected").await?;
        pages.push(page);
    }
    let faults = site.server()?.faults();
    let mut asked = 0;
    for round in 0..5 {
        // No answer leaves before every tab has asked.
        faults.delay(Duration::from_secs(60))?;
        let text = |number: usize| format!("{number} asks {round}");
        let asks = pages.iter().enumerate().map(|(number, page)| {
            let args = vec![json!("c"), json!(text(number)), json!(20_000), json!(true)];
            (page, "request", args)
        });
        let asks = together::start(asks.collect()).await?;
        asked += pages.len() as u64;
        site.wait_for_frames(asked).await?;
        faults.delay(Duration::ZERO)?;
        let answers = together::finish(asks).await?;
        ensure!(together::were_together(&answers), "{answers:?}");
        for (number, Ended { answer, .. }) in answers.iter().enumerate() {
            let quoted = json!(text(number)).to_string();
            ensure!(
                *answer == quoted,
                "{:?} was answered by {answer}",
                text(number)
            );
        }
    }
    let unanswered = [json!("c"), json!("?"), json!(300), json!(false)];
    let outcome = pages[0].call("request", &unanswered).await?;
    ensure!(
        outcome
            .as_str()
            .is_some_and(|text| text.contains("no answer within")),
        "{outcome}"
    );
    for page in &pages {
        let heard = page.messages("c").await?;
        let answers = heard
            .iter()
            .filter(|message| !message["answers"].is_null())
            .count();
        ensure!(
            answers == 0,
            "an answer was delivered as a message: {heard:?}"
        );
    }
    Ok(())
}
