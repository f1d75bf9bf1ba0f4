//! Shows what a worker does, in the page: which tier runs and why, the tabs, the connections, and what goes through them.
//!
//! [`show`] opens it as a panel over the page. It is an element, `<onesocket-inspector>`, whose scripts are in `js/`; what it
//! shows comes from the worker by the protocol itself, so it is the same in all browsers and tiers. A worker says nothing to a page
//! whose inspector is closed.
//!
//! An app reaches it as `onesocket::inspector`, with the feature `inspector` of the crate `onesocket`. `docs/inspector.md` shows it.
//!
//! It is *not* for production logs: it sees the content of messages.
//!
//! # Features
//!
//! - `element` (default): [`show`], and the element.
//! - `faults`: buttons that make a worker of a test build fail.

#[cfg(target_family = "wasm")]
mod feed;
#[cfg(target_family = "wasm")]
mod listener;

#[cfg(target_family = "wasm")]
pub use feed::Feed;

#[cfg(all(target_family = "wasm", feature = "element"))]
mod element;

/// Opens the inspector over the page, or brings it to front when it is open. It keeps the manager alive until it is closed.
///
/// On native targets it does nothing.
#[cfg(feature = "element")]
pub fn show(manager: &onesocket_manager::WorkerManager) {
    #[cfg(target_family = "wasm")]
    element::show(Feed::new(manager), false);
    #[cfg(not(target_family = "wasm"))]
    let _ = manager;
}

/// Opens it, and records. What is recorded from the first moment of a worker on can be replayed: call it before the first
/// connection is made, or right after, and with no other tab open.
///
/// On native targets it does nothing.
#[cfg(feature = "element")]
pub fn record(manager: &onesocket_manager::WorkerManager) {
    #[cfg(target_family = "wasm")]
    element::show(Feed::new(manager), true);
    #[cfg(not(target_family = "wasm"))]
    let _ = manager;
}

/// Fills the page with the inspector, for a page of its own: it shows the worker that a manager of the same script and name is with, and starts
/// it. That page has no channels, so it is shown no contents; on the main tier it is with a loop of its own, which shows nothing of other
/// tabs.
///
/// On native targets it does nothing.
#[cfg(feature = "element")]
pub fn fill_page(manager: &onesocket_manager::WorkerManager) {
    #[cfg(target_family = "wasm")]
    element::fill_page(Feed::new(manager));
    #[cfg(not(target_family = "wasm"))]
    let _ = manager;
}
