//! The clients of a herd.

use bytes::Bytes;
use fastrand::Rng;
use onesocket_engine::{
    ChannelConfig, Engine, EngineConfig, Input, Output, PortId, SocketId, TabOutput, TabSession,
    Time,
};
use onesocket_protocol::{DebugLevel, Epoch, LinkKey, LinkPolicy, Replay, TabToken, WorkerScope};

use super::{MILLIS, Micros, SECOND};

/// How the clients of one herd come back.
#[derive(Clone, Copy, Debug)]
pub enum Strategy {
    /// An engine and a tab, with the policy that an app gets which sets nothing.
    Ours,
    /// A model of another client.
    Other(Schedule),
}

/// When a client dials again: what common client libraries do unless they are told otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Schedule {
    /// The same wait, always.
    Fixed(u64),
    /// `first * factor^n`, up to a cap, the same for everyone.
    Exponential {
        /// Milliseconds.
        first: u64,
        /// In hundredths.
        factor: u64,
        /// Milliseconds.
        cap: u64,
        /// By how much a wait may be longer or shorter, in hundredths of it.
        jitter: u64,
    },
    /// A wait for each attempt in milliseconds; the last one stays.
    Steps(&'static [u64]),
}

impl Schedule {
    fn wait(self, attempt: u32, rng: &mut Rng) -> Micros {
        let millis = match self {
            Self::Fixed(wait) => wait,
            Self::Exponential {
                first,
                factor,
                cap,
                jitter,
            } => {
                let mut wait = first;
                for _ in 1..attempt {
                    wait = (wait * factor / 100).min(cap);
                }
                let spread = wait * jitter / 100;
                (wait - spread + rng.u64(0..=2 * spread)).min(cap)
            }
            Self::Steps(steps) => {
                let step = steps.get(attempt as usize - 1).or_else(|| steps.last());
                step.copied().unwrap_or(0)
            }
        };
        millis * MILLIS
    }
}

/// What happens to a client's socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Happening<'a> {
    Opened {
        socket: u32,
    },
    Closed {
        socket: u32,
        code: u16,
        reason: &'a str,
    },
    Tick,
}

/// What a client wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    Dial {
        socket: u32,
    },
    /// The client has given a socket up.
    Forget {
        socket: u32,
    },
    /// The next tick; the one asked for before does not come.
    WakeAt(Option<Micros>),
}

#[derive(Debug)]
pub(super) enum Client {
    Ours(Box<Ours>),
    Other(Other),
}

impl Client {
    pub(super) fn new(strategy: Strategy, seed: u64) -> Self {
        match strategy {
            Strategy::Ours => Self::Ours(Box::new(Ours::new(seed))),
            Strategy::Other(schedule) => Self::Other(Other {
                schedule,
                rng: Rng::with_seed(seed),
                attempt: 0,
                socket: 0,
                state: State::Waiting,
            }),
        }
    }

    /// Its page is loaded.
    pub(super) fn start(&mut self, now: Micros, wishes: &mut Vec<Wish>) {
        match self {
            Self::Ours(ours) => ours.start(now, wishes),
            Self::Other(other) => other.dial(now, wishes),
        }
    }

    pub(super) fn handle(&mut self, now: Micros, happening: Happening<'_>, wishes: &mut Vec<Wish>) {
        match self {
            Self::Ours(ours) => ours.handle(now, happening, wishes),
            Self::Other(other) => other.handle(now, happening, wishes),
        }
    }
}

/// A worker with one tab, without the way between them.
#[derive(Debug)]
pub(super) struct Ours {
    engine: Engine,
    tab: TabSession,
}

const PORT: PortId = PortId(0);

impl Ours {
    fn new(seed: u64) -> Self {
        let config = EngineConfig {
            epoch: Epoch(seed | 1),
            scope: WorkerScope::Shared,
            seed,
            online: true,
            debug: DebugLevel::Off,
        };
        let mut tab = TabSession::new(TabToken(seed), DebugLevel::Off);
        let key = LinkKey {
            url: "wss://herd.example/".into(),
            subprotocols: Vec::new(),
            account: String::new(),
        };
        tab.open(ChannelConfig {
            key,
            policy: LinkPolicy::default(),
            replay: Replay::None,
        });
        tab.attach(false);
        Self {
            engine: Engine::new(config),
            tab,
        }
    }

    fn start(&mut self, now: Micros, wishes: &mut Vec<Wish>) {
        self.input(now, Input::PortOpened(PORT), wishes);
        self.drain_tab(now, wishes);
    }

    fn handle(&mut self, now: Micros, happening: Happening<'_>, wishes: &mut Vec<Wish>) {
        let input = match happening {
            Happening::Opened { socket } => Input::SocketOpened {
                socket: SocketId(socket),
                subprotocol: String::new(),
            },
            Happening::Closed {
                socket,
                code,
                reason,
            } => Input::SocketClosed {
                socket: SocketId(socket),
                code,
                reason: reason.to_owned(),
                was_clean: code != 1006,
            },
            Happening::Tick => Input::Tick,
        };
        self.input(now, input, wishes);
        self.drain_tab(now, wishes);
    }

    fn input(&mut self, now: Micros, input: Input, wishes: &mut Vec<Wish>) {
        self.engine.handle_input(Time(now / MILLIS), input);
        loop {
            match self.engine.poll_output() {
                Output::Dial { socket, .. } => wishes.push(Wish::Dial { socket: socket.0 }),
                Output::Close { socket, .. } => wishes.push(Wish::Forget { socket: socket.0 }),
                Output::Post { frame, .. } => self.tab.handle_frame(&Bytes::copy_from_slice(frame)),
                Output::Timeout(at) => {
                    return wishes.push(Wish::WakeAt(at.map(|at| at.0 * MILLIS)));
                }
                // One tab that says nothing, with a lock that nobody asks for.
                _ => {}
            }
        }
    }

    fn drain_tab(&mut self, now: Micros, wishes: &mut Vec<Wish>) {
        while let Some(output) = self.tab.poll_output() {
            if let TabOutput::Post(frame) = output {
                let frame = Bytes::copy_from_slice(frame);
                self.input(now, Input::Frame { port: PORT, frame }, wishes);
            }
        }
    }
}

/// The loop that everybody writes.
#[derive(Debug)]
pub(super) struct Other {
    schedule: Schedule,
    rng: Rng,
    attempt: u32,
    /// The last one dialled.
    socket: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Dialling,
    Open,
    Waiting,
}

impl Other {
    fn dial(&mut self, now: Micros, wishes: &mut Vec<Wish>) {
        self.state = State::Dialling;
        self.socket += 1;
        wishes.push(Wish::Dial {
            socket: self.socket,
        });
        wishes.push(Wish::WakeAt(Some(now + CONNECT_TIMEOUT)));
    }

    fn handle(&mut self, now: Micros, happening: Happening<'_>, wishes: &mut Vec<Wish>) {
        match (self.state, happening) {
            (State::Dialling, Happening::Opened { socket }) if socket == self.socket => {
                self.state = State::Open;
                self.attempt = 0;
                wishes.push(Wish::WakeAt(None));
            }
            (State::Dialling | State::Open, Happening::Closed { socket, .. })
                if socket == self.socket =>
            {
                self.wait(now, wishes);
            }
            (State::Dialling, Happening::Tick) => {
                let socket = self.socket;
                wishes.push(Wish::Forget { socket });
                self.wait(now, wishes);
            }
            (State::Waiting, Happening::Tick) => self.dial(now, wishes),
            _ => {}
        }
    }

    fn wait(&mut self, now: Micros, wishes: &mut Vec<Wish>) {
        self.state = State::Waiting;
        self.attempt += 1;
        let wait = self.schedule.wait(self.attempt, &mut self.rng);
        wishes.push(Wish::WakeAt(Some(now + wait)));
    }
}

/// The same as our default, so that the waits alone make the difference.
const CONNECT_TIMEOUT: Micros = 10 * SECOND;
