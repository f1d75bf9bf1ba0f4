//! A herd: thousands of clients lose their sockets at the same moment, in virtual time. How they come back decides whether the
//! server that they come back to lives.
//!
//! Ours are real [`Engine`](onesocket_engine::Engine)s with real tabs. The others are models of what common client libraries
//! do: a wait per attempt, and nothing else.

mod client;
mod plot;
mod scenario;
mod server;
mod world;

#[cfg(test)]
mod tests;

pub use client::{Schedule, Strategy};
pub use plot::{plot, table};
pub use scenario::{EXPONENTIAL, FIXED, HALF_JITTER, STEPS, Scenario};
pub use server::Server;
pub use world::{Outage, Report, run};

/// A moment or a length of time, in microseconds: a server that takes 3,000 handshakes a second has one every 333.
type Micros = u64;

const MILLIS: Micros = 1_000;
const SECOND: Micros = 1_000_000;
