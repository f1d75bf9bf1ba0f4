//! The open sockets and the counts, which outlive them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::extract::ws::{CloseFrame, Message};
use tokio::sync::mpsc;

use crate::{
    connection::Connection,
    endpoint::Endpoint,
    stats::{ClientStats, Stats, Traffic},
    sync::lock,
};

/// Every open socket of one server, and what it has counted.
#[derive(Debug)]
pub(crate) struct Registry {
    started: Instant,
    rejected: AtomicU64,
    counters: BTreeMap<Endpoint, Arc<Counters>>,
    sockets: Mutex<Sockets>,
}

impl Registry {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            rejected: AtomicU64::new(0),
            counters: Endpoint::ALL
                .into_iter()
                .map(|endpoint| (endpoint, Arc::default()))
                .collect(),
            sockets: Mutex::default(),
        })
    }

    /// Counts a handshake that was not answered with 101.
    pub(crate) fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Enters a socket, which is open until the guard is dropped.
    pub(crate) fn enter(
        self: &Arc<Self>,
        about: About,
        connection: Arc<Connection>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Registered {
        let total = self.counters[&about.endpoint].clone();
        total.sockets_ever.fetch_add(1, Ordering::Relaxed);
        let mut sockets = lock(&self.sockets);
        sockets.last_id += 1;
        let id = sockets.last_id;
        let socket = Arc::new(Socket {
            id,
            about,
            connection,
            commands,
            opened: Instant::now(),
            own: Counters::default(),
            total,
        });
        sockets.open.insert(id, socket.clone());
        Registered {
            registry: self.clone(),
            socket,
        }
    }

    /// Lists the open sockets in the order of opening.
    pub(crate) fn open_sockets(&self) -> Vec<Arc<Socket>> {
        lock(&self.sockets).open.values().cloned().collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut paths: BTreeMap<_, _> = self
            .counters
            .iter()
            .map(|(&endpoint, counters)| (endpoint, counters.read()))
            .collect();
        for socket in self.open_sockets() {
            let path: &mut Traffic = paths.entry(socket.about.endpoint).or_default();
            path.sockets_open += 1;
            path.sockets_half_open += u64::from(socket.connection.is_frozen());
        }
        let mut total = Traffic::default();
        paths.values().for_each(|path| total.add(*path));
        Stats {
            total,
            rejected: self.rejected.load(Ordering::Relaxed),
            uptime_ms: milliseconds_since(self.started),
            paths,
            clients: None,
        }
    }

    pub(crate) fn clients(&self) -> Vec<ClientStats> {
        self.open_sockets()
            .iter()
            .map(|socket| socket.describe())
            .collect()
    }
}

/// Takes the socket off the list when dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Arc<Registry>,
    pub(crate) socket: Arc<Socket>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.registry.sockets).open.remove(&self.socket.id);
    }
}

/// One open socket as the faults and the stats see it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: u64,
    pub(crate) about: About,
    pub(crate) connection: Arc<Connection>,
    commands: mpsc::UnboundedSender<Command>,
    opened: Instant,
    own: Counters,
    total: Arc<Counters>,
}

impl Socket {
    /// Hands a command to the writer; says whether there still is one.
    pub(crate) fn command(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }

    pub(crate) fn count_in(&self, bytes: usize) {
        for counters in [&self.own, &*self.total] {
            counters.frames_in.fetch_add(1, Ordering::Relaxed);
            counters.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_out(&self, bytes: usize) {
        for counters in [&self.own, &*self.total] {
            counters.frames_out.fetch_add(1, Ordering::Relaxed);
            counters
                .bytes_out
                .fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    fn describe(&self) -> ClientStats {
        let traffic = self.own.read();
        ClientStats {
            id: self.id,
            path: self.about.endpoint,
            query: self.about.query.clone(),
            protocol: self.about.protocol.clone(),
            half_open: self.connection.is_frozen(),
            open_ms: milliseconds_since(self.opened),
            frames_in: traffic.frames_in,
            frames_out: traffic.frames_out,
        }
    }
}

/// What a handshake said about its socket.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) endpoint: Endpoint,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) protocol: Option<String>,
}

/// What a fault wants of a socket's writer.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send this before what is queued.
    Inject(Message),
    /// Close with this frame.
    Close(CloseFrame),
    /// Close with this frame, and then neither read nor write nor hang up.
    CloseAndHold(CloseFrame),
}

#[derive(Debug, Default)]
struct Sockets {
    last_id: u64,
    open: BTreeMap<u64, Arc<Socket>>,
}

#[derive(Debug, Default)]
struct Counters {
    sockets_ever: AtomicU64,
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    /// Reads all that only grows; how many are open is for the list of sockets to say.
    fn read(&self) -> Traffic {
        Traffic {
            sockets_ever: self.sockets_ever.load(Ordering::Relaxed),
            frames_in: self.frames_in.load(Ordering::Relaxed),
            frames_out: self.frames_out.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            ..Traffic::default()
        }
    }
}

fn milliseconds_since(instant: Instant) -> u64 {
    u64::try_from(instant.elapsed().as_millis()).unwrap_or(u64::MAX)
}
