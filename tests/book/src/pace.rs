use std::{cell::RefCell, rc::Rc};

use onesocket::{
    BuildError, Client, Event, EventGuard, LatestBy, ManagerConfig, Pace, PerFrame,
    codec::{Text, Transcoded},
};
use serde::{Deserialize, Serialize};

pub fn latest() -> Result<Client<str, String>, BuildError> {
    // ANCHOR: latest
    let client: Client<str, String> = Client::builder("wss://example.org/prices", Text)
        .latest_by(LatestBy::JsonMember("symbol".into()))
        .build()?;
    // ANCHOR_END: latest
    Ok(client)
}

pub fn sounds() -> ManagerConfig {
    // ANCHOR: at_once
    ManagerConfig::default().hidden_pace(Pace::AT_ONCE)
    // ANCHOR_END: at_once
}

pub fn shown_per_frame(client: &Client<str, String>) -> EventGuard<String> {
    // ANCHOR: per_frame
    let newest = Rc::new(RefCell::new(None));
    let shown = newest.clone();
    let show = PerFrame::new(move || tracing::info!("{:?}", shown.borrow()));
    let guard = client.on_event(move |event| {
        if let Event::Message(price) = event {
            newest.replace(Some(price)); // For each message,
            show.request(); // shown once per frame.
        }
    });
    // ANCHOR_END: per_frame
    guard
}

// ANCHOR: transcoded
/// Part of the account. It changes whenever `Quote` does.
pub const QUOTES: &str = "quotes-1";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub symbol: String,
    pub bid: f64,
    pub levels: Vec<u32>,
}

pub fn quotes() -> Result<Client<(), Quote>, BuildError> {
    Client::builder("wss://example.org/quotes", Transcoded)
        .account(QUOTES)
        .build()
}
// ANCHOR_END: transcoded

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_can_be_asked_for_like_this() {
        drop(shown_per_frame(&latest().unwrap()));
        assert_eq!(sounds().check(), Ok(()));
        drop(quotes().unwrap());
    }
}
