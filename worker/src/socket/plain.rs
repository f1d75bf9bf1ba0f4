//! Receives by plain listeners: what a page and the prebuilt worker do in place of gloo-net's stream, whose channel, waker and task
//! cost the one time for each message, and are a tenth of the other's wasm.
//!
//! While nothing could be passed on anyway, messages cost no call of wasm: the browser itself puts their events into an array, which
//! is read in front of whatever happens next.

use std::{
    cell::Cell,
    mem,
    rc::{Rc, Weak},
};

use js_sys::{ArrayBuffer, Function};
use onesocket_engine::{DialRefusal, Input, SocketId};
use onesocket_protocol::Payload;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::{held, host::Inner, listener::Listener};

/// Hands everything that a socket receives to the host, until it is dropped.
pub(super) struct Receiving {
    socket: WebSocket,
    _listeners: [Listener; 2],
    on_message: Closure<dyn Fn(JsValue)>,
    gathered: Events,
    gather: Function,
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
        let on = |handle: fn(&WebSocket, SocketId, JsValue) -> Option<Input>| {
            let (host, socket, is_open) = (host.clone(), socket.clone(), Rc::clone(&is_open));
            move |event| {
                if let (Some(host), Some(input)) = (host.upgrade(), handle(&socket, id, event)) {
                    match input {
                        Input::SocketOpened { .. } => is_open.set(true),
                        Input::Received { .. } | Input::ReceivedParcel { .. } if !is_open.get() => {
                            return;
                        }
                        _ => {}
                    }
                    host.input(input);
                }
            }
        };
        let on_message = Closure::<dyn Fn(JsValue)>::new(on(received));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let gathered = Events::new();
        Ok(Self {
            _listeners: [
                Listener::new(socket, "open", on(opened)),
                // It follows every error event, and says more.
                Listener::new(socket, "close", on(closed)),
            ],
            socket: socket.clone(),
            on_message,
            gather: gathered.push().bind(&gathered),
            gathered,
            is_gathering: Cell::new(false),
        })
    }

    /// Begins to gather messages, or ends it, and returns whether it gathers.
    pub(super) fn gather(&self, gather: bool) -> bool {
        if self.is_gathering.replace(gather) != gather {
            self.socket.set_onmessage(Some(match gather {
                true => &self.gather,
                false => self.on_message.as_ref().unchecked_ref(),
            }));
        }
        gather
    }

    /// Takes what was gathered.
    pub(super) fn take_gathered(&self, socket: SocketId, mut take: impl FnMut(Input)) {
        if !self.is_gathering.get() {
            return;
        }
        let mut payloads = Vec::new();
        for at in 0..self.gathered.length() {
            match received(&self.socket, socket, self.gathered.at(at)) {
                Some(Input::Received { payload, .. }) => payloads.push(payload),
                Some(input) => {
                    flush(socket, &mut payloads, &mut take);
                    take(input);
                }
                None => {}
            }
        }
        flush(socket, &mut payloads, &mut take);
        self.gathered.clear(0);
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        // It throws only for a code or a reason.
        let _ = self.socket.close();
    }
}

/// Gives what was put together so far, as one input.
fn flush(socket: SocketId, payloads: &mut Vec<Payload>, take: &mut impl FnMut(Input)) {
    if !payloads.is_empty() {
        let payloads = mem::take(payloads);
        take(Input::Gathered { socket, payloads });
    }
}

fn opened(socket: &WebSocket, id: SocketId, _: JsValue) -> Option<Input> {
    (socket.ready_state() == WebSocket::OPEN).then(|| Input::SocketOpened {
        socket: id,
        subprotocol: socket.protocol(),
    })
}

fn received(_: &WebSocket, id: SocketId, event: JsValue) -> Option<Input> {
    let data = data(event);
    if let Ok(buffer) = &data
        && buffer.byte_length() >= PARCEL_BYTES
    {
        return Some(Input::ReceivedParcel {
            socket: id,
            parcel: held::hold(buffer.clone()),
        });
    }
    Some(Input::Received {
        socket: id,
        payload: payload(data)?,
    })
}

fn data(event: JsValue) -> Result<ArrayBuffer, JsValue> {
    event.unchecked_into::<MessageEvent>().data().dyn_into()
}

fn payload(data: Result<ArrayBuffer, JsValue>) -> Option<Payload> {
    Some(match data {
        Ok(buffer) => Payload::binary(held::read(&buffer)),
        Err(text) => Payload::text(text.as_string()?),
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

/// From this size on a binary message is not copied before somebody has to read it.
const PARCEL_BYTES: u32 = 16 * 1024;

#[wasm_bindgen]
extern "C" {
    /// Events, in order.
    #[wasm_bindgen(js_name = Array)]
    type Events;

    #[wasm_bindgen(constructor, js_class = "Array")]
    fn new() -> Events;

    #[wasm_bindgen(method, getter)]
    fn length(this: &Events) -> u32;

    #[wasm_bindgen(method, setter, js_name = length)]
    fn clear(this: &Events, length: u32);

    #[wasm_bindgen(method, indexing_getter)]
    fn at(this: &Events, index: u32) -> JsValue;

    #[wasm_bindgen(method, getter)]
    fn push(this: &Events) -> Push;

    /// Its function, as a value: bound to an array it is a listener that runs without a line of script.
    type Push;

    #[wasm_bindgen(method)]
    fn bind(this: &Push, events: &Events) -> Function;
}
