//! Offline and online again.

use onesocket_engine::Input;
use onesocket_protocol::{LinkState, Millis, ReconnectCause};

use crate::sim::{Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

#[test]
fn nothing_is_dialled_while_offline_and_at_once_when_back() {
    let mut sim = Sim::with_tabs(1, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.network(0, false);
    sim.server_close(0, 1006, "");
    sim.run(100);
    let send = sim.send(chan, "later");
    sim.run(600_000 / 4);
    assert_eq!(sim.dials.len(), 1);
    assert_eq!(sim.client(chan).reconnects[0].2, None);
    assert_eq!(
        sim.client(chan).last_state(),
        &LinkState::Offline { attempt: 1 }
    );
    let back = sim.now;
    sim.network(0, true);
    sim.run(100);
    assert_eq!(sim.dials[1].0, back);
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
    let chan = sim.open(0, URL);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 0);
    assert_eq!(
        sim.client(chan).last_state(),
        &LinkState::Offline { attempt: 1 },
        "it is the first dial that comes"
    );
    sim.network(0, true);
    sim.run(100);
    assert!(sim.client(chan).is_connected());
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
