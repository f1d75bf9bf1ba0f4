//! The messages between a tab and a onesocket worker.
//!
//! A tab and its worker may come from two different deploys: the tab of yesterday meets the worker of today. Everything
//! here is built around that. The [`preface`] module holds the few layouts that never change, so that both sides learn
//! each other's version range *before* the first typed message; [`frame`] holds the envelope, in which every message is
//! tagged and length-delimited, so that an unknown message costs one typed error and not the whole frame; [`message`]
//! holds the messages themselves, encoded with [postcard](https://docs.rs/postcard); [`outbox`] holds the ack clock that
//! gathers messages into batches.
//!
//! The crate is pure: bytes in, values out. It has no clock, no randomness and no browser. The specification that it
//! implements is `PROTOCOL.md`.
//!
//! ```
//! use onesocket_protocol::{
//!     BatchReader, ChannelId, Epoch, Outbox, Payload, SendId, ToWorker, Version,
//! };
//!
//! let mut outbox = Outbox::new(Epoch(7), Version::V1);
//! outbox.push(&ToWorker::Send {
//!     channel: ChannelId(1),
//!     id: SendId(1),
//!     keep: false,
//!     payload: Payload::text("hello"),
//! });
//! let frame = bytes::Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight, so it leaves at once"));
//!
//! let mut batch = BatchReader::new(&frame)?;
//! assert_eq!(batch.header().epoch, Epoch(7));
//! let raw = batch.next().expect("one message")?;
//! let message = ToWorker::decode(Version::V1, &raw)?;
//! assert!(matches!(message, ToWorker::Send { payload, .. } if payload.as_text() == Some("hello")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `faults`: `Fault`, frames that make a worker of a test build fail.
//! - `next-version`, `next-version-only`: a second version of the messages, for this repository's tests of two builds at once. No release
//!   speaks it.

pub mod frame;
pub mod inspect;
pub mod limits;
pub mod log;
pub mod message;
pub mod outbox;
pub mod parcel;
pub mod preface;

mod credential;
mod error;
#[cfg(feature = "faults")]
mod fault;
mod ids;
mod link;
mod pace;
mod packed;
mod payload;
mod redact;
mod status;
mod version;

pub use credential::{Auth, Credential};
pub use error::{DecodeError, FrameError, OverCap, PrefaceError};
#[cfg(feature = "faults")]
pub use fault::Fault;
pub use frame::{BatchHeader, BatchReader, RawMessage};
pub use ids::{ChannelId, Epoch, GreetingId, SendId, TabId, TabToken};
pub use inspect::Sight;
pub use link::{
    Answer, Backoff, GiveUp, Greeting, Heartbeat, LatestBy, LinkKey, LinkPolicy, Millis,
    QueueLimits, Replay, StatedPolicy, Wake,
};
pub use log::LogEntry;
pub use message::{
    Connect, DebugLevel, Delivered, Encode, LogLevel, Outgoing, SendFailure, ToTab, ToWorker,
    WorkerError, WorkerScope,
};
pub use outbox::Outbox;
pub use pace::Pace;
pub use packed::{Packed, Payloads};
pub use parcel::Parcel;
pub use payload::{Payload, PayloadKind, text_of_utf8};
pub use preface::{FailedStart, Hello, Preface, Refusal, Welcome};
pub use redact::{redact_url, redact_url_bytes};
pub use status::{CloseInfo, LinkState, ReconnectCause, Status, StopReason};
pub use version::{Version, VersionRange};
