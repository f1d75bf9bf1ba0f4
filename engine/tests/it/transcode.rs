//! The server's messages in a form that an app's own code makes of them: the tabs get it, and nobody else notices.

use std::{cell::Cell, rc::Rc};

use onesocket_engine::Transcode;
use onesocket_protocol::{
    Answer, Heartbeat, LatestBy, LinkKey, Millis, Payload, Replay, Sight, inspect::Beginning,
    limits,
};

use crate::sim::Sim;

const URL: &str = "ws://prices/";

/// Puts what comes on one URL into angle brackets, "plain" excepted. No rule finds there what it looks for.
fn bracket(key: &LinkKey, payload: &Payload) -> Option<Payload> {
    let text = payload.as_text().filter(|_| key.url == URL)?;
    (text != "plain").then(|| Payload::text(format!("<{text}>")))
}

fn world(tabs: usize, transcode: Transcode) -> Sim {
    let mut sim = Sim::with_tabs(50, tabs);
    sim.server.broadcasts = false;
    let engine = sim.workers[0].engine.as_mut().expect("alive");
    engine.transcode(transcode);
    sim
}

fn say(sim: &mut Sim, conn: usize, texts: &[&str]) {
    for text in texts {
        sim.server_post(conn, Payload::text(*text));
        sim.run(100);
    }
}

#[test]
fn every_tab_gets_what_was_made_once_of_each_message() {
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    let mut sim = world(
        3,
        Transcode::new(move |key, payload| {
            counted.set(counted.get() + 1);
            bracket(key, payload)
        }),
    );
    let tabs = [0, 1, 2].map(|tab| sim.open(tab, URL));
    let other = sim.open(0, "ws://other/");
    sim.run(1_000);
    for conn in sim.open_conns() {
        say(&mut sim, conn, &["a", "plain", "b"]);
    }
    for chan in tabs {
        assert_eq!(sim.client(chan).texts(), ["<a>", "plain", "<b>"]);
    }
    assert_eq!(sim.client(other).texts(), ["a", "plain", "b"]);
    assert_eq!(calls.get(), 6, "two connections of three messages");
}

#[test]
fn a_tab_that_joins_is_replayed_what_the_others_got() {
    let mut sim = world(2, Transcode::new(bracket));
    let replay = Replay::Last {
        messages: 10,
        bytes: 100,
    };
    let open =
        |sim: &mut Sim, tab| sim.open_with(tab, URL, |config| config.replay = replay.clone());
    open(&mut sim, 0);
    sim.run(1_000);
    say(&mut sim, 0, &["a", "plain"]);
    let late = open(&mut sim, 1);
    sim.run(1_000);
    assert_eq!(sim.client(late).texts(), ["<a>", "plain"]);
}

#[test]
fn a_policy_is_about_what_the_server_says() {
    let mut sim = world(1, Transcode::new(bracket));
    sim.server.answers_pings = false;
    let chan = sim.open_with(0, URL, |config| {
        let policy = &mut config.policy;
        policy.answer = Some(Answer {
            ping: Payload::text("2"),
            pong: Payload::text("3"),
        });
        policy.heartbeat = Some(Heartbeat {
            interval: Millis(10_000),
            deadline: Millis(3_000),
            ping: Payload::text("ping"),
            pong: Some(Payload::text("pong")),
        });
        policy.latest = Some(LatestBy::JsonMember("s".into()));
        policy.max_received_bytes = 20;
    });
    sim.run(1_000);
    say(
        &mut sim,
        0,
        &["2", "0123456789012345678", "012345678901234567890"],
    );
    assert_eq!(sim.got_on(0), ["3"], "the answer to the server's ping");
    assert_eq!(sim.client(chan).texts(), ["<0123456789012345678>"]);
    assert_eq!(
        sim.client(chan).errors.len(),
        1,
        "of the one that is too large"
    );

    sim.run_until("a ping", |sim| sim.got_on(0).len() == 2);
    say(&mut sim, 0, &["pong"]);
    assert!(sim.status(chan).round_trip.is_some(), "the pong was known");
    assert_eq!(sim.client(chan).texts().len(), 1, "and is no message");

    sim.port_delay = 0;
    sim.freeze(0);
    say(
        &mut sim,
        0,
        &[
            "{\"s\":1,\"p\":1}",
            "{\"s\":1,\"p\":2}",
            "{\"s\":1,\"p\":3}",
        ],
    );
    sim.thaw(0);
    sim.run(100);
    let expect = ["<{\"s\":1,\"p\":1}>", "<{\"s\":1,\"p\":3}>"];
    assert_eq!(
        sim.client(chan).texts()[1..],
        expect,
        "the first was in flight"
    );
}

#[test]
fn what_would_be_too_large_for_a_tab_stays_as_it_was() {
    let large = Payload::binary(vec![0; limits::MAX_PAYLOAD_BYTES + 1]);
    let mut sim = world(1, Transcode::new(move |_, _| Some(large.clone())));
    let chan = sim.open(0, URL);
    sim.run(1_000);
    say(&mut sim, 0, &["small"]);
    assert_eq!(sim.client(chan).texts(), ["small"]);
}

#[test]
fn a_worker_with_code_of_an_apps_own_was_not_recorded_as_if_it_could_be_replayed() {
    let seed = |transcodes: bool| {
        let mut sim = Sim::with_tabs(51, 1);
        if transcodes {
            let engine = sim.workers[0].engine.as_mut().expect("alive");
            engine.transcode(Transcode::new(bracket));
        }
        sim.in_tab(0, |session| session.inspect(Sight::Recording));
        sim.run(100);
        let logs = &sim.tabs[0].logs;
        logs.iter()
            .find_map(Beginning::of)
            .expect("a beginning")
            .seed
    };
    assert!(seed(false).is_some());
    assert_eq!(seed(true), None);
}
