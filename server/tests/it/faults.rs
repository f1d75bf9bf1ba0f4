//! The fault API itself: parameters, methods, refusals of handshakes.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use onesocket_server::{FaultError, HttpFault, Selection};
use tokio_tungstenite::tungstenite;

use crate::support::{Client, fault, get, post, start};

#[tokio::test]
async fn bad_parameters_are_400_and_say_which() {
    let server = start().await;
    let check = async |target: &str, expect: &str| {
        let reply = post(&server, &format!("/fault/{target}")).await;
        assert_eq!(reply.status, 400, "{target}: {reply:?}");
        assert!(reply.body.contains(expect), "{target}: {}", reply.body);
    };
    check(
        "drop?path=/nope",
        "path \"/nope\" is none of /auth, /chat, /echo, /feed, /ledger, /sink",
    )
    .await;
    check("drop?path=/chat&id=1", "not both").await;
    check("drop?id=x", "id").await;
    check("drop?rooms=1", "unknown field `rooms`").await;
    check("refuse", "missing field `next`").await;
    check("refuse?next=-1", "next").await;
    check("refuse?next=1&status=200", "status 200 is not in 400..=599").await;
    check("close?code=1005", "close code 1005").await;
    check("close?code=999", "close code 999").await;
    check("close?code=70000", "code").await;
    check(
        &format!("close?code=4000&reason={}", "x".repeat(124)),
        "124 bytes",
    )
    .await;
    check("half-open?new=2", "new").await;
    check("delay", "missing field `ms`").await;
    check("delay?ms=600001", "600001 ms").await;
    check("handshake-delay?ms=soon", "ms").await;
    check("slow-reader?bytes_per_second=0", "at least 1").await;
    check("slow-reader", "bytes_per_second").await;
    check("http?path=x.js&status=404", "must start with /").await;
    check("http?path=/fault/clear&status=404", "not with /fault/").await;
    check("http?path=/x.js", "at least one of").await;
    check("http?path=/x.js&status=101", "200..=599").await;
    check("http?path=/x.js&mime=a%0Ab", "mime cannot be sent").await;
    check("http?path=/x.js&delay_ms=999999", "999999 ms").await;
    check("inject", "either text or hex").await;
    check("inject?text=a&hex=00", "either text or hex").await;
    check("inject?hex=0g", "pairs of hexadecimal digits").await;
    check("clear?all=1", "all").await;
    assert_eq!(post(&server, "/fault/nothing").await.status, 404);
    assert_eq!(get(&server, "/fault/clear").await.status, 405);
}

#[tokio::test]
async fn the_next_handshakes_are_refused_and_counted() {
    let server = start().await;
    let status = async || match Client::try_connect(&server, "/echo").await {
        Ok(_) => 101,
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
    };
    fault(&server, "refuse?next=2").await;
    assert_eq!(
        [status().await, status().await, status().await],
        [503, 503, 101]
    );
    fault(&server, "refuse?next=5&status=401").await;
    assert_eq!(status().await, 401);
    fault(&server, "refuse?next=0").await;
    assert_eq!(status().await, 101);
    fault(&server, "refuse?next=1").await;
    fault(&server, "clear").await;
    assert_eq!(status().await, 101);
    assert_eq!(
        (server.stats().rejected, server.stats().total.sockets_ever),
        (3, 3)
    );
}

#[tokio::test]
async fn a_handshake_can_be_delayed() {
    let server = start().await;
    fault(&server, "handshake-delay?ms=80").await;
    let start = Instant::now();
    let mut client = Client::connect(&server, "/echo").await;
    assert!(start.elapsed() >= Duration::from_millis(80));
    client.assert_echoes("late").await;
    fault(&server, "clear").await;
}

#[tokio::test]
async fn the_handle_in_the_process_is_the_same_state() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    let faults = server.faults().clone();
    faults.refuse(1, 503).unwrap();
    assert!(Client::try_connect(&server, "/echo").await.is_err());
    faults
        .http(
            "/page",
            HttpFault::default()
                .body("made up")
                .delay(Duration::from_millis(1)),
        )
        .unwrap();
    assert_eq!(get(&server, "/page").await.body, "made up");
    faults.slow_reader(NonZeroU32::new(1_000_000));
    client.assert_echoes("still fast").await;
    assert_eq!(
        faults.close(Selection::All, 1006, ""),
        Err(FaultError::CloseCode { code: 1006 })
    );
    assert_eq!(faults.close(Selection::Socket(99), 1000, ""), Ok(0));
    faults.clear();
    assert_eq!(get(&server, "/page").await.status, 404);
}
