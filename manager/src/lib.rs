//! Picks where the socket lives: a SharedWorker, a dedicated Worker or the page. Spawns it and wires a tab to it.
//!
//! [`WorkerManager`] asks what the browser offers, tries the [tiers](Tier) from the best one down until one answers, and
//! remembers what became of each: the [`Ladder`]. Then it carries frames between the worker and the pure session of
//! `onesocket-engine`, and events to the sinks of the [`Channel`]s. In all tiers it is the same loop that runs behind the port.
//!
//! It is *not* a client: payloads are bytes here, and sends are numbers. An app imports the crate `onesocket`, which has types,
//! codecs, futures and streams.
//!
//! ```
//! use onesocket_manager::{ManagerConfig, ManagerState, Tier, TierPolicy, WorkerManager};
//!
//! let config = ManagerConfig::default().tiers(TierPolicy::Ladder(vec![Tier::Shared, Tier::Main]));
//! let manager = WorkerManager::new(config)?;
//! let _guard = manager.on_change(|state, ladder| println!("{state}: {ladder}"));
//! # #[cfg(not(target_family = "wasm"))]
//! assert!(matches!(manager.state(), ManagerState::Failed(_)), "there is no browser around a doc test");
//! # Ok::<(), onesocket_manager::ConfigError>(())
//! ```
//!
//! # When a tier is left for the next one
//!
//! The constructor throws; the worker's `error` event comes before its welcome (no script, not a script, refused by CSP); its
//! wasm does not load; it speaks no common protocol version; it says nothing within
//! [`hello_timeout`](ManagerConfig::hello_timeout). A worker that ends, traps or hangs later is replaced in its tier; after the third
//! loss within a minute the tier below is used. With [`TierPolicy::Forced`] nothing is left for anything: it works, or it is an error.
//!
//! What has failed for a reason that may pass is tried again behind the back of the tier that runs, first after 30 s, then less and less
//! often ([`climb_back`](ManagerConfig::climb_back)); when it answers, the tab moves back in good order.
//!
//! # Without a browser
//!
//! On native targets everything compiles and is inert: no tier, no worker, every channel is told
//! [`SessionFailure::NoBrowser`], every send is rejected with it.
//!
//! # Features
//!
//! - `faults`: `WorkerManager::fault`, which makes a worker of a test build fail.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "the browser half uses the rest")
)]

mod capabilities;
mod channel;
mod climb_back;
mod config;
mod core;
mod crash_loop;
mod diagnosis;
mod error;
mod generation;
mod host;
mod inspection;
mod ladder;
mod manager;
mod report;
mod role;
mod tier;
mod trace;
mod turn;
mod wiring;

pub use onesocket_engine::{ChannelConfig, ChannelEvent, Delivery, SendRejected, SessionFailure};

pub use crate::{
    capabilities::{Capabilities, StoragePartition},
    channel::Channel,
    config::{ClimbBack, ConfigError, ManagerConfig, ScriptKind, Start},
    error::{PingError, SwitchError},
    inspection::{Inspection, Observation},
    ladder::{Attempt, AttemptOutcome, Ladder, NextClimb, SkipReason, TierFailure},
    manager::{ChangeGuard, WorkerManager},
    report::ManagerState,
    role::{NotShared, Role},
    tier::{Tier, TierPolicy, UnknownTier},
    turn::{Stride, Turn},
};
