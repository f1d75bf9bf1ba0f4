//! A tab that looks into its worker: the survey, who may read what, and that it ends with its session.

use onesocket_engine::Input;
use onesocket_protocol::{
    DebugLevel, LinkState, LogEntry, Pace, Sight,
    inspect::{self, Beginning, LinkSurvey, PortSurvey},
    log::kind,
};

use crate::sim::Sim;

fn inspect(sim: &mut Sim, tab: usize, sight: Sight) {
    sim.tabs[tab].logs.clear();
    sim.in_tab(tab, |session| session.inspect(sight));
    sim.run(100);
}

fn log(sim: &mut Sim, entry: LogEntry) {
    let engine = sim.workers[0].engine.as_mut().expect("alive");
    engine.log(entry);
    sim.input(0, Input::Tick);
    sim.run(100);
}

#[test]
fn a_survey_shows_every_tab_and_every_connection() {
    let mut sim = Sim::with_tabs(40, 2);
    sim.open(0, "wss://a.test/?key=secret");
    sim.open(1, "wss://a.test/?key=secret");
    sim.run(1_000);
    sim.stop_server();
    let other = sim.open(1, "wss://b.test/");
    sim.send(other, "waits");
    sim.in_tab(1, |session| session.set_pace(Pace::HIDDEN));
    sim.run(2_000);
    inspect(&mut sim, 0, Sight::Messages);

    let logs = &sim.tabs[0].logs;
    let ports: Vec<_> = logs.iter().filter_map(PortSurvey::of).collect();
    let shape = |port: &PortSurvey| (port.is_own, port.channels, port.pace);
    assert_eq!(
        ports.iter().map(shape).collect::<Vec<_>>(),
        [
            (true, 1, Pace::default().interval.0),
            (false, 2, Pace::HIDDEN.interval.0)
        ]
    );
    let links: Vec<_> = logs.iter().filter_map(LinkSurvey::of).collect();
    let [first, second] = &links[..] else {
        panic!("{links:?}");
    };
    assert_eq!(first.url, "wss://a.test/?key=***");
    assert_eq!((first.status.tabs, second.status.tabs), (2, 1));
    assert!(!matches!(second.status.state, LinkState::Connected { .. }));
    assert_eq!(second.status.queued_messages, 1);
    assert!(second.oldest >= 1_900, "{}", second.oldest);
}

#[test]
fn a_tab_that_does_not_look_is_told_nothing_and_looking_ends_with_the_session() {
    let mut sim = Sim::with_tabs(41, 2);
    inspect(&mut sim, 0, Sight::Payloads);
    log(&mut sim, LogEntry::new(kind::SLEPT));
    assert!(sim.tabs[1].logs.is_empty(), "{:?}", sim.tabs[1].logs);
    assert_eq!(sim.seen, [Sight::Payloads]);
    sim.crash_tab(0);
    sim.run(1_000);
    assert_eq!(sim.seen, [Sight::Payloads, Sight::Off]);
}

#[test]
fn the_debug_log_stays_on_when_an_inspector_is_closed() {
    let mut sim = Sim::with_tabs(42, 2);
    sim.in_tab(1, |session| session.set_debug(DebugLevel::Messages));
    sim.run(100);
    inspect(&mut sim, 0, Sight::Recording);
    inspect(&mut sim, 0, Sight::Off);
    assert_eq!(
        sim.seen,
        [Sight::Messages, Sight::Recording, Sight::Messages]
    );
    assert!(sim.tabs[0].logs.is_empty(), "a survey that nobody wants");
}

#[test]
fn who_looks_at_payloads_shows_them_to_nobody_else() {
    let mut sim = Sim::with_tabs(43, 2);
    sim.open(0, "wss://a.test/");
    sim.open(1, "wss://a.test/");
    sim.run(1_000);
    inspect(&mut sim, 0, Sight::Payloads);
    inspect(&mut sim, 1, Sight::Messages);
    sim.tabs[0].logs.clear();
    log(
        &mut sim,
        LogEntry {
            id: 1,
            len: 6,
            content: "secret".into(),
            ..LogEntry::new(kind::RECEIVED)
        },
    );
    let contents = |tab: usize| {
        let logs = sim.tabs[tab].logs.iter();
        let received = logs.filter(|entry| entry.kind == kind::RECEIVED);
        received
            .map(|entry| entry.content.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(contents(0), ["secret"]);
    assert_eq!(contents(1), [""]);
}

#[test]
fn a_subprotocol_that_only_a_credential_offers_is_shown_to_nobody_but_who_records() {
    let mut sim = Sim::with_tabs(45, 3);
    sim.server.accepts = vec!["v1".into()];
    for tab in 0..2 {
        sim.open_with(tab, "wss://a.test/", |config| {
            config.key.subprotocols = vec!["v1".into()];
        });
    }
    sim.run(1_000);
    inspect(&mut sim, 0, Sight::Payloads);
    inspect(&mut sim, 1, Sight::Recording);
    inspect(&mut sim, 2, Sight::Recording);
    for subprotocol in ["v1", "bearer.s3cret"] {
        log(
            &mut sim,
            LogEntry {
                id: 1,
                content: subprotocol.into(),
                ..LogEntry::new(kind::OPENED)
            },
        );
    }
    let contents = |tab: usize| {
        let logs = sim.tabs[tab].logs.iter();
        let opened = logs.filter(|entry| entry.kind == kind::OPENED);
        opened.map(|entry| &entry.content[..]).collect::<Vec<_>>()
    };
    assert_eq!(contents(0), [&b"v1"[..], b""]);
    assert_eq!(contents(1), [&b"v1"[..], b"bearer.s3cret"]);
    assert_eq!(contents(2), [b"", b""], "it has no channel on the socket");
}

#[test]
fn a_frame_is_for_its_own_tab_and_only_while_that_records() {
    let mut sim = Sim::with_tabs(44, 2);
    inspect(&mut sim, 0, Sight::Recording);
    let logs = &sim.tabs[0].logs;
    let beginning = logs.iter().find_map(Beginning::of).expect("a beginning");
    assert_eq!((beginning.port, beginning.seed), (0, None));
    inspect(&mut sim, 1, Sight::Payloads);
    for tab in 0..2 {
        sim.tabs[tab].logs.clear();
    }
    for port in [0, 1] {
        log(&mut sim, inspect::frame(port, &"secret".into()));
    }
    let frames: Vec<_> = sim.tabs[0].logs.iter().map(|e| &e.content[..]).collect();
    assert_eq!(frames, [&b"secret"[..], b""]);
    assert!(sim.tabs[1].logs.is_empty(), "{:?}", sim.tabs[1].logs);
}
