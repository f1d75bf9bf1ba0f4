//! Tabs that do not read.

use bytes::Bytes;
use onesocket_engine::{ChannelConfig, ChannelEvent, TabOutput, TabSession};
use onesocket_protocol::{
    BatchHeader, BatchReader, ChannelId, DebugLevel, Epoch, LinkKey, LinkPolicy, Outbox, Payload,
    Replay, TabId, TabToken, ToTab, Version, VersionRange, Welcome,
};

use crate::sim::{Sim, pack};

const URL: &str = "ws://chat/";

#[test]
fn a_tab_that_never_acknowledges_slows_nobody_and_learns_exactly_what_it_missed() {
    let mut sim = Sim::with_tabs(1, 2);
    let (awake, frozen) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    sim.freeze(1);
    let total = 400;
    let body = "x".repeat(100 * 1024);
    for _ in 0..total {
        sim.server_say(0, &body);
        sim.run(50);
    }
    assert_eq!(sim.client(awake).messages.len(), total);
    assert_eq!(sim.client(awake).lagged, [0; 0]);
    assert_eq!(sim.client(frozen).messages.len(), 0);
    sim.thaw(1);
    sim.run(5_000);
    sim.server_say(0, "awake again");
    sim.run(500);
    // The model has checked that the hole is where, and as large as, it was said.
    let client = sim.client(frozen);
    let missed: u64 = client.lagged.iter().sum();
    assert!(missed > 100, "{missed}");
    assert_eq!(client.messages.len() as u64 + missed, total as u64 + 1);
    assert_eq!(sim.bodies(frozen).last(), Some(&"awake again"));
}

/// Says so many messages of 100 KiB on the tab's connection, in one moment.
fn burst(sim: &mut Sim, messages: usize) {
    let body = "x".repeat(100 * 1024);
    (0..messages).for_each(|_| sim.server_say(0, &body));
    sim.run(0);
}

#[test]
fn a_burst_is_not_taken_for_a_tab_that_does_not_read() {
    let mut sim = Sim::with_tabs(3, 1);
    (sim.net_delay, sim.port_delay) = (0, 500);
    let chan = sim.open(0, URL);
    sim.run(5_000);
    burst(&mut sim, 400);
    sim.run(60_000);
    assert_eq!(sim.client(chan).messages.len(), 400);
    assert_eq!(sim.client(chan).lagged, [0; 0]);
}

#[test]
fn a_burst_has_its_bound_too() {
    let mut sim = Sim::with_tabs(4, 1);
    (sim.net_delay, sim.port_delay) = (0, 500);
    let chan = sim.open(0, URL);
    sim.run(5_000);
    burst(&mut sim, 800);
    sim.run(60_000);
    let client = sim.client(chan);
    let missed: u64 = client.lagged.iter().sum();
    // 64 MiB are 655 of them, and a batch of up to 1 MiB is in front and one in flight.
    assert!((120..=150).contains(&missed), "{missed}");
    assert_eq!(client.messages.len() as u64 + missed, 800);
}

#[test]
fn a_tab_that_has_read_nothing_for_two_seconds_is_not_thought_to_read_soon() {
    let mut sim = Sim::with_tabs(5, 1);
    sim.net_delay = 0;
    let chan = sim.open(0, URL);
    sim.run(5_000);
    sim.freeze(0);
    burst(&mut sim, 1);
    sim.run(1_999);
    burst(&mut sim, 400);
    sim.run(1);
    burst(&mut sim, 100);
    sim.thaw(0);
    sim.run(60_000);
    assert_eq!(sim.client(chan).lagged, [100]);
}

/// What opens a session is posted to a tab that does not read, too: it says nothing of when the tab will.
#[test]
fn a_tab_that_has_not_read_its_opening_is_not_thought_to_read_soon() {
    let mut sim = Sim::with_tabs(6, 2);
    sim.net_delay = 0;
    sim.open(0, URL);
    sim.run(5_000);
    let chan = sim.open(1, URL);
    sim.run(5_000);
    sim.freeze(1);
    burst(&mut sim, 1);
    sim.run(1_999);
    burst(&mut sim, 400);
    sim.run(1);
    burst(&mut sim, 100);
    sim.thaw(1);
    sim.run(60_000);
    assert_eq!(sim.client(chan).lagged, [100]);
}

#[test]
fn a_frozen_tab_still_settles_its_sends() {
    let mut sim = Sim::with_tabs(2, 2);
    let (chan, _other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    for _ in 0..50 {
        sim.send_numbered(chan, 10).expect("taken");
    }
    sim.freeze(0);
    sim.server_close(0, 1001, "");
    sim.run(60_000);
    sim.thaw(0);
    sim.run(1_000);
    assert_eq!(sim.client(chan).unsettled(), []);
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
}

/// A session that is welcomed, with a channel for each of these URLs.
fn welcomed(urls: &[&str]) -> (TabSession, Vec<ChannelId>) {
    let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
    let open = |url: &&str| {
        let key = LinkKey {
            url: (*url).to_owned(),
            subprotocols: vec![],
            account: String::new(),
        };
        tab.open(ChannelConfig {
            key,
            policy: LinkPolicy::default(),
            replay: Replay::None,
        })
    };
    let channels = urls.iter().map(open).collect();
    tab.attach(false);
    let welcome = Welcome {
        version: 1,
        versions: VersionRange::OURS,
        epoch: Epoch(1),
        tab: TabId(1),
    };
    tab.handle_frame(&welcome.encode().into());
    while tab.poll_output().is_some() {}
    (tab, channels)
}

/// What a channel is told by a frame, which is all that is kept of it.
fn told(tab: &mut TabSession, about: ChannelId, frame: &Bytes) -> Vec<ChannelEvent> {
    tab.handle_frame(frame);
    let mut events = Vec::new();
    while let Some(output) = tab.poll_news() {
        match output {
            TabOutput::Event { channel, event } if channel == about => events.push(event),
            TabOutput::Event { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    events
}

#[test]
fn a_word_that_nobody_reads_kept_the_busy_frame_that_it_came_in() {
    let (mut tab, channels) = welcomed(&["ws://busy/", "ws://quiet/"]);
    let (busy, quiet) = (channels[0], channels[1]);
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    let mut frame = |quiet_len: usize| {
        (0..50).for_each(|_| say(&mut outbox, busy, 200));
        say(&mut outbox, quiet, quiet_len);
        let packed = pack(&[Payload::binary(vec![8; quiet_len])]);
        outbox.push_to_tab(&ToTab::Packed {
            channel: quiet,
            packed,
        });
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"));
        let header = BatchReader::new(&frame).expect("a batch").header();
        let ack = header.seq;
        let acknowledgement = BatchHeader {
            seq: 0,
            ack,
            count: 0,
            ..header
        };
        outbox.on_batch(acknowledgement).expect("in order");
        frame
    };
    let small = frame(20);
    let kept = told(&mut tab, quiet, &small);
    assert!(small.is_unique(), "small ones have memory of their own");
    let payload = Payload::binary(vec![7; 20]);
    let replayed = false;
    let packed = pack(&[Payload::binary(vec![8; 20])]);
    let expect = [
        ChannelEvent::Message { replayed, payload },
        ChannelEvent::Packed(packed),
    ];
    assert_eq!(kept, expect);

    let shared = [
        (busy, frame(20), 50, "what most of a frame is"),
        (quiet, frame(2_000), 2, "what is much of a frame"),
    ];
    for (channel, frame, count, what) in shared {
        let kept = told(&mut tab, channel, &frame);
        assert_eq!(kept.len(), count);
        assert!(!frame.is_unique(), "{what} is not copied");
    }

    // One client has all that is in a frame.
    let (mut tab, channels) = welcomed(&["ws://busy/"]);
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    (0..50).for_each(|_| say(&mut outbox, channels[0], 200));
    let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"));
    let kept = told(&mut tab, channels[0], &frame);
    assert!(kept.len() == 50 && !frame.is_unique());
}

fn say(outbox: &mut Outbox, channel: ChannelId, len: usize) {
    outbox.push_to_tab(&ToTab::Message {
        channel,
        replayed: false,
        payload: Payload::binary(vec![7; len]),
    });
}
