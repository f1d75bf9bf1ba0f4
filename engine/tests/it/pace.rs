//! When a tab is woken.

use std::collections::BTreeSet;

use onesocket_protocol::{LatestBy, Millis, Pace, Payload};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://feed/";

/// A tab whose frames take no time: only its pace can hold anything back.
fn world() -> (Sim, Chan) {
    let mut sim = Sim::with_tabs(1, 1);
    sim.server.broadcasts = false;
    (sim.net_delay, sim.port_delay) = (0, 0);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    (sim, chan)
}

/// So many messages in each of so many milliseconds.
fn stream(sim: &mut Sim, each: u32, millis: u32) {
    for _ in 0..millis {
        for _ in 0..each {
            sim.server_say(0, "tick");
        }
        sim.run(1);
    }
}

/// In how many different moments messages were delivered.
fn wakes(sim: &Sim, chan: Chan) -> usize {
    let messages = &sim.client(chan).messages;
    let moments: BTreeSet<u64> = messages.iter().map(|message| message.at).collect();
    moments.len()
}

#[test]
fn a_flood_wakes_a_tab_once_in_sixteen_milliseconds() {
    let (mut sim, chan) = world();
    stream(&mut sim, 20, 1_000);
    sim.run(16);
    assert_eq!(sim.client(chan).messages.len(), 20_000);
    let wakes = wakes(&sim, chan);
    assert!((62..=64).contains(&wakes), "{wakes}");
}

#[test]
fn a_stream_of_one_message_in_a_millisecond_wakes_a_tab_as_often() {
    let (mut sim, chan) = world();
    stream(&mut sim, 1, 1_000);
    sim.run(16);
    assert_eq!(sim.client(chan).messages.len(), 1_000);
    // Until it is known for a stream, each is posted by itself.
    let wakes = wakes(&sim, chan);
    assert!((62..=64 + 32).contains(&wakes), "{wakes}");
}

#[test]
fn a_stream_is_known_for_one_after_two_intervals() {
    let (mut sim, chan) = world();
    stream(&mut sim, 1, 32);
    assert_eq!(wakes(&sim, chan), 32);
    stream(&mut sim, 1, 15);
    assert_eq!(wakes(&sim, chan), 33);
}

#[test]
fn a_stream_ends_with_an_interval_that_brings_little() {
    let (mut sim, chan) = world();
    stream(&mut sim, 1, 1_000);
    let before = wakes(&sim, chan);
    while wakes(&sim, chan) == before {
        stream(&mut sim, 1, 1);
    }
    let before = sim.client(chan).messages.len();
    sim.run(20);
    stream(&mut sim, 1, 2);
    assert_eq!(sim.client(chan).messages.len(), before + 2);
}

#[test]
fn less_than_a_stream_is_not_held_back() {
    let (mut sim, chan) = world();
    for _ in 0..300 {
        stream(&mut sim, 1, 1);
        sim.run(2);
    }
    assert_eq!(wakes(&sim, chan), 300);
}

#[test]
fn a_burst_is_no_stream() {
    let (mut sim, chan) = world();
    for burst in 1..=20 {
        stream(&mut sim, 40, 1);
        sim.run(19);
        // The first of them begins an interval, the second is in it.
        stream(&mut sim, 1, 2);
        assert_eq!(sim.client(chan).messages.len(), 42 * burst);
        sim.run(40);
    }
}

#[test]
fn bursts_with_pauses_are_no_stream() {
    let (mut sim, chan) = world();
    for burst in 1..=20 {
        stream(&mut sim, 40, 1);
        assert_eq!(sim.client(chan).messages.len(), 40 * burst);
        sim.run(49);
    }
}

#[test]
fn an_answer_does_not_wait_in_the_midst_of_a_stream() {
    let (mut sim, chan) = world();
    stream(&mut sim, 1, 1_000);
    for round in 0..100 {
        sim.send(chan, &format!("question {round}"));
        stream(&mut sim, 1, 1);
        assert_eq!(sim.client(chan).messages.len(), 1_001 + round);
    }
}

#[test]
fn a_hidden_tab_is_woken_a_few_times_a_second_and_loses_nothing() {
    let (mut sim, chan) = world();
    sim.in_tab(0, |session| session.set_pace(Pace::HIDDEN));
    stream(&mut sim, 1, 10_000);
    let before = sim.client(chan).messages.len();
    assert!(before > 9_700, "{before}");
    // At most eight leave at once in each quarter of a second, and one batch ends it.
    let wakes = wakes(&sim, chan);
    assert!(wakes <= 40 * 9 + 1, "{wakes}");
    sim.run(250);
    assert_eq!(sim.client(chan).messages.len(), 10_000);
}

#[test]
fn a_tab_that_is_shown_again_is_given_at_once_what_has_gathered() {
    let (mut sim, chan) = world();
    sim.in_tab(0, |session| session.set_pace(Pace::HIDDEN));
    stream(&mut sim, 20, 100);
    assert!(sim.client(chan).messages.len() < 100);
    sim.in_tab(0, |session| session.set_pace(Pace::default()));
    sim.run(1);
    assert_eq!(sim.client(chan).messages.len(), 2_000);
}

#[test]
fn messages_waited_for_a_pace_that_was_over() {
    let (mut sim, chan) = world();
    let slow = Pace {
        interval: Millis(10_000),
        burst: 1,
    };
    sim.in_tab(0, |session| session.set_pace(slow));
    stream(&mut sim, 1, 2);
    sim.in_tab(0, |session| session.set_pace(Pace::default()));
    stream(&mut sim, 20, 2);
    assert!(sim.client(chan).messages.len() < 42);
    sim.run(16);
    assert_eq!(sim.client(chan).messages.len(), 42);
}

#[test]
fn a_receipt_does_not_wait_and_takes_along_what_has_gathered() {
    let (mut sim, chan) = world();
    sim.in_tab(0, |session| session.set_pace(Pace::HIDDEN));
    stream(&mut sim, 20, 10);
    assert!(sim.client(chan).messages.len() < 100);
    let id = sim.send(chan, "question");
    sim.run(1);
    assert!(sim.outcome(chan, id).is_some());
    assert!(sim.client(chan).messages.len() >= 200);
}

#[test]
fn an_answer_does_not_wait() {
    let (mut sim, chan) = world();
    for round in 0..100 {
        sim.send(chan, &format!("question {round}"));
        sim.server_say(0, "answer");
        sim.run(1);
        assert_eq!(sim.client(chan).messages.len(), round + 1);
    }
}

/// How long an answer waits that comes 60 ms behind its question, which is asked in a stream of 20 messages in a millisecond or in silence, and behind
/// so many messages in each of so many milliseconds.
fn answer_waits(pace: Pace, is_in_stream: bool, each: u32, millis: u32) -> u64 {
    let (mut sim, chan) = world();
    sim.in_tab(0, |session| session.set_pace(pace));
    stream(&mut sim, if is_in_stream { 20 } else { 0 }, 900);
    sim.send(chan, "question");
    stream(&mut sim, each, millis);
    sim.run(u64::from(60 - millis));
    let said = sim.now;
    sim.server_say(0, "answer");
    let is_there = |sim: &Sim| {
        let last = sim.client(chan).messages.last();
        last.is_some_and(|message| message.text.ends_with("answer"))
    };
    sim.run_until("the answer", is_there);
    sim.now - said
}

#[test]
fn an_answer_waits_only_behind_a_burst() {
    let (seen, hidden) = (Pace::default(), Pace::HIDDEN);
    for (pace, burst) in [(seen, 16), (hidden, 8)] {
        assert_eq!(answer_waits(pace, false, 0, 60), 0);
        // The receipt is one of the burst.
        assert_eq!(answer_waits(pace, false, 1, burst - 2), 0);
    }
    let waited = answer_waits(seen, true, 20, 60);
    assert!((1..=16).contains(&waited), "{waited}");
    let waited = answer_waits(hidden, false, 1, 60);
    assert!((17..=250).contains(&waited), "{waited}");
    // What had gathered goes with the receipt, and is a burst.
    let waited = answer_waits(hidden, true, 0, 60);
    assert!((17..=250).contains(&waited), "{waited}");
}

#[test]
fn large_frames_do_not_wait() {
    let (mut sim, chan) = world();
    let hour = Pace {
        interval: Millis(3_600_000),
        burst: 0,
    };
    sim.in_tab(0, |session| session.set_pace(hour));
    let large = "x".repeat(64 * 1024);
    for _ in 0..12 {
        sim.server_say(0, &large);
        sim.run(1);
    }
    // Four fill what may wait.
    assert_eq!(sim.client(chan).messages.len(), 12);
    assert_eq!(wakes(&sim, chan), 3);
}

#[test]
fn of_what_waits_only_the_latest_of_each_key_comes() {
    let (mut sim, _) = world();
    let prices = sim.open_with(0, "ws://prices/", |config| {
        config.policy.latest = Some(LatestBy::Any);
    });
    sim.in_tab(0, |session| session.set_pace(Pace::HIDDEN));
    sim.run(1_000);
    let conn = sim.open_conns()[1];
    for price in 0..1_000 {
        sim.server_post(conn, Payload::text(price.to_string()));
        sim.run(1);
    }
    sim.run(250);
    let got = &sim.client(prices).messages;
    assert!(got.len() <= 5 * 9, "{}", got.len());
    assert_eq!(got.last().map(|message| message.text.as_str()), Some("999"));
}

#[test]
fn a_tab_keeps_its_pace_with_the_next_worker() {
    let (mut sim, chan) = world();
    sim.in_tab(0, |session| session.set_pace(Pace::AT_ONCE));
    let next = sim.worker();
    sim.hand_over(0, next);
    sim.run(1_000);
    let conn = *sim.open_conns().last().expect("a connection");
    for _ in 0..100 {
        for _ in 0..20 {
            sim.server_say(conn, "tick");
        }
        sim.run(1);
    }
    assert_eq!(wakes(&sim, chan), 100);
}
