//! Offline and online again.

use onesocket_engine::Input;
use onesocket_protocol::{GiveUp, LinkState, Millis, ReconnectCause, StopReason};

use crate::sim::{Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

#[test]
fn offline_is_dialled_within_the_cap_and_at_once_when_back() {
    let mut sim = Sim::with_tabs(1, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.network(0, false);
    sim.stop_server();
    sim.run(100);
    let send = sim.send(chan, "later");
    sim.run(600_000 / 4);
    let gaps = sim.dials.windows(2).map(|dials| dials[1].0 - dials[0].0);
    assert!(gaps.clone().all(|gap| gap < 30_100), "{:?}", sim.dials);
    assert!((5..20).contains(&gaps.count()), "{:?}", sim.dials);
    assert_eq!(sim.client(chan).reconnects.len(), 1);
    assert_eq!(sim.client(chan).reconnects[0].2, None);
    assert_eq!(
        sim.client(chan).last_state(),
        &LinkState::Offline { attempt: 1 }
    );
    sim.start_server();
    let back = sim.now;
    sim.network(0, true);
    sim.run(100);
    assert_eq!(sim.dials.last(), Some(&(back, 0)));
    assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
}

#[test]
fn a_wait_ends_when_the_browser_is_back_online() {
    let mut sim = Sim::with_tabs(2, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    sim.run_until("a long wait", |sim| {
        sim.client(chan)
            .reconnects
            .last()
            .is_some_and(|(_, _, delay, _)| *delay > Some(Millis(20_000)))
    });
    sim.start_server();
    sim.in_tab(0, |session| session.handle_network(false));
    sim.run(1_000);
    assert!(matches!(
        sim.client(chan).last_state(),
        LinkState::Offline { .. }
    ));
    sim.in_tab(0, |session| session.handle_network(true));
    sim.run(100);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_directed_delay_holds_over_offline_and_online() {
    let mut sim = Sim::with_tabs(3, 1);
    sim.open(0, URL);
    sim.run(1_000);
    sim.server_close(0, 1013, "retry-after=10");
    sim.run(1_000);
    sim.network(0, false);
    sim.run(1_000);
    sim.network(0, true);
    sim.run(7_900);
    assert_eq!(sim.dials.len(), 1);
    sim.run(1_200);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_channel_that_is_opened_offline_dials_when_online() {
    let mut sim = Sim::with_tabs(4, 1);
    sim.network(0, false);
    sim.stop_server();
    let chan = sim.open(0, URL);
    sim.run(60_000);
    assert!((2..10).contains(&sim.dials.len()), "{:?}", sim.dials);
    assert_eq!(
        sim.client(chan).last_state(),
        &LinkState::Offline { attempt: 1 },
        "it is the first dial that comes"
    );
    sim.start_server();
    sim.network(0, true);
    sim.run(100);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_browser_that_was_wrong_about_its_network_was_never_contradicted() {
    let mut sim = Sim::with_tabs(10, 1);
    sim.network(0, false);
    let chan = sim.open(0, URL);
    sim.run(30_100);
    assert_eq!(sim.dials.len(), 1);
    assert!(sim.client(chan).is_connected());
    sim.server_close(0, 1006, "");
    sim.run(30_100);
    assert_eq!(sim.dials.len(), 2);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_dial_that_fails_offline_changes_nothing() {
    let mut sim = Sim::with_tabs(11, 1);
    sim.server.mode = Mode::Refuse;
    sim.network(0, false);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = GiveUp {
            attempts: Some(3),
            after: Some(Millis(10_000)),
        };
    });
    sim.run(600_000);
    // As often as behind many failures: a cap of 30 s with full jitter.
    assert!((25..60).contains(&sim.dials.len()), "{}", sim.dials.len());
    let told = &sim.client(chan).statuses;
    assert!(
        told.iter()
            .all(|status| matches!(status.state, LinkState::Offline { attempt: 1 })),
        "{told:?}"
    );
    assert_eq!(sim.client(chan).reconnects, []);
    assert_eq!(sim.client(chan).stops, []);
    // The backoff begins behind it, and the end, too.
    sim.network(0, true);
    sim.run(100);
    assert_eq!(sim.client(chan).reconnects[0].1, 1);
    sim.run(60_000);
    assert!(matches!(
        sim.client(chan).stops[..],
        [StopReason::GaveUp {
            attempts: 1..=3,
            ..
        }]
    ));
}

#[test]
fn a_dial_that_hangs_offline_is_begun_anew_online() {
    let mut sim = Sim::with_tabs(12, 1);
    sim.server.mode = Mode::Silent;
    sim.network(0, false);
    let chan = sim.open(0, URL);
    sim.run_until("a dial", |sim| !sim.dials.is_empty());
    sim.run(1_000);
    sim.server.mode = Mode::Normal;
    sim.network(0, true);
    sim.run(100);
    assert_eq!(sim.dials.len(), 2);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_reconnect_that_is_asked_for_offline_dials_at_once() {
    for server in [Mode::Normal, Mode::Refuse] {
        let fails = matches!(server, Mode::Refuse);
        let mut sim = Sim::with_tabs(13, 1);
        let chan = sim.open(0, URL);
        sim.run(1_000);
        sim.network(0, false);
        sim.server_close(0, 1006, "");
        sim.run(100);
        sim.server.mode = server;
        sim.in_tab(0, |session| session.reconnect(chan.id));
        sim.run(100);
        assert_eq!(sim.dials.len(), 2);
        assert_eq!(sim.client(chan).is_connected(), !fails);
        if fails {
            let offline = LinkState::Offline { attempt: 1 };
            assert_eq!(sim.client(chan).last_state(), &offline);
        }
    }
}

#[test]
fn a_pause_that_the_server_asks_for_holds_offline() {
    let mut sim = Sim::with_tabs(14, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.network(0, false);
    sim.server_close(0, 1013, "retry-after=60");
    sim.run(1_000);
    sim.in_tab(0, |session| {
        session.delay(chan.id, Millis(120_000));
        session.reconnect(chan.id);
    });
    sim.run(118_000);
    assert_eq!(sim.dials.len(), 1);
    sim.run(40_000);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn who_wants_one_dial_has_it_offline() {
    for server in [Mode::Normal, Mode::Refuse] {
        let fails = matches!(server, Mode::Refuse);
        let mut sim = Sim::with_tabs(15, 1);
        sim.server.mode = server;
        sim.network(0, false);
        let chan = sim.open_with(0, URL, |config| config.policy.give_up.attempts = Some(1));
        sim.run(100);
        assert_eq!(sim.dials.len(), 1);
        assert_eq!(sim.client(chan).is_connected(), !fails);
        let gave_up = matches!(sim.client(chan).stops[..], [StopReason::GaveUp { .. }]);
        assert_eq!(gave_up, fails);
    }
}

#[test]
fn an_open_socket_is_kept_while_the_browser_says_offline() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.network(0, false);
    sim.send(chan, "still here");
    sim.run(1_000);
    sim.network(0, true);
    sim.run(1_000);
    assert_eq!(sim.bodies(chan), ["still here"]);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_reconnect_that_was_asked_for_offline_was_forgotten_for_want_of_a_loss() {
    let mut sim = Sim::with_tabs(7, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.network(0, false);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.send(chan, "still here");
    sim.run(1_000);
    assert_eq!(sim.bodies(chan), ["still here"]);
    assert_eq!(sim.dials.len(), 1);
    sim.network(0, true);
    sim.run(1_000);
    assert_eq!((sim.dials.len(), sim.open_conns()), (2, vec![1]));
    assert_eq!(sim.client(chan).reconnects[0].3, ReconnectCause::Requested);
    // Once.
    sim.network(0, false);
    sim.network(0, true);
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_dial_from_before_the_network_went_or_the_machine_slept_was_waited_for() {
    for what in ["network", "clock stood still", "clock went on"] {
        let mut sim = Sim::with_tabs(8, 1);
        sim.server.mode = Mode::Silent;
        let chan = sim.open(0, URL);
        sim.run(1_000);
        sim.server.mode = Mode::Normal;
        match what {
            "network" => {
                sim.network(0, false);
                sim.network(0, true);
            }
            "clock stood still" => sim.input(0, Input::Slept(Millis(30_000))),
            _ => sim.sleep(30_000),
        }
        sim.run(1_000);
        assert_eq!(sim.dials.len(), 2, "{what}");
        assert!(sim.client(chan).is_connected(), "{what}");
        assert_eq!(sim.client(chan).reconnects, [], "{what}");
    }
}

#[test]
fn a_dial_that_is_the_last_one_is_not_broken_off() {
    let mut sim = Sim::with_tabs(9, 1);
    sim.server.mode = Mode::Silent;
    sim.open_with(0, URL, |config| config.policy.give_up.attempts = Some(1));
    sim.run(1_000);
    sim.network(0, false);
    sim.network(0, true);
    sim.input(0, Input::Slept(Millis(5_000)));
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    assert!(sim.conns[0].wanted);
}

#[test]
fn offline_that_a_tab_had_said_before_it_died_held_for_ever() {
    let mut sim = Sim::with_tabs(6, 2);
    let chan = sim.open(1, URL);
    sim.run(1_000);
    sim.in_tab(0, |session| session.handle_network(false));
    sim.run(100);
    sim.crash_tab(0);
    sim.server_close(0, 1006, "");
    sim.run(1_000);
    assert_eq!(
        sim.client(chan).reconnects[0].3.clone(),
        ReconnectCause::Closed(close_1006())
    );
    let fresh = sim.tab(0);
    sim.in_tab(fresh, |session| session.handle_network(true));
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

fn close_1006() -> onesocket_protocol::CloseInfo {
    onesocket_protocol::CloseInfo {
        code: 1006,
        reason: String::new(),
        was_clean: false,
    }
}

#[test]
fn a_dial_from_behind_a_sleep_was_broken_off_by_the_look_at_the_sockets() {
    let mut sim = Sim::with_tabs(40, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.network(0, false);
    sim.stop_server();
    sim.run(1_000);
    sim.start_server();
    let before = sim.dials.len();
    sim.give(0, Input::Slept(Millis(600_000)));
    sim.network(0, true);
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), before + 1);
}
