//! The embedded dev server of the onesocket demo and of every test.
//!
//! It serves the built files under a strict Content-Security-Policy, offers WebSocket end points whose behaviour a test can
//! predict, counts everything, and breaks on demand. It runs in the process that starts it, so that a test can stop it and start it
//! again on the same port.
//!
//! It is *not* a production server: it accepts a WebSocket from every `Origin`, has no limit on the number of sockets or rooms, and
//! whoever can make a request from the same machine (a web page in a local browser is one) can use the fault API.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), onesocket_server::ServerError> {
//! use onesocket_server::{Selection, Server};
//!
//! let server = Server::builder().history(10).start().await?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(server.stats().total.sockets_open, 0);
//! assert_eq!(server.faults().drop_sockets(Selection::All), 0);
//! server.stop().await;
//! # Ok(()) }
//! ```
//!
//! # WebSocket end points
//!
//! Every one accepts frames and messages of up to [`MAX_FRAME_BYTES`], and selects a subprotocol by its query: `?protocols=a,b` lists
//! those it accepts. Without that `/auth` selects the first that begins with `bearer.`, and no other selects any. Without a match the
//! answer has no `Sec-WebSocket-Protocol` header, which a browser that offered one takes as a failure.
//!
//! | path | does |
//! |---|---|
//! | `/auth?token=T` | returns text as text and binary as binary to who has a [valid](Faults::allow_token) token: in the query, else behind `bearer.` in a subprotocol, else as the first message, `token:T`, within 5 s; closes all others with 4401; `/auth/TICKET?token=T` is the same |
//! | `/echo` | returns text as text, binary as binary and the payload of a ping as binary |
//! | `/chat?room=NAME` | sends each frame to all in the room, the sender included; a newcomer first gets the room's history |
//! | `/feed?rate=&size=&count=` | sends numbered binary frames ([`feed_frame`]); `rate=0` floods |
//! | `/ledger` | writes down each text and returns it ([`Ledger`]); says `{"feed":[SOCKET,NUMBER]}` every 50 ms |
//! | `/sink` | counts; the text `report` is answered with [`SinkReport`] as JSON |
//!
//! # HTTP
//!
//! `GET /stats` answers [`Stats`] as JSON, `?clients=1` adds one entry per open socket. `POST /fault/…` is [`Faults`] over HTTP,
//! for peers on a loopback address only; its paths are listed there.

mod accept;
mod connection;
mod endpoint;
mod error;
mod fault;
mod registry;
mod server;
mod site;
mod socket;
mod stats;
mod sync;
mod tls;

pub use crate::{
    endpoint::{
        Endpoint,
        chat::ChatState,
        feed::{feed_frame, feed_sequence},
        ledger::{Ledger, LedgerEntry},
        sink::SinkReport,
    },
    error::{FaultError, ServerError},
    fault::{Faults, HttpFault, InjectedFrame, Selection},
    server::{RunningServer, Server, ServerBuilder},
    socket::MAX_FRAME_BYTES,
    stats::{ClientStats, Stats, Traffic},
};
