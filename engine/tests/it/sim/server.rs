//! The model server, and its sockets as both ends see them.

use onesocket_engine::SocketId;
use onesocket_protocol::Payload;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Normal,
    /// No handshake succeeds.
    Refuse,
    /// Handshakes are not answered.
    Silent,
    /// Handshakes are answered after so many milliseconds.
    Slow(u64),
    /// Each socket is closed so long after it was opened.
    CloseAfterOpen {
        after: u64,
        code: u16,
        reason: String,
    },
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) mode: Mode,
    pub(crate) answers_pings: bool,
    /// What comes in is told to every socket of the same URL.
    pub(crate) broadcasts: bool,
    pub(crate) accepts: Vec<String>,
    /// Whether a handshake without a common subprotocol fails; else it succeeds without one.
    pub(crate) insists: bool,
    pub(crate) arrivals: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            mode: Mode::Normal,
            answers_pings: true,
            broadcasts: true,
            accepts: Vec::new(),
            insists: false,
            arrivals: 0,
        }
    }
}

impl Server {
    /// Returns the answer to an offer; `None` fails the handshake.
    pub(crate) fn choose(&self, offered: &[String]) -> Option<String> {
        let common = offered
            .iter()
            .find(|offered| self.accepts.contains(offered));
        match common {
            Some(common) => Some(common.clone()),
            None if offered.is_empty() || !self.insists => Some(String::new()),
            None => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ready {
    Connecting,
    Open,
    /// The close frame is here, the close event is not. `told`: the engine knows.
    Closing {
        told: bool,
    },
    Closed,
}

#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) worker: usize,
    pub(crate) socket: SocketId,
    pub(crate) url: String,
    pub(crate) offered: Vec<String>,
    pub(crate) server_open: bool,
    /// Nothing gets through any more, and neither end knows.
    pub(crate) half_open: bool,
    pub(crate) ready: Ready,
    /// Whether the engine still wants to hear of it.
    pub(crate) wanted: bool,
    pub(crate) said: u64,
    pub(crate) received: Vec<(u64, Payload)>,
    pub(crate) to_server_at: u64,
    pub(crate) to_client_at: u64,
}

impl Conn {
    pub(crate) fn new(worker: usize, socket: SocketId, url: String, offered: Vec<String>) -> Self {
        Self {
            worker,
            socket,
            url,
            offered,
            server_open: false,
            half_open: false,
            ready: Ready::Connecting,
            wanted: true,
            said: 0,
            received: Vec::new(),
            to_server_at: 0,
            to_client_at: 0,
        }
    }
}
