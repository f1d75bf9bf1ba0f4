//! Gathers by the worker's prelude, which keeps payloads and not events, and hands small ones over many at a time.

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{PACK_BYTES, PARCEL_BYTES, Run, input};
use crate::serve::prelude::Prelude;

pub(super) struct Gathered {
    kept: Kept,
    listener: Function,
}

impl Gathered {
    /// `None` without a prelude, or with one that is older than this.
    pub(super) fn new() -> Option<Self> {
        let prelude = Prelude::find()?;
        if !prelude.has_gather().is_function() {
            return None;
        }
        let kept = prelude.gather(PARCEL_BYTES, PACK_BYTES);
        let listener = kept.onmessage();
        Some(Self { kept, listener })
    }

    pub(super) fn listener(&self) -> &Function {
        &self.listener
    }

    /// Takes all, in order.
    pub(super) fn take(&self, run: &mut Run<'_>) {
        loop {
            let next = self.kept.next();
            if next.is_undefined() {
                return;
            }
            match next.dyn_into::<Uint8Array>() {
                Ok(many) => run.put_packed(many.to_vec()),
                Err(one) => run.put(input(run.socket, one)),
            }
        }
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(method, getter, js_name = gather)]
    fn has_gather(this: &Prelude) -> JsValue;

    /// Buffers from `large` bytes on are left as they are, of others as many are packed as have room in `room` bytes.
    #[wasm_bindgen(method)]
    fn gather(this: &Prelude, large: u32, room: u32) -> Kept;

    /// What a socket has received while the engine had no use for it.
    type Kept;

    /// What keeps it.
    #[wasm_bindgen(method, getter)]
    fn onmessage(this: &Kept) -> Function;

    /// Takes a text, a large `ArrayBuffer`, or a `Uint8Array` of small ones, which is valid until the next call: each behind its length. `undefined` at
    /// the end.
    #[wasm_bindgen(method)]
    fn next(this: &Kept) -> JsValue;
}
