use std::time::Duration;

use futures::{Stream, StreamExt as _, sink};
use leptos::prelude::*;
use onesocket::{
    Backoff, BuildError, Client, Event, GiveUp, Heartbeat, Payload, ReadyError, SendError,
    codec::Text,
};
use onesocket_leptos::OneSocket;

pub async fn from_gloo_net() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: gloo_net
    let client: Client<str, String> = Client::builder("wss://example.org/feed", Text).build()?;
    let mut events = client.events(); // In place of the read half,
    client.send("hello").await?; // and of the write half; a client is cloned, not split.
    while let Some(event) = events.next().await {
        if let Event::Message(text) = event {
            tracing::info!("{text}");
        }
    }
    // ANCHOR_END: gloo_net
    Ok(())
}

pub async fn as_a_sink(
    client: &Client<str, String>,
    lines: impl Stream<Item = String>,
) -> Result<(), ReadyError> {
    // ANCHOR: sink
    let sink = sink::unfold((), async |(), line: String| {
        client.ready().await?; // Waits while much is on its way.
        drop(client.send(&line)); // Or awaits it, and has how each of them has ended.
        Ok(())
    });
    lines.map(Ok).forward(sink).await?;
    // ANCHOR_END: sink
    Ok(())
}

// ANCHOR: leptos_use
pub fn use_feed() -> (Signal<Option<String>>, impl Fn(String) + Copy) {
    let socket: OneSocket<String, String> = onesocket_leptos::use_connection(|| {
        Client::builder("wss://example.org/feed", Text)
            .give_up(GiveUp {
                attempts: Some(3),
                ..GiveUp::default()
            })
            .heartbeat(Heartbeat::every(
                Duration::from_secs(60),
                Payload::text("ping"),
            ))
    });
    let message = onesocket_leptos::use_message(socket);
    let send = onesocket_leptos::use_send(socket);
    let text = Signal::derive(move || message.get().map(|text| text.to_string()));
    (text, move |text| {
        send.dispatch(text);
    })
}
// ANCHOR_END: leptos_use

pub fn from_reconnecting() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: reconnecting
    let client: Client<str, String> = Client::builder("wss://example.org/feed", Text)
        .connect_timeout(Duration::from_secs(4))
        .backoff(Backoff {
            base: Duration::from_secs(1).into(),
            cap: Duration::from_secs(10).into(),
            ..Backoff::default()
        })
        .build()?;
    // ANCHOR_END: reconnecting
    Ok(client)
}

pub async fn acknowledged(client: &Client<str, String>) -> Result<(), SendError> {
    client.send("hello").await.map(drop)
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, stream};

    use super::*;

    #[test]
    fn a_client_takes_what_a_stream_forwards() {
        let client = from_reconnecting().unwrap();
        let lines = stream::iter(["a".to_owned(), "b".to_owned()]);
        let outcome = as_a_sink(&client, lines).now_or_never();
        // There is no browser here, and nobody is to wait for one.
        assert!(matches!(outcome, Some(Err(ReadyError::NoWorker(_)))));
    }

    #[test]
    fn a_policy_can_be_carried_over() {
        from_reconnecting().unwrap();
    }
}
