//! An event listener that ends when it is dropped.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// Listens for as long as it lives. It may be dropped while its own callback runs.
#[derive(Debug)]
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    closure: Closure<dyn Fn(JsValue)>,
}

impl Listener {
    /// Calls `callback` with every such event of the target.
    pub(crate) fn new(
        target: &EventTarget,
        event: &'static str,
        callback: impl Fn(JsValue) + 'static,
    ) -> Self {
        let closure = Closure::<dyn Fn(JsValue)>::new(callback);
        // It throws only for a callback that is no function.
        let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        Self {
            target: target.clone(),
            event,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, callback);
    }
}
