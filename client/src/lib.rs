//! One WebSocket for every tab, off the main thread.
//!
//! A [`Client`] is a typed connection. Behind it a worker holds the socket: a SharedWorker, so that all tabs of the browser
//! share one; else a dedicated Worker; else, last, the page itself. The same loop runs in all three. It dials again with full
//! jitter, queues while there is no socket, and finds half-open sockets. Each send ends: as handed to an open socket, or as a
//! typed failure.
//!
//! It is *not* a message broker: what the network does with a message that was handed to an open socket is not known here, and
//! nothing is stored beyond the life of the worker.
//!
//! ```no_run
//! use futures::StreamExt;
//! use onesocket::{Client, Event, codec::Json};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize)]
//! struct Say { text: String }
//!
//! #[derive(Deserialize)]
//! struct Heard { text: String }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client: Client<Say, Heard> = Client::builder("/chat", Json).build()?;
//! let mut events = client.events();
//! client.send(&Say { text: "hello".into() }).await?; // In an open socket, now or after a reconnect; else a typed error.
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Message(Heard { text }) => println!("{text}"),
//!         Event::Reconnecting { attempt, delay, cause } => println!("{cause}: attempt {attempt} in {delay:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # On a server
//!
//! The crate compiles on native targets and is inert there, so that an app that renders on the server needs no `cfg`: a
//! client can be built, its status is stopped, and each send fails with [`SendError::Rejected`].
//!
//! ```
//! use onesocket::{Client, LinkState, StopReason, codec::Text};
//!
//! let client: Client<String, String> = Client::builder("wss://example.org/", Text).build()?;
//! assert_eq!(client.status().state, LinkState::Stopped(StopReason::NoWorker));
//! # Ok::<(), onesocket::BuildError>(())
//! ```
//!
//! # Features
//!
//! - `faults`: `Client::fault`, which makes a worker of a test build fail, for tests of apps.
//! - `inspector`: `onesocket::inspector::show(client.manager())` opens a panel that shows what the worker does.
//! - `json` (default): [`codec::Json`], and with `postcard` [`codec::Transcoded`].
//! - `postcard` (default): [`codec::Postcard`].

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod codec;

mod auth;
mod builder;
mod client;
#[cfg(test)]
mod defaults;
mod error;
mod event;
mod frame;
mod greeting;
mod listener;
mod page;
mod ready;
mod receipts;
mod request;
mod sending;

pub use auth::{Credential, CredentialRequest, LogOut};
pub use builder::ClientBuilder;
pub use client::Client;
pub use codec::Codec;
pub use error::{
    BuildError, ClientError, CloseError, GreetError, ReadyError, RequestError, SendError,
};
pub use event::{Event, Events};
pub use frame::PerFrame;
pub use greeting::GreetingGuard;
pub use listener::{EventGuard, ParcelGuard};
pub use onesocket_engine::{ChannelConfig, ChannelEvent, Delivery, SendRejected, SessionFailure};
#[cfg(feature = "inspector")]
pub use onesocket_inspector as inspector;
pub use onesocket_manager::{
    Attempt, AttemptOutcome, Capabilities, ChangeGuard, Channel, ClimbBack, ConfigError,
    Inspection, Ladder, ManagerConfig, ManagerState, NextClimb, NotShared, Observation, PingError,
    Role, ScriptKind, SkipReason, Start, StoragePartition, SwitchError, Tier, TierFailure,
    TierPolicy, UnknownTier, WorkerManager,
};
/// What a [`Channel`] proves itself with: on the wire, as it is dialled. An app's provider has the [`Credential`] of this crate.
pub use onesocket_protocol::Credential as ChannelCredential;
#[cfg(feature = "faults")]
pub use onesocket_protocol::Fault;
pub use onesocket_protocol::{
    Answer, Auth, Backoff, ChannelId, CloseInfo, DebugLevel, Epoch, GiveUp, GreetingId, Heartbeat,
    LatestBy, LinkKey, LinkPolicy, LinkState, LogEntry, Millis, OverCap, Pace, Packed, Parcel,
    Payload, PayloadKind, QueueLimits, ReconnectCause, Replay, SendFailure, SendId, Sight, Status,
    StopReason, VersionRange, Wake, WorkerError, redact_url,
};
#[cfg(target_family = "wasm")]
pub use onesocket_worker::into_buffer;
pub use ready::Ready;
pub use request::{Request, RequestId};
pub use sending::{Receipt, Sending};

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
