//! Receives by plain listeners: what a page and the prebuilt worker do in place of gloo-net's stream, whose channel, waker and task
//! cost the one time for each message, and are a tenth of the other's wasm.
//!
//! While nothing could be passed on anyway, messages cost no call of wasm: they are kept outside of it, and read in front of whatever happens next.
//! In a worker the prelude keeps them. Where the loop may run in the page the browser itself does.

#[cfg(feature = "local")]
mod events;
#[cfg(not(feature = "local"))]
mod packed;

use std::{
    cell::Cell,
    mem,
    rc::{Rc, Weak},
};

use js_sys::{ArrayBuffer, JsString};
use onesocket_engine::{DialRefusal, Gathered as Piece, Input, SocketId};
use onesocket_protocol::{Packed, Payload, limits};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

#[cfg(feature = "local")]
use self::events::Gathered;
#[cfg(not(feature = "local"))]
use self::packed::Gathered;
use crate::{held, host::Inner, listener::Listener, text};

/// Hands everything that a socket receives to the host, until it is dropped.
pub(super) struct Receiving {
    socket: WebSocket,
    _listeners: [Listener; 3],
    on_message: Closure<dyn Fn(JsValue)>,
    gathered: Option<Gathered>,
    is_gathering: Cell<bool>,
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
        let on = |handle: fn(&WebSocket, SocketId, JsValue, bool) -> Option<Input>| {
            let (host, socket, is_open) = (host.clone(), socket.clone(), Rc::clone(&is_open));
            move |event| {
                if let Some(host) = host.upgrade()
                    && let Some(input) = handle(&socket, id, event, is_open.get())
                {
                    if let Input::SocketOpened { .. } = input {
                        is_open.set(true);
                    }
                    host.input(input);
                }
            }
        };
        let on_message = Closure::<dyn Fn(JsValue)>::new(on(received));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self {
            _listeners: [
                Listener::new(socket, "open", on(opened)),
                Listener::new(socket, "error", on(failed)),
                Listener::new(socket, "close", on(closed)),
            ],
            socket: socket.clone(),
            on_message,
            gathered: Gathered::new(),
            is_gathering: Cell::new(false),
        })
    }

    /// Begins to gather messages, or ends it, and returns whether it gathers.
    pub(super) fn gather(&self, gather: bool) -> bool {
        let Some(gathered) = &self.gathered else {
            return false;
        };
        if self.is_gathering.replace(gather) != gather {
            self.socket.set_onmessage(Some(match gather {
                true => gathered.listener(),
                false => self.on_message.as_ref().unchecked_ref(),
            }));
        }
        gather
    }

    /// Takes what was gathered.
    pub(super) fn take_gathered(&self, socket: SocketId, mut take: impl FnMut(Input)) {
        let gathered = self.gathered.as_ref();
        let Some(gathered) = gathered.filter(|_| self.is_gathering.get()) else {
            return;
        };
        let mut run = Run {
            socket,
            pieces: Vec::new(),
            take: &mut take,
        };
        gathered.take(&mut run);
        run.end();
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        // It throws only for a code or a reason.
        let _ = self.socket.close();
    }
}

/// Messages that were gathered, in their order: what comes in a row is one input.
struct Run<'a> {
    socket: SocketId,
    pieces: Vec<Piece>,
    take: &'a mut dyn FnMut(Input),
}

impl Run<'_> {
    /// Adds what came, unless it is nothing that a socket may receive.
    fn put(&mut self, input: Option<Input>) {
        match input {
            Some(Input::Received { payload, .. }) => self.pieces.push(Piece::One(payload)),
            // An input of its own, so that the first of several large ones is posted while the others are looked at.
            Some(Input::ReceivedParcel { parcel, .. }) => {
                self.end();
                self.pieces.push(Piece::Parcel(parcel));
                self.end();
            }
            _ => {}
        }
    }

    /// Adds small binary messages, each behind its length; none is nothing.
    fn put_packed(&mut self, packed: Vec<u8>) {
        let packed = Packed::new(packed).filter(|packed| packed.count() > 0);
        self.pieces.extend(packed.map(Piece::Packed));
    }

    fn end(&mut self) {
        if !self.pieces.is_empty() {
            let (socket, gathered) = (self.socket, mem::take(&mut self.pieces));
            (self.take)(Input::Gathered { socket, gathered });
        }
    }
}

fn opened(socket: &WebSocket, id: SocketId, _: JsValue, _: bool) -> Option<Input> {
    (socket.ready_state() == WebSocket::OPEN).then(|| Input::SocketOpened {
        socket: id,
        subprotocol: socket.protocol(),
    })
}

fn received(_: &WebSocket, id: SocketId, event: JsValue, is_open: bool) -> Option<Input> {
    if !is_open {
        return None;
    }
    input(id, event.unchecked_into::<MessageEvent>().data())
}

fn input(id: SocketId, data: JsValue) -> Option<Input> {
    let data = data.dyn_into::<ArrayBuffer>();
    let parcel = match &data {
        Ok(buffer) if buffer.byte_length() >= PARCEL_BYTES => held::hold(buffer.clone()),
        Err(text) if text_length(text) > limits::MAX_PAYLOAD_BYTES => {
            // Wasm's memory never shrinks, so it is refused by its length: as UTF-8 it is no shorter.
            held::hold_unread(text.clone(), text_length(text))
        }
        _ => {
            let payload = payload(data)?;
            return Some(Input::Received {
                socket: id,
                payload,
            });
        }
    };
    Some(Input::ReceivedParcel { socket: id, parcel })
}

fn text_length(text: &JsValue) -> usize {
    text.unchecked_ref::<JsString>().length() as usize
}

fn payload(data: Result<ArrayBuffer, JsValue>) -> Option<Payload> {
    Some(match data {
        Ok(buffer) => Payload::binary(held::read(&buffer)),
        Err(text) => text::payload(&text)?,
    })
}

/// A close event follows most error events, and says more. It does not behind a dial that the browser forbids: by the page's policy in Chromium, for its port
/// in WebKit.
fn failed(_: &WebSocket, id: SocketId, _: JsValue, is_open: bool) -> Option<Input> {
    (!is_open).then(|| Input::SocketClosed {
        socket: id,
        code: 1006,
        reason: String::new(),
        was_clean: false,
    })
}

fn closed(_: &WebSocket, id: SocketId, event: JsValue, _: bool) -> Option<Input> {
    let close = event.unchecked_into::<CloseEvent>();
    Some(Input::SocketClosed {
        socket: id,
        code: close.code(),
        reason: close.reason(),
        was_clean: close.was_clean(),
    })
}

/// From this size on a binary message is not copied before somebody has to read it.
const PARCEL_BYTES: u32 = 16 * 1024;

/// Of smaller ones so many bytes at a time are packed.
const PACK_BYTES: u32 = 4 * PARCEL_BYTES;
