//! Gathers by the `push` of an array, bound to it: a listener that needs no script of ours, which a crate can't bring to a page of any kind. What it keeps are
//! events. Small binary messages in a row are copied into one piece of memory.

use std::mem;

use js_sys::{ArrayBuffer, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::MessageEvent;

use super::{PACK_BYTES, PARCEL_BYTES, Run, input};

pub(super) struct Gathered {
    events: Events,
    push: Function,
}

impl Gathered {
    pub(super) fn new() -> Option<Self> {
        let events = Events::new();
        let push = events.push().bind(&events);
        Some(Self { events, push })
    }

    pub(super) fn listener(&self) -> &Function {
        &self.push
    }

    /// Takes all, in order.
    pub(super) fn take(&self, run: &mut Run<'_>) {
        let mut small = Vec::new();
        for at in 0..self.events.length() {
            let data = self.events.at(at).data();
            match data.dyn_into::<ArrayBuffer>() {
                Ok(buffer) if buffer.byte_length() < PARCEL_BYTES => pack(&mut small, &buffer),
                other => {
                    run.put_packed(mem::take(&mut small));
                    let data = other.map_or_else(|data| data, JsValue::from);
                    run.put(input(run.socket, data));
                }
            }
            if small.len() >= PACK_BYTES as usize {
                run.put_packed(mem::take(&mut small));
            }
        }
        run.put_packed(small);
        self.events.clear(0);
    }
}

/// Appends a message behind its length.
fn pack(packed: &mut Vec<u8>, buffer: &ArrayBuffer) {
    let len = buffer.byte_length();
    packed.extend(len.to_le_bytes());
    let start = packed.len();
    packed.resize(start + len as usize, 0);
    Uint8Array::new(buffer).copy_to(&mut packed[start..]);
}

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
    fn at(this: &Events, index: u32) -> MessageEvent;

    #[wasm_bindgen(method, getter)]
    fn push(this: &Events) -> Push;

    /// Its function, as a value.
    type Push;

    #[wasm_bindgen(method)]
    fn bind(this: &Push, events: &Events) -> Function;
}
