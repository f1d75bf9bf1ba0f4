//! Receives by plain listeners: what a page and the prebuilt worker do in place of gloo-net's stream, whose channel, waker and task
//! cost the one time for each message, and are a tenth of the other's wasm.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use js_sys::{ArrayBuffer, Uint8Array};
use onesocket_engine::{DialRefusal, Input, SocketId};
use onesocket_protocol::Payload;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::{host::Inner, listener::Listener};

/// Hands everything that a socket receives to the host, until it is dropped.
pub(super) struct Receiving {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Receiving {
    /// Begins to listen. Nothing can have come before: events are tasks.
    pub(super) fn start(
        socket: &WebSocket,
        host: Weak<Inner>,
        id: SocketId,
    ) -> Result<Self, DialRefusal> {
        socket.set_binary_type(BinaryType::Arraybuffer);
        // Whether the engine has been told that it is open. One that is closing before anybody could see it open never is:
        // its messages would come before its opening.
        let is_open = Rc::new(Cell::new(false));
        let listen = |name, handle: fn(&WebSocket, SocketId, JsValue) -> Option<Input>| {
            let (host, socket_, is_open) = (host.clone(), socket.clone(), Rc::clone(&is_open));
            Listener::new(socket, name, move |event| {
                if let (Some(host), Some(input)) = (host.upgrade(), handle(&socket_, id, event)) {
                    match input {
                        Input::SocketOpened { .. } => is_open.set(true),
                        Input::Received { .. } if !is_open.get() => return,
                        _ => {}
                    }
                    host.input(input);
                }
            })
        };
        Ok(Self {
            _listeners: [
                listen("open", opened),
                listen("message", received),
                // It follows every error event, and says more.
                listen("close", closed),
            ],
            socket: socket.clone(),
        })
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // It throws only for a code or a reason.
        let _ = self.socket.close();
    }
}

fn opened(socket: &WebSocket, id: SocketId, _: JsValue) -> Option<Input> {
    (socket.ready_state() == WebSocket::OPEN).then(|| Input::SocketOpened {
        socket: id,
        subprotocol: socket.protocol(),
    })
}

fn received(_: &WebSocket, id: SocketId, event: JsValue) -> Option<Input> {
    let data = event.unchecked_into::<MessageEvent>().data();
    let payload = match data.dyn_into::<ArrayBuffer>() {
        Ok(buffer) => Payload::binary(Uint8Array::new(&buffer).to_vec()),
        Err(text) => Payload::text(text.as_string()?),
    };
    Some(Input::Received {
        socket: id,
        payload,
    })
}

fn closed(_: &WebSocket, id: SocketId, event: JsValue) -> Option<Input> {
    let close = event.unchecked_into::<CloseEvent>();
    Some(Input::SocketClosed {
        socket: id,
        code: close.code(),
        reason: close.reason(),
        was_clean: close.was_clean(),
    })
}
