//! What becomes of a herd, event by event.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use fastrand::Rng;

use super::{
    MILLIS, Micros, SECOND, Server, Strategy,
    client::{Client, Happening, Wish},
    server::{Answer, Door},
};

/// How the server goes.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// For how long it takes no handshake.
    pub down: Duration,
    /// The close code that it parts with; 1006 is a server that says nothing.
    pub code: u16,
    /// Its close reason.
    pub reason: &'static str,
}

/// What became of a herd. All times count from the moment at which the server went.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many clients there are.
    pub clients: usize,
    /// When each dial came to the server, in order.
    dials: Vec<Micros>,
    /// When each client lost its socket, and when it dialled for the first time after that.
    first_dials: Vec<(Micros, Micros)>,
    /// When clients were back, in order.
    back: Vec<Micros>,
    /// Handshakes that were served for nobody.
    pub wasted: usize,
}

impl Report {
    /// Returns the most dials that came to the server within any second.
    #[must_use]
    pub fn peak(&self) -> usize {
        let from = |end: usize| {
            let start = self.dials[end].saturating_sub(SECOND - 1);
            self.dials.partition_point(|dial| *dial < start)
        };
        let within = (0..self.dials.len()).map(|end| end + 1 - from(end));
        within.max().unwrap_or(0)
    }

    /// Returns how many dials came to the server.
    #[must_use]
    pub fn dials(&self) -> usize {
        self.dials.len()
    }

    /// Returns how many dials came in each second.
    #[must_use]
    pub fn dials_by_second(&self) -> Vec<usize> {
        let mut seconds = Vec::new();
        for dial in &self.dials {
            let second = (dial / SECOND) as usize;
            seconds.resize(seconds.len().max(second + 1), 0);
            seconds[second] += 1;
        }
        seconds
    }

    /// Returns when so many hundredths of the clients were back; `None` when they never were.
    #[must_use]
    pub fn back_after(&self, percent: usize) -> Option<Duration> {
        let count = (self.clients * percent).div_ceil(100);
        let at = self.back.get(count.checked_sub(1)?)?;
        Some(Duration::from_micros(*at))
    }

    /// Returns the shortest time between the loss of a socket and the dial after it.
    #[must_use]
    pub fn soonest_dial(&self) -> Option<Duration> {
        let waits = self.first_dials.iter().map(|(lost, dial)| dial - lost);
        waits.min().map(Duration::from_micros)
    }
}

/// Lets a herd of clients lose a server, and watches them come back. The same seed gives the same report.
#[must_use]
pub fn run(
    clients: usize,
    strategy: Strategy,
    server: Server,
    outage: Outage,
    seed: u64,
) -> Report {
    let mut world = World::new(clients, strategy, server, seed);
    world.gather();
    world.lose(outage);
    let began = world.now;
    world.run_until(began + AFTER);
    world.report(began)
}

/// How long a herd stays together before it loses its server, and how long it is watched after that.
const BEFORE: Micros = 60 * SECOND;
const AFTER: Micros = 600 * SECOND;

#[derive(Debug)]
struct World {
    now: Micros,
    seats: Vec<Seat>,
    door: Door,
    rng: Rng,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    next_event: u64,
    outage: Option<Outage>,
    dials: Vec<Micros>,
    wasted: usize,
}

/// A client, and what the network knows of it.
#[derive(Debug)]
struct Seat {
    client: Client,
    latency: Micros,
    /// Its present socket, unless that is gone.
    socket: Option<u32>,
    tick: Option<Micros>,
    lost_at: Option<Micros>,
    first_dial: Option<Micros>,
    back_at: Option<Micros>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    /// A dial is at the server.
    Knock {
        seat: usize,
        socket: u32,
    },
    /// The server has done its part of a handshake.
    Served {
        seat: usize,
        socket: u32,
    },
    Opened {
        seat: usize,
        socket: u32,
    },
    Refused {
        seat: usize,
        socket: u32,
    },
    /// The server's last words.
    Lost {
        seat: usize,
        socket: u32,
    },
    Tick {
        seat: usize,
    },
}

impl World {
    fn new(clients: usize, strategy: Strategy, server: Server, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let seats = (0..clients).map(|_| Seat {
            client: Client::new(strategy, rng.u64(..)),
            latency: rng.u64(10 * MILLIS..100 * MILLIS),
            socket: None,
            tick: None,
            lost_at: None,
            first_dial: None,
            back_at: None,
        });
        Self {
            now: 0,
            seats: seats.collect(),
            door: Door::new(server),
            rng,
            events: BinaryHeap::new(),
            next_event: 0,
            outage: None,
            dials: Vec::new(),
            wasted: 0,
        }
    }

    /// The clients come one by one, at half of what the server can take, and stay until their sockets count as stable.
    fn gather(&mut self) {
        let pace = 2 * self.door.slot();
        for seat in 0..self.seats.len() {
            self.run_until(seat as Micros * pace);
            let now = self.now;
            self.act(seat, |client, wishes| client.start(now, wishes));
        }
        self.run_until(self.now + BEFORE);
    }

    fn lose(&mut self, outage: Outage) {
        let began = self.now;
        self.dials.clear();
        self.wasted = 0;
        self.door
            .close_until(began + outage.down.as_micros() as Micros);
        self.outage = Some(outage);
        for seat in 0..self.seats.len() {
            let Seat {
                socket, latency, ..
            } = self.seats[seat];
            if let Some(socket) = socket {
                self.schedule(latency, Event::Lost { seat, socket });
            }
        }
    }

    fn run_until(&mut self, end: Micros) {
        while let Some(Reverse((at, ..))) = self.events.peek()
            && *at <= end
            && let Some(Reverse((at, _, event))) = self.events.pop()
        {
            self.now = at;
            self.handle(event);
        }
        self.now = self.now.max(end);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Knock { seat, socket } => self.on_knock(seat, socket),
            Event::Served { seat, socket } => {
                if self.seats[seat].socket == Some(socket) {
                    let latency = self.seats[seat].latency;
                    self.schedule(latency, Event::Opened { seat, socket });
                } else {
                    self.wasted += 1;
                }
            }
            Event::Opened { seat, socket } => {
                if self.seats[seat].socket == Some(socket) {
                    self.seats[seat].back_at = Some(self.now);
                    self.tell(seat, Happening::Opened { socket });
                }
            }
            Event::Refused { seat, socket } => self.close(seat, socket, 1006, ""),
            Event::Lost { seat, socket } => {
                let Some(Outage { code, reason, .. }) = self.outage else {
                    return;
                };
                self.seats[seat].lost_at = Some(self.now);
                self.seats[seat].back_at = None;
                self.close(seat, socket, code, reason);
            }
            Event::Tick { seat } => {
                // One that was asked for and then replaced by another is none.
                if self.seats[seat].tick == Some(self.now) {
                    self.seats[seat].tick = None;
                    self.tell(seat, Happening::Tick);
                }
            }
        }
    }

    fn on_knock(&mut self, seat: usize, socket: u32) {
        self.dials.push(self.now);
        match self.door.knock(self.now) {
            Answer::Refused => {
                let latency = self.seats[seat].latency;
                self.schedule(latency, Event::Refused { seat, socket });
            }
            Answer::ServedAt(at) => self.schedule(at - self.now, Event::Served { seat, socket }),
        }
    }

    fn close(&mut self, seat: usize, socket: u32, code: u16, reason: &str) {
        if self.seats[seat].socket == Some(socket) {
            self.seats[seat].socket = None;
            self.tell(
                seat,
                Happening::Closed {
                    socket,
                    code,
                    reason,
                },
            );
        }
    }

    fn tell(&mut self, seat: usize, happening: Happening<'_>) {
        let now = self.now;
        self.act(seat, |client, wishes| client.handle(now, happening, wishes));
    }

    fn act(&mut self, seat: usize, act: impl FnOnce(&mut Client, &mut Vec<Wish>)) {
        let mut wishes = Vec::new();
        act(&mut self.seats[seat].client, &mut wishes);
        for wish in wishes {
            match wish {
                Wish::Dial { socket } => {
                    let (now, place) = (self.now, &mut self.seats[seat]);
                    place.socket = Some(socket);
                    if place.lost_at.is_some() {
                        place.first_dial.get_or_insert(now);
                    }
                    // A handshake's way takes a moment longer or shorter each time.
                    let latency = place.latency + self.rng.u64(0..10 * MILLIS);
                    self.schedule(latency, Event::Knock { seat, socket });
                }
                Wish::Forget { socket } => {
                    if self.seats[seat].socket == Some(socket) {
                        self.seats[seat].socket = None;
                    }
                }
                Wish::WakeAt(at) => {
                    let at = at.map(|at| at.max(self.now));
                    if let Some(at) = at.filter(|at| self.seats[seat].tick != Some(*at)) {
                        self.schedule(at - self.now, Event::Tick { seat });
                    }
                    self.seats[seat].tick = at;
                }
            }
        }
    }

    fn schedule(&mut self, delay: Micros, event: Event) {
        self.next_event += 1;
        let at = self.now + delay;
        self.events.push(Reverse((at, self.next_event, event)));
    }

    fn report(self, began: Micros) -> Report {
        let mut back: Vec<Micros> = self
            .seats
            .iter()
            .filter_map(|seat| Some(seat.back_at? - began))
            .collect();
        back.sort_unstable();
        let first_dials = self
            .seats
            .iter()
            .filter_map(|seat| Some((seat.lost_at?, seat.first_dial?)));
        Report {
            clients: self.seats.len(),
            dials: self.dials.iter().map(|dial| dial - began).collect(),
            first_dials: first_dials.collect(),
            back,
            wasted: self.wasted,
        }
    }
}
