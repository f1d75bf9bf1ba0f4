//! What is done about sockets that may have died while nobody looked.

use std::{collections::BTreeSet, time::Duration};

use onesocket_engine::{Gathered, Input, TabSession};
use onesocket_protocol::{
    Heartbeat, LinkState, Millis, Payload, ReconnectCause, limits::BUFFERED_STEP_BYTES as STEP,
};

use crate::sim::{Chan, Outcome, Sim};

const URL: &str = "ws://chat/";

/// Opens a channel whose heartbeat alone would find a dead socket after ten minutes only.
fn open(sim: &mut Sim, tab: usize) -> Chan {
    let heartbeat = Heartbeat {
        interval: Millis(600_000),
        deadline: Millis(60_000),
        ping: Payload::text("ping"),
        pong: Some(Payload::text("pong")),
    };
    let chan = sim.open_with(tab, URL, |config| config.policy.heartbeat = Some(heartbeat));
    sim.run(10_000);
    assert!(sim.client(chan).is_connected());
    chan
}

fn open_without_heartbeat(sim: &mut Sim, tab: usize) -> Chan {
    let chan = sim.open(tab, URL);
    sim.run(10_000);
    assert!(sim.client(chan).is_connected());
    chan
}

fn wake(sim: &mut Sim, tab: usize) {
    sim.in_tab(tab, TabSession::wake);
}

fn cause(sim: &Sim, chan: Chan) -> &ReconnectCause {
    &sim.client(chan).reconnects.last().expect("it was lost").3
}

#[test]
fn a_half_open_socket_is_replaced_within_the_deadline_of_a_hint() {
    let mut sim = Sim::with_tabs(1, 2);
    let chans = [open(&mut sim, 0), open(&mut sim, 1)];
    sim.conns[0].half_open = true;
    let woke = sim.now;
    wake(&mut sim, 1);
    sim.run_until("noticed", |sim| !sim.client(chans[0]).reconnects.is_empty());
    assert!((3_000..3_010).contains(&(sim.now - woke)));
    assert_eq!(cause(&sim, chans[0]), &ReconnectCause::HeartbeatTimeout);
    sim.run(1_100);
    assert_eq!(sim.dials.len(), 2);
    for chan in chans {
        assert!(sim.client(chan).is_connected());
    }
}

#[test]
fn hints_cost_a_live_socket_one_ping_in_three_seconds() {
    let mut sim = Sim::with_tabs(2, 3);
    let chan = open(&mut sim, 0);
    for _ in 0..30 {
        for tab in 0..3 {
            wake(&mut sim, tab);
        }
        sim.run(100);
    }
    assert_eq!(sim.got_on(0), ["ping"]);
    sim.run(100);
    wake(&mut sim, 0);
    sim.run(60_000);
    assert_eq!(sim.got_on(0), ["ping", "ping"]);
    assert_eq!(sim.dials.len(), 1);
    assert_eq!(sim.bodies(chan), [""; 0]);
}

#[test]
fn a_hint_shortens_the_deadline_of_a_ping_that_is_under_way() {
    let mut sim = Sim::with_tabs(3, 1);
    let chan = open(&mut sim, 0);
    sim.conns[0].half_open = true;
    sim.run(600_000);
    assert!(
        sim.client(chan).reconnects.is_empty(),
        "the ping is pending"
    );
    wake(&mut sim, 0);
    sim.run(3_010);
    assert_eq!(cause(&sim, chan), &ReconnectCause::HeartbeatTimeout);
}

#[test]
fn a_hint_amid_an_upload_condemned_a_live_socket() {
    let mut sim = Sim::with_tabs(17, 1);
    let chan = open(&mut sim, 0);
    sim.conns[0].clogged = true;
    sim.conns[0].holds = 4 * STEP;
    sim.send(chan, "s:behind it");
    sim.run(1_000);
    wake(&mut sim, 0);
    for holds in (0..4).rev() {
        sim.run(6_000);
        sim.conns[0].holds = holds * STEP;
    }
    sim.unclog(0);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn hints_do_not_put_off_the_end_of_a_dead_socket() {
    let mut sim = Sim::with_tabs(15, 1);
    let chan = sim.open_with(0, URL, |config| {
        let heartbeat = Heartbeat::every(Duration::from_secs(600), Payload::text("ping"));
        config.policy.heartbeat = Some(heartbeat);
        config.policy.wake.deadline = Millis(10_000);
    });
    sim.run(10_000);
    sim.conns[0].half_open = true;
    for _ in 0..11 {
        wake(&mut sim, 0);
        sim.run(1_000);
    }
    assert_eq!(cause(&sim, chan), &ReconnectCause::HeartbeatTimeout);
}

#[test]
fn without_a_heartbeat_a_hint_changes_nothing() {
    let mut sim = Sim::with_tabs(4, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    wake(&mut sim, 0);
    sim.network(0, true);
    sim.run(60_000);
    assert_eq!((sim.got_on(0), sim.dials.len()), (vec![], 1));
    assert!(sim.client(chan).is_connected());
}

#[test]
fn after_a_long_sleep_nothing_is_handed_to_the_old_socket() {
    // In some of them the send comes before the timer.
    for seed in 0..20 {
        let mut sim = Sim::with_tabs(seed, 1);
        sim.port_delay = 0;
        let chan = open_without_heartbeat(&mut sim, 0);
        sim.conns[0].half_open = true;
        sim.sleep(140_800);
        let send = sim.send(chan, "s:after");
        sim.run(2_000);
        assert_eq!(cause(&sim, chan), &ReconnectCause::Slept);
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
        assert_eq!(sim.got_on(1), ["s:after"]);
    }
}

#[test]
fn a_sleep_that_only_the_wall_clock_shows_is_one() {
    let mut sim = Sim::with_tabs(6, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    sim.input(0, Input::Slept(Millis(119_999)));
    sim.run(2_000);
    assert_eq!(sim.dials.len(), 1);
    sim.input(0, Input::Slept(Millis(120_000)));
    sim.run(2_000);
    assert_eq!(cause(&sim, chan), &ReconnectCause::Slept);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_sleep_without_limit_replaces_nothing() {
    let mut sim = Sim::with_tabs(7, 1);
    sim.open_with(0, URL, |config| config.policy.wake.replace_after = None);
    sim.run(10_000);
    sim.sleep(3_600_000);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_message_that_came_over_a_sleep_was_no_proof_that_the_socket_lives() {
    let mut sim = Sim::with_tabs(8, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    sim.sleep(600_000);
    let (socket, payload) = (sim.conns[0].socket, Payload::text("m:0:0:good morning"));
    sim.conns[0].said = 1;
    sim.input(0, Input::Received { socket, payload });
    sim.run(60_000);
    assert_eq!(sim.bodies(chan), ["good morning"]);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn what_was_gathered_before_a_sleep_was_proof_that_the_socket_lives() {
    // Of two connections, in some of them with the timer in front of what the host does by itself.
    for seed in 0..10 {
        let mut sim = Sim::with_tabs(seed, 1);
        sim.server.broadcasts = false;
        (sim.net_delay, sim.port_delay) = (0, 0);
        sim.gathers = true;
        let chans = [URL, "ws://feed/"].map(|url| sim.open(0, url));
        sim.run(1_000);
        let mut said = 0;
        while sim.workers[0].gathered.len() < 30 {
            for _ in 0..20 {
                sim.server_say(0, "tick");
                sim.server_say(1, "tick");
            }
            said += 20;
            sim.run(1);
        }
        sim.conns[0].half_open = true;
        sim.conns[1].half_open = true;
        let sockets: BTreeSet<_> = sim.workers[0].gathered.iter().map(|it| it.0).collect();
        assert_eq!(sockets.len(), 2);
        sim.sleep(600_000);
        sim.run(60_000);
        assert_eq!(sim.dials.len(), 4, "{seed}");
        for chan in chans {
            assert_eq!(cause(&sim, chan), &ReconnectCause::Slept);
            assert_eq!(sim.client(chan).messages.len(), said);
        }
    }
}

#[test]
fn a_message_that_was_at_hand_after_a_sleep_was_dropped_with_its_socket() {
    for stands_still in [true, false] {
        let mut sim = Sim::with_tabs(17, 1);
        let chans = ["ws://one/", "ws://other/"]
            .map(|url| sim.open_with(0, url, |config| config.policy.heartbeat = None));
        sim.run(10_000);
        match stands_still {
            true => sim.input(0, Input::Slept(Millis(600_000))),
            false => sim.sleep(600_000),
        }
        for conn in [0, 1] {
            let (socket, payload) = (
                sim.conns[conn].socket,
                Payload::text(format!("m:{conn}:0:good morning")),
            );
            sim.conns[conn].said = 1;
            sim.input(0, Input::Received { socket, payload });
            sim.now += 1;
        }
        sim.run(1_000);
        for chan in chans {
            assert_eq!(sim.bodies(chan), ["good morning"], "{stands_still}");
        }
        // What was at hand may be from before a sleep that is known for one.
        let dials = if stands_still { 4 } else { 2 };
        assert_eq!(sim.dials.len(), dials, "{stands_still}");
    }
}

#[test]
fn a_second_sleep_in_front_of_the_look_at_the_sockets_was_not_noticed() {
    let mut sim = Sim::with_tabs(20, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    let socket = sim.conns[0].socket;
    sim.conns[0].said = 1;
    sim.sleep(600_000);
    let payload = Payload::text("m:0:0:between");
    sim.give(0, Input::Received { socket, payload });
    sim.sleep(600_000);
    sim.run(1_000);
    assert_eq!(sim.bodies(chan), ["between"]);
    assert_eq!(cause(&sim, chan), &ReconnectCause::Slept);
}

#[test]
fn what_was_gathered_took_back_the_proof_that_a_message_had_given() {
    let mut sim = Sim::with_tabs(18, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    let socket = sim.conns[0].socket;
    sim.conns[0].said = 2;
    sim.sleep(600_000);
    let payload = Payload::text("m:0:0:live");
    sim.give(0, Input::Received { socket, payload });
    let gathered = vec![Gathered::One(Payload::text("m:0:1:live"))];
    sim.give(0, Input::Gathered { socket, gathered });
    sim.run(1_000);
    assert_eq!(sim.bodies(chan), ["live", "live"]);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn what_was_gathered_is_delivered_and_proves_nothing_where_only_the_wall_clock_shows_a_sleep() {
    let mut sim = Sim::with_tabs(6, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    let socket = sim.conns[0].socket;
    let gathered = vec![Gathered::One(Payload::text("m:0:0:before"))];
    sim.conns[0].said = 1;
    sim.give(0, Input::Gathered { socket, gathered });
    sim.give(0, Input::Slept(Millis(120_000)));
    sim.run(2_000);
    assert_eq!(sim.bodies(chan), ["before"]);
    assert_eq!(cause(&sim, chan), &ReconnectCause::Slept);
}

#[test]
fn a_pong_that_was_due_in_the_sleep_condemned_a_live_socket() {
    let mut sim = Sim::with_tabs(9, 1);
    let chan = open(&mut sim, 0);
    sim.run(590_000 - 100);
    sim.run_until("a ping leaves", |sim| sim.now >= 600_050);
    sim.sleep(3_600_000);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
    assert!(sim.client(chan).is_connected());
    sim.sleep(3_600_000);
    sim.conns[0].half_open = true;
    let woke = sim.now;
    sim.run_until("noticed", |sim| !sim.client(chan).reconnects.is_empty());
    assert!(sim.now - woke <= 3_010, "{}", sim.now - woke);
}

/// As in the main tier while its page is hidden: timers fire once a minute.
#[test]
fn a_dead_socket_was_never_found_where_every_timer_is_late() {
    for is_dead in [false, true] {
        let mut sim = Sim::with_tabs(16, 1);
        let chan = sim.open_with(0, URL, |config| {
            let heartbeat = Heartbeat::every(Duration::from_secs(30), Payload::text("ping"));
            config.policy.heartbeat = Some(heartbeat);
        });
        sim.run(1_000);
        sim.conns[0].half_open = is_dead;
        for _ in 0..4 {
            sim.sleep(60_000);
            sim.run(100);
        }
        let causes: Vec<_> = sim.client(chan).reconnects.iter().map(|r| &r.3).collect();
        match is_dead {
            true => assert_eq!(causes, [&ReconnectCause::HeartbeatTimeout]),
            false => assert!(causes.is_empty(), "{causes:?}"),
        }
    }
}

#[test]
fn a_hint_ends_a_wait_and_the_next_one_does_not() {
    let mut sim = Sim::with_tabs(10, 2);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| {
        config.policy.backoff.base = Millis(u32::MAX);
        config.policy.backoff.cap = Millis(u32::MAX);
    });
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    for _ in 0..10 {
        wake(&mut sim, 1);
        sim.run(250);
    }
    assert_eq!(sim.dials.len(), 2);
    sim.start_server();
    sim.run(1_000);
    wake(&mut sim, 0);
    sim.run(100);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), 3);
}

#[test]
fn a_directed_delay_holds_against_hints_and_requests() {
    let mut sim = Sim::with_tabs(11, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    sim.server_close(0, 1013, "retry-after=30");
    sim.run(100);
    for _ in 0..29 {
        wake(&mut sim, 0);
        sim.in_tab(0, |session| session.reconnect(chan.id));
        sim.run(1_000);
    }
    assert_eq!(sim.dials.len(), 1);
    // A stable socket was lost, which is spread.
    sim.run(7_000);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_socket_that_is_replaced_on_request_waits_for_a_directed_delay() {
    let mut sim = Sim::with_tabs(12, 1);
    let chan = open_without_heartbeat(&mut sim, 0);
    sim.in_tab(0, |session| session.delay(chan.id, Millis(10_000)));
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    let (_, _, delay, cause) = sim.client(chan).reconnects.last().expect("told").clone();
    assert_eq!(cause, ReconnectCause::Requested);
    assert!(
        (9_900..=15_000).contains(&delay.expect("known").0),
        "{delay:?}"
    );
    assert_eq!(sim.dials.len(), 1);
    sim.run(14_500);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn offline_needs_every_tab_that_has_said_anything() {
    let mut sim = Sim::with_tabs(13, 3);
    let chan = open_without_heartbeat(&mut sim, 0);
    let say = |sim: &mut Sim, tab: usize, online| {
        sim.in_tab(tab, |session| session.handle_network(online));
        sim.run(100);
    };
    say(&mut sim, 0, true);
    say(&mut sim, 1, false);
    sim.server_close(0, 1006, "");
    sim.run(2_000);
    assert!(sim.client(chan).is_connected(), "one of two says online");
    say(&mut sim, 0, false);
    sim.stop_server();
    sim.run(60_000);
    // The third has said nothing.
    assert!(matches!(
        sim.client(chan).last_state(),
        LinkState::Offline { .. }
    ));
}

#[test]
fn a_tab_that_said_offline_and_died_held_the_link_offline() {
    let mut sim = Sim::with_tabs(14, 2);
    let chan = open_without_heartbeat(&mut sim, 1);
    sim.in_tab(0, |session| session.handle_network(false));
    sim.run(100);
    sim.stop_server();
    sim.run(60_000);
    assert!(matches!(
        sim.client(chan).last_state(),
        LinkState::Offline { .. }
    ));
    sim.start_server();
    sim.crash_tab(0);
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}
