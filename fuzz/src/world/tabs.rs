//! What pages do.

use std::rc::Rc;

use onesocket_engine::{ChannelConfig, ChannelEvent, Delivery, Input, Loss, PortId, TabOutput};
use onesocket_protocol::{
    Answer, Backoff, ChannelId, Credential, DebugLevel, Epoch, GiveUp, GreetingId, Heartbeat,
    LatestBy, LinkKey, LinkPolicy, Millis, Pace, Payload, QueueLimits, Replay, SendId, Sight, Wake,
};

use super::{ACCOUNT, CREDENTIAL, World, engine, heard::Heard};
use crate::script::Script;

impl World {
    pub(super) fn attach(&mut self, tab: usize) {
        let port = PortId(self.ports.next);
        self.ports.next += 1;
        self.ports.open.insert(port);
        self.tabs[tab].port = Some(port);
        self.tabs[tab].to_tab.clear();
        self.tabs[tab].witness.clear();
        self.input(Input::PortOpened(port));
        self.tabs[tab].session.attach(false);
        self.drain_tab(tab);
    }

    pub(super) fn tab_acts(&mut self, tab: usize, script: &mut Script<'_>) {
        let open = &self.tabs[tab].channels;
        let Some(channel) = open.get(script.below(open.len().max(1))).copied() else {
            return self.open(tab, script);
        };
        let session = &mut self.tabs[tab].session;
        match script.byte() % 16 {
            0..=5 => self.send(tab, script),
            6 => return self.open(tab, script),
            7 => {
                session.close(channel);
                self.tabs[tab].channels.retain(|other| *other != channel);
            }
            8 => {
                let farewell = script.bool().then(|| Payload::text("bye"));
                session.greet(channel, Payload::text("hello"), farewell);
            }
            9 => session.ungreet(channel, GreetingId(script.number() as u32)),
            10 => session.ask_status(channel),
            11 => session.reconnect(channel),
            12 => session.delay(channel, Millis(script.number() as u32)),
            13 => session.ping(1),
            14 => session.handle_network(script.bool()),
            _ => {
                let id = SendId(script.number());
                session.acknowledge(channel, id);
                let level = [DebugLevel::Off, DebugLevel::Messages, DebugLevel::Payloads];
                session.set_debug(level[script.below(3)]);
            }
        }
        self.drain_tab(tab);
    }

    pub(super) fn rare(&mut self, tab: usize, script: &mut Script<'_>) {
        let page = &mut self.tabs[tab];
        let (session, open) = (&mut page.session, &page.channels);
        let channel = open.get(script.below(open.len().max(1))).copied();
        match (script.byte() % 8, channel) {
            (0, _) => session.wake(),
            (1, Some(channel)) => {
                let drain = script.bool().then(|| Millis(script.number() as u32));
                session.log_out(channel, drain);
            }
            (2, Some(channel)) => {
                let asked = page.asked.get(&channel).copied();
                let credential = script.bool().then(|| credential(script.bool()));
                session.credential(channel, asked.unwrap_or(1), credential);
            }
            (3, Some(channel)) => {
                let code = [1000, 3000, 4001][script.below(3)];
                session.close_socket(channel, code, String::new());
            }
            (4, _) => {
                session.set_pace([Pace::AT_ONCE, Pace::default(), Pace::HIDDEN][script.below(3)])
            }
            (5, _) => {
                let sight = match script.byte() {
                    240.. => Sight::Messages,
                    208.. => Sight::Recording,
                    other => [Sight::Off, Sight::Payloads][usize::from(other % 2)],
                };
                page.has_recorded |= sight == Sight::Recording;
                session.inspect(sight);
            }
            (6, _) => {
                let slept = Millis((script.number() as u32).saturating_mul(1_000));
                return self.input(Input::Slept(slept));
            }
            _ => return self.terminate_worker(tab),
        }
        self.drain_tab(tab);
    }

    fn open(&mut self, tab: usize, script: &mut Script<'_>) {
        if self.tabs[tab].channels.len() >= 6 {
            return;
        }
        let policy = if script.byte() < 192 {
            LinkPolicy::default()
        } else {
            policy(script)
        };
        let config = ChannelConfig {
            key: LinkKey {
                url: ["wss://a/", "wss://b/"][script.below(2)].into(),
                subprotocols: if script.byte() < 32 {
                    vec!["chat".into()]
                } else {
                    Vec::new()
                },
                account: ["", ACCOUNT][script.below(2)].into(),
            },
            policy,
            replay: match script.byte() % 3 {
                0 => Replay::None,
                1 => Replay::Ask(Payload::text("ask")),
                _ => Replay::Last {
                    messages: script.number() as u32,
                    bytes: script.number() as u32,
                },
            },
        };
        let channel = self.tabs[tab].session.open(config);
        self.tabs[tab].channels.push(channel);
        self.drain_tab(tab);
    }

    fn send(&mut self, tab: usize, script: &mut Script<'_>) {
        let (delivery, name) = match script.byte() % 4 {
            0 | 1 => (Delivery::AtMostOnce, "once"),
            2 => (Delivery::AtLeastOnce, "least"),
            _ => (Delivery::UntilAcknowledged, "until"),
        };
        let at = script.below(self.tabs[tab].channels.len());
        let channel = self.tabs[tab].channels[at];
        let number = self.sends.len(tab);
        let payload = Payload::text(format!("{name}:{tab}.{number}"));
        let bytes = payload.bytes().clone();
        if let Ok(id) = self.tabs[tab].session.send(channel, payload, delivery) {
            self.sends.on_send(tab, channel, id, bytes);
        }
    }

    /// A tab leaves its worker in one way or another, or the worker ends under all of them.
    pub(super) fn change_worker(&mut self, tab: usize, script: &mut Script<'_>) {
        let session = &mut self.tabs[tab].session;
        match script.byte() % 8 {
            0 => session.hand_over(),
            1 => session.bye(),
            2 => session.abandon(Loss::Unknown),
            3 => session.detach(Loss::Unknown),
            4 => return self.replace_worker(),
            5 => {
                if let Some(port) = self.tabs[tab].port.take() {
                    self.ports.open.remove(&port);
                    self.tabs[tab].session.detach(Loss::Unknown);
                    self.input(Input::PortClosed(port));
                }
            }
            _ => {}
        }
        self.drain_tab(tab);
        self.attach(tab);
    }

    /// A page ends its own worker. What it has not read of it is gone, but for what it has by the witness.
    fn terminate_worker(&mut self, tab: usize) {
        let page = &mut self.tabs[tab];
        let witness = &page.witness;
        page.to_tab.retain(|(_, frame)| witness.contains(frame));
        self.replace_worker();
    }

    fn replace_worker(&mut self) {
        // What it has posted is read: a lock is free only after that.
        for tab in 0..self.tabs.len() {
            while !self.tabs[tab].to_tab.is_empty() {
                self.pass_to_tab(tab);
            }
        }
        self.reached.workers += 1;
        self.epoch = Epoch(self.epoch.0 + 1);
        self.engine = engine(self.epoch.0);
        self.twin = engine(self.epoch.0);
        self.sockets.clear();
        self.sockets_ever.clear();
        self.seen = Sight::Off;
        self.sink = Rc::default();
        self.ports.open.clear();
        // Each tab says anew what it wants to hear.
        self.heard = Heard::default();
        for tab in 0..self.tabs.len() {
            self.tabs[tab].to_worker.clear();
            self.tabs[tab].session.detach(Loss::Ended);
            self.drain_tab(tab);
            self.attach(tab);
        }
    }

    pub(super) fn drain_tab(&mut self, tab: usize) {
        for _ in 0..MAX_OUTPUTS {
            let page = &mut self.tabs[tab];
            match page.session.poll_output() {
                None => return,
                Some(TabOutput::Post(frame)) => {
                    if let Some(port) = page.port {
                        page.to_worker.push_back((port, frame.to_vec()));
                    }
                }
                Some(TabOutput::Event { channel, event }) => self.on_event(tab, channel, event),
                Some(_) => {}
            }
        }
        panic!("the drain of a tab does not end");
    }

    fn on_event(&mut self, tab: usize, channel: ChannelId, event: ChannelEvent) {
        let page = &mut self.tabs[tab];
        if !self.may_tamper {
            self.sends.on_event(tab, channel, &event);
            if let Some(port) = page.port {
                self.heard.on_event(port, channel, &event);
            }
        }
        match event {
            ChannelEvent::NotSent { .. } => self.reached.not_sent += 1,
            ChannelEvent::NeedCredential { request, .. } => {
                page.asked.insert(channel, request);
                // Most pages have one at hand.
                if request % 4 != 0 {
                    let credential = credential(request % 2 == 0);
                    page.session.credential(channel, request, Some(credential));
                }
            }
            ChannelEvent::Message { .. } => self.reached.messages += 1,
            ChannelEvent::Packed(packed) => self.reached.messages += packed.count() as usize,
            _ => {}
        }
    }
}

const MAX_OUTPUTS: usize = 100_000;

/// In the URL and as the first message, or as a subprotocol.
fn credential(has_url: bool) -> Credential {
    match has_url {
        true => Credential {
            url: Some(format!("wss://a/{CREDENTIAL}?{CREDENTIAL}")),
            first: Some(Payload::text(CREDENTIAL)),
            subprotocols: Vec::new(),
        },
        false => Credential {
            subprotocols: vec![CREDENTIAL.into()],
            ..Credential::default()
        },
    }
}

/// Nobody would choose it, and any page can.
fn policy(script: &mut Script<'_>) -> LinkPolicy {
    let millis = |script: &mut Script<'_>| Millis((script.number() as u32).saturating_mul(10));
    let mut policy = LinkPolicy {
        backoff: Backoff {
            base: millis(script),
            cap: millis(script),
            stable_after: millis(script),
            spread: millis(script),
        },
        connect_timeout: millis(script),
        give_up: GiveUp {
            attempts: script.bool().then(|| u32::from(script.byte())),
            after: script.bool().then(|| millis(script)),
        },
        heartbeat: script.bool().then(|| Heartbeat {
            interval: millis(script),
            deadline: millis(script),
            ping: Payload::text("ping"),
            pong: None,
        }),
        queue: QueueLimits {
            messages: u32::from(script.byte()),
            bytes: 1_000,
            timeout: script.bool().then(|| millis(script)),
        },
        linger: millis(script),
        latest: script.bool().then_some(LatestBy::Any),
        ..LinkPolicy::default()
    };
    // Not drawn: what was found once stays what it was.
    policy.auth.ask = matches!(policy.linger.0 % 40, 30).then_some(policy.connect_timeout);
    if policy.linger.0 % 40 == 10 {
        draw_rare_rules(&mut policy);
    }
    policy
}

/// As what is received is short, and often empty, so is what these rules are about.
fn draw_rare_rules(policy: &mut LinkPolicy) {
    let drawn = policy.queue.messages;
    let has = |bit: u32| drawn >> bit & 1 == 1;
    if let Some(heartbeat) = &mut policy.heartbeat {
        heartbeat.pong = has(0).then(|| Payload::binary(""));
    }
    policy.answer = has(1).then(|| Answer {
        ping: Payload::text(""),
        pong: Payload::text("here"),
    });
    if has(2) {
        policy.max_received_bytes = 20;
    }
    if has(3) {
        policy.fatal_codes = vec![1006];
        policy.auth.codes = vec![1000, 1006];
    }
    if has(4) {
        policy.wake = Wake {
            deadline: policy.connect_timeout,
            replace_after: has(5).then_some(policy.connect_timeout),
        };
    }
    policy.latest = policy.latest.take().map(|any| match drawn >> 6 {
        0 => any,
        1 => LatestBy::JsonMember("a".into()),
        _ => LatestBy::Bytes { start: 0, len: 1 },
    });
}
