//! The hosts of the machines: they do what an engine or a session says, as a browser would.

use std::collections::BTreeSet;

use bytes::Bytes;
use onesocket_engine::{
    ChannelEvent, DialRefusal, Gathered, Input, Output, SocketId, TabOutput, Time, describe,
};
use onesocket_protocol::{Packed, Payload, PayloadKind, Sight};

use super::{Conn, Event, Ready, Sim};

impl Sim {
    /// Gives a worker an input the way its host does: what has changed without an event is told too.
    pub(crate) fn input(&mut self, worker: usize, input: Input) {
        let closing: Vec<(usize, SocketId)> = self
            .by_socket
            .range((worker, SocketId(0))..=(worker, SocketId(u32::MAX)))
            .map(|((_, socket), conn)| (*conn, *socket))
            .filter(|(conn, _)| self.conns[*conn].ready == Ready::Closing { told: false })
            .collect();
        for (conn, socket) in closing {
            self.conns[conn].ready = Ready::Closing { told: true };
            self.give(worker, Input::SocketClosing(socket));
        }
        let gathered = core::mem::take(&mut self.workers[worker].gathered);
        for run in gathered.chunk_by(|(one, _), (next, _)| one == next) {
            let socket = run[0].0;
            let payloads: Vec<_> = run.iter().map(|(_, payload)| payload.clone()).collect();
            let gathered = self.pieces(&payloads);
            self.give(worker, Input::Gathered { socket, gathered });
        }
        let of_worker = self.conns.iter_mut().filter(|conn| conn.worker == worker);
        let buffered: Vec<Input> = of_worker.filter_map(Conn::newly_buffered).collect();
        self.give(worker, input);
        for input in buffered {
            self.give(worker, input);
        }
    }

    /// As the prelude hands them over: texts one by one, and between them what is binary in packs.
    fn pieces(&mut self, payloads: &[Payload]) -> Vec<Gathered> {
        let mut pieces = Vec::new();
        for alike in payloads.chunk_by(|one, next| one.kind() == next.kind()) {
            match alike[0].kind() {
                PayloadKind::Text => pieces.extend(alike.iter().cloned().map(Gathered::One)),
                PayloadKind::Binary => {
                    self.packed += alike.len() as u64;
                    pieces.push(Gathered::Packed(pack(alike)));
                }
            }
        }
        pieces
    }

    /// A socket has received something. Its host gathers it if it may, or gives it to the engine.
    pub(super) fn receive(&mut self, worker: usize, socket: SocketId, payload: Payload) {
        let engine = self.workers[worker].engine.as_ref();
        let may_gather = engine.is_some_and(|engine| engine.may_gather(socket));
        if !self.gathers || !may_gather {
            return self.input(worker, Input::Received { socket, payload });
        }
        self.gathered += 1;
        let gathered = &mut self.workers[worker].gathered;
        gathered.push((socket, payload));
        if gathered.len() == 1 {
            self.schedule(GATHERING_MILLIS, Event::GatheredLongEnough { worker });
        }
    }

    pub(crate) fn give(&mut self, worker: usize, input: Input) {
        let now = Time(self.now - self.workers[worker].started);
        let Some(engine) = &mut self.workers[worker].engine else {
            return;
        };
        if let Some((socket, given)) = numbered_in(&input)
            && let Some(conn) = self.by_socket.get(&(worker, socket)).copied()
            && !self.conns[conn].is_closed_by_engine
        {
            self.conns[conn].given += given;
        }
        engine.handle_input(now, input);
        self.drain_worker(worker);
    }

    pub(super) fn drain_worker(&mut self, worker: usize) {
        for _ in 0..MAX_OUTPUTS {
            if let Some(left) = &mut self.workers[worker].dies_after {
                if *left == 0 {
                    return self.die(worker);
                }
                *left -= 1;
            }
            let started = self.workers[worker].started;
            let Some(engine) = &mut self.workers[worker].engine else {
                return;
            };
            match engine.poll_output() {
                Output::Dial {
                    socket,
                    url,
                    subprotocols,
                    key,
                } => {
                    self.described
                        .push(describe::dial(socket, &key, subprotocols.len()));
                    self.on_dial(worker, socket, url, subprotocols);
                }
                Output::Transmit {
                    socket,
                    payload,
                    is_credential,
                } => {
                    let seen = Sight::Payloads;
                    self.described
                        .push(describe::transmit(socket, &payload, is_credential, seen));
                    self.on_transmit(worker, socket, payload);
                }
                Output::Close { socket, code, .. } => {
                    assert!(
                        code == 1000 || (3000..5000).contains(&code),
                        "browsers refuse code {code}"
                    );
                    let conn = self.by_socket[&(worker, socket)];
                    assert!(self.conns[conn].wanted, "closes a socket that is gone");
                    self.conns[conn].is_closed_by_engine = true;
                    self.forget_socket(conn);
                    let delay = self.net(true, conn);
                    self.schedule(delay, Event::ClosedByClient { conn });
                }
                Output::Shut {
                    socket,
                    code,
                    reason,
                } => {
                    let conn = self.by_socket[&(worker, socket)];
                    assert_eq!(self.conns[conn].ready, Ready::Open, "shuts no open socket");
                    self.conns[conn].ready = Ready::Closing { told: true };
                    let delay = self.net(true, conn);
                    // The server repeats the code, as servers do.
                    self.schedule(delay, Event::CloseLater { conn, code, reason });
                }
                Output::Post {
                    port,
                    frame,
                    is_announcement,
                    ..
                } => {
                    let frame = Bytes::copy_from_slice(frame);
                    let port = port.0 as usize;
                    assert!(
                        self.ports[port].open,
                        "posts to a port that it was told is closed"
                    );
                    let delay = self.port_wait(port, false);
                    let to_tab = Event::ToTab {
                        port,
                        frame,
                        is_announcement,
                    };
                    self.schedule(delay, to_tab);
                }
                Output::WatchTab { port, lock } => {
                    self.workers[worker]
                        .lock_watches
                        .push((port.0 as usize, lock));
                }
                Output::ClosePort(port) => self.ports[port.0 as usize].open = false,
                Output::Debug(seen) => self.seen.push(seen),
                Output::Timeout(at) => {
                    let slack = if self.timer_slack == 0 {
                        0
                    } else {
                        self.rng.u64(0..=self.timer_slack)
                    };
                    self.workers[worker].timeout = at.map(|at| started + at.0 + slack);
                    return;
                }
            }
        }
        panic!("seed {}: the drain of a worker does not end", self.seed);
    }

    fn die(&mut self, worker: usize) {
        self.workers[worker].dies_after = None;
        if self.workers.len() == worker + 1 {
            self.worker();
        }
        self.kill_worker_and_tell(worker);
    }

    pub(super) fn port_wait(&mut self, port: usize, to_worker: bool) -> u64 {
        let at = self.now + self.rng.u64(0..=self.port_delay);
        let port = &mut self.ports[port];
        let last = if to_worker {
            &mut port.to_worker_at
        } else {
            &mut port.to_tab_at
        };
        *last = at.max(*last);
        *last - self.now
    }

    pub(super) fn on_dial(
        &mut self,
        worker: usize,
        socket: SocketId,
        url: String,
        offered: Vec<String>,
    ) {
        self.dials.push((self.now, worker));
        let live = self.live.entry((worker, url.clone())).or_default();
        *live += 1;
        let keys = self.keys.get(&url).map_or(1, BTreeSet::len) as u32;
        assert!(
            *live <= keys,
            "seed {}: {live} sockets at once for {keys} keys of {url}",
            self.seed
        );
        self.most_live = self.most_live.max(*live);
        let conn = self.conns.len();
        let refusal = match url.as_str() {
            "invalid" => Some(DialRefusal::InvalidUrl),
            "insecure" => Some(DialRefusal::Insecure),
            _ => offered
                .iter()
                .any(|offered| offered.contains(' '))
                .then_some(DialRefusal::InvalidSubprotocol),
        };
        self.conns.push(Conn::new(worker, socket, url, offered));
        self.by_socket.insert((worker, socket), conn);
        match refusal {
            Some(refusal) => self.schedule(
                0,
                Event::Refusal {
                    worker,
                    socket,
                    refusal,
                },
            ),
            None => {
                let delay = self.net(true, conn);
                self.schedule(delay, Event::Handshake { conn });
            }
        }
    }

    pub(super) fn on_transmit(&mut self, worker: usize, socket: SocketId, payload: Payload) {
        let conn = self.by_socket[&(worker, socket)];
        assert!(
            self.conns[conn].wanted && self.conns[conn].ready == Ready::Open,
            "seed {}: transmits to a socket that is not open",
            self.seed
        );
        if is_numbered(payload.bytes()) {
            let handed = self.transmitted.entry(payload.bytes().clone()).or_default();
            handed.push(conn);
            let is_first = handed.len() == 1;
            assert!(
                is_first || !payload.bytes().starts_with(b"s:"),
                "seed {}: {:?} is handed to a socket twice",
                self.seed,
                payload.as_text()
            );
            if is_first {
                self.transmitted_order.push(payload.bytes().clone());
            }
        }
        self.transmit(conn, payload);
    }

    /// The client's side of a socket is gone.
    pub(super) fn forget_socket(&mut self, conn: usize) {
        let Conn { worker, .. } = self.conns[conn];
        self.conns[conn].wanted = false;
        self.conns[conn].ready = Ready::Closed;
        let live = self.live.get_mut(&(worker, self.conns[conn].url.clone()));
        *live.expect("it was dialled") -= 1;
        // Outputs of the same drain may still name it.
        let ancient = SocketId(self.conns[conn].socket.0.saturating_sub(64));
        let conns = &self.conns;
        self.by_socket
            .retain(|(owner, id), conn| *owner != worker || *id >= ancient || conns[*conn].wanted);
    }

    pub(super) fn tab_reads(&mut self, tab: usize, port: usize, frame: &Bytes) {
        // The host reads the port of the last attach only.
        let page = &self.tabs[tab];
        if page.alive && page.resting.is_none() && page.port == Some(port) {
            self.tabs[tab].session.handle_frame(frame);
        }
    }

    pub(super) fn drain_tab(&mut self, tab: usize) {
        let mut acknowledged = Vec::new();
        for _ in 0..MAX_OUTPUTS {
            let page = &mut self.tabs[tab];
            let Some(output) = page.session.poll_output() else {
                let Some((channel, id)) = acknowledged.pop() else {
                    return;
                };
                page.session.acknowledge(channel, id);
                continue;
            };
            match output {
                TabOutput::Post(frame) => {
                    let frame = Bytes::copy_from_slice(frame);
                    let port = page.port.expect("posts only behind an attach");
                    page.last_posted = Some((port, frame.clone()));
                    let delay = self.port_wait(port, true);
                    self.schedule(delay, Event::ToWorker { port, frame });
                }
                TabOutput::Welcomed { .. } => {
                    page.welcomes += 1;
                    for client in page.clients.values_mut() {
                        client.on_new_worker();
                    }
                }
                TabOutput::Refused(why) => {
                    page.refused.push(why);
                    if let Some(worker) = page.next_worker.take() {
                        self.attach_later(tab, worker, 1);
                    }
                }
                TabOutput::Restarted { .. } => page.restarts += 1,
                TabOutput::HandedOver => {
                    page.handed_over += 1;
                    // The manager drops the old port; the worker notices.
                    let old = page.port.take();
                    if let Some(worker) = page.next_worker.take() {
                        self.schedule(0, Event::Attach { tab, worker });
                    }
                    if let Some(port) = old {
                        self.schedule(1, Event::PortClosed { port });
                    }
                }
                TabOutput::Event { channel, event } => {
                    let (now, seed) = (self.now, self.seed);
                    let client = page.clients.entry(channel).or_default();
                    if let ChannelEvent::Sent { through } = event {
                        for payload in client.open_sends(through) {
                            assert!(
                                !is_numbered(payload) || self.transmitted.contains_key(payload),
                                "seed {seed}: {payload:?} is sent, and was handed to no socket"
                            );
                        }
                    }
                    let ids = client.on_event(now, event, &self.conns, seed);
                    acknowledged.extend(ids.into_iter().map(|id| (channel, id)));
                }
                TabOutput::Pong { nonce } => page.pongs.push(nonce),
                TabOutput::Log(entry) => page.logs.push(entry),
                TabOutput::Error(error) => page.errors.push(error),
            }
        }
        panic!("seed {}: the drain of a tab does not end", self.seed);
    }
}

/// Packs payloads as the prelude does.
pub(crate) fn pack(payloads: &[Payload]) -> Packed {
    let mut bytes = Vec::new();
    for payload in payloads {
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(payload.bytes());
    }
    Packed::new(bytes).expect("each behind its length")
}

/// The socket that has received something, and how much of that the server has [numbered](Sim::server_say).
fn numbered_in(input: &Input) -> Option<(SocketId, u64)> {
    let count = |payload: &Payload| u64::from(payload.bytes().starts_with(b"m:"));
    let count_piece = |piece: &Gathered| match piece {
        Gathered::One(payload) => count(payload),
        Gathered::Packed(packed) => packed.payloads().map(|payload| count(&payload)).sum(),
        Gathered::Parcel(parcel) => count(&parcel.read()),
    };
    match input {
        Input::Received { socket, payload } => Some((*socket, count(payload))),
        Input::Gathered { socket, gathered } => {
            Some((*socket, gathered.iter().map(count_piece).sum()))
        }
        _ => None,
    }
}

/// More outputs than any one input gives rise to.
/// What hosts in browsers take.
const GATHERING_MILLIS: u64 = 16;

const MAX_OUTPUTS: usize = 200_000;

/// Whether it is one of the payloads that no two sends share: see [`Sim::send_numbered`].
pub(crate) fn is_numbered(payload: &[u8]) -> bool {
    matches!(payload, [b's' | b'l' | b'k', b':', ..])
}
