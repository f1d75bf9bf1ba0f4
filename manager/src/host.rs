//! The browser, or the lack of it: the only place where the two differ.
//!
//! Both halves have the same functions. On native targets (server-side rendering, tests) the manager is inert: it compiles,
//! nothing is spawned, and every channel is told [`NoBrowser`](onesocket_engine::SessionFailure::NoBrowser).

#[cfg(target_family = "wasm")]
mod browser;
#[cfg(not(target_family = "wasm"))]
mod inert;

#[cfg(target_family = "wasm")]
pub(crate) use browser::{
    Bell, Host, begin, deliver, deliver_soon, detect, epoch, now, on_control, release, show_log,
    sleep, start, switch,
};
#[cfg(all(test, not(target_family = "wasm")))]
pub(crate) use inert::pass;
#[cfg(not(target_family = "wasm"))]
pub(crate) use inert::{
    Bell, Host, begin, deliver, deliver_soon, detect, epoch, now, on_control, release, show_log,
    sleep, start, switch,
};
