//! The loop as a [`gloo_worker::Worker`], for apps that register gloo or yew-agent workers already.
//!
//! Inputs and outputs are the frames of the port, whatever they hold; each bridge is a port. In the worker's `main`:
//!
//! ```no_run
//! use gloo_worker::Registrable;
//! use onesocket_worker::gloo::{OneSocketWorker, Postcard};
//!
//! OneSocketWorker::registrar().encoding::<Postcard>().register();
//! ```
//!
//! In the page, with a tab of the protocol behind `on_frame` and `frames`:
//!
//! ```no_run
//! use bytes::Bytes;
//! use gloo_worker::Spawnable;
//! use onesocket_worker::gloo::{OneSocketWorker, Postcard};
//!
//! # let (on_frame, frames) = (|_: Bytes| (), Vec::<Bytes>::new());
//! let bridge = OneSocketWorker::spawner().encoding::<Postcard>().callback(on_frame).spawn("worker.js");
//! for frame in frames {
//!     bridge.send(frame);
//! }
//! ```
//!
//! # Limits
//!
//! They are gloo-worker's (0.6), and the reason why the tier ladder does not stand on it: it knows dedicated workers only; it
//! copies every buffer, because it can't transfer; `spawn` panics when the constructor throws; the worker's `error` and
//! `messageerror` events are hidden, so that a script that can't be loaded is silence; and a message that can't be decoded,
//! such as one from another build, is a panic on the side that reads it.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use gloo_worker::{Codec, HandlerId, Worker, WorkerDestroyHandle, WorkerScope};
use js_sys::Uint8Array;
use onesocket_protocol::{DebugLevel, parcel::Enclosed};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::{Host, Inlet, Outlet, PortEnd, environment, port::assemble};

/// A worker that serves onesocket to every bridge. It ends, with its sockets, when the last bridge is dropped.
#[derive(Debug)]
pub struct OneSocketWorker {
    host: Host,
    bridges: Bridges,
}

type Bridges = Rc<RefCell<Vec<(HandlerId, Inlet)>>>;

impl OneSocketWorker {
    fn inlet(&self, id: HandlerId) -> Option<Inlet> {
        let bridges = self.bridges.borrow();
        bridges
            .iter()
            .find(|(bridge, _)| *bridge == id)
            .map(|(_, inlet)| inlet.clone())
    }
}

impl Worker for OneSocketWorker {
    type Message = ();
    type Input = Bytes;
    type Output = Bytes;

    fn create(_: &WorkerScope<Self>) -> Self {
        let scope = environment::scope().unwrap_or(onesocket_protocol::WorkerScope::Dedicated);
        Self {
            host: Host::start(scope, DebugLevel::Off),
            bridges: Bridges::default(),
        }
    }

    fn update(&mut self, _: &WorkerScope<Self>, (): ()) {}

    fn connected(&mut self, scope: &WorkerScope<Self>, id: HandlerId) {
        self.host.accept(BridgeEnd {
            scope: scope.clone(),
            id,
            bridges: Rc::clone(&self.bridges),
        });
    }

    fn received(&mut self, _: &WorkerScope<Self>, frame: Bytes, id: HandlerId) {
        if let Some(inlet) = self.inlet(id) {
            inlet.frame(frame);
        }
    }

    fn disconnected(&mut self, _: &WorkerScope<Self>, id: HandlerId) {
        if let Some(inlet) = self.inlet(id) {
            inlet.close();
        }
    }

    fn destroy(&mut self, _: &WorkerScope<Self>, _: WorkerDestroyHandle<Self>) {
        self.host.stop();
    }
}

struct BridgeEnd {
    scope: WorkerScope<OneSocketWorker>,
    id: HandlerId,
    bridges: Bridges,
}

impl PortEnd for BridgeEnd {
    fn open(self, inlet: Inlet) -> Box<dyn Outlet> {
        self.bridges.borrow_mut().push((self.id, inlet));
        Box::new(self)
    }
}

impl Outlet for BridgeEnd {
    fn post(&self, frame: &[u8], enclosed: &[Enclosed]) {
        self.scope
            .respond(self.id, assemble(frame, enclosed).into());
    }
}

impl Drop for BridgeEnd {
    fn drop(&mut self) {
        self.bridges
            .borrow_mut()
            .retain(|(bridge, _)| *bridge != self.id);
    }
}

/// postcard for gloo-worker, whose own codec is bincode, which is no longer maintained
/// ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141)).
///
/// # Panics
///
/// Decoding panics when the other side is of another build: gloo's trait has no way to say so.
#[derive(Clone, Copy, Debug)]
pub struct Postcard;

impl Codec for Postcard {
    fn encode<I: Serialize>(input: I) -> JsValue {
        // Fails only for a type that can't say its length, of which gloo's messages have none.
        let bytes = postcard::to_allocvec(&input).unwrap_or_default();
        Uint8Array::from(bytes.as_slice()).into()
    }

    fn decode<O: for<'de> Deserialize<'de>>(input: JsValue) -> O {
        let bytes = Uint8Array::new(&input).to_vec();
        match postcard::from_bytes(&bytes) {
            Ok(message) => message,
            // gloo-worker's trait has no error to return, and its messages no other reader. Within one build what `encode` writes is read.
            Err(error) => panic!("a gloo-worker message of another build: {error}"),
        }
    }
}
