//! A tab behind a `MessagePort`, or what the prelude puts in its place. Buffers move by transfer: one copy into wasm memory, one out of it, none between.

use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use onesocket_protocol::{limits, parcel::Enclosed};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

use super::{Inlet, Outlet, PortEnd};
use crate::{
    debug, held,
    listener::Listener,
    serve::prelude::{self, Witnessed},
};

impl PortEnd for MessagePort {
    fn open(self, inlet: Inlet) -> Box<dyn Outlet> {
        let unreadable = inlet.clone();
        let listeners = [
            Listener::new(&self, "message", move |event| {
                let data = event.unchecked_into::<MessageEvent>().data();
                inlet.frame(frame(data));
            }),
            // What the browser can't deserialize is a foreign frame too.
            Listener::new(&self, "messageerror", move |_| {
                unreadable.frame(Bytes::new())
            }),
        ];
        // Listeners, unlike `onmessage`, do not start a port.
        self.start();
        Box::new(OpenPort {
            port: self,
            _listeners: listeners,
        })
    }
}

struct OpenPort {
    port: MessagePort,
    _listeners: [Listener; 2],
}

impl Outlet for OpenPort {
    fn post(&self, frame: &[u8], enclosed: &[Enclosed]) {
        post(&self.port, frame, enclosed);
    }

    fn witness(&self, frame: &[u8]) {
        if let Some(witness) = self.port.unchecked_ref::<Witnessed>().witness() {
            post(&witness, frame, &[]);
        }
    }
}

fn post(port: &MessagePort, frame: &[u8], enclosed: &[Enclosed]) {
    let buffer = Uint8Array::from(frame).buffer();
    let moved = Array::of1(&buffer);
    let data = held::enclose(buffer, enclosed, &moved);
    // It throws only for what can't be cloned or moved, and a buffer that nobody else has can.
    let posted = port.post_message_with_transferable(&data, &moved);
    debug_assert!(posted.is_ok(), "a fresh buffer can be transferred");
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        prelude::forget(&self.port);
        self.port.close();
    }
}

/// Copies what has arrived. Anything but a buffer of a sane size is none of ours; the engine knows what to make of the empty
/// frame that stands for it.
fn frame(data: JsValue) -> Bytes {
    let Ok(buffer) = data.dyn_into::<ArrayBuffer>() else {
        debug::warn("a port has received something else than an ArrayBuffer");
        return Bytes::new();
    };
    if buffer.byte_length() as usize > limits::MAX_FRAME_BYTES {
        debug::warn("a port has received a frame over the cap");
        return Bytes::new();
    }
    held::read(&buffer)
}
