//! The debug log: what is seen here, and where it goes.
//!
//! To the consoles of all tabs, because Safari has no inspector for a SharedWorker at all; and, with the feature `tracing`, to
//! the console of this context. What an entry about a message keeps of it is in [`onesocket_engine::describe`].

#[cfg(feature = "tracing")]
mod subscriber;

#[cfg(feature = "tracing")]
pub use self::subscriber::{TabLayer, show_in_console};
#[cfg(feature = "tracing")]
pub(crate) use self::subscriber::{install, register, show};

/// Warns whoever looks at this context's console, whether or not the debug log is on.
pub(crate) fn warn(text: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "onesocket::worker", "{text}");
    #[cfg(not(feature = "tracing"))]
    web_sys::console::warn_1(&text.into());
}
