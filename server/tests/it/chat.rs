//! `/chat`: who gets what, and that a newcomer's history meets the live frames without a gap or a double.

use futures::future::join_all;
use onesocket_server::{ChatState, Server};

use crate::support::{Client, eventually, start};

#[tokio::test]
async fn all_in_the_room_get_each_frame_and_nobody_else() {
    let server = start().await;
    let mut first = Client::connect(&server, "/chat?room=a").await;
    let mut second = Client::connect(&server, "/chat?room=a").await;
    let mut other = Client::connect(&server, "/chat?room=b").await;
    second.assert_echoes("joined").await;
    assert_eq!(first.text().await, "joined");
    first.send(vec![1, 2]).await;
    assert_eq!(first.binary().await, [1, 2]);
    assert_eq!(second.binary().await, [1, 2]);
    other.assert_echoes("alone").await;
}

#[tokio::test]
async fn a_newcomer_gets_the_last_fifty_in_order() {
    let server = start().await;
    let mut first = Client::connect(&server, "/chat?room=a").await;
    for number in 0..70 {
        first.assert_echoes(&number.to_string()).await;
    }
    let mut newcomer = Client::connect(&server, "/chat?room=a").await;
    for number in 20..70 {
        assert_eq!(newcomer.text().await, number.to_string());
    }
    newcomer.assert_echoes("live").await;
}

// Several threads: on one the server cannot be between two steps of a join when a frame comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn history_and_live_frames_meet_without_gap_or_double_while_others_write() {
    const WRITERS: usize = 4;
    const FRAMES: usize = 250;
    let server = Server::builder().history(20).start().await.unwrap();
    let mut first = Client::connect(&server, "/chat").await;
    // All must be in the room before anything is written, or they would miss frames.
    eventually(1, || server.stats().total.sockets_open).await;
    first.assert_echoes("start").await;

    let write = async |writer: usize| {
        let mut client = Client::connect(&server, "/chat").await;
        for number in 0..FRAMES {
            client.send(format!("{writer}:{number}")).await;
            // The sender's own copies pace it, so that newcomers come in between.
            let own = format!("{writer}:{number}");
            while client.text().await != own {}
        }
    };
    let join = async |newcomer: u64| {
        let due = newcomer * WRITERS as u64 * FRAMES as u64 / 12;
        eventually(true, || server.stats().total.frames_in >= due).await;
        let mut seen = Vec::new();
        let mut client = Client::connect(&server, "/chat").await;
        while seen.last().is_none_or(|last| last != "end") {
            seen.push(client.text().await);
        }
        seen
    };
    let joins = join_all((1..=10).map(join));
    let end = async {
        join_all((0..WRITERS).map(write)).await;
        // The sequence that all others must have seen a part of.
        first.send("end").await;
        let mut all = vec!["start".to_owned()];
        while all.last().is_none_or(|last| last != "end") {
            all.push(first.text().await);
        }
        all
    };
    let (seen, all) = tokio::join!(joins, end);
    assert_eq!(all.len(), WRITERS * FRAMES + 2);
    let lengths: Vec<_> = seen.iter().map(Vec::len).collect();
    assert!(
        lengths.iter().filter(|&&length| length > 40).count() > 3,
        "too few came in the middle: {lengths:?}"
    );
    for seen in seen {
        assert!(seen.len() >= 20);
        assert_eq!(seen, all[all.len() - seen.len()..]);
    }
}

#[tokio::test]
async fn a_shared_state_keeps_the_history_over_a_restart() {
    let chat = ChatState::new();
    let server = Server::builder().chat(chat.clone()).start().await.unwrap();
    let addr = server.addr();
    let mut client = Client::connect(&server, "/chat?room=a").await;
    client.assert_echoes("before").await;
    server.stop().await;

    let server = Server::builder()
        .addr(addr)
        .chat(chat.clone())
        .start()
        .await
        .unwrap();
    let mut client = Client::connect(&server, "/chat?room=a").await;
    assert_eq!(client.text().await, "before");
    client.assert_echoes("after").await;
    chat.clear_history();
    Client::connect(&server, "/chat?room=a")
        .await
        .assert_echoes("anew")
        .await;
}
