//! The worker's host: does what the engine says, and holds it to what a browser can do.

use std::rc::Rc;

use bytes::Bytes;
use onesocket_engine::{Gathered, Input, Output, PortId, SocketId, Time, describe};
use onesocket_protocol::{
    BatchReader, ChannelId, Credential, Sight, ToTab, ToWorker, Version, inspect, limits,
    log::kind, message::tag, parcel::assemble,
};

use super::{ACCOUNT, CREDENTIAL, Ready, Socket, Tab, World};

impl World {
    pub(super) fn post_to_worker(&mut self, port: PortId, frame: Bytes) {
        if let Ok(batch) = BatchReader::new(&frame) {
            for raw in batch.map_while(Result::ok) {
                if let Ok(message) = ToWorker::decode(Version::V1, &raw) {
                    self.note_what_may_be_dialled(port, message);
                }
            }
        }
        self.input(Input::Frame { port, frame });
    }

    fn note_what_may_be_dialled(&mut self, port: PortId, message: ToWorker) {
        match message {
            ToWorker::Connect(connect) => {
                self.heard.on_connect(port, &connect);
                let dialling = self.keys.entry(connect.key.url.clone()).or_default();
                dialling.insert(connect.key.clone());
                let opened = self.opened.entry((port, connect.channel)).or_default();
                opened.insert(connect.key);
            }
            ToWorker::Credential {
                channel,
                credential: Some(Credential { url: Some(url), .. }),
                ..
            } => {
                let dialling = self.keys.entry(url).or_default();
                let opened = self.opened.get(&(port, channel));
                dialling.extend(opened.into_iter().flatten().cloned());
            }
            _ => {}
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        if self.seen == Sight::Recording {
            self.sink.push(inspect::moment(self.now as u32));
            if let Input::Frame { port, frame } = &input {
                self.sink.push(inspect::frame(port.0, frame));
            }
        }
        if self.seen != Sight::Off {
            describe::input(&input, self.seen, &|entry| self.sink.push(entry));
        }
        if !self.may_tamper {
            self.heard.on_input(&input, &self.sockets_ever);
        }
        self.twin.handle_input(Time(self.now), copied(&input));
        self.engine.handle_input(Time(self.now), input);
        loop {
            self.drain();
            let entries = self.sink.take();
            if entries.is_empty() {
                return;
            }
            for entry in entries {
                self.twin.log(entry.clone());
                self.engine.log(entry);
            }
        }
    }

    fn drain(&mut self) {
        let sink = Rc::clone(&self.sink);
        let see = |entry| sink.push(entry);
        for _ in 0..MAX_OUTPUTS {
            let is_seen = self.seen != Sight::Off;
            let twins = self.twin.poll_output();
            let output = self.engine.poll_output();
            if !matches!(output, Output::Post { .. }) {
                assert_eq!(output, twins, "something else than without parcels");
            }
            match output {
                Output::Dial {
                    socket,
                    url,
                    subprotocols,
                    key,
                } => {
                    if is_seen {
                        see(describe::dial(socket, &key, subprotocols.len()));
                    }
                    self.sockets_ever.insert(socket, key);
                    self.on_dial(socket, url, subprotocols);
                }
                Output::Transmit {
                    socket,
                    payload,
                    is_credential,
                } => {
                    if is_seen {
                        see(describe::transmit(
                            socket,
                            &payload,
                            is_credential,
                            self.seen,
                        ));
                    }
                    let bytes = payload.bytes().clone();
                    self.on_transmit(socket, bytes);
                }
                Output::Close {
                    socket,
                    code,
                    reason,
                } => {
                    if is_seen {
                        see(describe::close(socket, code, reason));
                    }
                    assert!(
                        code == 1000 || (3000..5000).contains(&code),
                        "browsers refuse close code {code}"
                    );
                    assert!(self.sockets.remove(&socket).is_some(), "closes no socket");
                }
                Output::Shut {
                    socket,
                    code,
                    reason,
                } => {
                    if is_seen {
                        see(describe::close(socket, code, &reason));
                    }
                    let socket = self.sockets.get_mut(&socket).expect("shuts a socket");
                    let ready = core::mem::replace(&mut socket.ready, Ready::Closing);
                    assert_eq!(ready, Ready::Open, "shuts a socket that is not open");
                }
                Output::Post {
                    port,
                    frame,
                    enclosed,
                    is_announcement,
                } => {
                    let frame = assemble(frame, enclosed).expect("parcels in their places");
                    let copied = Output::Post {
                        port,
                        frame: &frame,
                        enclosed: &[],
                        is_announcement,
                    };
                    assert_eq!(copied, twins, "another frame than without parcels");
                    assert!(
                        self.ports.open.contains(&port),
                        "posts to a port that is gone"
                    );
                    assert!(
                        frame.len() <= limits::MAX_FRAME_BYTES,
                        "a frame over its cap"
                    );
                    let posted = Bytes::copy_from_slice(&frame);
                    if is_seen {
                        describe::frame_out(port, &posted, &see);
                    }
                    self.reached.parcels += enclosed.len();
                    self.reached.logs += self.check_logs(port, &posted);
                    self.reached.packs += packs(&frame);
                    let owner = self.tabs.iter_mut().find(|tab| tab.port == Some(port));
                    if let Some(tab) = owner {
                        if is_announcement {
                            tab.witness.insert(frame.clone());
                        }
                        tab.to_tab.push_back((port, frame));
                    }
                }
                Output::ClosePort(port) => {
                    self.ports.open.remove(&port);
                }
                Output::Timeout(at) => {
                    // Zero-length policies may be due at once, never before now for ever.
                    assert!(
                        at.is_none_or(|at| at.0 < u64::MAX),
                        "a timeout that never comes"
                    );
                    return;
                }
                Output::Debug(seen) => self.seen = seen,
                Output::WatchTab { .. } => {}
            }
        }
        panic!("the drain of the engine does not end");
    }

    /// Looks for what no log may tell this tab. Returns how many entries it is told.
    fn check_logs(&self, port: PortId, frame: &Bytes) -> usize {
        let mut count = 0;
        let messages = BatchReader::new(frame).into_iter().flatten().flatten();
        for raw in messages.filter(|raw| raw.tag == tag::LOG) {
            let Ok(ToTab::Log(entry)) = ToTab::decode(Version::V1, &raw) else {
                continue;
            };
            count += 1;
            let contains = |secret: &str| {
                let mut windows = entry.content.windows(secret.len());
                windows.any(|window| window == secret.as_bytes())
            };
            let records = |tab: &Tab| tab.port == Some(port) && tab.has_recorded;
            match entry.kind {
                kind::FRAME_IN => {
                    let is_own = entry.content.is_empty() || entry.id == port.0;
                    assert!(is_own, "a frame of another tab");
                    continue;
                }
                kind::OPENED | kind::RECEIVED | kind::TRANSMITTED if !entry.content.is_empty() => {
                    let key = self.sockets_ever.get(&SocketId(entry.id));
                    let has_opened = key.is_some_and(|key| {
                        let of_port = (port, ChannelId(0))..=(port, ChannelId(u32::MAX));
                        let mut opened = self.opened.range(of_port);
                        opened.any(|(_, keys)| keys.contains(key))
                    });
                    assert!(has_opened, "{entry} of a socket that is not the tab's");
                    if entry.kind == kind::OPENED && self.tabs.iter().any(records) {
                        continue;
                    }
                }
                _ => {}
            }
            // Who forges frames may put a secret wherever it likes.
            let tells = contains(CREDENTIAL) || contains(ACCOUNT);
            assert!(self.may_tamper || !tells, "a secret is told: {entry}");
        }
        count
    }

    fn on_dial(&mut self, socket: SocketId, url: String, offered: Vec<String>) {
        self.reached.dials += 1;
        let keys = self.keys.get(&url).map_or(0, |keys| keys.len());
        let socket_is_new = self
            .sockets
            .insert(
                socket,
                Socket {
                    url: url.clone(),
                    offered,
                    ready: Ready::Connecting,
                },
            )
            .is_none();
        assert!(socket_is_new, "a socket's name is used twice");
        let live = self.sockets.values().filter(|socket| socket.url == url);
        assert!(live.count() <= keys, "more sockets than links");
    }

    fn on_transmit(&mut self, socket: SocketId, payload: Bytes) {
        let is_open = self
            .sockets
            .get(&socket)
            .is_some_and(|socket| socket.ready == Ready::Open);
        self.reached.transmissions += 1;
        assert!(is_open, "a payload for a socket that is not open");
        if !self.may_tamper {
            self.sends.on_transmit(&payload);
        }
    }
}

fn packs(frame: &[u8]) -> usize {
    let batch = BatchReader::new(&Bytes::copy_from_slice(frame));
    let messages = batch.into_iter().flatten().flatten();
    messages.filter(|raw| raw.tag == tag::PACKED).count()
}

/// The input as it is where nothing is a parcel.
fn copied(input: &Input) -> Input {
    match input {
        Input::ReceivedParcel { socket, parcel } => Input::Received {
            socket: *socket,
            payload: parcel.read(),
        },
        Input::Gathered { socket, gathered } => {
            let copied = |piece: &Gathered| match piece {
                Gathered::Parcel(parcel) => Gathered::One(parcel.read()),
                piece => piece.clone(),
            };
            Input::Gathered {
                socket: *socket,
                gathered: gathered.iter().map(copied).collect(),
            }
        }
        input => input.clone(),
    }
}

const MAX_OUTPUTS: usize = 100_000;
