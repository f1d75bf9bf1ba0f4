//! What a page of the library waits for.

use futures::StreamExt as _;
use onesocket::{Event, Events};
use wasm_bindgen::JsError;

/// Resolves when the connection is open.
pub async fn connected<Rx>(events: &mut Events<Rx>) -> Result<(), JsError> {
    loop {
        match events.next().await {
            Some(Event::Connected { .. }) => return Ok(()),
            Some(Event::Error(error)) => return Err(error.into()),
            Some(_) => {}
            None => return Err(JsError::new("the client has ended")),
        }
    }
}

/// Resolves with the next message.
pub async fn message<Rx>(events: &mut Events<Rx>) -> Result<Rx, JsError> {
    loop {
        match events.next().await {
            Some(Event::Message(message)) => return Ok(message),
            other => check(other)?,
        }
    }
}

/// What is no message ends a measurement, or means nothing.
#[inline(never)]
fn check<Rx>(event: Option<Event<Rx>>) -> Result<(), JsError> {
    match event {
        Some(Event::Error(error)) => Err(error.into()),
        Some(Event::Lagged { .. }) => Err(JsError::new("messages were dropped")),
        Some(Event::Disconnected { .. } | Event::Reconnecting { .. }) | None => {
            Err(JsError::new("the connection was lost"))
        }
        // Of a worker that was replaced nothing more comes.
        Some(Event::Status(status)) if !status.state.is_connected() => {
            Err(JsError::new("the worker was lost"))
        }
        Some(_) => Ok(()),
    }
}
