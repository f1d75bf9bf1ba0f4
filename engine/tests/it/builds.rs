//! Tabs of several builds on one worker: the older ones hear of the newest, once, and nobody else does.

use bytes::Bytes;
use onesocket_engine::{
    ChannelConfig, ChannelEvent, Engine, EngineConfig, Input, Loss, Output, PortId, SessionFailure,
    TabOutput, TabSession, Time,
};
use onesocket_protocol::{
    ChannelId, DebugLevel, Epoch, Hello, LinkKey, LinkPolicy, Refusal, Replay, TabToken,
    VersionRange, WorkerScope,
};

/// A worker, and the tabs that are with it; all frames arrive at once.
struct World {
    engine: Engine,
    tabs: Vec<Tab>,
    now: u64,
}

struct Tab {
    session: TabSession,
    /// What its client was told of updates.
    heard: Vec<Option<u64>>,
}

impl Tab {
    fn new(build: u64) -> Self {
        let session = TabSession::new(TabToken(build), DebugLevel::Off).with_build(build);
        let heard = Vec::new();
        let mut tab = Self { session, heard };
        tab.open();
        tab
    }

    fn open(&mut self) -> ChannelId {
        self.session.open(ChannelConfig {
            key: LinkKey {
                url: "wss://x.org/".to_owned(),
                subprotocols: Vec::new(),
                account: String::new(),
            },
            policy: LinkPolicy::default(),
            replay: Replay::None,
        })
    }

    /// Drains the session; returns what it posts.
    fn drain(&mut self) -> Vec<Bytes> {
        let mut posted = Vec::new();
        while let Some(output) = self.session.poll_output() {
            match output {
                TabOutput::Post(frame) => posted.push(Bytes::copy_from_slice(frame)),
                TabOutput::Event {
                    event: ChannelEvent::UpdateAvailable { build },
                    ..
                } => self.heard.push(build),
                _ => {}
            }
        }
        posted
    }

    fn heard(&mut self) -> Vec<Option<u64>> {
        core::mem::take(&mut self.heard)
    }
}

impl World {
    fn new() -> Self {
        Self {
            engine: engine(1),
            tabs: Vec::new(),
            now: 0,
        }
    }

    /// A tab of this build comes; returns its place.
    fn join(&mut self, build: u64) -> usize {
        let mut tab = Tab::new(build);
        tab.session.attach(false);
        self.tabs.push(tab);
        let at = self.tabs.len() - 1;
        self.input(Input::PortOpened(port(at)));
        self.run();
        at
    }

    /// A hello by hand, on a port of its own. Nobody reads the answer.
    fn hello(&mut self, hello: Hello) {
        let port = PortId(1000);
        self.input(Input::PortOpened(port));
        let frame = Bytes::from(hello.encode());
        self.input(Input::Frame { port, frame });
        self.run();
    }

    fn input(&mut self, input: Input) {
        self.now += 1;
        self.engine.handle_input(Time(self.now), input);
        let mut posted = Vec::new();
        loop {
            match self.engine.poll_output() {
                Output::Post { port, frame, .. } => {
                    posted.push((port, Bytes::copy_from_slice(frame)))
                }
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        for (port, frame) in posted {
            if let Some(tab) = self.tabs.get_mut(port.0 as usize) {
                tab.session.handle_frame(&frame);
            }
        }
    }

    /// Until nobody has anything to say.
    fn run(&mut self) {
        for _ in 0..100 {
            let mut frames = Vec::new();
            for (at, tab) in self.tabs.iter_mut().enumerate() {
                frames.extend(tab.drain().into_iter().map(|frame| (at, frame)));
            }
            if frames.is_empty() {
                return;
            }
            for (at, frame) in frames {
                self.input(Input::Frame {
                    port: port(at),
                    frame,
                });
            }
        }
        panic!("they talk for ever");
    }
}

fn engine(epoch: u64) -> Engine {
    Engine::new(EngineConfig {
        epoch: Epoch(epoch),
        scope: WorkerScope::Shared,
        seed: 1,
        online: true,
        debug: DebugLevel::Off,
    })
}

fn port(tab: usize) -> PortId {
    PortId(tab as u32)
}

const NOTHING: [Option<u64>; 0] = [];

#[test]
fn the_tabs_of_older_builds_hear_of_a_newer_one() {
    let mut world = World::new();
    let (old, older) = (world.join(20), world.join(10));
    assert_eq!(world.tabs[old].heard(), NOTHING);
    assert_eq!(world.tabs[older].heard(), [Some(20)]);

    let new = world.join(30);
    assert_eq!(world.tabs[old].heard(), [Some(30)]);
    assert_eq!(world.tabs[older].heard(), [Some(30)]);
    assert_eq!(world.tabs[new].heard(), NOTHING);
}

#[test]
fn each_newer_build_is_told_once() {
    let mut world = World::new();
    let old = world.join(10);
    world.join(20);
    assert_eq!(world.tabs[old].heard(), [Some(20)]);
    world.join(20);
    world.join(15);
    assert_eq!(world.tabs[old].heard(), NOTHING);

    // The tab starts over, with this worker and with another one that knows of the same build.
    world.tabs[old].session.attach(false);
    world.run();
    world.engine = engine(2);
    for at in 0..world.tabs.len() {
        world.input(Input::PortOpened(port(at)));
        world.tabs[at].session.attach(false);
        world.run();
    }
    assert_eq!(world.tabs[old].heard(), NOTHING);
}

#[test]
fn a_client_that_comes_later_hears_it_too() {
    let mut world = World::new();
    let old = world.join(10);
    world.join(20);
    assert_eq!(world.tabs[old].heard(), [Some(20)]);
    world.tabs[old].open();
    world.run();
    assert_eq!(world.tabs[old].heard(), [Some(20)]);
}

#[test]
fn a_client_that_comes_later_hears_it_when_it_is_attached_or_will_never_be() {
    let mut world = World::new();
    let old = world.join(10);
    world.join(20);
    assert_eq!(world.tabs[old].heard(), [Some(20)]);
    world.tabs[old].open();
    // Whoever has opened it may begin to listen only in a moment.
    let posted = world.tabs[old].drain();
    assert_eq!(world.tabs[old].heard(), NOTHING);
    for frame in posted {
        world.input(Input::Frame {
            port: port(old),
            frame,
        });
    }
    world.run();
    assert_eq!(world.tabs[old].heard(), [Some(20)]);
    world.tabs[old].session.attach(false);
    world.run();
    assert_eq!(world.tabs[old].heard(), NOTHING);

    let tab = &mut world.tabs[old];
    tab.session.detach(Loss::Ended);
    tab.open();
    tab.session.fail(SessionFailure::NoTier);
    tab.drain();
    assert_eq!(tab.heard(), [Some(20)]);
    tab.open();
    tab.drain();
    assert_eq!(tab.heard(), [Some(20)]);
}

#[test]
fn a_tab_that_gives_no_number_takes_no_part() {
    let mut world = World::new();
    let (silent, numbered) = (world.join(0), world.join(10));
    world.join(0);
    assert_eq!(world.tabs[silent].heard(), NOTHING);
    assert_eq!(world.tabs[numbered].heard(), NOTHING);
}

#[test]
fn a_newer_protocol_is_news_to_all_even_when_it_is_refused() {
    for min in [1, 7] {
        let mut world = World::new();
        let (silent, numbered) = (world.join(0), world.join(10));
        let hello = Hello {
            versions: VersionRange { min, max: 9 },
            ..Hello::new(TabToken(5), false)
        };
        world.hello(hello);
        assert_eq!(world.tabs[silent].heard(), [None], "from v{min}");
        assert_eq!(world.tabs[numbered].heard(), [None], "from v{min}");
        world.hello(hello);
        assert_eq!(world.tabs[silent].heard(), NOTHING);
        // Now there is a number too.
        world.join(20);
        assert_eq!(world.tabs[silent].heard(), NOTHING);
        assert_eq!(world.tabs[numbered].heard(), [Some(20)], "from v{min}");
    }
}

#[test]
fn a_tab_that_a_newer_worker_refuses_hears_of_the_update_from_the_refusal() {
    let refusal = |min, max| {
        let mut tab = Tab::new(10);
        tab.session.attach(false);
        tab.drain();
        let versions = VersionRange { min, max };
        tab.session
            .handle_frame(&Bytes::from(Refusal { versions }.encode()));
        tab.drain();
        tab.heard()
    };
    let VersionRange { max, .. } = VersionRange::OURS;
    assert_eq!(refusal(max + 1, max + 2), [None]);
    assert_eq!(refusal(max, max), NOTHING);
}
