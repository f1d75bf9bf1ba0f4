//! A worker's engine and three tabs, and everything that can happen to them, in any order.

mod heard;
mod host;
mod sends;
mod tabs;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use bytes::Bytes;
use onesocket_engine::{
    DialRefusal, Engine, EngineConfig, Gathered, Input, LogSink, PortId, SessionFailure, SocketId,
    TabSession,
};
use onesocket_protocol::{
    ChannelId, DebugLevel, Epoch, LinkKey, Packed, Parcel, Payload, Sight, TabToken, WorkerScope,
    frame::Arrived, parcel::Enclosed,
};

use crate::{script::Script, seeds};
use heard::Heard;
use sends::Sends;

/// What anything may do to a worker and its tabs: frames are damaged, forged, lost, doubled and sent to others, sockets that never
/// were report what never happened.
///
/// # Panics
///
/// When a machine panics, or one of the things is seen that must never be: two sockets for one link, a payload for a socket that is
/// not open, a frame for a port that is gone, a close code that browsers refuse, a frame over its cap, a drain without an end, anything
/// that an engine does otherwise for having been given parcels, a payload in the log of a tab that has no channel on its socket.
pub fn anything_happens(bytes: &[u8]) -> Reached {
    World::new(true).play(bytes)
}

/// The same without forgery: only what browsers, networks and people do, in any order.
///
/// # Panics
///
/// As [`anything_happens`], and when an at-most-once send is handed to sockets twice or behind a later one of its channel; when a send has no end, or two, or is
/// handed to a socket and reported as not sent, or the other way round; when a channel is told anything else than what the server has said, in that order, but for what it
/// hears that it has missed; or a log tells an account or a credential.
pub fn nothing_is_tampered_with(bytes: &[u8]) -> Reached {
    World::new(false).play(bytes)
}

/// How far a script has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Sockets dialled.
    pub dials: usize,
    /// Payloads handed to sockets.
    pub transmissions: usize,
    /// Sends reported as not sent.
    pub not_sent: usize,
    /// Messages of the server that tabs have got.
    pub messages: usize,
    /// Parcels that were posted.
    pub parcels: usize,
    /// Packs that were posted.
    pub packs: usize,
    /// Entries of the log that were posted.
    pub logs: usize,
    /// Workers there were.
    pub workers: usize,
}

#[derive(Debug)]
struct World {
    may_tamper: bool,
    now: u64,
    engine: Engine,
    /// Has lived through the same without a parcel.
    twin: Engine,
    epoch: Epoch,
    tabs: Vec<Tab>,
    ports: Ports,
    sockets: BTreeMap<SocketId, Socket>,
    /// Whose each socket of this worker is or was.
    sockets_ever: BTreeMap<SocketId, Rc<LinkKey>>,
    /// What the tabs want to see.
    seen: Sight,
    sink: Rc<LogSink>,
    /// Of what was read, by URL, which is the key's own or one that a credential names: never more sockets than these.
    keys: BTreeMap<String, BTreeSet<LinkKey>>,
    /// The keys that each channel was ever opened with.
    opened: BTreeMap<(PortId, ChannelId), BTreeSet<LinkKey>>,
    sends: Sends,
    heard: Heard,
    reached: Reached,
}

#[derive(Debug)]
struct Tab {
    session: TabSession,
    port: Option<PortId>,
    to_worker: VecDeque<(PortId, Vec<u8>)>,
    to_tab: VecDeque<(PortId, Vec<u8>)>,
    /// What it reads even when it ends its worker.
    witness: BTreeSet<Vec<u8>>,
    channels: Vec<ChannelId>,
    /// The last request for a credential of each channel.
    asked: BTreeMap<ChannelId, u32>,
    /// Whether it has ever asked to record.
    has_recorded: bool,
}

#[derive(Debug, Default)]
struct Ports {
    next: u32,
    open: BTreeSet<PortId>,
}

#[derive(Debug)]
struct Socket {
    url: String,
    offered: Vec<String>,
    ready: Ready,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ready {
    Connecting,
    Open,
    Closing,
}

impl Tab {
    fn is_quiet(&self) -> bool {
        self.to_tab.is_empty() && self.to_worker.is_empty()
    }
}

const TABS: u64 = 3;

/// A second each: longer than any pace, and enough for what may be under way.
const ROUNDS: usize = 16;

/// In each part of a credential, and nowhere else.
const CREDENTIAL: &str = "s3cret";

const ACCOUNT: &str = "acc0unt";

impl World {
    fn new(may_tamper: bool) -> Self {
        let tab = |token| Tab {
            session: TabSession::new(TabToken(token), DebugLevel::Off),
            port: None,
            to_worker: VecDeque::new(),
            to_tab: VecDeque::new(),
            witness: BTreeSet::new(),
            channels: Vec::new(),
            asked: BTreeMap::new(),
            has_recorded: false,
        };
        Self {
            may_tamper,
            now: 0,
            engine: engine(1),
            twin: engine(1),
            epoch: Epoch(1),
            tabs: (0..TABS).map(tab).collect(),
            ports: Ports::default(),
            sockets: BTreeMap::new(),
            sockets_ever: BTreeMap::new(),
            seen: Sight::Off,
            sink: Rc::default(),
            keys: BTreeMap::new(),
            opened: BTreeMap::new(),
            sends: Sends::default(),
            heard: Heard::default(),
            reached: Reached::default(),
        }
    }

    fn play(mut self, bytes: &[u8]) -> Reached {
        let mut script = Script::new(bytes);
        for tab in 0..self.tabs.len() {
            self.attach(tab);
        }
        while !script.is_over() {
            self.act(&mut script);
        }
        self.end();
        self.reached
    }

    /// Nothing happens any more; and then no worker can be had.
    fn end(&mut self) {
        for _ in 0..ROUNDS {
            self.now += 1_000;
            self.input(Input::Tick);
            self.pass_everything();
        }
        if !self.may_tamper {
            for tab in &self.tabs {
                let Some(port) = tab.port.filter(|_| tab.is_quiet()) else {
                    continue;
                };
                for channel in &tab.channels {
                    self.heard.check_end(port, *channel);
                }
            }
        }
        for tab in 0..self.tabs.len() {
            self.tabs[tab].session.fail(SessionFailure::NoTier);
            self.drain_tab(tab);
            let unsettled = self.tabs[tab].session.unsettled_bytes();
            assert_eq!(unsettled, 0, "bytes of sends that have ended");
        }
        if !self.may_tamper {
            self.sends.check_end();
        }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        let tab = script.below(self.tabs.len());
        let op = script.byte();
        match op % 32 {
            // Only here, so that what was found once stays what it was.
            30 | 31 if op >= 192 => self.rare(tab, script),
            0..=5 => self.tab_acts(tab, script),
            6..=9 => self.pass_to_worker(tab),
            10..=13 => self.pass_to_tab(tab),
            14 | 15 => self.pass_everything(),
            16..=20 => self.socket_event(script),
            21 => self.time_passes(script),
            22 => self.network(script),
            23 | 24 => self.change_worker(tab, script),
            25..=29 if self.may_tamper => self.tamper(tab, script),
            25..=29 => self.pass_everything(),
            _ => self.tab_acts(tab, script),
        }
    }

    fn pass_to_worker(&mut self, tab: usize) {
        if let Some((port, frame)) = self.tabs[tab].to_worker.pop_front() {
            self.post_to_worker(port, frame.into());
        }
    }

    fn pass_to_tab(&mut self, tab: usize) {
        if let Some((port, frame)) = self.tabs[tab].to_tab.pop_front()
            && self.tabs[tab].port == Some(port)
        {
            self.tabs[tab].session.handle_frame(&frame.into());
            self.drain_tab(tab);
        }
    }

    fn pass_everything(&mut self) {
        for _ in 0..8 {
            for tab in 0..self.tabs.len() {
                self.pass_to_worker(tab);
                self.pass_to_tab(tab);
            }
        }
    }

    /// What happens to a socket that there is; or, tampering, to any.
    fn socket_event(&mut self, script: &mut Script<'_>) {
        let known: Vec<SocketId> = self.sockets.keys().copied().collect();
        let is_forged = self.may_tamper && script.byte() < 40;
        let socket = if is_forged {
            SocketId(script.number() as u32)
        } else if known.is_empty() {
            return;
        } else {
            known[script.below(known.len())]
        };
        let ready = self.sockets.get(&socket).map(|socket| socket.ready);
        let is_open = ready == Some(Ready::Open);
        match script.byte() % 16 {
            // As many bytes as where it is opened, so that what was found once stays what it was.
            0..=9 if !is_forged && ready == Some(Ready::Closing) => drop(script.byte()),
            0..=9 if is_forged || ready == Some(Ready::Connecting) => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.ready = Ready::Open;
                }
                let offered = self.sockets.get(&socket).map(|socket| &socket.offered);
                let offered = offered.and_then(|offered| offered.first().cloned());
                let subprotocol = match script.byte() {
                    ..160 => String::new(),
                    _ => offered.unwrap_or_else(|| "chat".to_owned()),
                };
                self.input(Input::SocketOpened {
                    socket,
                    subprotocol,
                });
            }
            10 | 11 if is_forged || is_open => {
                let len = script.below(64);
                let times = if script.bool() { 1 } else { 2_000 };
                let bytes = Bytes::from(script.take(len).repeat(times));
                let len = bytes.len();
                let parcel = Parcel::new(bytes, len);
                self.input(Input::ReceivedParcel { socket, parcel });
            }
            0..=12 if is_forged || is_open => {
                let len = script.below(64);
                let text = String::from_utf8_lossy(script.take(len)).into_owned();
                let payload = Payload::text(text);
                self.input(if is_forged || self.engine.may_gather(socket) {
                    let gathered = (0..script.below(3))
                        .map(|times| match script.below(4) {
                            0 => Gathered::One(payload.clone()),
                            1 => Gathered::Parcel(Parcel::new(
                                payload.bytes().clone(),
                                payload.len(),
                            )),
                            // A pack of none, too.
                            _ => Gathered::Packed(pack(payload.bytes(), times)),
                        })
                        .collect();
                    Input::Gathered { socket, gathered }
                } else if len.is_multiple_of(4) {
                    // What was gathered may be handed over when no more may be.
                    let gathered = vec![Gathered::Packed(pack(payload.bytes(), len / 4))];
                    Input::Gathered { socket, gathered }
                } else {
                    Input::Received { socket, payload }
                });
            }
            13 if is_forged || is_open => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.ready = Ready::Closing;
                }
                self.input(Input::SocketClosing(socket));
            }
            14 if is_open => {
                let bytes = script.number() as u32;
                self.input(Input::Buffered { socket, bytes });
            }
            14 if is_forged || ready == Some(Ready::Connecting) => {
                self.sockets.remove(&socket);
                let refusals = [
                    DialRefusal::InvalidUrl,
                    DialRefusal::InvalidSubprotocol,
                    DialRefusal::Insecure,
                ];
                let refusal = refusals[script.below(3)];
                self.input(Input::DialRefused { socket, refusal });
            }
            _ => {
                self.sockets.remove(&socket);
                let code = [1000, 1006, 1008, 1012, 4401][script.below(5)];
                let reasons = [
                    "",
                    "retry-after=1",
                    "retry-after=99999999999 spread=",
                    "spread=2",
                ];
                let reason = reasons[script.below(4)];
                self.input(Input::SocketClosed {
                    socket,
                    code,
                    reason: reason.to_owned(),
                    was_clean: script.bool(),
                });
            }
        }
    }

    fn time_passes(&mut self, script: &mut Script<'_>) {
        self.now += script.number().min(u64::from(u32::MAX)) * 10;
        self.input(Input::Tick);
    }

    fn network(&mut self, script: &mut Script<'_>) {
        let online = script.byte() >= 64;
        self.input(Input::Network { online });
    }

    fn tamper(&mut self, tab: usize, script: &mut Script<'_>) {
        let port = PortId(script.below(self.ports.next as usize + 1) as u32);
        let kind = script.byte() % 10;
        match kind {
            0..=2 => {
                let queue = match script.bool() {
                    true => &mut self.tabs[tab].to_worker,
                    false => &mut self.tabs[tab].to_tab,
                };
                let Some((port, mut frame)) = queue.pop_front() else {
                    return;
                };
                if script.bool() {
                    queue.push_front((port, frame.clone()));
                }
                script.damage(&mut frame);
                queue.push_front((port, frame));
            }
            3 => drop(self.tabs[tab].to_worker.pop_front()),
            4 => drop(self.tabs[tab].to_tab.pop_front()),
            5 | 6 => {
                let epoch = if script.bool() {
                    self.epoch
                } else {
                    Epoch(script.number())
                };
                let mut frame = seeds::batch(script, epoch);
                script.damage(&mut frame);
                self.post_to_worker(port, frame.into());
            }
            7 => {
                let epoch = if script.bool() {
                    self.epoch
                } else {
                    Epoch(script.number())
                };
                let mut frame = seeds::batch(script, epoch);
                script.damage(&mut frame);
                if let Some(arrived) = in_parts(&frame, script) {
                    self.tabs[tab].session.handle_arrived(arrived);
                    self.drain_tab(tab);
                }
            }
            8 => {
                let frame = seeds::any(script);
                self.post_to_worker(port, frame.into());
            }
            _ => {
                self.ports.open.remove(&port);
                self.input(Input::PortClosed(port));
            }
        }
    }
}

/// A frame with something beside it, which may have stood in its place or not.
fn in_parts(frame: &[u8], script: &mut Script<'_>) -> Option<Arrived> {
    let mut kept = frame.to_vec();
    let mut enclosed = Vec::new();
    for _ in 0..script.below(3) {
        let at = script.below(kept.len() + 1);
        let len = script.below(kept.len() - at + 1);
        let bytes: Bytes = match script.below(4) {
            0 => Bytes::copy_from_slice(&frame[..len.min(frame.len())]),
            _ => kept.drain(at..at + len).collect(),
        };
        let len = bytes.len();
        let parcel = Parcel::new(bytes, len);
        enclosed.push(Enclosed { at, parcel });
    }
    Arrived::new(kept.into(), enclosed)
}

/// The same payload so many times.
fn pack(payload: &[u8], times: usize) -> Packed {
    let len = (payload.len() as u32).to_le_bytes();
    let bytes = [&len, payload].concat().repeat(times);
    Packed::new(bytes).expect("each behind its length")
}

fn engine(epoch: u64) -> Engine {
    Engine::new(EngineConfig {
        epoch: Epoch(epoch),
        scope: WorkerScope::Shared,
        seed: epoch,
        online: true,
        debug: DebugLevel::Off,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts as bolero makes them: bytes without a meaning.
    fn scripts() -> impl Iterator<Item = Vec<u8>> {
        let mut state = 1_u64;
        let mut next = move || {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) as u8
        };
        (0..200).map(move |_| (0..1_000).map(|_| next()).collect())
    }

    #[test]
    fn scripts_without_a_meaning_get_somewhere() {
        for may_tamper in [false, true] {
            let mut all = Reached::default();
            for script in scripts() {
                let reached = World::new(may_tamper).play(&script);
                all.dials += reached.dials;
                all.transmissions += reached.transmissions;
                all.not_sent += reached.not_sent;
                all.messages += reached.messages;
                all.parcels += reached.parcels;
                all.packs += reached.packs;
                all.logs += reached.logs;
                all.workers += reached.workers;
            }
            let enough = all.dials > 1_000
                && all.transmissions > 1_000
                && all.not_sent > 100
                && all.messages > 300
                && all.parcels > 20
                && all.packs > 20
                && all.logs > 1_000
                && all.workers > 100;
            assert!(enough, "{all:?}");
        }
    }
}
