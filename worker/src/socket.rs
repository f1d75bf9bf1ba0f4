//! A WebSocket: gloo-net opens it and receives, the raw handle sends.
//!
//! gloo-net sends binary as a `Blob`, which the browser has to read back: seven times slower than an array (DESIGN.md has the
//! numbers). Receiving and the events are its part.

mod inlet;
mod subprotocol;

use std::{cell::RefCell, rc::Rc};

use gloo_net::websocket::futures::WebSocket;
use js_sys::Array;
use onesocket_engine::DialRefusal;
use onesocket_protocol::{Payload, PayloadKind};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

pub(crate) use self::inlet::SocketInlet;

/// One dial and what becomes of it. A drop closes it, and nothing is heard of it any more.
pub(crate) struct Socket {
    raw: web_sys::WebSocket,
    /// Shared with the task that receives. Empty means detached: the task ends at its next wake.
    receiving: Rc<RefCell<Option<WebSocket>>>,
    /// Whether the engine has been told that it is open, and not yet that it is not.
    pub(crate) is_believed_open: bool,
}

impl Socket {
    /// Begins to open a socket. Exactly one of opened and closed goes to the inlet, unless the constructor throws.
    pub(crate) fn dial(
        url: &str,
        subprotocols: &[String],
        inlet: SocketInlet,
    ) -> Result<Self, DialRefusal> {
        // The browser throws the same error for a bad URL and for a bad subprotocol, so one of them is checked here.
        if !subprotocol::are_valid(subprotocols) {
            return Err(DialRefusal::InvalidSubprotocol);
        }
        let offered: Array = subprotocols
            .iter()
            .map(|subprotocol| JsValue::from_str(subprotocol))
            .collect();
        let raw = web_sys::WebSocket::new_with_str_sequence(url, &offered)
            .map_err(|error| refusal(&error))?;
        // It throws only for a listener that is no function.
        let socket = WebSocket::try_from(raw.clone()).map_err(|_| DialRefusal::InvalidUrl)?;
        let receiving = Rc::new(RefCell::new(Some(socket)));
        spawn_local(inlet.receive(Rc::clone(&receiving)));
        Ok(Self {
            raw,
            receiving,
            is_believed_open: false,
        })
    }

    /// Hands a payload to the browser. A socket that is not open swallows it.
    pub(crate) fn send(&self, payload: &Payload) {
        let sent = match (payload.kind(), payload.as_text()) {
            (PayloadKind::Text, Some(text)) => self.raw.send_with_str(text),
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

    /// Returns, once, that the socket is not open although the engine believes it.
    pub(crate) fn is_newly_closing(&mut self) -> bool {
        let is_closing =
            self.is_believed_open && self.raw.ready_state() != web_sys::WebSocket::OPEN;
        if is_closing {
            self.is_believed_open = false;
        }
        is_closing
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Dropped outside of the borrow: gloo-net closes the socket and dispatches a made-up close event in its drop, which
        // wakes the task.
        let _receiving = self.receiving.take();
    }
}

/// <https://websockets.spec.whatwg.org/#dom-websocket-websocket>: `SyntaxError` or, in browsers that predate its change of
/// 2023, `SecurityError` for `ws:` in a secure page.
fn refusal(error: &JsValue) -> DialRefusal {
    let name = error
        .dyn_ref::<web_sys::DomException>()
        .map(web_sys::DomException::name);
    match name.as_deref() {
        Some("SecurityError") => DialRefusal::Insecure,
        _ => DialRefusal::InvalidUrl,
    }
}
