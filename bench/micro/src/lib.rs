//! An engine with tabs that acknowledge, without a browser: what `cargo bench --package onesocket-bench-micro` measures.

use bytes::Bytes;
use onesocket_engine::{
    ChannelConfig, Engine, EngineConfig, Gathered, Input, Output, PortId, SocketId, TabOutput,
    TabSession, Time,
};
use onesocket_protocol::{
    DebugLevel, Epoch, LinkKey, LinkPolicy, Payload, Replay, TabToken, WorkerScope,
};

/// An engine, its tabs, and the frames between them, which take no time.
#[derive(Debug)]
pub struct World {
    engine: Engine,
    tabs: Vec<TabSession>,
    now: u64,
    due: Option<Time>,
}

/// The first socket that is open.
const SOCKET: SocketId = SocketId(1);

impl World {
    /// Tabs that listen to one connection, and tabs that have said hello and listen to nothing.
    #[must_use]
    pub fn new(listening: usize, idle: usize) -> Self {
        let engine = Engine::new(EngineConfig {
            epoch: Epoch(1),
            scope: WorkerScope::Shared,
            seed: 1,
            online: true,
            debug: DebugLevel::Off,
        });
        let tabs = (0..listening + idle)
            .map(|tab| TabSession::new(TabToken(tab as u64 + 1), DebugLevel::Off))
            .collect();
        let mut world = Self {
            engine,
            tabs,
            now: 0,
            due: None,
        };
        for tab in 0..listening + idle {
            world.input(Input::PortOpened(PortId(tab as u32)));
            if tab < listening {
                world.tabs[tab].open(config());
            }
            world.tabs[tab].attach(false);
            world.settle(tab);
        }
        world.input(Input::SocketOpened {
            socket: SOCKET,
            subprotocol: String::new(),
        });
        world
    }

    /// One tab that listens to so many connections, all of them open.
    #[must_use]
    pub fn with_links(links: usize) -> Self {
        let mut world = Self::new(1, 0);
        for link in 1..links as u32 {
            let mut config = config();
            config.key.account = link.to_string();
            world.tabs[0].open(config);
            world.settle(0);
            world.input(Input::SocketOpened {
                socket: SocketId(SOCKET.0 + link),
                subprotocol: String::new(),
            });
        }
        world
    }

    /// A message of the server, to every tab that listens, with all acknowledgements. A moment passes, so that no tab's pace holds it
    /// back.
    pub fn receive(&mut self, payload: Payload) {
        self.pass(20);
        self.input(Input::Received {
            socket: SOCKET,
            payload,
        });
    }

    /// As [`receive`](Self::receive), what was gathered of a stream.
    pub fn gather(&mut self, gathered: Vec<Gathered>) {
        self.pass(20);
        self.input(Input::Gathered {
            socket: SOCKET,
            gathered,
        });
    }

    fn pass(&mut self, millis: u64) {
        self.now += millis;
        // Late by seconds it would be a sleep, behind which every input wakes every connection.
        if self.due.is_some_and(|due| due <= Time(self.now)) {
            self.input(Input::Tick);
        }
    }

    fn input(&mut self, input: Input) {
        self.engine.handle_input(Time(self.now), input);
        for tab in self.deliver() {
            self.settle(tab);
        }
    }

    /// Lets a tab and the engine talk until neither has anything to say.
    fn settle(&mut self, tab: usize) {
        let mut frames = Vec::new();
        while let Some(output) = self.tabs[tab].poll_output() {
            if let TabOutput::Post(frame) = output {
                frames.push(Bytes::copy_from_slice(frame));
            }
        }
        for frame in frames {
            let port = PortId(tab as u32);
            let now = Time(self.now);
            self.engine.handle_input(now, Input::Frame { port, frame });
            for tab in self.deliver() {
                self.settle(tab);
            }
        }
    }

    /// Hands the tabs what the engine posts, and returns which have got something.
    fn deliver(&mut self) -> Vec<usize> {
        let mut reached = Vec::new();
        loop {
            match self.engine.poll_output() {
                Output::Post { port, frame, .. } => {
                    let tab = port.0 as usize;
                    self.tabs[tab].handle_frame(&Bytes::copy_from_slice(frame));
                    reached.push(tab);
                }
                Output::Timeout(due) => {
                    self.due = due;
                    return reached;
                }
                _ => {}
            }
        }
    }
}

fn config() -> ChannelConfig {
    let key = LinkKey {
        url: "ws://feed.example/".to_owned(),
        subprotocols: Vec::new(),
        account: String::new(),
    };
    ChannelConfig {
        key,
        policy: LinkPolicy::default(),
        replay: Replay::None,
    }
}
