use onesocket::{
    Client, Delivery, Payload, ReadyError, SendError,
    codec::{Codec, Json, Text, acks},
};
use serde::{Deserialize, Serialize};

pub async fn outcome(client: &Client<str, String>) -> &'static str {
    // ANCHOR: outcome
    match client.send("hello").await {
        Ok(_) => "handed to an open socket",
        // Ask the server before it is sent again.
        Err(SendError::MaybeSent { .. } | SendError::Dropped) => "perhaps",
        Err(_) => "not sent",
    }
    // ANCHOR_END: outcome
}

pub async fn at_least_once(client: &Client<str, String>) -> Result<(), SendError> {
    // ANCHOR: at_least_once
    client
        .deliver("where are you?", Delivery::AtLeastOnce)
        .await?;
    // ANCHOR_END: at_least_once
    Ok(())
}

pub async fn upload(client: &Client<Payload, Payload>, file: &[u8]) -> Result<(), ReadyError> {
    // ANCHOR: upload
    for chunk in file.chunks(64 * 1024) {
        // At most 1 MiB is on its way; else it waits until that is so.
        client.ready().await?;
        // Taken by the call, and not awaited: several are on their way at once.
        drop(client.send(&Payload::binary(chunk.to_vec())));
    }
    // ANCHOR_END: upload
    Ok(())
}

// ANCHOR: acknowledged
#[derive(Serialize)]
pub struct Order {
    pub key: u64,
    pub amount: u32,
}

impl Order {
    /// Random, because every tab hears what the server says: with a counter in each, one would take the other's `Booked` for its own.
    pub fn new(amount: u32) -> Self {
        let key = (js_sys::Math::random() * 2f64.powi(53)) as u64;
        Self { key, amount }
    }
}

#[derive(Deserialize)]
pub enum FromServer {
    Booked { key: u64 },
    Price(u32),
}

/// JSON, and how the app's own protocol acknowledges.
pub fn codec() -> impl Codec<Order, FromServer> {
    acks(
        Json,
        |order: &Order| Some(order.key),
        |message: &FromServer| match message {
            FromServer::Booked { key } => Some(*key),
            FromServer::Price(_) => None,
        },
    )
}

pub async fn book(client: &Client<Order, FromServer>, order: &Order) -> Result<(), SendError> {
    client.deliver(order, Delivery::UntilAcknowledged).await?;
    Ok(()) // The server has said `Booked`.
}
// ANCHOR_END: acknowledged

/// A client whose messages have no name.
pub fn nameless() -> Client<str, String> {
    Client::builder("wss://example.org/", Text)
        .build()
        .expect("the URL is one")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn without_a_browser_nothing_is_sent() {
        let client = nameless();
        assert_eq!(outcome(&client).now_or_never(), Some("not sent"));
        assert!(at_least_once(&client).now_or_never().unwrap().is_err());
    }

    #[test]
    fn without_a_browser_nothing_is_waited_for() {
        let client = Client::builder("wss://example.org/", onesocket::codec::Raw)
            .build()
            .unwrap();
        let outcome = upload(&client, b"file").now_or_never();
        assert!(matches!(outcome, Some(Err(ReadyError::NoWorker(_)))));
    }

    #[test]
    fn orders_have_names() {
        let order = Order { key: 7, amount: 1 };
        assert_eq!(codec().ack_id(&order), Some(7));
        let client = Client::builder("wss://example.org/", codec())
            .build()
            .unwrap();
        assert!(book(&client, &order).now_or_never().unwrap().is_err());
    }
}
