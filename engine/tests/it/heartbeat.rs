//! How a dead socket is found out.

use std::time::Duration;

use onesocket_protocol::{
    Answer, Heartbeat, Millis, Payload, ReconnectCause, limits::BUFFERED_STEP_BYTES as STEP,
};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://chat/";

fn open(sim: &mut Sim, tab: usize, pong: Option<&str>) -> Chan {
    let heartbeat = Heartbeat {
        interval: Millis(10_000),
        deadline: Millis(3_000),
        ping: Payload::text("ping"),
        pong: pong.map(Payload::text),
    };
    let chan = sim.open_with(tab, URL, |config| config.policy.heartbeat = Some(heartbeat));
    sim.run(1_000);
    chan
}

#[test]
fn a_half_open_socket_is_replaced_within_interval_and_deadline() {
    let mut sim = Sim::with_tabs(1, 1);
    let chan = open(&mut sim, 0, Some("pong"));
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
    sim.conns[0].half_open = true;
    let dead = sim.now;
    sim.run_until("noticed", |sim| !sim.client(chan).reconnects.is_empty());
    assert!(sim.now - dead <= 13_000 + 100, "{}", sim.now - dead);
    assert_eq!(
        sim.client(chan).reconnects[0].3,
        ReconnectCause::HeartbeatTimeout
    );
    sim.run(1_100);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), 2);
}

/// A ping goes out behind what the socket holds already.
#[test]
fn a_ping_that_waited_behind_an_upload_condemned_a_live_socket() {
    let mut sim = Sim::with_tabs(8, 1);
    let chan = open_slow(&mut sim);
    sim.conns[0].holds = 20 * STEP;
    sim.send(chan, "behind it");
    for holds in (0..20).rev() {
        sim.run(6_000);
        sim.conns[0].holds = holds * STEP;
    }
    sim.run(2_000);
    sim.unclog(0);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
    assert_eq!(sim.got_on(0)[0], "behind it");
}

/// The browser's own buffers swallow a little of what a dead socket holds.
#[test]
fn a_dead_socket_is_found_amid_an_upload() {
    let mut sim = Sim::with_tabs(9, 1);
    let chan = open_slow(&mut sim);
    sim.conns[0].holds = 20 * STEP;
    sim.send(chan, "behind it");
    for holds in 15..20 {
        sim.run(6_000);
        sim.conns[0].holds = (35 - holds) * STEP;
    }
    let last = sim.now;
    sim.run_until("noticed", |sim| !sim.client(chan).reconnects.is_empty());
    // What it holds is looked at once a second at least.
    assert!(sim.now - last <= 2 * 10_000 + 1_100, "{}", sim.now - last);
    assert_eq!(
        sim.client(chan).reconnects[0].3,
        ReconnectCause::HeartbeatTimeout
    );
}

/// A socket on which everything waits.
fn open_slow(sim: &mut Sim) -> Chan {
    let chan = sim.open_with(0, URL, |config| {
        let heartbeat = Heartbeat::every(Duration::from_secs(10), Payload::text("ping"));
        config.policy.heartbeat = Some(heartbeat);
    });
    sim.run(1_000);
    sim.conns[0].clogged = true;
    chan
}

#[test]
fn pongs_are_not_delivered_and_measure_the_round_trip() {
    let mut sim = Sim::with_tabs(2, 1);
    let chan = open(&mut sim, 0, Some("pong"));
    assert_eq!(sim.status(chan).round_trip, None);
    sim.run(60_000);
    assert_eq!(sim.bodies(chan), [""; 0]);
    let pings = sim.got_on(0).len();
    assert!((5..=6).contains(&pings), "{pings}");
    let round_trip = sim.status(chan).round_trip.expect("measured").0;
    assert!(round_trip <= 40, "{round_trip}");
}

#[test]
fn a_server_that_talks_is_pinged_only_when_the_client_is_silent() {
    let mut sim = Sim::with_tabs(3, 1);
    let chan = open(&mut sim, 0, Some("pong"));
    let sent: Vec<String> = (0..20).map(|number| format!("s:{number}")).collect();
    for text in &sent {
        sim.server_say(0, "news");
        sim.run(4_500);
        sim.send(chan, text);
        sim.run(4_500);
    }
    assert_eq!(sim.got_on(0), sent);
}

/// Many a server closes a connection on which it hears nothing of the client, however much it says itself.
#[test]
fn a_client_that_only_listens_was_silent_for_as_long_as_the_server_talked() {
    for pong in [None, Some("pong")] {
        let mut sim = Sim::with_tabs(10, 1);
        let chan = open(&mut sim, 0, pong);
        sim.server.answers_pings = false;
        for _ in 0..99 {
            sim.server_say(0, "news");
            sim.run(1_000);
        }
        assert_eq!(sim.got_on(0), ["ping"; 9], "{pong:?}");
        // It was heard all the time, so nothing is due, and no answer measured.
        assert_eq!((sim.dials.len(), sim.status(chan).round_trip), (1, None));
        sim.conns[0].half_open = true;
        let dead = sim.now;
        sim.run_until("noticed", |sim| !sim.client(chan).reconnects.is_empty());
        assert!(sim.now - dead <= 13_000 + 100, "{}", sim.now - dead);
    }
}

#[test]
fn any_message_counts_as_an_answer() {
    for pong in [None, Some("pong")] {
        let mut sim = Sim::with_tabs(4, 1);
        let chan = open(&mut sim, 0, pong);
        sim.server.answers_pings = false;
        for _ in 0..10 {
            sim.run_until("a ping", |sim| !sim.got_on(0).is_empty());
            sim.conns[0].received.clear();
            sim.run(2_000);
            sim.server_say(0, "busy");
        }
        assert_eq!(sim.dials.len(), 1);
        assert_eq!(sim.bodies(chan), ["busy"; 9], "pong: {pong:?}");
    }
}

#[test]
fn the_round_trip_was_not_measured_when_a_message_came_before_the_pong() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = open(&mut sim, 0, Some("pong"));
    sim.server.answers_pings = false;
    sim.run_until("a ping", |sim| !sim.got_on(0).is_empty());
    sim.server_say(0, "news");
    sim.run(1_000);
    sim.server_post(0, Payload::text("pong"));
    sim.run(100);
    let round_trip = sim.status(chan).round_trip.expect("measured").0;
    assert!((1_000..1_100).contains(&round_trip), "{round_trip}");
}

#[test]
fn the_heartbeat_of_a_later_policy_did_not_begin_before_the_next_socket() {
    let mut sim = Sim::with_tabs(6, 2);
    let first = sim.open(0, URL);
    sim.run(1_000);
    sim.close(first);
    sim.run(500);
    let second = open(&mut sim, 1, Some("pong"));
    sim.conns[0].half_open = true;
    sim.run(20_000);
    assert_eq!(sim.dials.len(), 2);
    assert!(sim.client(second).is_connected());
}

fn answers(sim: &mut Sim, tab: usize) -> Chan {
    sim.open_with(tab, URL, |config| {
        config.policy.answer = Some(Answer {
            ping: Payload::text("2"),
            pong: Payload::text("3"),
        });
    })
}

#[test]
fn the_servers_own_ping_is_answered_by_the_worker_and_not_delivered() {
    let mut sim = Sim::with_tabs(6, 2);
    let tabs = [answers(&mut sim, 0), answers(&mut sim, 1)];
    sim.run(1_000);
    sim.server_post(0, Payload::text("2"));
    sim.server_say(0, "22");
    sim.server_post(0, Payload::text("2"));
    sim.run(100);
    assert_eq!(sim.got_on(0), ["3", "3"]);
    // This server says to all what it is told.
    for chan in tabs {
        assert_eq!(sim.bodies(chan), ["22", "3", "3"]);
    }
}

#[test]
fn a_page_that_is_frozen_did_not_answer_the_server() {
    let mut sim = Sim::with_tabs(7, 1);
    answers(&mut sim, 0);
    sim.run(1_000);
    sim.freeze(0);
    sim.server_post(0, Payload::text("2"));
    sim.run(100);
    assert_eq!(sim.got_on(0), ["3"]);
}
