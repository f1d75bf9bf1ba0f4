//! The host of the onesocket engine: it drives the sync loop in a SharedWorker, a dedicated Worker or the page.
//!
//! The engine is a pure state machine; this crate is its hands. [`Host`] waits for something to happen, gives the engine one
//! input, does all that comes out, and waits again. It takes no decision of the protocol.
//!
//! It is *not* what an app talks to: that is the crate `onesocket`. It does not choose the tier either: that is
//! `onesocket-manager`.
//!
//! # A worker of one's own
//!
//! The binary `onesocket-worker` of this crate is a worker that fits every app. An app that wants its own code in the worker
//! writes the same three lines; one binary can be both page and worker:
//!
//! ```no_run
//! # fn start_page() {}
//! if onesocket_worker::is_worker() {
//!     onesocket_worker::serve();
//! } else {
//!     start_page();
//! }
//! ```
//!
//! The script of a worker is the prelude (`js/prelude.js`), the glue that wasm-bindgen makes, and the start
//! (`js/boot.classic.js` or `js/boot.module.js`), in one file. Without the prelude (Trunk's loader, say) [`serve`] works too,
//! with three losses: the first `connect` event may come before there is anybody to hear it, so that a tab has to knock twice;
//! a wasm that can't be loaded is found out by silence only; and each message of a stream costs a call of wasm.
//!
//! # Features
//!
//! - `faults`: a worker that fails when a tab asks for it, for tests of apps. Not for production.
//! - `gloo-worker`: [`gloo::OneSocketWorker`], the loop as a `gloo_worker::Worker`.
//! - `gloo-net` (on by default): sockets receive by that crate; without it by plain listeners, and the wasm is smaller.
//! - `local` (on by default): [`local`], ports within the page, for the main tier.
//! - `tracing` (on by default): the debug log as `tracing` events, in the console of the worker too; and what the app itself logs
//!   in its worker, in the consoles of its tabs. Without it the tabs get the worker's debug log all the same, as numbers that they
//!   put into words, and the wasm is smaller.
//! - `transcode`: [`transcode`], by which the tabs get the server's messages in another form.
//! - `tracing-wasm`: the console output of the debug log through that crate.
//!
//! # Elsewhere than in a browser
//!
//! On other targets than wasm the crate has nothing but an inert [`serve`], and with `transcode` its functions, so that a workspace compiles.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(target_family = "wasm"),
    expect(
        rustdoc::broken_intra_doc_links,
        reason = "elsewhere than in a browser there is nothing that they could lead to"
    )
)]

#[cfg(target_family = "wasm")]
mod alarm;
#[cfg(target_family = "wasm")]
mod debug;
#[cfg(target_family = "wasm")]
mod environment;
#[cfg(all(target_family = "wasm", feature = "faults"))]
mod fault;
#[cfg(all(target_family = "wasm", feature = "gloo-worker"))]
pub mod gloo;
#[cfg(target_family = "wasm")]
mod held;
#[cfg(target_family = "wasm")]
mod host;
#[cfg(target_family = "wasm")]
mod listener;
#[cfg(target_family = "wasm")]
mod lock;
#[cfg(target_family = "wasm")]
mod port;
#[cfg(target_family = "wasm")]
mod serve;
#[cfg(target_family = "wasm")]
mod socket;
#[cfg(all(target_family = "wasm", any(not(feature = "gloo-net"), test)))]
mod text;
#[cfg(feature = "transcode")]
mod transcode;

#[cfg(all(target_family = "wasm", feature = "tracing"))]
pub use crate::debug::{TabLayer, show_in_console};
#[cfg(all(target_family = "wasm", feature = "local"))]
pub use crate::port::local;
#[cfg(feature = "transcode")]
pub use crate::transcode::{json_to_postcard, transcode};
#[cfg(target_family = "wasm")]
pub use crate::{
    environment::{is_worker, scope},
    held::{arrived, into_buffer},
    host::Host,
    port::{Inlet, Outlet, PortEnd},
    serve::serve,
};
#[cfg(feature = "transcode")]
pub use onesocket_protocol::{LinkKey, Payload};

/// Does nothing: there is no worker on this target.
#[cfg(not(target_family = "wasm"))]
pub fn serve() {}

/// Returns `false`: there is no worker on this target.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub fn is_worker() -> bool {
    false
}
