//! The subscriber of a worker that has no other.
//!
//! The feature `tracing-wasm` has that crate's layer on a `Registry` in its place, for more than a third of the wasm's budget
//! (DESIGN.md has the numbers): it keeps spans, which the worker has none of, and it formats floats.

use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use wasm_bindgen::JsValue;
use web_sys::console;

use super::layer;

/// Writes every line to the console of this context and hands it to the tabs. Spans are ignored.
pub(super) struct Console;

impl Subscriber for Console {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The answer changes when a tab turns the log on, so it must not be remembered.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && layer::is_enabled(metadata)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let line = layer::text(event);
        let text = JsValue::from_str(&line);
        let target = JsValue::from_str(event.metadata().target());
        match *event.metadata().level() {
            Level::ERROR => console::error_2(&target, &text),
            Level::WARN => console::warn_2(&target, &text),
            Level::INFO => console::info_2(&target, &text),
            // Browsers hide `console.debug` until one asks for it, which the tab has done already.
            Level::DEBUG | Level::TRACE => console::log_2(&target, &text),
        }
        layer::forward(event, &line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
