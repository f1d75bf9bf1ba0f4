//! From `tracing` to the tabs.

use std::fmt::{self, Write as _};

use onesocket_protocol::{LogEntry, LogLevel};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::layer::{Context, Layer};

use super::{SEEN, hosts};

/// Forwards the log of this context to the consoles of all tabs, while one of them has turned the debug log on.
///
/// It is part of the subscriber that the host installs. An app that installs its own in its worker adds it there. While the
/// debug log is off it lets warnings and errors pass only, for the whole subscriber.
#[derive(Clone, Copy, Debug, Default)]
pub struct TabLayer;

impl<S: Subscriber> Layer<S> for TabLayer {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The answer changes when a tab turns the log on, so it must not be remembered.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_enabled(metadata)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if hosts::want_lines() {
            forward(event, &text(event));
        }
    }
}

/// Returns whether anybody wants to see such a line.
pub(super) fn is_enabled(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::WARN || hosts::want_lines()
}

pub(super) fn text(event: &Event<'_>) -> String {
    let mut text = Text::default();
    event.record(&mut text);
    text.0
}

/// Hands a line to the tabs that want it.
pub(super) fn forward(event: &Event<'_>, text: &str) {
    let metadata = event.metadata();
    // A host tells its own tabs what it has seen.
    if metadata.target() == SEEN {
        return;
    }
    let level = log_level(*metadata.level());
    hosts::push_to_all(&LogEntry::line(level, metadata.target(), text));
}

fn log_level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The message, and `name=value` for every other field.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // The browser's formatter is there already; Rust's is 10 kB.
        let text = js_sys::Number::from(value)
            .to_string_with_radix(10)
            .map_or_else(|_| String::new(), String::from);
        self.record_debug(field, &format_args!("{text}"));
    }

    // The defaults of these format by `Debug`, whose code for hex, for 128 bits and for escapes is larger than all of this file's.
    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record_f64(field, value as f64);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record_f64(field, value as f64);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing to a string never fails.
        let _ = match field.name() {
            "message" => write!(self.0, "{space}{value:?}"),
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }
}
