//! Telling JavaScript what a client hears.

#![expect(unnameable_types, reason = "wasm-bindgen exports public items")]

use std::sync::Arc;

use js_sys::Uint8Array;
use onesocket::{
    ClientError, CloseInfo, Event, Parcel, Payload, PayloadKind, ReconnectCause, StopReason,
    WorkerError,
};
use onesocket_worker::into_buffer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object of JavaScript's with these methods. None of them throws.
    pub type Listener;

    #[wasm_bindgen(method)]
    fn opened(this: &Listener, protocol: &str);
    /// `data` is a string or a `Uint8Array`.
    #[wasm_bindgen(method)]
    fn received(this: &Listener, data: JsValue, replayed: bool);
    /// There is no socket; the next dial comes after `delay` milliseconds, or when the browser is online again.
    #[wasm_bindgen(method)]
    fn lost(this: &Listener, attempt: u32, delay: Option<f64>, close: Close);
    /// There is no socket and none will come.
    #[wasm_bindgen(method)]
    fn ended(this: &Listener, close: Close);
    #[wasm_bindgen(method, js_name = stateChanged)]
    fn state_changed(this: &Listener);
    #[wasm_bindgen(method)]
    fn lagged(this: &Listener, missed: f64);
    #[wasm_bindgen(method, js_name = updateAvailable)]
    fn update_available(this: &Listener, build: Option<f64>);
    /// Something is wrong and ends nothing, but that a message may be missing.
    #[wasm_bindgen(method)]
    fn complained(this: &Listener, text: &str, message_is_missing: bool);
}

/// How a socket ended, as a `CloseEvent` says it, and in words.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Close {
    pub code: u16,
    pub reason: String,
    #[wasm_bindgen(js_name = wasClean)]
    pub was_clean: bool,
    pub text: String,
}

impl Close {
    fn new(info: Option<&CloseInfo>, text: String) -> Self {
        Self {
            // 1006 is what browsers report when there was no closing handshake.
            code: info.map_or(1006, |info| info.code),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            was_clean: info.is_some_and(|info| info.was_clean),
            text,
        }
    }

    fn of_cause(cause: &ReconnectCause) -> Self {
        let info = match cause {
            ReconnectCause::Closed(info) => Some(info),
            _ => None,
        };
        Self::new(info, cause.to_string())
    }

    fn of_stop(reason: &StopReason) -> Self {
        match reason {
            StopReason::FatalClose(info) | StopReason::Closed(info) => {
                Self::new(Some(info), reason.to_string())
            }
            StopReason::GaveUp { cause, .. } => Self::of_cause(cause),
            _ => Self::new(None, reason.to_string()),
        }
    }
}

impl Listener {
    /// Tells of a large message, which does not pass through this wasm: its memory never shrinks.
    pub(crate) fn tell_large(&self, parcel: &Parcel) {
        let data = match into_buffer(parcel) {
            Some(buffer) => Uint8Array::new(&buffer).into(),
            None => data(&parcel.read()),
        };
        self.received(data, false);
    }

    pub(crate) fn tell(&self, event: Event<Arc<Payload>>) {
        match event {
            Event::Message(payload) => self.received(data(&payload), false),
            Event::Replayed(payload) => self.received(data(&payload), true),
            Event::Connected { subprotocol } => self.opened(&subprotocol),
            Event::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                let delay = delay.map(|delay| delay.as_millis() as f64);
                self.lost(attempt, delay, Close::of_cause(&cause));
            }
            Event::Disconnected { reason } => self.ended(Close::of_stop(&reason)),
            Event::Status(_) => self.state_changed(),
            Event::Lagged { missed } => self.lagged(missed as f64),
            Event::UpdateAvailable { build } => {
                self.update_available(build.map(|build| build as f64));
            }
            Event::Error(error) => {
                let is_missing = matches!(
                    error,
                    ClientError::Worker(WorkerError::ReceivedTooLarge { .. })
                );
                self.complained(&chain(&error), is_missing);
            }
            _ => {}
        }
    }
}

fn data(payload: &Payload) -> JsValue {
    match (payload.kind(), payload.as_text()) {
        (PayloadKind::Text, Some(text)) => JsValue::from_str(text),
        _ => Uint8Array::from(&payload.bytes()[..]).into(),
    }
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
