//! A world in virtual time: real engines and real tab sessions, between them ports and a network with seeded delays, behind
//! them a model server. One step handles one event, drains every machine it touches and checks what must always hold.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use fastrand::Rng;
use onesocket_engine::{
    ChannelConfig, ChannelEvent, DialRefusal, Engine, EngineConfig, Input, Output, PortId,
    SendRejected, SessionFailure, SocketId, TabOutput, TabSession, Time,
};
use onesocket_protocol::{
    ChannelId, DebugLevel, Epoch, LinkKey, LinkPolicy, Millis, Payload, Replay, SendFailure,
    SendId, Status, TabToken, WorkerError, WorkerScope,
};

pub(crate) mod client;
pub(crate) mod server;

pub(crate) use client::{Client, Outcome};
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
    pub(crate) clients: BTreeMap<ChannelId, Client>,
    pub(crate) errors: Vec<WorkerError>,
    pub(crate) pongs: Vec<u32>,
    pub(crate) logs: Vec<String>,
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
    },
    Attach {
        tab: usize,
        worker: usize,
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
    CloseArrives {
        conn: usize,
        code: u16,
        reason: String,
        clean: bool,
    },
    CloseEvent {
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
    pub(crate) debug_levels: Vec<DebugLevel>,
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
            by_socket: BTreeMap::new(),
            live: BTreeMap::new(),
            keys: BTreeMap::new(),
            most_live: 0,
            transmitted: BTreeMap::new(),
            transmitted_order: Vec::new(),
            dials: Vec::new(),
            debug_levels: Vec::new(),
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

    // What an app, a page and its manager do.

    pub(crate) fn worker(&mut self) -> usize {
        let engine = self.engine(true);
        self.workers.push(Worker {
            engine: Some(engine),
            started: self.now,
            timeout: None,
            lock_watches: Vec::new(),
        });
        self.workers.len() - 1
    }

    fn engine(&mut self, online: bool) -> Engine {
        Engine::new(EngineConfig {
            epoch: Epoch(self.rng.u64(1..)),
            scope: WorkerScope::Shared,
            seed: self.rng.u64(..),
            online,
            debug: DebugLevel::Off,
        })
    }

    pub(crate) fn tab(&mut self, worker: usize) -> usize {
        let token = TabToken(self.rng.u64(..));
        self.tabs.push(Tab {
            session: TabSession::new(token, DebugLevel::Off),
            port: None,
            alive: true,
            frozen: false,
            inbox: Vec::new(),
            clients: BTreeMap::new(),
            errors: Vec::new(),
            pongs: Vec::new(),
            logs: Vec::new(),
            handed_over: 0,
            restarts: 0,
            welcomes: 0,
            refused: Vec::new(),
            next_worker: None,
            last_posted: None,
            numbered: 0,
        });
        let tab = self.tabs.len() - 1;
        self.attach(tab, worker);
        tab
    }

    /// Gives a tab a fresh port to a worker. A port that it had before is dropped, its frames no longer read.
    pub(crate) fn attach(&mut self, tab: usize, worker: usize) {
        self.ports.push(Port {
            tab,
            worker,
            open: true,
            to_worker_at: 0,
            to_tab_at: 0,
        });
        let port = self.ports.len() - 1;
        self.tabs[tab].port = Some(port);
        self.input(worker, Input::PortOpened(PortId(port as u32)));
        self.in_tab(tab, |session| session.attach(false));
    }

    pub(crate) fn attach_later(&mut self, tab: usize, worker: usize, delay: u64) {
        self.schedule(delay, Event::Attach { tab, worker });
    }

    pub(crate) fn open(&mut self, tab: usize, url: &str) -> Chan {
        self.open_with(tab, url, |_| {})
    }

    pub(crate) fn open_with(
        &mut self,
        tab: usize,
        url: &str,
        change: impl FnOnce(&mut ChannelConfig),
    ) -> Chan {
        let config = self.config(url, change);
        let id = self.in_tab(tab, |session| session.open(config));
        self.tabs[tab].clients.entry(id).or_default();
        Chan { tab, id }
    }

    pub(crate) fn config(
        &mut self,
        url: &str,
        change: impl FnOnce(&mut ChannelConfig),
    ) -> ChannelConfig {
        let mut config = ChannelConfig {
            key: LinkKey {
                url: url.into(),
                subprotocols: Vec::new(),
                account: String::new(),
            },
            policy: LinkPolicy::default(),
            replay: Replay::None,
        };
        change(&mut config);
        self.keys
            .entry(config.key.url.clone())
            .or_default()
            .insert(config.key.clone());
        config
    }

    pub(crate) fn close(&mut self, chan: Chan) {
        self.in_tab(chan.tab, |session| session.close(chan.id));
    }

    pub(crate) fn send(&mut self, chan: Chan, text: &str) -> SendId {
        self.try_send(chan, Payload::text(text)).expect("taken")
    }

    pub(crate) fn try_send(
        &mut self,
        chan: Chan,
        payload: Payload,
    ) -> Result<SendId, SendRejected> {
        let sent = self.in_tab(chan.tab, |session| session.send(chan.id, payload.clone()));
        if let Ok(id) = sent {
            self.client_mut(chan).on_send(id, payload.into_bytes());
        }
        sent
    }

    /// Sends a payload that no other send has.
    pub(crate) fn send_numbered(
        &mut self,
        chan: Chan,
        padding: usize,
    ) -> Result<SendId, SendRejected> {
        let number = self.tabs[chan.tab].numbered;
        self.tabs[chan.tab].numbered += 1;
        let text = format!(
            "s:{}.{}.{number:06}{}",
            chan.tab,
            chan.id,
            ".".repeat(padding)
        );
        self.try_send(chan, Payload::text(text))
    }

    pub(crate) fn in_tab<T>(&mut self, tab: usize, act: impl FnOnce(&mut TabSession) -> T) -> T {
        let result = act(&mut self.tabs[tab].session);
        self.drain_tab(tab);
        result
    }

    /// The page goes in an orderly way.
    pub(crate) fn bye(&mut self, tab: usize) {
        self.in_tab(tab, TabSession::bye);
        self.tabs[tab].alive = false;
        self.tabs[tab].port = None;
    }

    /// The page is gone without a word; its lock tells the worker.
    pub(crate) fn crash_tab(&mut self, tab: usize) {
        self.tabs[tab].alive = false;
        if let Some(port) = self.tabs[tab].port.take() {
            let delay = 1 + self.rng.u64(0..50);
            self.schedule(delay, Event::PortClosed { port });
        }
    }

    pub(crate) fn close_port(&mut self, port: usize) {
        if core::mem::replace(&mut self.ports[port].open, false) {
            let worker = self.ports[port].worker;
            self.input(worker, Input::PortClosed(PortId(port as u32)));
        }
    }

    pub(crate) fn freeze(&mut self, tab: usize) {
        self.tabs[tab].frozen = true;
    }

    pub(crate) fn thaw(&mut self, tab: usize) {
        self.tabs[tab].frozen = false;
        for (port, frame) in core::mem::take(&mut self.tabs[tab].inbox) {
            self.tab_reads(tab, port, &frame);
        }
        self.drain_tab(tab);
    }

    pub(crate) fn hand_over(&mut self, tab: usize, to: usize) {
        self.tabs[tab].next_worker = Some(to);
        self.in_tab(tab, TabSession::hand_over);
    }

    pub(crate) fn network(&mut self, worker: usize, online: bool) {
        self.input(worker, Input::Network { online });
    }

    /// The worker dies; its sockets with it. Its tabs notice when they are attached to another.
    pub(crate) fn kill_worker(&mut self, worker: usize) -> Vec<usize> {
        self.workers[worker].engine = None;
        self.workers[worker].timeout = None;
        self.drop_sockets(worker);
        let mut orphans = Vec::new();
        for (id, port) in self.ports.iter_mut().enumerate() {
            if port.worker == worker && core::mem::replace(&mut port.open, false) {
                orphans.extend((self.tabs[port.tab].port == Some(id)).then_some(port.tab));
            }
        }
        orphans
    }

    /// Safari: another run of the worker behind the same ports.
    pub(crate) fn restart_worker_silently(&mut self, worker: usize) {
        self.drop_sockets(worker);
        self.workers[worker].engine = Some(self.engine(true));
        self.workers[worker].started = self.now;
        self.workers[worker].timeout = None;
        let ports: Vec<usize> = (0..self.ports.len())
            .filter(|port| self.ports[*port].worker == worker && self.ports[*port].open)
            .collect();
        for port in ports {
            self.input(worker, Input::PortOpened(PortId(port as u32)));
        }
    }

    fn drop_sockets(&mut self, worker: usize) {
        for conn in 0..self.conns.len() {
            if self.conns[conn].worker == worker && self.conns[conn].wanted {
                self.forget_socket(conn);
                let delay = self.net(true, conn);
                self.schedule(delay, Event::ClosedByClient { conn });
            }
        }
    }

    // What a server and its network do.

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

    /// Says something on a socket; everything said is numbered so that holes and doubles show.
    pub(crate) fn server_say(&mut self, conn: usize, body: &str) {
        let number = self.conns[conn].said;
        self.conns[conn].said += 1;
        let payload = Payload::text(format!("m:{conn}:{number}:{body}"));
        self.server_post(conn, payload);
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

    // What a test asks.

    pub(crate) fn client(&self, chan: Chan) -> &Client {
        &self.tabs[chan.tab].clients[&chan.id]
    }

    fn client_mut(&mut self, chan: Chan) -> &mut Client {
        self.tabs[chan.tab].clients.entry(chan.id).or_default()
    }

    pub(crate) fn outcome(&self, chan: Chan, id: SendId) -> Option<&Outcome> {
        self.client(chan).outcomes.get(&id)
    }

    pub(crate) fn outcomes(&self, chan: Chan) -> Vec<Outcome> {
        self.client(chan).outcomes.values().cloned().collect()
    }

    pub(crate) fn bodies(&self, chan: Chan) -> Vec<&str> {
        self.client(chan)
            .messages
            .iter()
            .map(|message| message.body())
            .collect()
    }

    /// Asks for the status and waits for it.
    pub(crate) fn status(&mut self, chan: Chan) -> Status {
        let before = self.client(chan).statuses.len();
        self.in_tab(chan.tab, |session| session.ask_status(chan.id));
        self.run_until("a status", |sim| sim.client(chan).statuses.len() > before);
        self.client(chan)
            .statuses
            .last()
            .cloned()
            .expect("one came")
    }

    pub(crate) fn epoch_online(&mut self, worker: usize) {
        self.network(worker, true);
    }

    // Time.

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
            Event::ToTab { port, frame } => {
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
                if let (true, Some(worker)) = (self.tabs[tab].alive, newest) {
                    self.attach(tab, worker);
                }
            }
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
                            subprotocol: &subprotocol,
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
                    self.input(worker, Input::Received { socket, payload });
                }
            }
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
                    Event::CloseEvent {
                        conn,
                        code,
                        reason,
                        clean,
                    },
                );
            }
            Event::CloseEvent {
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
                            reason: &reason,
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

    fn on_handshake(&mut self, conn: usize) {
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

    fn on_server_receives(&mut self, conn: usize, payload: Payload) {
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

    // The hosts.

    /// Gives a worker an input the way its host does: what has changed without an event is told first.
    pub(crate) fn input(&mut self, worker: usize, input: Input<'_>) {
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
        self.give(worker, input);
    }

    fn give(&mut self, worker: usize, input: Input<'_>) {
        let now = Time(self.now - self.workers[worker].started);
        let Some(engine) = &mut self.workers[worker].engine else {
            return;
        };
        engine.handle_input(now, input);
        self.drain_worker(worker);
    }

    fn drain_worker(&mut self, worker: usize) {
        for _ in 0..MAX_OUTPUTS {
            let started = self.workers[worker].started;
            let Some(engine) = &mut self.workers[worker].engine else {
                return;
            };
            match engine.poll_output() {
                Output::Dial {
                    socket,
                    url,
                    subprotocols,
                } => {
                    let (url, offered) = (url.to_owned(), subprotocols.to_vec());
                    self.on_dial(worker, socket, url, offered);
                }
                Output::Transmit { socket, payload } => self.on_transmit(worker, socket, payload),
                Output::Close { socket, code, .. } => {
                    assert!(
                        code == 1000 || (3000..5000).contains(&code),
                        "browsers refuse code {code}"
                    );
                    let conn = self.by_socket[&(worker, socket)];
                    assert!(self.conns[conn].wanted, "closes a socket that is gone");
                    self.forget_socket(conn);
                    let delay = self.net(true, conn);
                    self.schedule(delay, Event::ClosedByClient { conn });
                }
                Output::Post { port, frame } => {
                    let frame = Bytes::copy_from_slice(frame);
                    let port = port.0 as usize;
                    assert!(
                        self.ports[port].open,
                        "posts to a port that it was told is closed"
                    );
                    let delay = self.port_wait(port, false);
                    self.schedule(delay, Event::ToTab { port, frame });
                }
                Output::WatchTab { port, lock } => {
                    self.workers[worker]
                        .lock_watches
                        .push((port.0 as usize, lock));
                }
                Output::ClosePort(port) => self.ports[port.0 as usize].open = false,
                Output::Debug(level) => self.debug_levels.push(level),
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

    fn port_wait(&mut self, port: usize, to_worker: bool) -> u64 {
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

    fn on_dial(&mut self, worker: usize, socket: SocketId, url: String, offered: Vec<String>) {
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

    fn on_transmit(&mut self, worker: usize, socket: SocketId, payload: Payload) {
        let conn = self.by_socket[&(worker, socket)];
        assert!(
            self.conns[conn].wanted && self.conns[conn].ready == Ready::Open,
            "seed {}: transmits to a socket that is not open",
            self.seed
        );
        if payload.bytes().starts_with(b"s:") {
            self.transmitted_order.push(payload.bytes().clone());
            let handed = self.transmitted.entry(payload.bytes().clone()).or_default();
            handed.push(conn);
            assert_eq!(
                handed.len(),
                1,
                "seed {}: {payload:?} is handed to a socket twice",
                self.seed
            );
        }
        let delay = self.net(true, conn);
        self.schedule(delay, Event::ToServer { conn, payload });
    }

    /// The client's side of a socket is gone.
    fn forget_socket(&mut self, conn: usize) {
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

    fn tab_reads(&mut self, tab: usize, port: usize, frame: &Bytes) {
        // The host reads the port of the last attach only.
        if self.tabs[tab].alive && self.tabs[tab].port == Some(port) {
            self.tabs[tab].session.handle_frame(frame);
        }
    }

    fn drain_tab(&mut self, tab: usize) {
        for _ in 0..MAX_OUTPUTS {
            let page = &mut self.tabs[tab];
            let Some(output) = page.session.poll_output() else {
                return;
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
                    client.on_event(now, event, seed);
                }
                TabOutput::Pong { nonce } => page.pongs.push(nonce),
                TabOutput::Log { text, .. } => page.logs.push(text),
                TabOutput::Error(error) => page.errors.push(error),
            }
        }
        panic!("seed {}: the drain of a tab does not end", self.seed);
    }

    /// Posts any buffer on a tab's port, as some other script of the page may.
    pub(crate) fn post_raw(&mut self, tab: usize, frame: Bytes) {
        let port = self.tabs[tab].port.expect("attached");
        let delay = self.port_wait(port, true);
        self.schedule(delay, Event::ToWorker { port, frame });
    }

    pub(crate) fn post_raw_to_tab(&mut self, tab: usize, frame: Bytes) {
        let port = self.tabs[tab].port.expect("attached");
        let delay = self.port_wait(port, false);
        self.schedule(delay, Event::ToTab { port, frame });
    }

    pub(crate) fn last_posted(&self, tab: usize) -> Option<Bytes> {
        let (port, frame) = self.tabs[tab].last_posted.as_ref()?;
        (self.tabs[tab].port == Some(*port)).then(|| frame.clone())
    }

    pub(crate) fn port_of(&self, tab: usize) -> usize {
        self.tabs[tab].port.expect("attached")
    }

    pub(crate) fn first_conn_of(&self, worker: usize) -> Option<usize> {
        self.open_conns()
            .into_iter()
            .find(|conn| self.conns[*conn].worker == worker)
    }
}

/// More outputs than any one input gives rise to.
const MAX_OUTPUTS: usize = 200_000;

pub(crate) fn millis(millis: u32) -> Millis {
    Millis(millis)
}

pub(crate) fn not_sent(failure: SendFailure) -> Outcome {
    Outcome::NotSent(failure)
}

pub(crate) fn is_message(event: &ChannelEvent) -> bool {
    matches!(event, ChannelEvent::Message { .. })
}
