//! The model server, and its sockets as both ends see them.

use onesocket_engine::{Input, SocketId};
use onesocket_protocol::{Payload, limits::BUFFERED_STEP_BYTES};

use super::{Event, Sim};

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
    /// The server reads nothing: what is sent stays with the client.
    pub(crate) clogged: bool,
    held: Vec<Payload>,
    /// Bytes that the client's end holds.
    pub(crate) holds: u32,
    /// What the engine knows of that.
    told: u32,
    pub(crate) ready: Ready,
    /// Whether the engine still wants to hear of it.
    pub(crate) wanted: bool,
    /// What else there is of it the engine ignores.
    pub(super) is_closed_by_engine: bool,
    pub(crate) said: u64,
    /// How many of the numbered messages the engine was given.
    pub(crate) given: u64,
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
            clogged: false,
            held: Vec::new(),
            holds: 0,
            told: 0,
            ready: Ready::Connecting,
            wanted: true,
            is_closed_by_engine: false,
            said: 0,
            given: 0,
            received: Vec::new(),
            to_server_at: 0,
            to_client_at: 0,
        }
    }

    /// Returns what it holds, as a host tells it, when that has changed.
    pub(super) fn newly_buffered(&mut self) -> Option<Input> {
        let (socket, bytes) = (self.socket, self.holds & !(BUFFERED_STEP_BYTES - 1));
        let is_new = self.wanted && core::mem::replace(&mut self.told, bytes) != bytes;
        is_new.then_some(Input::Buffered { socket, bytes })
    }
}

impl Sim {
    /// Closes every socket without a closing handshake, and refuses new ones until [`start_server`](Self::start_server).
    pub(crate) fn stop_server(&mut self) {
        self.server.mode = Mode::Refuse;
        for conn in 0..self.conns.len() {
            self.server_close(conn, 1006, "");
        }
    }

    pub(crate) fn start_server(&mut self) {
        self.server.mode = Mode::Normal;
    }

    pub(crate) fn server_close(&mut self, conn: usize, code: u16, reason: &str) {
        if !core::mem::replace(&mut self.conns[conn].server_open, false)
            || self.conns[conn].half_open
        {
            return;
        }
        let delay = self.net(false, conn);
        let (reason, clean) = (reason.to_owned(), code != 1006);
        self.schedule(
            delay,
            Event::CloseArrives {
                conn,
                code,
                reason,
                clean,
            },
        );
    }

    /// The server reads what it has left with the client.
    pub(crate) fn unclog(&mut self, conn: usize) {
        self.conns[conn].clogged = false;
        self.conns[conn].holds = 0;
        for payload in core::mem::take(&mut self.conns[conn].held) {
            self.transmit(conn, payload);
        }
    }

    /// The client's end of a socket takes a payload.
    pub(super) fn transmit(&mut self, conn: usize, payload: Payload) {
        if self.conns[conn].clogged {
            self.conns[conn].holds += payload.len() as u32;
            return self.conns[conn].held.push(payload);
        }
        let delay = self.net(true, conn);
        self.schedule(delay, Event::ToServer { conn, payload });
    }

    /// Says something on a socket; everything said is numbered so that holes and doubles show. Where hosts gather, most of it is binary.
    pub(crate) fn server_say(&mut self, conn: usize, body: &str) {
        let number = self.conns[conn].said;
        self.conns[conn].said += 1;
        let text = format!("m:{conn}:{number}:{body}");
        // Hosts that gather treat texts otherwise.
        let is_binary = self.gathers && number % 16 < 12;
        self.server_post(
            conn,
            match is_binary {
                true => Payload::binary(text),
                false => Payload::text(text),
            },
        );
    }

    pub(crate) fn server_post(&mut self, conn: usize, payload: Payload) {
        if !self.conns[conn].server_open || self.conns[conn].half_open {
            return;
        }
        let delay = self.net(false, conn);
        self.schedule(delay, Event::ToClient { conn, payload });
    }

    /// The sockets that the server holds open.
    pub(crate) fn open_conns(&self) -> Vec<usize> {
        (0..self.conns.len())
            .filter(|conn| self.conns[*conn].server_open)
            .collect()
    }

    /// What the server got, over all sockets, in the order of arrival.
    pub(crate) fn server_got(&self) -> Vec<String> {
        let mut all: Vec<_> = self.conns.iter().flat_map(|conn| &conn.received).collect();
        all.sort_by_key(|(order, _)| *order);
        all.iter()
            .map(|(_, payload)| payload.as_text().unwrap_or("(binary)").to_owned())
            .collect()
    }

    pub(crate) fn got_on(&self, conn: usize) -> Vec<&str> {
        self.conns[conn]
            .received
            .iter()
            .map(|(_, payload)| payload.as_text().unwrap_or("(binary)"))
            .collect()
    }

    pub(super) fn on_handshake(&mut self, conn: usize) {
        if !self.conns[conn].wanted {
            return;
        }
        let refuse = |conn| Event::CloseArrives {
            conn,
            code: 1006,
            reason: String::new(),
            clean: false,
        };
        let mut slow = 0;
        match &self.server.mode {
            Mode::Refuse => {
                let delay = self.net(false, conn);
                return self.schedule(delay, refuse(conn));
            }
            Mode::Silent => return,
            Mode::Slow(millis) => slow = *millis,
            Mode::CloseAfterOpen {
                after,
                code,
                reason,
            } => {
                let (after, code, reason) = (*after, *code, reason.clone());
                self.schedule(after, Event::CloseLater { conn, code, reason });
            }
            Mode::Normal => {}
        }
        let Some(subprotocol) = self.server.choose(&self.conns[conn].offered) else {
            let delay = self.net(false, conn);
            return self.schedule(delay, refuse(conn));
        };
        self.conns[conn].server_open = true;
        self.conns[conn].to_client_at = self.conns[conn].to_client_at.max(self.now + slow);
        let delay = self.net(false, conn);
        self.schedule(delay, Event::Opened { conn, subprotocol });
    }

    pub(super) fn on_server_receives(&mut self, conn: usize, payload: Payload) {
        if !self.conns[conn].server_open || self.conns[conn].half_open {
            return;
        }
        let order = self.server.arrivals;
        self.server.arrivals += 1;
        self.conns[conn].received.push((order, payload.clone()));
        let Some(text) = payload.as_text().map(str::to_owned) else {
            return;
        };
        if text == "ping" {
            if self.server.answers_pings {
                self.server_post(conn, Payload::text("pong"));
            }
        } else if self.server.broadcasts {
            let url = self.conns[conn].url.clone();
            for other in self.open_conns() {
                if self.conns[other].url == url {
                    self.server_say(other, &text);
                }
            }
        }
    }
}
