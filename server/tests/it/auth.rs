//! `/auth`: tokens in three places, and what becomes of those that are not valid, or not any more.

use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::header::SEC_WEBSOCKET_PROTOCOL},
};

use crate::support::{Client, fault, start};

#[tokio::test]
async fn a_valid_token_is_let_in_wherever_it_is() {
    let server = start().await;
    server.faults().allow_token("t");
    let mut in_url = Client::connect(&server, "/auth?token=t").await;
    in_url.assert_echoes("hello").await;
    let mut in_message = Client::connect(&server, "/auth").await;
    in_message.send("token:t").await;
    in_message.assert_echoes("hello").await;

    let request = format!("{}/auth", server.ws_url());
    let mut request = request.into_client_request().unwrap();
    let offer = "other, bearer.t".parse().unwrap();
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
    let (_socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "bearer.t");
}

#[tokio::test]
async fn other_tokens_are_closed_with_4401() {
    let server = start().await;
    server.faults().allow_token("t");
    let mut in_url = Client::connect(&server, "/auth?token=T").await;
    assert_eq!(u16::from(in_url.close_frame().await.code), 4401);
    for message in ["t", "token:", "hello"] {
        let mut in_message = Client::connect(&server, "/auth").await;
        in_message.send(message).await;
        assert_eq!(u16::from(in_message.close_frame().await.code), 4401);
    }
}

#[tokio::test]
async fn a_token_that_expires_closes_its_sockets_and_no_others() {
    let server = start().await;
    fault(&server, "token?allow=a").await;
    fault(&server, "token?allow=b").await;
    let mut a = Client::connect(&server, "/auth?token=a").await;
    let mut b = Client::connect(&server, "/auth?token=b").await;
    a.assert_echoes("a").await;
    fault(&server, "token?expire=a").await;
    assert_eq!(u16::from(a.close_frame().await.code), 4401);
    b.assert_echoes("b").await;
    let mut again = Client::connect(&server, "/auth?token=a").await;
    assert_eq!(u16::from(again.close_frame().await.code), 4401);
}

#[tokio::test]
async fn a_refusal_was_delayed_as_if_it_were_a_message_and_counted_as_one() {
    let server = start().await;
    fault(&server, "delay?ms=60000").await;
    let mut client = Client::connect(&server, "/auth?token=t").await;
    assert_eq!(u16::from(client.close_frame().await.code), 4401);
    assert_eq!(server.stats().total.frames_out, 0);
}

#[tokio::test]
async fn a_ping_is_no_first_message() {
    let server = start().await;
    server.faults().allow_token("t");
    let mut client = Client::connect(&server, "/auth").await;
    let payload = vec![7; 125];
    client.send(Message::Ping(payload.clone().into())).await;
    assert_eq!(client.message().await, Message::Pong(payload.into()));
    client.send("token:t").await;
    client.assert_echoes("hello").await;
}
