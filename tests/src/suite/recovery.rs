//! Servers that go and come back, and what becomes of what was sent meanwhile.

use std::time::Duration;

use anyhow::{Result, ensure};
use onesocket_server::{Selection, Server};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    sharing::check_order,
    site::{PATIENCE_MS, Page, Site},
};
use crate::browser::Engine;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_dropped_socket_is_replaced_and_every_tab_told",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(dropped_socket(ctx)),
        },
        Scenario {
            name: "a_restarted_server_gets_what_was_queued_in_order",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(restarted_server(ctx)),
        },
        Scenario {
            name: "order_per_sender_holds_while_sockets_are_dropped",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(order_under_drops(ctx)),
        },
        Scenario {
            name: "a_full_queue_is_a_typed_error",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(full_queue(ctx)),
        },
        Scenario {
            name: "a_queued_message_expires_with_a_typed_error",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(expired(ctx)),
        },
        Scenario {
            name: "greetings_come_first_on_every_socket_and_once",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(greetings(ctx)),
        },
        Scenario {
            name: "a_half_open_socket_is_found_and_replaced",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(half_open(ctx)),
        },
        Scenario {
            name: "offline_is_dialled_seldom_and_at_once_when_back",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(offline(ctx)),
        },
        Scenario {
            name: "a_page_that_is_shown_says_what_it_missed_of_its_network",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(missed_online(ctx)),
        },
        Scenario {
            name: "a_fatal_close_code_stops_the_loop_until_asked",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(fatal_close(ctx)),
        },
        Scenario {
            name: "a_server_may_say_when_to_come_back",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(directed_delay(ctx)),
        },
        Scenario {
            name: "giving_up_ends_every_send",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(giving_up(ctx)),
        },
        Scenario {
            name: "a_port_that_browsers_block_is_out_of_reach_at_once",
            tiers: &Tier::ALL,
            run: |ctx| Box::pin(blocked_port(ctx)),
        },
    ]
}

fn is(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == kind
}

async fn dropped_socket(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let pages = [site.client("/echo").await?, site.client("/echo").await?];
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    site.server()?.faults().drop_sockets(Selection::All);
    for page in &pages {
        let event = page
            .wait_for_event("reconnecting", 0, is("reconnecting"))
            .await?;
        ensure!(
            event["attempt"] == 1 && event["delay_ms"].is_u64(),
            "{event}"
        );
        ensure!(
            event["cause"]
                .as_str()
                .is_some_and(|cause| cause.starts_with("Closed")),
            "{event}"
        );
        page.wait_for_state("connected").await?;
        page.send_ok("after").await?;
    }
    ensure!(site.sockets_open()? == site.sockets_for(2));
    Ok(())
}

async fn restarted_server(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let pages = [
        site.client("/chat?room=r").await?,
        site.client("/chat?room=r").await?,
    ];
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    site.stop().await;
    for page in &pages {
        page.wait_for_event("reconnecting", 0, is("reconnecting"))
            .await?;
    }
    for (number, page) in pages.iter().enumerate() {
        page.send_many(&format!("{number}:"), 50).await?;
    }
    let total = if site.sockets_for(2) == 1 { 100 } else { 50 };
    pages[0]
        .wait_for_status("queued", |status| status["queued_messages"] == total)
        .await?;
    site.restart().await?;
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    // The room repeats its history to a socket that comes later than the first messages.
    let heard = pages[0].wait_for_messages("c", 100).await?;
    let mut once: Vec<Value> = Vec::new();
    for message in heard {
        if !once.contains(&message) {
            once.push(message);
        }
    }
    ensure!(once.len() == 100, "{} of 100", once.len());
    check_order(&once, 2, 50)?;
    ensure!(
        site.server()?.stats().total.frames_in == 100,
        "the server was sent something twice"
    );
    pages[0]
        .wait_for_status("nothing queued", |status| status["queued_messages"] == 0)
        .await?;
    Ok(())
}

async fn order_under_drops(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The sender's socket is dropped, the listener's is not: what the server gets is what the listener hears.
    let listener = site.page().await?;
    let mut config = site.config("/chat?room=o");
    config["account"] = json!("listener");
    config["worker"]["name"] = json!("listener");
    listener.open("c", config).await?;
    listener.wait_for_state("connected").await?;
    let listening = site.server()?.clients().last().map(|client| client.id);
    let sender = site.client("/chat?room=o").await?;
    sender.wait_for_state("connected").await?;
    for round in 0..6 {
        for socket in site.server()?.clients() {
            if Some(socket.id) != listening {
                site.server()?
                    .faults()
                    .drop_sockets(Selection::Socket(socket.id));
            }
        }
        let args = [json!("c"), json!(format!("{round}:")), json!(40)];
        let outcomes = sender.call("send_all", &args).await?;
        ensure!(outcomes == r#"{"sent":40}"#, "{outcomes}");
    }
    // Messages handed to a socket that was being dropped are lost with it, the last ones too.
    for end in 0.. {
        sender.send_ok(&format!("6:{end}")).await?;
        sleep(Duration::from_millis(200)).await;
        let heard = listener.messages("c").await?;
        if heard
            .last()
            .and_then(numbers)
            .is_some_and(|(round, _)| round == 6)
        {
            break;
        }
        ensure!(end < 50, "nothing gets through any more");
    }
    // None may be doubled or overtake another.
    let heard: Vec<(u32, u32)> = listener
        .messages("c")
        .await?
        .iter()
        .filter_map(numbers)
        .collect();
    ensure!(
        heard.is_sorted() && heard.windows(2).all(|pair| pair[0] != pair[1]),
        "{heard:?}"
    );
    Ok(())
}

fn numbers(message: &Value) -> Option<(u32, u32)> {
    let (round, number) = message.as_str()?.split_once(':')?;
    Some((round.parse().ok()?, number.parse().ok()?))
}

async fn full_queue(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["queue_messages"] = json!(5);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    site.stop().await;
    page.wait_for_event("reconnecting", 0, is("reconnecting"))
        .await?;
    page.send_many("", 5).await?;
    let outcome = page.send("one too many").await?;
    ensure!(
        outcome.contains("the queue is full: 5 messages"),
        "{outcome}"
    );
    site.restart().await?;
    let heard = page.wait_for_messages("c", 5).await?;
    ensure!(heard == ["0", "1", "2", "3", "4"], "{heard:?}");
    Ok(())
}

async fn expired(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["queue_timeout_ms"] = json!(300);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    site.stop().await;
    page.wait_for_event("reconnecting", 0, is("reconnecting"))
        .await?;
    let outcome = page.send("in vain").await?;
    ensure!(outcome.contains("within the queue's timeout"), "{outcome}");
    Ok(())
}

async fn greetings(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let pages = [site.client("/echo").await?, site.client("/echo").await?];
    for page in &pages {
        page.wait_for_state("connected").await?;
    }
    for page in &pages {
        page.call(
            "greet",
            &[json!("c"), json!("subscribe"), json!("unsubscribe")],
        )
        .await?;
        page.wait_for_messages("c", 1).await?;
    }
    let skip = pages[1].events("c").await?.len();
    site.server()?.faults().drop_sockets(Selection::All);
    pages[1]
        .wait_for_event("reconnecting", skip, is("reconnecting"))
        .await?;
    pages[1].send_ok("after").await?;
    pages[1]
        .wait_for_event("echo", skip, |event| event["content"] == "after")
        .await?;
    let after: Vec<Value> = pages[1].events("c").await?.drain(skip..).collect();
    let heard: Vec<&Value> = after
        .iter()
        .filter(|event| event["type"] == "message")
        .map(|event| &event["content"])
        .collect();
    ensure!(heard == ["subscribe", "after"], "{heard:?}");
    if site.sockets_for(2) == 1 {
        // The tabs are told by themselves, one sooner than the other.
        pages[0]
            .wait_for_event("echo", 0, |event| event["content"] == "after")
            .await?;
        ensure!(
            pages[0]
                .messages("c")
                .await?
                .iter()
                .filter(|m| **m == "subscribe")
                .count()
                == 2
        );
    }
    pages[0]
        .tab
        .eval("api.ungreet('c', 'subscribe')", vec![])
        .await?;
    pages[1]
        .tab
        .eval("api.ungreet('c', 'subscribe')", vec![])
        .await?;
    pages[1]
        .wait_for_event("farewell", skip, |event| event["content"] == "unsubscribe")
        .await?;
    let farewells = pages[1]
        .messages("c")
        .await?
        .iter()
        .filter(|m| **m == "unsubscribe")
        .count();
    ensure!(farewells == 1, "{farewells} farewells");
    Ok(())
}

async fn half_open(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["heartbeat"] =
        json!({ "every_ms": 300, "deadline_ms": PATIENCE_MS, "ping": "ping", "pong": "ping" });
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    page.wait_for_status("a round trip", |status| status["round_trip_ms"].is_u64())
        .await?;
    ensure!(site.server()?.faults().half_open(Selection::All) == 1);
    let event = page
        .wait_for_event("reconnecting", 0, is("reconnecting"))
        .await?;
    ensure!(event["cause"] == "HeartbeatTimeout", "{event}");
    page.wait_for_state("connected").await?;
    page.send_ok("alive").await?;
    let heard = page.wait_for_messages("c", 1).await?;
    ensure!(
        heard == ["alive"],
        "the pongs are for the loop only: {heard:?}"
    );
    Ok(())
}

/// The page's own events are what every tier listens to: workers do not get them in every engine.
async fn offline(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    // Without the events the next dial would be days away.
    config["base_ms"] = json!(2_000_000_000);
    config["cap_ms"] = json!(2_000_000_000);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    go(&page, "offline").await?;
    site.stop().await;
    let event = page
        .wait_for_event("offline", 0, is("reconnecting"))
        .await?;
    ensure!(event["delay_ms"].is_null(), "{event}");
    let status = page.wait_for_state("offline").await?;
    site.restart().await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(
        site.server()?.stats().total.sockets_ever == 0,
        "it dialled while offline"
    );
    ensure!(page.status().await?["dials"] == status["dials"]);
    go(&page, "online").await?;
    page.wait_for_state("connected").await?;
    page.send_ok("back").await
}

/// As behind a freeze, in which Chromium tells a page nothing.
async fn missed_online(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let mut config = site.config("/echo");
    config["base_ms"] = json!(2_000_000_000);
    config["cap_ms"] = json!(2_000_000_000);
    let page = site.client_with(config).await?;
    page.wait_for_state("connected").await?;
    go(&page, "offline").await?;
    site.stop().await;
    page.wait_for_state("offline").await?;
    site.restart().await?;
    let shown =
        "Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => true });
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));";
    page.tab.eval(shown, vec![]).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("back").await
}

/// What a browser does when its network goes or comes back.
async fn go(page: &Page, event: &str) -> Result<()> {
    let script = "Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => arguments[0] === 'online' });
        dispatchEvent(new Event(arguments[0]));";
    page.tab.eval(script, vec![json!(event)]).await?;
    Ok(())
}

async fn fatal_close(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    site.server()?
        .faults()
        .close(Selection::All, 1008, "no entry")?;
    let event = page
        .wait_for_event("disconnected", 0, is("disconnected"))
        .await?;
    let reason = event["reason"].as_str().unwrap_or_default();
    ensure!(
        reason.contains("FatalClose") && reason.contains("1008") && reason.contains("no entry"),
        "{event}"
    );
    let outcome = page.send("into the void").await?;
    ensure!(outcome.contains("the connection has stopped"), "{outcome}");
    page.call("reconnect", &[json!("c")]).await?;
    page.wait_for_state("connected").await?;
    page.send_ok("back").await
}

async fn directed_delay(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.client("/echo").await?;
    page.wait_for_state("connected").await?;
    // libsoup, under WebKitGTK, takes 1012 to 1014 for a protocol error, and their reasons with them: it is what a native
    // socket sees there too, so it is all that can be seen.
    let native = page
        .tab
        .eval_async(NATIVE_CLOSE, vec![json!(site.url("/echo"))]);
    let close = async {
        site.wait_for_sockets(2).await?;
        let close = site
            .server()?
            .faults()
            .close(Selection::All, 1013, DEPLOYING)?;
        ensure!(close == 2);
        Ok(())
    };
    let (native, closed) = tokio::join!(native, close);
    closed?;
    let event = page
        .wait_for_event("reconnecting", 0, is("reconnecting"))
        .await?;
    let directed = |event: &Value| {
        let delay = event["delay_ms"].as_u64();
        delay.is_some_and(|delay| (1400..2000).contains(&delay))
    };
    match ctx.engine() {
        Engine::Chromium | Engine::Firefox => {
            ensure!(native? == 1013);
            ensure!(directed(&event), "{event}");
        }
        Engine::WebKit => {
            ensure!(native? == 1006);
            ensure!(!directed(&event), "{event}");
            page.wait_for_state("connected").await?;
            let skip = page.events("c").await?.len();
            site.server()?
                .faults()
                .close(Selection::All, 4013, DEPLOYING)?;
            let event = page
                .wait_for_event("reconnecting", skip, is("reconnecting"))
                .await?;
            ensure!(directed(&event), "{event}");
        }
    }
    page.wait_for_state("connected").await?;
    Ok(())
}

const DEPLOYING: &str = "deploying; retry-after=1.5";

const NATIVE_CLOSE: &str = "const socket = new WebSocket(arguments[0].replace('http', 'ws'));
    return new Promise((resolve) => (socket.onclose = (event) => resolve(event.code)));";

async fn giving_up(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    let mut config = site.config("");
    config["url"] = json!(unreachable().await?);
    config["give_up_attempts"] = json!(2);
    page.open("c", config).await?;
    let outcome = page.send("to nobody").await?;
    ensure!(
        outcome.contains("the connection has stopped: gave up after 2 attempts"),
        "{outcome}"
    );
    let event = page
        .wait_for_event("reconnecting", 0, is("reconnecting"))
        .await?;
    ensure!(event["cause"] == "Unreachable", "{event}");
    Ok(())
}

/// Browsers dial no port of some other protocol's. Of that WebKit tells by an `error` alone.
async fn blocked_port(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    let mut config = site.config("");
    config["url"] = json!("ws://127.0.0.1:6000/");
    page.open("c", config).await?;
    page.wait_for_event("unreachable", 0, |event| event["cause"] == "Unreachable")
        .await?;
    Ok(())
}

/// A port on which nobody listens.
async fn unreachable() -> Result<String> {
    let server = Server::builder().start().await?;
    let url = format!("{}/echo", server.ws_url());
    server.stop().await;
    Ok(url)
}
