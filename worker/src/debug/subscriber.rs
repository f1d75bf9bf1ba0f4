//! Where the events of `tracing` go, our own and those of an app that logs in its worker: to the console and to the tabs.

#[cfg(not(feature = "tracing-wasm"))]
mod console;
mod hosts;
mod layer;

use std::cell::Cell;

use onesocket_protocol::{DebugLevel, LogEntry, log::kind};

pub(crate) use self::hosts::register;
pub use self::layer::TabLayer;

/// The target of what a host has seen.
pub(crate) const SEEN: &str = "onesocket";

/// Shows the debug log of this context in its console, whether or not a [`Host`](crate::Host) runs here. For pages, whose
/// worker is elsewhere.
///
/// Does nothing when the app has installed a `tracing` subscriber of its own: it gets the lines anyway.
pub fn show_in_console(level: DebugLevel) {
    hosts::set_own_level(level);
    if level != DebugLevel::Off {
        install();
    }
}

/// Shows what a host has seen. Whether a subprotocol is the key's or a credential's only the engine knows, so it is left out.
pub(crate) fn show(entry: &LogEntry) {
    match entry.kind {
        kind::OPENED => tracing::debug!(target: SEEN, "socket {} is open", entry.id),
        _ => tracing::debug!(target: SEEN, "{entry}"),
    }
}

/// Installs the subscriber, unless there is one already: an app that has its own adds [`TabLayer`] to it.
pub(crate) fn install() {
    thread_local!(static IS_DONE: Cell<bool> = const { Cell::new(false) });
    if IS_DONE.replace(true) || tracing::dispatcher::has_been_set() {
        return;
    }
    // It fails only when somebody else was faster, and then theirs is as good.
    let _ = tracing::subscriber::set_global_default(subscriber());
}

#[cfg(not(feature = "tracing-wasm"))]
fn subscriber() -> impl tracing::Subscriber {
    console::Console
}

#[cfg(feature = "tracing-wasm")]
fn subscriber() -> impl tracing::Subscriber {
    use tracing_subscriber::{layer::SubscriberExt as _, registry::Registry};
    use tracing_wasm::{ConsoleConfig, WASMLayer, WASMLayerConfigBuilder};

    // Without timings: each line would leave an entry in the performance timeline, which nobody ever clears.
    let config = WASMLayerConfigBuilder::new()
        .set_report_logs_in_timings(false)
        .set_console_config(ConsoleConfig::ReportWithoutConsoleColor)
        .build();
    Registry::default()
        .with(WASMLayer::new(config))
        .with(TabLayer)
}
