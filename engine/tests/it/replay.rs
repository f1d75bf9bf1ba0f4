//! What a tab is given that joins an open connection.

use onesocket_protocol::{Payload, Replay};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://chat/";

fn open(sim: &mut Sim, tab: usize, replay: Replay) -> Chan {
    sim.open_with(tab, URL, |config| config.replay = replay)
}

fn talk(sim: &mut Sim, count: usize) {
    for number in 0..count {
        sim.server_say(0, &format!("{number:02}"));
        sim.run(30);
    }
}

fn last(messages: u32, bytes: u32) -> Replay {
    Replay::Last { messages, bytes }
}

#[test]
fn nothing_is_replayed_unasked() {
    let mut sim = Sim::with_tabs(1, 2);
    open(&mut sim, 0, last(10, 1_000));
    sim.run(500);
    talk(&mut sim, 5);
    let late = open(&mut sim, 1, Replay::None);
    sim.run(500);
    assert_eq!(sim.bodies(late), [""; 0]);
}

#[test]
fn the_last_messages_are_replayed_and_live_ones_follow_without_gap_or_double() {
    for seed in 0..30 {
        let mut sim = Sim::with_tabs(seed, 2);
        let first = open(&mut sim, 0, last(5, 1_000));
        sim.run(500);
        talk(&mut sim, 10);
        for number in 10..20 {
            sim.server_say(0, &format!("{number:02}"));
        }
        // It joins somewhere in the middle; the model checks that the numbers have no hole.
        let late = open(&mut sim, 1, last(5, 1_000));
        sim.run(500);
        assert_eq!(sim.client(first).messages.len(), 20);
        let messages = &sim.client(late).messages;
        assert_eq!(
            messages.iter().filter(|message| message.replayed).count(),
            5
        );
        assert!(
            messages.is_sorted_by_key(|message| !message.replayed),
            "replayed ones first"
        );
        assert_eq!(messages.last().map(|message| message.body()), Some("19"));
    }
}

#[test]
fn a_replay_keeps_to_its_bytes() {
    let mut sim = Sim::with_tabs(2, 2);
    open(&mut sim, 0, last(100, 100_000));
    sim.run(500);
    talk(&mut sim, 20);
    // "m:0:NN:NN" has nine bytes.
    let late = open(&mut sim, 1, last(100, 3 * 9 + 8));
    sim.run(500);
    assert_eq!(sim.bodies(late), ["17", "18", "19"]);
}

#[test]
fn a_replay_was_asked_for_before_the_greetings_that_follow_the_opening() {
    let mut sim = Sim::with_tabs(3, 2);
    let ask = || Replay::Ask(Payload::text("snapshot"));
    let first = open(&mut sim, 0, ask());
    sim.run(500);
    assert_eq!(
        sim.server_got(),
        [""; 0],
        "who opens the socket has missed nothing"
    );
    let late = open(&mut sim, 1, ask());
    let subscribe = Payload::text("subscribe");
    sim.in_tab(1, |session| session.greet(late.id, subscribe, None));
    sim.run(500);
    assert_eq!(sim.server_got(), ["subscribe", "snapshot"]);
    assert!(
        sim.bodies(first).contains(&"snapshot"),
        "all tabs see the answer"
    );
}

#[test]
fn what_was_asked_for_an_open_socket_was_sent_on_a_later_one() {
    let mut sim = Sim::with_tabs(4, 2);
    let first = open(&mut sim, 0, Replay::None);
    sim.run(500);
    let config = sim.config(URL, |config| {
        config.replay = Replay::Ask(Payload::text("snapshot"));
    });
    let id = sim.in_tab(1, |session| session.open(config));
    sim.in_tab(0, |session| session.reconnect(first.id));
    let late = Chan { tab: 1, id };
    sim.run(5_000);
    sim.send(late, "after");
    sim.run(500);
    assert_eq!(sim.server_got(), ["after"]);
}

#[test]
fn nothing_of_an_earlier_socket_is_replayed() {
    let mut sim = Sim::with_tabs(5, 2);
    open(&mut sim, 0, last(10, 1_000));
    sim.run(500);
    talk(&mut sim, 5);
    sim.server_close(0, 1001, "");
    sim.run(5_000);
    let late = open(&mut sim, 1, last(10, 1_000));
    sim.run(500);
    assert_eq!(sim.bodies(late), [""; 0]);
}
