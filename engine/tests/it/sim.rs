//! A world in virtual time: real engines and real tab sessions, between them ports and a network with seeded delays, behind
//! them a model server. One step handles one event, drains every machine it touches and checks what must always hold.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use fastrand::Rng;
use onesocket_engine::{DialRefusal, Engine, Input, PortId, SessionFailure, SocketId, TabSession};
use onesocket_protocol::{ChannelId, LinkKey, LogEntry, Payload, Sight, WorkerError};

mod client;
mod hosts;
mod page;
mod server;

pub(crate) use client::{Client, Outcome};
pub(crate) use hosts::{is_numbered, pack};
pub(crate) use server::{Conn, Mode, Ready, Server};

/// A channel of a tab, for tests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Chan {
    pub(crate) tab: usize,
    pub(crate) id: ChannelId,
}

#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) session: TabSession,
    pub(crate) port: Option<usize>,
    pub(crate) alive: bool,
    /// Frames wait for it and are read when it thaws.
    pub(crate) frozen: bool,
    inbox: Vec<(usize, Bytes)>,
    /// Ports to workers that ended meanwhile.
    lost_while_frozen: Vec<usize>,
    /// It is in the back/forward cache since it had this port.
    pub(crate) resting: Option<usize>,
    pub(crate) clients: BTreeMap<ChannelId, Client>,
    pub(crate) errors: Vec<WorkerError>,
    pub(crate) pongs: Vec<u32>,
    pub(crate) logs: Vec<LogEntry>,
    pub(crate) handed_over: u32,
    pub(crate) restarts: u32,
    pub(crate) welcomes: u32,
    pub(crate) refused: Vec<SessionFailure>,
    /// Where it goes when its worker lets go of it, or refuses it.
    next_worker: Option<usize>,
    last_posted: Option<(usize, Bytes)>,
    /// How many sends of each channel the app has made; the number is part of the payload.
    pub(crate) numbered: u32,
}

#[derive(Debug)]
pub(crate) struct Worker {
    /// `None` once it was killed.
    pub(crate) engine: Option<Engine>,
    started: u64,
    timeout: Option<u64>,
    pub(crate) lock_watches: Vec<(usize, String)>,
    /// It dies in the middle of a drain, after so many more outputs.
    pub(crate) dies_after: Option<u32>,
    /// What its host has gathered, in order.
    pub(crate) gathered: Vec<(SocketId, Payload)>,
}

#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) tab: usize,
    pub(crate) worker: usize,
    /// Whether the worker's host still has it.
    pub(crate) open: bool,
    to_worker_at: u64,
    to_tab_at: u64,
}

#[derive(Debug)]
enum Event {
    ToWorker {
        port: usize,
        frame: Bytes,
    },
    ToTab {
        port: usize,
        frame: Bytes,
        is_announcement: bool,
    },
    Attach {
        tab: usize,
        worker: usize,
    },
    Lost {
        tab: usize,
        port: usize,
    },
    PortClosed {
        port: usize,
    },
    Refusal {
        worker: usize,
        socket: SocketId,
        refusal: DialRefusal,
    },
    Handshake {
        conn: usize,
    },
    Opened {
        conn: usize,
        subprotocol: String,
    },
    ToServer {
        conn: usize,
        payload: Payload,
    },
    ToClient {
        conn: usize,
        payload: Payload,
    },
    GatheredLongEnough {
        worker: usize,
    },
    CloseArrives {
        conn: usize,
        code: u16,
        reason: String,
        clean: bool,
    },
    Closed {
        conn: usize,
        code: u16,
        reason: String,
        clean: bool,
    },
    ClosedByClient {
        conn: usize,
    },
    CloseLater {
        conn: usize,
        code: u16,
        reason: String,
    },
}

#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) now: u64,
    pub(crate) rng: Rng,
    /// Upper bound of the delay of one frame on a port, and of one message on the network.
    pub(crate) port_delay: u64,
    pub(crate) net_delay: u64,
    /// By how much a worker's timer may fire late.
    pub(crate) timer_slack: u64,
    /// How long after a close frame the close event comes, at most.
    pub(crate) close_event_delay: u64,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) ports: Vec<Port>,
    pub(crate) conns: Vec<Conn>,
    pub(crate) server: Server,
    pub(crate) steps: u64,
    /// Whether hosts gather messages where they may.
    pub(crate) gathers: bool,
    /// How many messages were gathered.
    pub(crate) gathered: u64,
    /// How many of them were given to engines in packs.
    pub(crate) packed: u64,
    by_socket: BTreeMap<(usize, SocketId), usize>,
    /// Sockets that a worker holds, by URL; never more than there are keys of that URL.
    live: BTreeMap<(usize, String), u32>,
    keys: BTreeMap<String, BTreeSet<LinkKey>>,
    pub(crate) most_live: u32,
    /// What was handed to an open socket: by payload, the sockets.
    pub(crate) transmitted: BTreeMap<Bytes, Vec<usize>>,
    pub(crate) transmitted_order: Vec<Bytes>,
    /// Every dial: when, and by which worker.
    pub(crate) dials: Vec<(u64, usize)>,
    pub(crate) seen: Vec<Sight>,
    /// What hosts log of dials, and of what is sent, while payloads are seen.
    pub(crate) described: Vec<LogEntry>,
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
    seed: u64,
}

impl Sim {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: 0,
            rng: Rng::with_seed(seed),
            port_delay: 2,
            net_delay: 20,
            timer_slack: 0,
            close_event_delay: 0,
            tabs: Vec::new(),
            workers: Vec::new(),
            ports: Vec::new(),
            conns: Vec::new(),
            server: Server::default(),
            steps: 0,
            gathers: false,
            gathered: 0,
            packed: 0,
            by_socket: BTreeMap::new(),
            live: BTreeMap::new(),
            keys: BTreeMap::new(),
            most_live: 0,
            transmitted: BTreeMap::new(),
            transmitted_order: Vec::new(),
            dials: Vec::new(),
            seen: Vec::new(),
            described: Vec::new(),
            events: BTreeMap::new(),
            next_event: 0,
            seed,
        }
    }

    /// A world with one worker and some tabs that are attached to it.
    pub(crate) fn with_tabs(seed: u64, tabs: usize) -> Self {
        let mut sim = Self::new(seed);
        let worker = sim.worker();
        for _ in 0..tabs {
            sim.tab(worker);
        }
        sim.run(50);
        sim
    }

    pub(crate) fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Runs until something is so; at most an hour of virtual time.
    pub(crate) fn run_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = self.now + 3_600_000;
        while !is_so(self) {
            assert!(
                self.next_at().is_some_and(|at| at <= end),
                "seed {}: never came: {what}",
                self.seed
            );
            self.step();
        }
    }

    /// The machine sleeps: time goes on, and what was due meanwhile happens afterwards.
    pub(crate) fn sleep(&mut self, millis: u64) {
        self.now += millis;
    }

    fn next_at(&self) -> Option<u64> {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let timeout = self
            .workers
            .iter()
            .filter_map(|worker| worker.timeout)
            .min();
        match (event, timeout) {
            (Some(event), Some(timeout)) => Some(event.min(timeout)),
            (event, timeout) => event.or(timeout),
        }
        .map(|at| at.max(self.now))
    }

    /// Handles the next event, or lets the next timer fire.
    pub(crate) fn step(&mut self) -> bool {
        let Some(at) = self.next_at() else {
            return false;
        };
        self.steps += 1;
        self.now = at;
        let due = |worker: &Worker| worker.timeout.is_some_and(|timeout| timeout <= at);
        let is_event = self
            .events
            .keys()
            .next()
            .is_some_and(|(event, _)| *event <= at);
        let ticking = self.workers.iter().position(due);
        match ticking {
            // Which of two things that are due comes first is anybody's guess.
            Some(worker) if !is_event || self.rng.bool() => {
                self.workers[worker].timeout = None;
                self.input(worker, Input::Tick);
            }
            _ => {
                if let Some((_, event)) = self.events.pop_first() {
                    self.handle(event);
                }
            }
        }
        true
    }

    fn schedule(&mut self, delay: u64, event: Event) {
        self.events
            .insert((self.now + delay, self.next_event), event);
        self.next_event += 1;
    }

    /// Draws a delay on the network, such that what was said before arrives before.
    fn net(&mut self, to_server: bool, conn: usize) -> u64 {
        let at = self.now + self.rng.u64(0..=self.net_delay);
        let conn = &mut self.conns[conn];
        let last = if to_server {
            &mut conn.to_server_at
        } else {
            &mut conn.to_client_at
        };
        *last = at.max(*last);
        *last - self.now
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::ToWorker { port, frame } => {
                let Port { worker, open, .. } = self.ports[port];
                if open {
                    self.input(
                        worker,
                        Input::Frame {
                            port: PortId(port as u32),
                            frame,
                        },
                    );
                }
            }
            Event::ToTab { port, frame, .. } => {
                let tab = self.ports[port].tab;
                if self.tabs[tab].frozen {
                    self.tabs[tab].inbox.push((port, frame));
                } else {
                    self.tab_reads(tab, port, &frame);
                    self.drain_tab(tab);
                }
            }
            Event::Attach { tab, worker } => {
                let lives = |worker: &usize| self.workers[*worker].engine.is_some();
                let newest = (worker..self.workers.len()).find(lives);
                let page = &self.tabs[tab];
                // It has found its way there already.
                let is_there = page.resting.is_none()
                    && page
                        .port
                        .is_some_and(|port| Some(self.ports[port].worker) == newest);
                if let (true, false, Some(worker)) = (page.alive, is_there, newest) {
                    self.attach(tab, worker);
                }
            }
            Event::Lost { tab, port } => self.lose_worker(tab, port),
            Event::PortClosed { port } => self.close_port(port),
            Event::Refusal {
                worker,
                socket,
                refusal,
            } => {
                if let Some(conn) = self.by_socket.get(&(worker, socket)).copied()
                    && self.conns[conn].wanted
                {
                    self.forget_socket(conn);
                    self.input(worker, Input::DialRefused { socket, refusal });
                }
            }
            Event::Handshake { conn } => self.on_handshake(conn),
            Event::Opened { conn, subprotocol } => {
                if self.conns[conn].wanted && self.conns[conn].ready == Ready::Connecting {
                    self.conns[conn].ready = Ready::Open;
                    let Conn { worker, socket, .. } = self.conns[conn];
                    self.input(
                        worker,
                        Input::SocketOpened {
                            socket,
                            subprotocol,
                        },
                    );
                }
            }
            Event::ToServer { conn, payload } => self.on_server_receives(conn, payload),
            Event::ToClient { conn, payload } => {
                // Browsers deliver what came before the close frame, and nothing after it.
                let Conn {
                    worker,
                    socket,
                    half_open,
                    ready,
                    wanted,
                    ..
                } = self.conns[conn];
                if wanted && !half_open && ready == Ready::Open {
                    self.receive(worker, socket, payload);
                }
            }
            Event::GatheredLongEnough { worker } => self.input(worker, Input::Tick),
            Event::CloseArrives {
                conn,
                code,
                reason,
                clean,
            } => {
                if self.conns[conn].half_open || !self.conns[conn].wanted {
                    return;
                }
                if self.conns[conn].ready == Ready::Open {
                    self.conns[conn].ready = Ready::Closing { told: false };
                }
                let delay = self.rng.u64(0..=self.close_event_delay);
                self.schedule(
                    delay,
                    Event::Closed {
                        conn,
                        code,
                        reason,
                        clean,
                    },
                );
            }
            Event::Closed {
                conn,
                code,
                reason,
                clean,
            } => {
                if self.conns[conn].wanted {
                    self.forget_socket(conn);
                    let Conn { worker, socket, .. } = self.conns[conn];
                    self.input(
                        worker,
                        Input::SocketClosed {
                            socket,
                            code,
                            reason,
                            was_clean: clean,
                        },
                    );
                }
            }
            Event::ClosedByClient { conn } => {
                if !self.conns[conn].half_open {
                    self.conns[conn].server_open = false;
                }
            }
            Event::CloseLater { conn, code, reason } => self.server_close(conn, code, &reason),
        }
    }
}
