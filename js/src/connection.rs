//! One connection, as JavaScript holds it.

#![expect(unnameable_types, reason = "wasm-bindgen exports public items")]

use std::{cell::RefCell, time::Duration};

use futures::FutureExt as _;
use js_sys::{Error, Object, Promise, Reflect};
use onesocket::{
    Client, EventGuard, GreetingGuard, LinkState, LogOut, Payload, SendError, SendRejected,
};
use onesocket_inspector::Feed;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::{
    listener::{Listener, chain},
    settings::{Settings, payload},
};

/// One connection.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Connection {
    client: Client<Payload, Payload>,
    _listening: EventGuard<Payload>,
    /// Each has the place of its number, and leaves it empty. Held here, because JavaScript would drop them whenever its garbage is collected.
    greetings: RefCell<Vec<Option<GreetingGuard<Payload>>>>,
}

#[wasm_bindgen]
impl Connection {
    /// Connects. The listener hears of it until it has ended.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &Settings, listener: Listener) -> Result<Self, JsError> {
        let client = settings
            .connect()
            .map_err(|error| JsError::new(&chain(&error)))?;
        // Else it would collect what comes, for whoever asks for the first stream.
        drop(client.events());
        settings.keep(client.manager());
        let large = Listener::from(JsValue::from(&listener));
        client
            .on_parcel(move |parcel| large.tell_large(&parcel))
            .keep();
        let listening = client.on_event(move |event| listener.tell(event));
        Ok(Self {
            client,
            _listening: listening,
            greetings: RefCell::default(),
        })
    }

    /// Sends bytes, as they are or as the UTF-8 of a text. The promise is resolved when they were handed to an open socket; the
    /// name of the error with which it is rejected is `NotSent` or `MaybeSent`.
    ///
    /// What is not even taken throws, as `NotSent`, before anything that follows can be sent in its place; with `isFull` when there is no
    /// room for it now.
    pub fn send(&self, bytes: Vec<u8>, is_text: bool) -> Result<Promise, JsValue> {
        let payload = match is_text {
            true => String::from_utf8(bytes).map(Payload::text),
            false => Ok(Payload::binary(bytes)),
        };
        let Ok(payload) = payload else {
            return Err(failure("NotSent", "the text is no UTF-8"));
        };
        let sending = self.client.send(&payload);
        // What was not taken has no number, and has ended.
        if sending.id().is_none() {
            let error = sending.now_or_never().and_then(Result::err);
            return Err(refused(&error.unwrap_or(SendError::Dropped)));
        }
        Ok(future_to_promise(async move {
            match sending.await {
                Ok(_) => Ok(JsValue::UNDEFINED),
                Err(error @ (SendError::MaybeSent { .. } | SendError::Dropped)) => {
                    Err(failure("MaybeSent", &chain(&error)))
                }
                Err(error) => Err(failure("NotSent", &chain(&error))),
            }
        }))
    }

    /// Returns how many bytes are on their way, what the worker's socket holds included.
    #[wasm_bindgen(getter, js_name = bufferedAmount)]
    pub fn buffered_amount(&self) -> usize {
        self.client.buffered_amount()
    }

    /// Returns the part of it that the worker's socket holds.
    #[wasm_bindgen(getter, js_name = socketBufferedAmount)]
    pub fn socket_buffered_amount(&self) -> usize {
        self.client.socket_buffered_amount()
    }

    /// Waits until little enough is on its way. The promise is rejected with an error whose name is `NotReady` when nothing will be
    /// sent.
    pub fn ready(&self) -> Promise {
        let ready = self.client.ready();
        future_to_promise(async move {
            match ready.await {
                Ok(()) => Ok(JsValue::UNDEFINED),
                Err(error) => Err(failure("NotReady", &chain(&error))),
            }
        })
    }

    /// Has a message sent first on every new socket, and another one when nobody holds it any more. Each is a string or a `Uint8Array`.
    /// Returns the number by which it is dropped.
    pub fn greet(&self, greeting: &JsValue, farewell: &JsValue) -> Result<usize, JsError> {
        let farewell = (!farewell.is_undefined()).then(|| payload(farewell));
        let guard = self.client.greet(&payload(greeting), farewell.as_ref());
        let guard = guard.map_err(|error| JsError::new(&chain(&error)))?;
        let mut greetings = self.greetings.borrow_mut();
        let free = greetings.iter().position(Option::is_none);
        let number = free.unwrap_or(greetings.len());
        match greetings.get_mut(number) {
            Some(place) => *place = Some(guard),
            None => greetings.push(Some(guard)),
        }
        Ok(number)
    }

    /// Drops a greeting, whose number may be the next one's then.
    pub fn ungreet(&self, number: usize) {
        let guard = self
            .greetings
            .borrow_mut()
            .get_mut(number)
            .map(Option::take);
        drop(guard);
    }

    /// Ends the connection for all tabs of the account. What is queued may wait for an open socket for so many milliseconds.
    #[wasm_bindgen(js_name = logOut)]
    pub fn log_out(&self, drain: Option<u32>) {
        let drain = drain.map(|millis| LogOut::Drain(Duration::from_millis(millis.into())));
        self.client.log_out(drain.unwrap_or(LogOut::Drop));
    }

    /// Closes the socket by a code and ends the connection. The caller has checked both.
    #[wasm_bindgen(js_name = closeSocket)]
    pub fn close_socket(&self, code: Option<u16>, reason: &str) -> Result<(), JsError> {
        // Browsers drop a reason that has no code, and say nothing.
        let reason = code.map_or("", |_| reason);
        let closed = self.client.close_socket(code, reason);
        closed.map_err(|error| JsError::new(&chain(&error)))
    }

    /// Leaves. The listener hears once more that the state has changed, and then nothing.
    pub fn disconnect(&self) {
        self.client.disconnect();
    }

    /// Asks for a new socket.
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    /// Returns how it is doing.
    pub fn status(&self) -> Object {
        let status = self.client.status();
        let state = match status.state {
            LinkState::Connecting { .. } => "connecting",
            LinkState::Connected { .. } => "connected",
            LinkState::Reconnecting { .. } => "reconnecting",
            LinkState::Offline { .. } => "offline",
            LinkState::NeedsAuth { .. } => "needs-auth",
            LinkState::Stopped(_) => "stopped",
        };
        let object = Object::new();
        let tier = self
            .client
            .tier()
            .map(|tier| JsValue::from_str(tier.as_str()));
        for (key, value) in [
            ("state", JsValue::from_str(state)),
            ("tier", tier.unwrap_or(JsValue::NULL)),
            ("tabs", status.tabs.into()),
            ("queuedMessages", status.queued_messages.into()),
            ("queuedBytes", status.queued_bytes.into()),
            ("dials", status.dials.into()),
        ] {
            // A plain object takes every property.
            let _ = Reflect::set(&object, &JsValue::from_str(key), &value);
        }
        object
    }

    /// Returns what an inspector is fed with.
    pub fn feed(&self) -> Feed {
        Feed::new(self.client.manager())
    }

    /// Returns which tiers were tried, and what became of each, in words.
    pub fn ladder(&self) -> String {
        self.client.ladder().to_string()
    }
}

fn refused(error: &SendError) -> JsValue {
    let is_full = matches!(error, SendError::Rejected(SendRejected::Overloaded { .. }));
    let refusal = failure("NotSent", &chain(error));
    // An error is an object, which takes every property.
    let _ = Reflect::set(&refusal, &JsValue::from_str("isFull"), &is_full.into());
    refusal
}

fn failure(name: &str, text: &str) -> JsValue {
    let error = Error::new(text);
    error.set_name(name);
    error.into()
}
