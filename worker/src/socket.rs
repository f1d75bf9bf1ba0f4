//! A WebSocket: the raw handle sends. What it receives comes by plain listeners ([`plain`]), with the feature `gloo-net` by gloo-net.
//!
//! gloo-net never sends: it would do so with a `Blob`, which the browser has to read back, seven times slower than an array (DESIGN.md has the
//! numbers). Pages and the prebuilt worker are without it.

#[cfg(feature = "gloo-net")]
mod gloo;
#[cfg(not(feature = "gloo-net"))]
mod plain;
mod subprotocol;

use std::{cell::Cell, mem, rc::Weak};

use js_sys::{Array, Uint8Array};
use onesocket_engine::{DialRefusal, Input, SocketId};
use onesocket_protocol::{Payload, PayloadKind, limits::BUFFERED_STEP_BYTES};
use wasm_bindgen::prelude::*;

#[cfg(feature = "gloo-net")]
use self::gloo::Receiving;
#[cfg(not(feature = "gloo-net"))]
use self::plain::Receiving;
#[cfg(not(feature = "gloo-net"))]
use crate::environment::Global;
use crate::host::Inner;

/// One dial and what becomes of it. A drop closes it, and nothing is heard of it any more.
pub(crate) struct Socket {
    raw: web_sys::WebSocket,
    receiving: Receiving,
    /// Whether the engine has been told that it is open, and not yet that it is not.
    pub(crate) is_believed_open: bool,
    /// Whether anything was sent that it may still hold. Asking the browser costs a call, and most wakes send nothing.
    may_hold: Cell<bool>,
    /// What the engine was told of what it holds.
    buffered: u32,
}

impl Socket {
    /// Begins to open a socket. The host is told that it is open, and at last that it is closed, unless the constructor throws.
    pub(crate) fn dial(
        url: &str,
        subprotocols: &[String],
        host: Weak<Inner>,
        id: SocketId,
    ) -> Result<Self, DialRefusal> {
        // The browser throws the same error for a bad URL and for a bad subprotocol, so one of them is checked here.
        if !subprotocol::are_valid(subprotocols) {
            return Err(DialRefusal::InvalidSubprotocol);
        }
        let offered: Array = subprotocols
            .iter()
            .map(|subprotocol| JsValue::from_str(subprotocol))
            .collect();
        let raw = match early(url, subprotocols) {
            Some(raw) => raw,
            None => web_sys::WebSocket::new_with_str_sequence(url, &offered)
                .map_err(|error| refusal(&error))?,
        };
        Ok(Self {
            receiving: Receiving::start(&raw, host, id)?,
            raw,
            is_believed_open: false,
            may_hold: Cell::new(false),
            buffered: 0,
        })
    }

    /// Begins to gather messages, or ends it, and returns whether it gathers.
    pub(crate) fn gather(&self, gather: bool) -> bool {
        self.receiving.gather(gather)
    }

    /// Takes what was gathered.
    pub(crate) fn take_gathered(&self, id: SocketId, take: impl FnMut(Input)) {
        self.receiving.take_gathered(id, take);
    }

    /// Hands a payload to the browser. A socket that is not open swallows it.
    pub(crate) fn send(&self, payload: &Payload) {
        self.may_hold.set(true);
        let sent = match (payload.kind(), payload.as_text()) {
            (PayloadKind::Text, Some(text)) => self.raw.send_with_str(text),
            // Of memory that threads share a socket takes nothing: <https://webidl.spec.whatwg.org/#AllowShared>
            _ if cfg!(target_feature = "atomics") => {
                let copy = Uint8Array::new_from_slice(payload.bytes());
                self.raw.send_with_js_u8_array(&copy)
            }
            _ => self.raw.send_with_u8_array(payload.bytes()),
        };
        // It throws only before the socket is open, when nothing is sent.
        debug_assert!(sent.is_ok(), "nothing is sent before the socket is open");
    }

    /// Closes the socket and forgets it. The closing handshake goes on in the background for as long as the server likes.
    pub(crate) fn close(self, code: u16, reason: &str) {
        // It throws for a code that scripts may not send; the drop closes without one.
        let _ = self.raw.close_with_code_and_reason(code, reason);
    }

    /// Begins the closing handshake; its end is heard of.
    pub(crate) fn shut(&self, code: u16, reason: &str) {
        // It throws for a code that scripts may not send, and never without one.
        let _ = self
            .raw
            .close_with_code_and_reason(code, reason)
            .or_else(|_| self.raw.close());
    }

    /// Closes the socket, and lets the engine find out.
    #[cfg(feature = "faults")]
    pub(crate) fn lose(&self) {
        // Without a code it can't throw.
        let _ = self.raw.close();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.raw.ready_state() == web_sys::WebSocket::OPEN
    }

    /// Returns, once, that the socket is not open although the engine believes it.
    pub(crate) fn is_newly_closing(&mut self) -> bool {
        let is_closing = self.is_believed_open && !self.is_open();
        if is_closing {
            self.is_believed_open = false;
        }
        is_closing
    }

    /// Returns what it holds that has not gone to the network, rounded down, when that has changed.
    pub(crate) fn newly_buffered(&mut self) -> Option<u32> {
        if !self.may_hold.get() {
            return None;
        }
        let bytes = self.raw.buffered_amount() & !(BUFFERED_STEP_BYTES - 1);
        self.may_hold.set(bytes > 0);
        (mem::replace(&mut self.buffered, bytes) != bytes).then_some(bytes)
    }
}

/// A socket that was dialled before the wasm was there, by the prelude or by a script in the head of the page.
#[cfg(not(feature = "gloo-net"))]
fn early(url: &str, subprotocols: &[String]) -> Option<web_sys::WebSocket> {
    let dial = Global::onesocket_dial().filter(|_| subprotocols.is_empty())?;
    // Whatever else an app calls like this has no such method.
    dial.dialled(url).ok().flatten()
}

/// gloo-net waits for an opening that may be over.
#[cfg(feature = "gloo-net")]
fn early(_: &str, _: &[String]) -> Option<web_sys::WebSocket> {
    None
}

#[cfg(not(feature = "gloo-net"))]
#[wasm_bindgen]
extern "C" {
    /// What the first part of `js/prelude.js` has put into the global object: `self.onesocketDial`.
    pub(crate) type Dial;

    /// The socket of a URL that is under way, once.
    #[wasm_bindgen(method, catch)]
    fn dialled(this: &Dial, url: &str) -> Result<Option<web_sys::WebSocket>, JsValue>;
}

/// <https://websockets.spec.whatwg.org/#dom-websocket-websocket>: `SyntaxError`. Whatever else is the browser's own: `SecurityError` for `ws:` in a secure page, as before
/// 2023, and for what the policy forbids; of that Firefox throws what is no `DOMException`.
fn refusal(error: &JsValue) -> DialRefusal {
    let name = error
        .dyn_ref::<web_sys::DomException>()
        .map(web_sys::DomException::name);
    match name.as_deref() {
        Some("SyntaxError") => DialRefusal::InvalidUrl,
        _ => DialRefusal::Insecure,
    }
}
