//! `/echo`, `/feed`, `/ledger` and `/sink`, and what the server counts of them.

use std::time::{Duration, Instant};

use onesocket_server::{
    ClientStats, Endpoint, Ledger, Server, SinkReport, Stats, feed_frame, feed_sequence,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
    },
};

use crate::support::{Client, eventually, get, start};

#[tokio::test]
async fn echo_returns_text_as_text_and_binary_as_binary() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    client.assert_echoes("hello").await;
    client.assert_echoes("").await;
    client.send(vec![0, 1, 255]).await;
    assert_eq!(client.binary().await, [0, 1, 255]);
    let mebibyte = feed_frame(3, 1 << 20);
    client.send(mebibyte.clone()).await;
    assert_eq!(client.binary().await, mebibyte);
}

#[tokio::test]
async fn the_ledger_outlives_a_restart_and_names_the_socket_of_each_text() {
    let ledger = Ledger::new();
    for round in 1..=2 {
        let builder = Server::builder().ledger(ledger.clone());
        let server = builder.start().await.expect("a free port");
        let mut client = Client::connect(&server, "/ledger").await;
        assert_eq!(client.text().await, format!(r#"{{"feed":[{round},1]}}"#));
        client.send(format!("text {round}").as_str()).await;
        let mut answer = client.text().await;
        while answer.starts_with(r#"{"feed"#) {
            answer = client.text().await;
        }
        assert_eq!(answer, format!("text {round}"));
        server.stop().await;
    }
    let entries = ledger.entries();
    let written: Vec<_> = entries
        .iter()
        .map(|entry| (entry.socket, entry.text.as_str()))
        .collect();
    assert_eq!(written, [(1, "text 1"), (2, "text 2")]);
}

#[tokio::test]
async fn echo_returns_a_ping_as_pong_and_as_data() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    client.send(Message::Ping(vec![7, 8].into())).await;
    let mut answers = [client.message().await, client.message().await];
    answers.sort_by_key(Message::is_pong);
    assert_eq!(
        answers,
        [
            Message::Binary(vec![7, 8].into()),
            Message::Pong(vec![7, 8].into())
        ]
    );
}

#[tokio::test]
async fn a_clean_close_is_answered_and_the_socket_is_off_the_list() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    client.0.close(None).await.unwrap();
    assert!(matches!(client.next().await, Some(Ok(Message::Close(_)))));
    assert!(client.next().await.is_none());
    eventually(0, || server.stats().total.sockets_open).await;
    assert_eq!(server.stats().total.sockets_ever, 1);
}

#[tokio::test]
async fn a_subprotocol_is_selected_only_from_those_that_the_query_accepts() {
    let server = start().await;
    let select = async |query: &str, offer: &'static str| {
        let mut request = format!("{}/echo{query}", server.ws_url())
            .into_client_request()
            .unwrap();
        if !offer.is_empty() {
            request
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer));
        }
        let (_, response) = connect_async(request).await.ok()?;
        Some(
            response
                .headers()
                .get(SEC_WEBSOCKET_PROTOCOL)
                .map(|value| value.to_str().unwrap().to_owned()),
        )
    };
    assert_eq!(
        select("?protocols=a,b", "b").await,
        Some(Some("b".to_owned()))
    );
    assert_eq!(
        select("?protocols=a,b", "x, a").await,
        Some(Some("a".to_owned()))
    );
    assert_eq!(select("?protocols=a,b", "").await, Some(None));
    assert_eq!(select("", "").await, Some(None));
    // An offer without a selection fails at the client, as in a browser.
    assert_eq!(select("?protocols=a,b", "x").await, None);
    assert_eq!(select("", "x").await, None);
}

#[tokio::test]
async fn feed_numbers_frames_from_zero_and_stays_open_after_the_last() {
    let server = start().await;
    let mut client = Client::connect(&server, "/feed?rate=2000&size=33&count=40").await;
    for sequence in 0..40 {
        assert_eq!(client.binary().await, feed_frame(sequence, 33));
    }
    client.assert_silent(Duration::from_millis(30)).await;
    assert_eq!(server.stats().total.sockets_open, 1);
}

#[tokio::test]
async fn feed_keeps_its_rate() {
    let server = start().await;
    for (rate, count) in [(50, 20), (5_000, 2_000)] {
        let mut client =
            Client::connect(&server, &format!("/feed?rate={rate}&count={count}")).await;
        let start = Instant::now();
        for sequence in 0..count {
            assert_eq!(feed_sequence(&client.binary().await), Some(sequence));
        }
        let seconds = start.elapsed().as_secs_f64();
        let expected = (count - 1) as f64 / f64::from(rate);
        // The clock of the feed starts before that of the test; late is what a loaded machine makes of it.
        assert!(
            seconds > expected - 0.1 && seconds < expected + 1.0,
            "{seconds} s at {rate}"
        );
    }
}

#[tokio::test]
async fn feed_floods_fifty_thousand_frames_in_order() {
    const FRAMES: u64 = 50_000;
    let server = start().await;
    let mut client =
        Client::connect(&server, &format!("/feed?rate=0&size=100&count={FRAMES}")).await;
    for sequence in 0..FRAMES {
        assert_eq!(feed_sequence(&client.binary().await), Some(sequence));
    }
    eventually((FRAMES, FRAMES * 100), || {
        let total = server.stats().total;
        (total.frames_out, total.bytes_out)
    })
    .await;
}

#[tokio::test]
async fn an_endless_flood_waits_for_a_reader_that_does_not_read() {
    let server = start().await;
    let mut client = Client::connect(&server, "/feed?rate=0&size=65536").await;
    // The same count many times in a row: it stands still, with some megabytes in the buffers of the kernel.
    let (mut last, mut repeats) = (0, 0);
    eventually(true, || {
        let now = server.stats().total.frames_out;
        repeats = if now == last && now > 0 {
            repeats + 1
        } else {
            0
        };
        last = now;
        repeats > 50
    })
    .await;
    assert!(server.stats().total.bytes_out < 256 << 20);
    assert_eq!(feed_sequence(&client.binary().await), Some(0));
}

#[tokio::test]
async fn sink_counts_and_finds_the_first_frame_out_of_order() {
    let server = start().await;
    let mut client = Client::connect(&server, "/sink").await;
    let report = async |client: &mut Client| {
        client.send("report").await;
        let report: SinkReport = serde_json::from_str(&client.text().await).unwrap();
        (report.frames, report.bytes, report.first_out_of_order)
    };
    assert_eq!(report(&mut client).await, (0, 0, None));
    for sequence in [0, 1, 2] {
        client.send(feed_frame(sequence, 20)).await;
    }
    client.send("any text").await;
    assert_eq!(report(&mut client).await, (4, 68, None));
    for sequence in [4, 3, 5] {
        client.send(feed_frame(sequence, 20)).await;
    }
    assert_eq!(report(&mut client).await, (7, 128, Some(3)));
}

#[tokio::test]
async fn stats_count_sockets_frames_and_bytes_per_path() {
    let server = start().await;
    let mut echo = Client::connect(&server, "/echo?token=secret&account=me").await;
    echo.assert_echoes("four").await;
    echo.assert_echoes("sixsix").await;
    let mut chat = Client::connect(&server, "/chat?room=r").await;
    chat.assert_echoes("hi").await;
    drop(Client::connect(&server, "/sink").await);
    eventually(2, || server.stats().total.sockets_open).await;

    let reply = get(&server, "/stats?clients=1").await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(
        !reply.body.contains("secret") && !reply.body.contains("account"),
        "{}",
        reply.body
    );
    let stats: Stats = serde_json::from_str(&reply.body).unwrap();
    let traffic = |traffic: onesocket_server::Traffic| {
        [
            traffic.sockets_open,
            traffic.sockets_ever,
            traffic.frames_in,
            traffic.frames_out,
            traffic.bytes_in,
            traffic.bytes_out,
        ]
    };
    assert_eq!(traffic(stats.total), [2, 3, 3, 3, 12, 12]);
    assert_eq!(traffic(stats.paths[&Endpoint::Echo]), [1, 1, 2, 2, 10, 10]);
    assert_eq!(traffic(stats.paths[&Endpoint::Chat]), [1, 1, 1, 1, 2, 2]);
    assert_eq!(traffic(stats.paths[&Endpoint::Sink]), [0, 1, 0, 0, 0, 0]);
    let clients = stats.clients.unwrap();
    let describe = |client: &ClientStats| {
        (
            client.id,
            client.path.path(),
            client.frames_in,
            client.query.len(),
        )
    };
    assert_eq!(
        clients.iter().map(describe).collect::<Vec<_>>(),
        [(1, "/echo", 2, 0), (2, "/chat", 1, 1)]
    );

    let plain: serde_json::Value =
        serde_json::from_str(&get(&server, "/stats").await.body).unwrap();
    assert_eq!(plain["sockets_open"], 2);
    assert_eq!(plain["paths"]["/echo"]["bytes_in"], 10);
    assert!(plain.get("clients").is_none() && plain["uptime_ms"].is_u64());
}

#[tokio::test]
async fn bad_parameters_of_an_endpoint_are_400_and_counted_as_rejected() {
    let server = start().await;
    let long = format!("/chat?room={}", "x".repeat(129));
    let bad = [
        "/feed?rate=fast",
        "/feed?rate=1000001",
        "/feed?size=7",
        "/feed?size=67108865",
        "/chat?room=",
        &long,
    ];
    for target in bad {
        let Err(tungstenite::Error::Http(response)) =
            Client::try_connect(&server, target).await.map(|_| ())
        else {
            panic!("{target} is accepted");
        };
        assert_eq!(response.status(), 400, "{target}");
    }
    assert_eq!(server.stats().rejected, bad.len() as u64);
    assert_eq!(get(&server, "/stats?clients=maybe").await.status, 400);
    assert_eq!(get(&server, "/stats?client=1").await.status, 400);
}
