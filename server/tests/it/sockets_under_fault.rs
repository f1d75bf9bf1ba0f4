//! What open sockets feel of the faults.

use std::time::{Duration, Instant};

use futures::SinkExt;
use onesocket_server::{feed_frame, feed_sequence};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

use crate::support::{Client, eventually, fault, start};

#[tokio::test]
async fn drop_resets_the_selected_sockets_only() {
    let server = start().await;
    let mut chat = Client::connect(&server, "/chat").await;
    let mut echoes = [
        Client::connect(&server, "/echo").await,
        Client::connect(&server, "/echo").await,
    ];
    assert_eq!(fault(&server, "drop?path=/chat").await, 1);
    chat.assert_reset().await;
    echoes[1].assert_echoes("alive").await;
    assert_eq!(fault(&server, "drop?id=2").await, 1);
    echoes[0].assert_reset().await;
    echoes[1].assert_echoes("alive").await;
    assert_eq!(fault(&server, "drop").await, 1);
    echoes[1].assert_reset().await;
    eventually(0, || server.stats().total.sockets_open).await;
    assert_eq!(fault(&server, "drop").await, 0);
}

#[tokio::test]
async fn close_sends_code_and_reason_and_ends_after_the_answer() {
    let server = start().await;
    let mut client = Client::connect(&server, "/chat").await;
    assert_eq!(
        fault(
            &server,
            "close?code=4001&reason=session%20expired&path=/chat"
        )
        .await,
        1
    );
    let frame = client.close_frame().await;
    assert_eq!(
        (frame.code, &*frame.reason),
        (CloseCode::Library(4001), "session expired")
    );
    assert!(client.next().await.is_none());
    eventually(0, || server.stats().total.sockets_open).await;
}

#[tokio::test]
async fn close_can_leave_it_to_the_client_to_hang_up() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    assert_eq!(fault(&server, "close?code=4401&hold=1").await, 1);
    let frame = client.close_frame().await;
    assert_eq!(frame.code, CloseCode::Library(4401));
    // Longer than an answer is waited for.
    client.assert_silent(Duration::from_millis(2_500)).await;
    assert_eq!(server.stats().total.sockets_half_open, 1);
    drop(client);
    eventually(0, || server.stats().total.sockets_open).await;
}

#[tokio::test]
async fn close_comes_through_a_flood() {
    let server = start().await;
    let mut client = Client::connect(&server, "/feed?rate=0").await;
    assert_eq!(fault(&server, "close").await, 1);
    let mut expected = 0;
    let frame = loop {
        match client.message().await {
            Message::Binary(bytes) => assert_eq!(feed_sequence(&bytes), Some(expected)),
            Message::Close(frame) => break frame.unwrap(),
            other => panic!("{other:?}"),
        }
        expected += 1;
    };
    assert_eq!(frame.code, CloseCode::Normal);
    eventually(0, || server.stats().total.sockets_open).await;
}

#[tokio::test]
async fn close_ends_a_socket_whose_peer_does_not_answer() {
    let server = start().await;
    let _client = Client::connect(&server, "/echo").await;
    assert_eq!(fault(&server, "close").await, 1);
    eventually(0, || server.stats().total.sockets_open).await;
}

#[tokio::test]
async fn half_open_sockets_neither_read_nor_answer_and_new_ones_are_normal() {
    let server = start().await;
    let mut old = Client::connect(&server, "/echo").await;
    old.assert_echoes("before").await;
    assert_eq!(fault(&server, "half-open").await, 1);
    old.send("lost in silence").await;
    old.send(Message::Ping(vec![].into())).await;
    let mut new = Client::connect(&server, "/echo").await;
    new.assert_echoes("normal").await;
    old.assert_silent(Duration::from_millis(50)).await;
    let total = server.stats().total;
    assert_eq!(
        (total.sockets_open, total.sockets_half_open, total.frames_in),
        (2, 1, 2)
    );
    // The client gives up on it, which the server notices although it reads nothing.
    drop(old);
    eventually(1, || server.stats().total.sockets_open).await;
    new.assert_echoes("still normal").await;
}

#[tokio::test]
async fn half_open_can_include_new_sockets_and_be_dropped_or_woken() {
    let server = start().await;
    assert_eq!(fault(&server, "half-open?new=1").await, 0);
    let mut woken = Client::connect(&server, "/echo").await;
    eventually(1, || server.stats().total.sockets_half_open).await;
    woken.send("waits").await;
    woken.assert_silent(Duration::from_millis(30)).await;
    fault(&server, "clear").await;
    assert_eq!(woken.text().await, "waits");

    let mut reset = Client::connect(&server, "/echo").await;
    reset.assert_echoes("normal again").await;
    assert_eq!(fault(&server, "half-open?id=2").await, 1);
    assert_eq!(fault(&server, "drop?id=2").await, 1);
    reset.assert_reset().await;
    woken.assert_echoes("untouched").await;
}

#[tokio::test]
async fn delay_holds_each_frame_and_keeps_the_order() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    fault(&server, "delay?ms=100").await;
    let start = Instant::now();
    for number in 0..20 {
        client.send(number.to_string()).await;
    }
    for number in 0..20 {
        assert_eq!(client.text().await, number.to_string());
    }
    // A latency, not a rate: all twenty are as late as one.
    let elapsed = start.elapsed();
    assert!(
        elapsed >= Duration::from_millis(100) && elapsed < Duration::from_millis(1500),
        "{elapsed:?}"
    );

    fault(&server, "delay?ms=60000").await;
    client.send("freed by clear").await;
    client.assert_silent(Duration::from_millis(30)).await;
    fault(&server, "clear").await;
    assert_eq!(client.text().await, "freed by clear");
}

#[tokio::test]
async fn a_close_waited_behind_a_frame_that_was_delayed() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    fault(&server, "delay?ms=60000").await;
    client.send("held").await;
    eventually(1, || server.stats().total.frames_in).await;
    client.assert_silent(Duration::from_millis(30)).await;
    fault(&server, "close?code=4001").await;
    assert_eq!(client.close_frame().await.code, CloseCode::Library(4001));
}

#[tokio::test]
async fn an_injected_frame_came_behind_what_was_queued_when_one_was_delayed() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    fault(&server, "delay?ms=60000").await;
    client.send("first").await;
    client.send("second").await;
    eventually(2, || server.stats().total.frames_in).await;
    client.assert_silent(Duration::from_millis(30)).await;
    fault(&server, "inject?text=injected").await;
    fault(&server, "clear").await;
    let came = [
        client.text().await,
        client.text().await,
        client.text().await,
    ];
    assert_eq!(came, ["first", "injected", "second"]);
}

#[tokio::test]
async fn a_slow_reader_makes_the_client_feel_backpressure() {
    let server = start().await;
    fault(&server, "slow-reader?bytes_per_second=20000").await;
    let mut client = Client::connect(&server, "/sink").await;
    // 64 MiB do not fit into the buffers of any kernel by default.
    let send = async {
        for sequence in 0..1024 {
            client
                .0
                .send(feed_frame(sequence, 65_536).into())
                .await
                .unwrap();
        }
    };
    assert!(
        timeout(Duration::from_millis(300), send).await.is_err(),
        "all is taken at once"
    );
    assert!(server.stats().total.bytes_in < 1 << 20);

    let mut small = Client::connect(&server, "/sink").await;
    let start = Instant::now();
    small.send(feed_frame(0, 10_000)).await;
    small.send("report").await;
    assert!(small.text().await.contains("\"bytes\":10000"));
    assert!(
        start.elapsed() > Duration::from_millis(300),
        "{:?}",
        start.elapsed()
    );
    fault(&server, "clear").await;
    eventually(true, || server.stats().total.bytes_in > 1 << 20).await;
}

#[tokio::test]
async fn injected_frames_reach_all_selected_sockets() {
    let server = start().await;
    let mut echo = Client::connect(&server, "/echo").await;
    let mut chat = Client::connect(&server, "/chat").await;
    assert_eq!(fault(&server, "inject?text=not%20json").await, 2);
    assert_eq!(echo.text().await, "not json");
    assert_eq!(chat.text().await, "not json");
    assert_eq!(fault(&server, "inject?hex=ff00&path=/chat").await, 1);
    assert_eq!(chat.binary().await, [255, 0]);
    echo.assert_echoes("nothing more").await;
    eventually(4, || server.stats().total.frames_out).await;
}
