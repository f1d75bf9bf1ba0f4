//! The sync loop of onesocket as pure state machines: inputs and the time go in, outputs come out, nothing else happens.
//!
//! [`Engine`] is the worker's side: it owns the connections, shares each between all tabs that ask for the same
//! one, dials again, queues and keeps the sockets alive. [`TabSession`] is the tab's side: it owns the channels of a page and
//! the sends without a receipt, and carries them from one worker to the next. Both speak the frames of
//! [`onesocket_protocol`] with each other.
//!
//! There is no clock here, no randomness, no socket and no browser: the hosts in `onesocket-worker` and `onesocket-manager`
//! bring them. That makes every schedule of faults a test that runs in microseconds.
//!
//! # The contract
//!
//! One input, then drain: after each [`Engine::handle_input`] call [`Engine::poll_output`] until it returns
//! [`Output::Timeout`]. Do what each output says, in order. Give [`Input::Tick`] at the time of the last `Timeout`, or later.
//!
//! ```
//! use bytes::Bytes;
//! use onesocket_engine::{Engine, EngineConfig, Input, Output, PortId, Time};
//! use onesocket_protocol::{DebugLevel, Epoch, Hello, TabToken, WorkerScope};
//!
//! let mut engine = Engine::new(EngineConfig {
//!     epoch: Epoch(1),
//!     scope: WorkerScope::Shared,
//!     seed: 42,
//!     online: true,
//!     debug: DebugLevel::Off,
//! });
//! let port = PortId(0);
//! engine.handle_input(Time(0), Input::PortOpened(port));
//! assert_eq!(engine.poll_output(), Output::Timeout(None));
//!
//! let hello = Bytes::from(Hello::new(TabToken(7), false).encode());
//! engine.handle_input(Time(1), Input::Frame { port, frame: hello });
//! assert!(matches!(engine.poll_output(), Output::Post { .. }), "the welcome");
//! assert!(matches!(engine.poll_output(), Output::Post { .. }), "the first batch");
//! assert_eq!(engine.poll_output(), Output::Timeout(None));
//! ```
//!
//! # Features
//!
//! - `transcode`: `Engine::transcode`, for an app's own worker. The prebuilt one is without it.

pub mod describe;

mod engine;
mod fifo;
mod io;
mod link;
mod port;
mod sink;
mod tab;
#[cfg(feature = "transcode")]
mod transcode;

pub use engine::Engine;
pub use fifo::Fifo;
pub use io::{DialRefusal, EngineConfig, Gathered, Input, Output, PortId, SocketId, Time};
pub use sink::LogSink;
pub use tab::{
    ChannelConfig, ChannelEvent, Delivery, Loss, SendRejected, SessionFailure, TabOutput,
    TabSession,
};
#[cfg(feature = "transcode")]
pub use transcode::Transcode;
