//! Messages that a host gathers while none could be passed on.

use onesocket_protocol::{Answer, Heartbeat, Millis, Pace, Payload};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://feed/";

/// Frames and messages take no time, so what waits waits for a tab.
fn world(tabs: usize) -> (Sim, Vec<Chan>) {
    let mut sim = Sim::with_tabs(1, tabs);
    sim.server.broadcasts = false;
    (sim.net_delay, sim.port_delay) = (0, 0);
    sim.gathers = true;
    let chans = (0..tabs).map(|tab| sim.open(tab, URL)).collect();
    sim.run(1_000);
    (sim, chans)
}

fn stream(sim: &mut Sim, each: u32, millis: u32) {
    for _ in 0..millis {
        for _ in 0..each {
            sim.server_say(0, "tick");
        }
        sim.run(1);
    }
}

#[test]
fn a_flood_is_gathered_and_each_tab_gets_all_of_it_in_order() {
    let (mut sim, chans) = world(3);
    stream(&mut sim, 20, 1_000);
    sim.run(16);
    assert!(sim.gathered > 18_000, "{}", sim.gathered);
    assert!(sim.packed > 12_000, "{}", sim.packed);
    let said: Vec<String> = (0..20_000)
        .map(|number| format!("m:0:{number}:tick"))
        .collect();
    for chan in chans {
        assert_eq!(sim.client(chan).texts(), said);
    }
}

#[test]
fn a_message_that_can_be_passed_on_is_not_gathered() {
    let (mut sim, chans) = world(2);
    sim.in_tab(0, |session| session.set_pace(Pace::AT_ONCE));
    // The second tab has much to wait for, the first one nothing.
    sim.port_delay = 500;
    stream(&mut sim, 1, 1);
    sim.port_delay = 0;
    sim.run(1_000);
    stream(&mut sim, 1, 1_000);
    assert_eq!(sim.gathered, 0);
    assert_eq!(sim.client(chans[0]).messages.len(), 1_001);
}

#[test]
fn one_tab_that_can_be_posted_to_is_enough_for_none_to_be_gathered() {
    let (mut sim, chans) = world(2);
    sim.in_tab(0, |session| session.set_pace(Pace::AT_ONCE));
    sim.freeze(1);
    stream(&mut sim, 1, 100);
    assert_eq!(sim.gathered, 0);
    assert_eq!(sim.client(chans[0]).messages.len(), 100);
}

#[test]
fn a_conversation_is_not_gathered_however_fast_it_is() {
    let (mut sim, chans) = world(1);
    for _ in 0..1_000 {
        sim.send(chans[0], "question");
        sim.server_say(0, "answer");
        sim.run(1);
    }
    assert_eq!(sim.gathered, 0);
    assert_eq!(sim.client(chans[0]).messages.len(), 1_000);
}

#[test]
fn what_was_gathered_is_told_before_the_end_of_its_socket() {
    let (mut sim, chans) = world(1);
    stream(&mut sim, 40, 2);
    assert!(sim.gathered > 0);
    sim.server_close(0, 1012, "");
    sim.run_until("lost", |sim| !sim.client(chans[0]).reconnects.is_empty());
    assert_eq!(sim.client(chans[0]).messages.len(), 80);
}

#[test]
fn the_servers_ping_is_answered_in_the_midst_of_a_flood() {
    let (mut sim, chans) = world(1);
    sim.close(chans[0]);
    sim.run(10_000);
    sim.open_with(0, URL, |config| {
        config.policy.answer = Some(Answer {
            ping: Payload::text("2"),
            pong: Payload::text("3"),
        });
    });
    sim.run(1_000);
    for _ in 0..100 {
        (0..40).for_each(|_| sim.server_say(1, "tick"));
        sim.server_post(1, Payload::text("2"));
        let before = sim.got_on(1).len();
        sim.run(1);
        assert_eq!(sim.got_on(1).len(), before + 1);
    }
    assert_eq!(sim.gathered, 0);
}

#[test]
fn the_round_trip_is_measured_in_the_midst_of_a_flood() {
    let (mut sim, chans) = world(1);
    sim.close(chans[0]);
    sim.run(10_000);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.heartbeat = Some(Heartbeat {
            interval: Millis(1_000),
            deadline: Millis(500),
            ping: Payload::text("ping"),
            pong: Some(Payload::text("pong")),
        });
    });
    sim.run(1_000);
    sim.in_tab(0, |session| {
        session.set_pace(Pace {
            interval: Millis(40),
            burst: 0,
        });
    });
    sim.server.answers_pings = false;
    let pings = sim.got_on(1).len();
    sim.run_until("pinged", |sim| sim.got_on(1).len() > pings);
    let gathered = sim.gathered;
    for _ in 0..3 {
        (0..40).for_each(|_| sim.server_say(1, "tick"));
        sim.run(1);
    }
    assert_eq!(sim.gathered, gathered);
    sim.server_post(1, Payload::text("pong"));
    sim.run(1);
    let round_trip = sim.status(chan).round_trip.expect("measured").0;
    assert!(round_trip <= 5, "{round_trip}");
}

#[test]
fn what_waits_for_a_hidden_tabs_pace_is_gathered_and_waits_no_longer() {
    let moments = |gathers| {
        let (mut sim, chans) = world(1);
        sim.gathers = gathers;
        sim.in_tab(0, |session| session.set_pace(Pace::HIDDEN));
        stream(&mut sim, 20, 1_000);
        assert_eq!(sim.gathered > 19_000, gathers, "{}", sim.gathered);
        sim.run(250);
        let messages = &sim.client(chans[0]).messages;
        assert_eq!(messages.len(), 20_000);
        messages
            .iter()
            .map(|message| message.at)
            .collect::<Vec<_>>()
    };
    let late = moments(true).into_iter().zip(moments(false));
    let latest = late.map(|(at, without)| at.saturating_sub(without)).max();
    assert!(latest <= Some(16), "{latest:?}");
}

#[test]
fn a_hidden_tab_had_each_message_of_a_visible_ones_stream_looked_at() {
    let (mut sim, chans) = world(2);
    sim.in_tab(1, |session| session.set_pace(Pace::HIDDEN));
    stream(&mut sim, 20, 1_000);
    assert!(sim.gathered > 18_000, "{}", sim.gathered);
    sim.run(16);
    assert_eq!(sim.client(chans[0]).messages.len(), 20_000);
    sim.run(250);
    assert_eq!(sim.client(chans[1]).messages.len(), 20_000);
}
