//! What the server has counted, as `GET /stats` tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// Tells what the server has counted since its start.
///
/// In JSON the fields of [`Self::total`] stand beside the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// The sum over all end points.
    #[serde(flatten)]
    pub total: Traffic,
    /// WebSocket handshakes that were not answered with 101: by the refuse fault, or for a bad parameter.
    pub rejected: u64,
    /// Milliseconds since the start of this server.
    pub uptime_ms: u64,
    /// The same counts per end point, by path. Each end point has an entry from the start.
    pub paths: BTreeMap<Endpoint, Traffic>,
    /// One entry per open socket in the order of opening; absent unless asked for (`?clients=1`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientStats>>,
}

/// Counts sockets, text and binary frames, and their payload bytes. Control frames are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Traffic {
    /// Sockets that are open now. A half-open one counts until its peer has closed the TCP connection.
    pub sockets_open: u64,
    /// Those of the open sockets that the half-open fault has frozen.
    pub sockets_half_open: u64,
    /// Sockets that were ever opened.
    pub sockets_ever: u64,
    /// Frames from clients.
    pub frames_in: u64,
    /// Frames handed to the socket for clients.
    pub frames_out: u64,
    /// Payload bytes from clients.
    pub bytes_in: u64,
    /// Payload bytes handed to the socket for clients.
    pub bytes_out: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, other: Self) {
        self.sockets_open += other.sockets_open;
        self.sockets_half_open += other.sockets_half_open;
        self.sockets_ever += other.sockets_ever;
        self.frames_in += other.frames_in;
        self.frames_out += other.frames_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}

/// Describes one open socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientStats {
    /// Its number, counted from 1 in the order of opening; never used again by this server.
    pub id: u64,
    /// The end point.
    pub path: Endpoint,
    /// The parameters that the server itself reads (room, rate, size, count, protocols). Others, such as tokens and accounts, are
    /// left out.
    pub query: BTreeMap<String, String>,
    /// The subprotocol that was selected.
    pub protocol: Option<String>,
    /// Whether the half-open fault has frozen it.
    pub half_open: bool,
    /// Milliseconds since it was opened.
    pub open_ms: u64,
    /// Frames from this client.
    pub frames_in: u64,
    /// Frames handed to the socket for this client.
    pub frames_out: u64,
}
