//! Random operations under random faults. The world checks each step; this file makes the schedule and checks the end.
//!
//! `ONESOCKET_SIM_STEPS` sets how many steps are run, or `ONESOCKET_SIM_MINUTES` for how long; `ONESOCKET_SIM_SEED` the first seed. A
//! failure is shrunk to the fewest operations that still fail, and names them in a form that `ONESOCKET_SIM_SEED` takes.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use onesocket_engine::{Delivery, Input, TabSession};
use onesocket_protocol::{
    Backoff, Epoch, GiveUp, GreetingId, Heartbeat, LinkPolicy, Millis, Pace, Payload, QueueLimits,
    Replay, Sight, Wake, limits::BUFFERED_STEP_BYTES,
};

use crate::sim::{Chan, Mode, Sim};

mod account;
mod check;
mod shrink;

struct Run {
    sim: Sim,
    rng: Rng,
    seed: u64,
    chans: Vec<Chan>,
    greetings: Vec<(Chan, GreetingId)>,
    /// The worker that a tab without one is given next.
    current: usize,
    /// No queue is ever full or too old, no connection stops. Else a worker may refuse a send and hand on a later one, be lost
    /// before the tab hears of it, and its successor be given both.
    takes_all: bool,
    /// Whether dials need credentials, and tabs end the connections of all.
    has_accounts: bool,
    /// Whether tabs end workers of which they have not read everything.
    terminates: bool,
}

const URLS: [&str; 2] = ["ws://a/", "ws://b/"];

const SUBPROTOCOL: &str = "v1";

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let mut sim = Sim::new(seed);
        sim.port_delay = rng.u64(0..20);
        sim.net_delay = rng.u64(0..200);
        sim.timer_slack = if rng.bool() { 0 } else { rng.u64(0..300) };
        sim.close_event_delay = if rng.bool() { 0 } else { rng.u64(0..2_000) };
        // Not drawn: the schedules that once failed must stay what they were.
        sim.gathers = seed.is_multiple_of(4);
        let current = sim.worker();
        for _ in 0..rng.usize(1..6) {
            sim.tab(current);
        }
        Self {
            sim,
            rng,
            seed,
            chans: Vec::new(),
            greetings: Vec::new(),
            current,
            takes_all: seed.is_multiple_of(3),
            // Not drawn either.
            has_accounts: matches!(seed % 8, 4 | 6),
            terminates: seed % 5 == 4,
        }
    }

    fn policy(&mut self) -> LinkPolicy {
        let rng = &mut self.rng;
        let mut policy = LinkPolicy {
            backoff: Backoff {
                base: Millis(rng.u32(0..2_000)),
                cap: Millis(rng.u32(0..10_000)),
                stable_after: Millis(rng.u32(0..5_000)),
                spread: Millis(rng.u32(0..8_000)),
            },
            connect_timeout: Millis(rng.u32(500..5_000)),
            queue: QueueLimits {
                messages: rng.u32(0..40),
                bytes: rng.u32(0..4_000),
                timeout: rng.bool().then(|| Millis(rng.u32(0..20_000))),
            },
            linger: Millis(rng.u32(0..3_000)),
            heartbeat: Some(Heartbeat {
                interval: Millis(rng.u32(100..5_000)),
                deadline: Millis(rng.u32(500..3_000)),
                ping: Payload::text("ping"),
                pong: rng.bool().then(|| Payload::text("pong")),
            }),
            wake: Wake {
                deadline: Millis(rng.u32(0..3_000)),
                replace_after: rng.bool().then(|| Millis(rng.u32(0..60_000))),
            },
            ..LinkPolicy::default()
        };
        if self.takes_all {
            policy.fatal_codes.clear();
            policy.queue = QueueLimits {
                messages: u32::MAX,
                bytes: u32::MAX,
                timeout: None,
            };
        } else if rng.u8(..) < 40 {
            policy.give_up = GiveUp {
                attempts: rng.bool().then(|| rng.u32(0..6)),
                after: rng.bool().then(|| Millis(rng.u32(0..60_000))),
            };
        }
        if self.has_accounts {
            self.draw_auth(&mut policy);
        }
        policy
    }

    fn replay(&mut self) -> Replay {
        match self.rng.u8(0..4) {
            0 => Replay::None,
            1 => Replay::Ask(Payload::text("ask")),
            _ => Replay::Last {
                messages: self.rng.u32(0..20),
                bytes: self.rng.u32(0..2_000),
            },
        }
    }

    fn living_tab(&mut self) -> Option<usize> {
        let living: Vec<usize> = (0..self.sim.tabs.len())
            .filter(|tab| self.sim.tabs[*tab].alive)
            .collect();
        self.rng.choice(living)
    }

    fn chan(&mut self) -> Option<Chan> {
        self.rng.choice(self.living_chans())
    }

    fn act(&mut self, op: u32) {
        let seed = Rng::with_seed(self.seed ^ u64::from(op) << 32).u64(..);
        self.rng = Rng::with_seed(seed);
        self.sim.rng = Rng::with_seed(seed ^ 0x5eed);
        let Some(tab) = self.living_tab() else {
            let tab = self.sim.tab(self.current);
            return self.open(tab);
        };
        match self.rng.u32(0..1_000) {
            0..480 => self.send(),
            480..560 => self.open(tab),
            560..590 => self.close(),
            590..620 => self.greet(),
            620..640 => self.ask(),
            640..660 => self.server_talks(),
            660..690 => self.lose_socket(),
            690..730 => self.server_mode(),
            730..760 => self.network(tab),
            760..790 => self.tab_comes(),
            790..805 => self.tab_goes(tab),
            805..825 => self.freeze(tab),
            825..840 => self.replace_worker(),
            840..850 => self.sim.restart_worker_silently(self.current),
            850..875 => self.hand_over(tab),
            875..900 => self.disturb(tab),
            900..910 => self.abandon_worker(tab),
            910..920 => self.rest(tab),
            920..935 => self.clog(),
            _ => {
                let millis = self.rng.u64(0..8_000);
                self.sim.run(millis);
            }
        }
        if self.has_accounts {
            self.act_on_account();
        }
        if self.terminates && self.rng.u8(0..20) == 0 {
            self.terminate_worker();
        }
        for _ in 0..self.rng.u32(0..8) {
            self.sim.step();
        }
    }

    fn send(&mut self) {
        let Some(chan) = self.chan() else { return };
        for _ in 0..self.rng.u32(1..6) {
            let padding = self.rng.usize(0..200);
            let delivery = match self.rng.u8(0..6) {
                0 => Delivery::AtLeastOnce,
                1 => Delivery::UntilAcknowledged,
                _ => Delivery::AtMostOnce,
            };
            let _ = self.sim.deliver_numbered(chan, padding, delivery);
        }
    }

    fn open(&mut self, tab: usize) {
        if self.chans.iter().filter(|chan| chan.tab == tab).count() > 6 {
            return;
        }
        let url = URLS[self.rng.usize(0..URLS.len())];
        let account = if self.rng.u8(0..10) == 0 { "other" } else { "" };
        let has_subprotocol = self.has_accounts && account == "other";
        let (policy, replay) = (self.policy(), self.replay());
        let chan = self.sim.open_with(tab, url, |config| {
            config.key.account = account.into();
            if has_subprotocol {
                config.key.subprotocols = vec![SUBPROTOCOL.into()];
            }
            config.policy = policy;
            config.replay = replay;
        });
        self.chans.push(chan);
    }

    fn close(&mut self) {
        let Some(chan) = self.chan() else { return };
        self.sim.close(chan);
        self.chans.retain(|other| *other != chan);
    }

    fn greet(&mut self) {
        let Some(chan) = self.chan() else { return };
        if self.rng.bool() {
            let payload = Payload::text(format!("hello {}", self.rng.u8(0..3)));
            let farewell = self.rng.bool().then(|| Payload::text("farewell"));
            let greeting = self
                .sim
                .in_tab(chan.tab, |s| s.greet(chan.id, payload, farewell));
            self.greetings
                .extend(greeting.map(|greeting| (chan, greeting)));
        } else if let Some((chan, greeting)) = self.greetings.pop()
            && self.sim.tabs[chan.tab].alive
        {
            self.sim.in_tab(chan.tab, |s| s.ungreet(chan.id, greeting));
        }
    }

    fn ask(&mut self) {
        let Some(chan) = self.chan() else { return };
        let delay = Millis(self.rng.u32(0..5_000));
        let what = self.rng.u8(0..4);
        self.sim.in_tab(chan.tab, |session| match what {
            0 => session.ask_status(chan.id),
            1 => session.reconnect(chan.id),
            2 => session.delay(chan.id, delay),
            _ => session.ping(delay.0),
        });
    }

    fn server_talks(&mut self) {
        for conn in self.sim.open_conns() {
            for _ in 0..self.rng.u32(0..5) {
                self.sim.server_say(conn, "news");
            }
        }
    }

    fn lose_socket(&mut self) {
        let Some(conn) = self.rng.choice(self.sim.open_conns()) else {
            return;
        };
        if self.rng.bool() {
            self.sim.conns[conn].half_open = true;
        } else {
            let code = self
                .rng
                .choice([1000, 1006, 1012, 1008, 1013, 4000])
                .unwrap_or(1000);
            let reason = self.rng.choice(["", "retry-after=3", "bye"]).unwrap_or("");
            self.sim.server_close(conn, code, reason);
        }
    }

    /// The server stops to read, or reads on. What the socket holds then has not to do with what was sent: that is too little to be told.
    fn clog(&mut self) {
        let Some(conn) = self.rng.choice(self.sim.open_conns()) else {
            return;
        };
        if self.sim.conns[conn].clogged && self.rng.bool() {
            self.sim.unclog(conn);
        } else {
            self.sim.conns[conn].clogged = true;
            self.sim.conns[conn].holds += self.rng.u32(0..4 * BUFFERED_STEP_BYTES);
        }
    }

    fn server_mode(&mut self) {
        match self.rng.u8(0..8) {
            0 => self.sim.stop_server(),
            1 => self.sim.server.mode = Mode::Silent,
            2 => self.sim.server.mode = Mode::Slow(self.rng.u64(0..6_000)),
            3 => {
                let code = self.rng.choice([1000, 1006, 1008, 1012]).unwrap_or(1000);
                let after = self.rng.u64(0..3_000);
                let reason = String::from("retry-after=0.5");
                self.sim.server.mode = Mode::CloseAfterOpen {
                    after,
                    code,
                    reason,
                };
            }
            4 => self.sim.server.answers_pings = self.rng.bool(),
            _ => self.sim.start_server(),
        }
    }

    fn network(&mut self, tab: usize) {
        let online = self.rng.u8(0..3) > 0;
        let slept = Millis(self.rng.u32(0..300_000));
        match self.rng.u8(0..6) {
            0 => self.sim.network(self.current, online),
            1 => self.sim.sleep(u64::from(slept.0 / 10)),
            2 => self.sim.input(self.current, Input::Slept(slept)),
            3 => self.sim.in_tab(tab, TabSession::wake),
            4 if slept.0.is_multiple_of(2) => {
                let sights = [Sight::Off, Sight::Payloads, Sight::Recording];
                let sight = sights[self.rng.usize(0..sights.len())];
                self.sim.in_tab(tab, |session| session.inspect(sight));
            }
            4 => {
                let paces = [Pace::AT_ONCE, Pace::default(), Pace::HIDDEN];
                let pace = paces[self.rng.usize(0..paces.len())];
                self.sim.in_tab(tab, |session| session.set_pace(pace));
            }
            _ => self
                .sim
                .in_tab(tab, |session| session.handle_network(online)),
        }
    }

    fn tab_comes(&mut self) {
        if self.sim.tabs.iter().filter(|tab| tab.alive).count() < 12 {
            let tab = self.sim.tab(self.current);
            self.open(tab);
        }
    }

    fn tab_goes(&mut self, tab: usize) {
        if self.rng.bool() {
            self.sim.bye(tab);
        } else {
            self.sim.crash_tab(tab);
        }
    }

    fn freeze(&mut self, tab: usize) {
        if self.sim.tabs[tab].frozen {
            self.sim.thaw(tab);
        } else if self.rng.bool() {
            self.sim.freeze(tab);
        }
    }

    /// The worker dies, between two tasks or in the middle of one.
    fn replace_worker(&mut self) {
        let dying = self.current;
        self.current = self.sim.worker();
        if self.rng.bool() {
            self.sim.kill_worker_and_tell(dying);
        } else {
            self.sim.workers[dying].dies_after = Some(self.rng.u32(0..12));
        }
    }

    /// A tab ends its worker that has just handed something to a socket, and has not read that.
    fn terminate_worker(&mut self) {
        let before = self.sim.transmitted_order.len();
        let mut steps = self.rng.u32(0..500);
        while steps > 0 && self.sim.transmitted_order.len() == before && self.sim.step() {
            steps -= 1;
        }
        let unread = self.sim.unread();
        let may_end = |tab: &usize| {
            let page = &self.sim.tabs[*tab];
            page.alive && !page.frozen && page.resting.is_none()
        };
        if let Some(tab) = unread.into_iter().find(may_end) {
            self.current = self.sim.worker();
            self.sim.terminate_worker(tab);
        }
    }

    fn hand_over(&mut self, tab: usize) {
        if self.rng.bool() {
            self.current = self.sim.worker();
        }
        self.sim.hand_over(tab, self.current);
    }

    /// A tab takes another worker while the one before lives on.
    fn abandon_worker(&mut self, tab: usize) {
        let old = self.sim.tabs[tab].port;
        self.sim.attach(tab, self.current);
        if let Some(old) = old {
            self.sim.close_port(old);
        }
    }

    /// The page goes into the back/forward cache, and comes back.
    fn rest(&mut self, tab: usize) {
        // One that is in the middle of a hand-over would not hear what its worker gives back, and leave later sends with it.
        let is_calm = !self.takes_all || !self.sim.is_handing_over(tab);
        if is_calm && self.sim.tabs[tab].port.is_some() {
            self.sim.bye_for_now(tab);
            // Its last words have arrived by then.
            let delay = 1 + self.sim.port_delay + self.rng.u64(0..20_000);
            self.sim.attach_later(tab, self.current, delay);
        }
    }

    /// What some other script, or a broken peer, may put on a port.
    fn disturb(&mut self, tab: usize) {
        if self.sim.tabs[tab].port.is_none() {
            return;
        }
        let noise: Vec<u8> = (0..self.rng.usize(0..60))
            .map(|_| self.rng.u8(..))
            .collect();
        match self.rng.u8(0..4) {
            0 => self.sim.post_raw(tab, Bytes::from(noise)),
            1 => self.sim.post_raw_to_tab(tab, Bytes::from(noise)),
            2 => {
                let frame =
                    onesocket_protocol::Outbox::new(Epoch(3), onesocket_protocol::Version::V1)
                        .poll_frame()
                        .map(Bytes::copy_from_slice);
                self.sim.post_raw(tab, frame.unwrap_or_default());
            }
            _ => {
                // A batch that was read before. (A second hello is no noise: it starts the tab over.)
                if let Some(frame) = self
                    .sim
                    .last_posted(tab)
                    .filter(|frame| frame.get(4) == Some(&5))
                {
                    self.sim.post_raw(tab, frame);
                }
            }
        }
    }

    /// All faults end; what then is still open is wrong.
    fn settle(&mut self) {
        for worker in &mut self.sim.workers {
            worker.dies_after = None;
        }
        self.sim.start_server();
        self.sim.server.answers_pings = true;
        self.sim.server.accepts = vec![SUBPROTOCOL.into()];
        for conn in 0..self.sim.conns.len() {
            self.sim.unclog(conn);
        }
        for worker in 0..self.sim.workers.len() {
            self.sim.network(worker, true);
        }
        for tab in 0..self.sim.tabs.len() {
            if self.sim.tabs[tab].alive {
                self.sim.in_tab(tab, |session| session.handle_network(true));
                self.sim.thaw(tab);
            }
        }
        self.let_rest(300_000);
        for tab in 0..self.sim.tabs.len() {
            if self.sim.tabs[tab].alive && self.sim.tabs[tab].port.is_none() {
                self.sim.attach(tab, self.current);
            }
        }
        self.let_rest(60_000);
        self.check_rest();
        // Loops that have stopped start anew.
        for chan in self.living_chans() {
            self.sim
                .in_tab(chan.tab, |session| session.reconnect(chan.id));
        }
        self.let_rest(60_000);
    }

    /// Nothing happens any more, but that apps answer.
    fn let_rest(&mut self, millis: u64) {
        if !self.has_accounts {
            return self.sim.run(millis);
        }
        for _ in 0..millis / 1_000 {
            self.sim.run(1_000);
            self.give_credentials();
        }
    }

    fn living_chans(&self) -> Vec<Chan> {
        let alive = |chan: &&Chan| self.sim.tabs[chan.tab].alive;
        self.chans.iter().filter(alive).copied().collect()
    }
}

/// One schedule: a world, and which of its endless list of operations are done in it. Each draws from a seed of its own, so that
/// one can be left out and the others are still what they were.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Schedule {
    seed: u64,
    ops: Vec<u32>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let ops = (0..OPS).collect();
        Self { seed, ops }
    }

    /// Returns how many steps it took, or what was wrong.
    fn run(&self) -> Result<u64, String> {
        let ran = std::panic::catch_unwind(|| {
            let mut run = Run::new(self.seed);
            for op in &self.ops {
                run.act(*op);
            }
            run.settle();
            run.check_end();
            run.sim.steps
        });
        ran.map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default()
        })
    }
}

const OPS: u32 = 400;

/// `ONESOCKET_SIM_SEED=7` runs from that seed on, `ONESOCKET_SIM_SEED="7: 1 5 9"` one schedule of these operations only.
fn start() -> Schedule {
    let seed = std::env::var("ONESOCKET_SIM_SEED").unwrap_or_else(|_| String::from("1"));
    seed.parse()
        .unwrap_or_else(|error| panic!("ONESOCKET_SIM_SEED: {error}"))
}

fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "a long run says how far it came")]
#[expect(
    clippy::disallowed_methods,
    reason = "how long to run is no matter of the world's time"
)]
fn every_send_has_one_outcome_whatever_happens() {
    let start = start();
    let until = env("ONESOCKET_SIM_MINUTES").map(|minutes| Duration::from_secs(60 * minutes));
    let steps = env("ONESOCKET_SIM_STEPS").unwrap_or(1_000_000);
    let is_over = |began: Instant, done: u64| match until {
        Some(until) => began.elapsed() >= until,
        None => done >= steps,
    };
    let began = Instant::now();
    let (mut done, mut seeds, mut next) = (0, 0, start.clone());
    loop {
        done += next.run().unwrap_or_else(|what| {
            let smallest = shrink::shrink(&next);
            panic!(
                "ONESOCKET_SIM_SEED=\"{smallest}\" fails, after {done} steps of other seeds: {what}"
            );
        });
        seeds += 1;
        if start.ops.len() < OPS as usize || is_over(began, done) {
            break;
        }
        next = Schedule::new(next.seed + 1);
    }
    println!("{done} steps, {seeds} seeds from {}", start.seed);
}

/// What has once been wrong.
#[test]
fn what_was_found_once_stays_found() {
    for line in include_str!("random/seeds.txt").lines() {
        let (schedule, what) = line
            .split_once('#')
            .expect("a schedule # and what it is of");
        let schedule: Schedule = schedule.parse().expect("a schedule");
        if let Err(wrong) = schedule.run() {
            panic!("{what}: {wrong}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = |seed| {
        let mut run = Run::new(seed);
        (0..300).for_each(|op| run.act(op));
        let arrived = run.sim.server_got();
        (run.sim.steps, run.sim.dials, arrived)
    };
    assert_eq!(trace(5), trace(5));
    assert_ne!(trace(5).0, trace(6).0);
}
