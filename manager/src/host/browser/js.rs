//! Small things that every part of the browser half needs: listeners that end, exceptions in words, time, randomness.

use core::time::Duration;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{ErrorEvent, Event, EventTarget};

/// Listens for as long as it lives. It may be dropped while its own callback runs.
#[derive(Debug)]
pub(super) struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn Fn(Event)>,
}

impl Listener {
    pub(super) fn new(
        target: &EventTarget,
        event: &'static str,
        callback: impl Fn(Event) + 'static,
    ) -> Self {
        let callback = Closure::<dyn Fn(Event)>::new(callback);
        // It throws only for a callback that is no function.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self {
            target: target.clone(),
            event,
            callback,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, callback);
    }
}

/// Reads a property; `undefined` when a getter throws, and of what is no object. That is not left to the exception: each one costs a place in wasm-bindgen's table
/// for ever, that of the [`undefined` in place of what was to be returned](https://github.com/wasm-bindgen/wasm-bindgen/pull/5238).
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    if !object.is_object() {
        return JsValue::UNDEFINED;
    }
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Returns an exception's name and message.
pub(super) fn describe(exception: &JsValue) -> (String, String) {
    let text = |name| get(exception, name).as_string().unwrap_or_default();
    let name = text("name");
    if name.is_empty() {
        ("exception".to_owned(), format!("{exception:?}"))
    } else {
        (name, text("message"))
    }
}

/// Returns what an error event says; empty when it says nothing.
pub(super) fn error_message(event: &Event) -> String {
    event
        .dyn_ref::<ErrorEvent>()
        .map(ErrorEvent::message)
        .unwrap_or_default()
}

pub(super) fn now() -> Duration {
    let millis = web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |clock| clock.now());
    Duration::from_secs_f64(millis.max(0.0) / 1000.0)
}

pub(super) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    let filled = web_sys::window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if filled {
        return u64::from_le_bytes(bytes);
    }
    // No page is without crypto, but it fills no memory that threads share. It only has to differ between tabs.
    js_sys::Math::random().to_bits() ^ js_sys::Date::now().to_bits().rotate_left(32)
}
