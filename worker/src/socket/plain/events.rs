//! Gathers by the `push` of an array, bound to it: a listener that needs no script of ours, which a crate can't bring to a page of any kind. What it keeps are
//! events, and each is read by itself.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::MessageEvent;

use super::{Run, input};

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
        for at in 0..self.events.length() {
            run.put(input(run.socket, self.events.at(at).data()));
        }
        self.events.clear(0);
    }
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
