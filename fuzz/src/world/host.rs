//! The worker's host: does what the engine says, and holds it to what a browser can do.

use bytes::Bytes;
use onesocket_engine::{Gathered, Input, Output, PortId, SocketId, Time};
use onesocket_protocol::{
    BatchReader, Credential, ToWorker, Version, limits, message::tag, parcel::assemble,
};

use super::{Socket, World};

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
        self.twin.handle_input(Time(self.now), copied(&input));
        self.engine.handle_input(Time(self.now), input);
        for _ in 0..MAX_OUTPUTS {
            let twins = self.twin.poll_output();
            let output = self.engine.poll_output();
            if !matches!(output, Output::Post { .. }) {
                assert_eq!(output, twins, "something else than without parcels");
            }
            match output {
                Output::Dial { socket, url, .. } => {
                    let url = url.to_owned();
                    self.on_dial(socket, url);
                }
                Output::Transmit {
                    socket, payload, ..
                } => {
                    let bytes = payload.bytes().clone();
                    self.on_transmit(socket, bytes);
                }
                Output::Close { socket, code, .. } => {
                    assert!(
                        code == 1000 || (3000..5000).contains(&code),
                        "browsers refuse close code {code}"
                    );
                    assert!(self.sockets.remove(&socket).is_some(), "closes no socket");
                }
                Output::Shut { socket, .. } => {
                    let socket = self.sockets.get_mut(&socket).expect("shuts a socket");
                    let was_open = core::mem::take(&mut socket.is_open);
                    assert!(was_open, "shuts a socket that is not open");
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
                    self.reached.parcels += enclosed.len();
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
                Output::WatchTab { .. } | Output::Debug(_) => {}
            }
        }
        panic!("the drain of the engine does not end");
    }

    fn on_dial(&mut self, socket: SocketId, url: String) {
        self.reached.dials += 1;
        let keys = self.keys.get(&url).map_or(0, |keys| keys.len());
        let socket_is_new = self
            .sockets
            .insert(
                socket,
                Socket {
                    url: url.clone(),
                    is_open: false,
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
            .is_some_and(|socket| socket.is_open);
        self.reached.transmissions += 1;
        assert!(is_open, "a payload for a socket that is not open");
        if payload.starts_with(b"once:") && !self.may_tamper {
            assert!(
                !self.not_sent.contains(&payload),
                "sent after it was reported as not sent"
            );
            let times = self.transmitted.entry(payload).or_default();
            *times += 1;
            assert_eq!(*times, 1, "an at-most-once send is handed to sockets twice");
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
