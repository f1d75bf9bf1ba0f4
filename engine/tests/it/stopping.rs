//! When the loop ends, and how it starts anew.

use onesocket_protocol::{GiveUp, LinkState, Millis, ReconnectCause, SendFailure, StopReason};

use crate::sim::{Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

fn give_up_after(attempts: Option<u32>, after: Option<u32>) -> GiveUp {
    GiveUp {
        attempts,
        after: after.map(Millis),
    }
}

fn closing(after: u64, code: u16) -> Mode {
    Mode::CloseAfterOpen {
        after,
        code,
        reason: String::new(),
    }
}

#[test]
fn a_fatal_code_stops_with_its_reason_and_settles_what_waits() {
    let mut sim = Sim::with_tabs(1, 1);
    sim.server.mode = closing(100, 1008);
    let chan = sim.open(0, URL);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
    let StopReason::FatalClose(close) = sim.client(chan).stops[0].clone() else {
        panic!("{:?}", sim.client(chan).stops);
    };
    assert_eq!((close.code, close.was_clean), (1008, true));
    let late = sim.send(chan, "late");
    sim.run(100);
    let stopped = SendFailure::Stopped(StopReason::FatalClose(close));
    assert_eq!(sim.outcome(chan, late), Some(&Outcome::NotSent(stopped)));
}

#[test]
fn a_later_join_and_a_reconnect_start_a_stopped_loop_anew() {
    let mut sim = Sim::with_tabs(2, 2);
    sim.server.mode = closing(100, 1008);
    let first = sim.open(0, URL);
    sim.run(1_000);
    let second = sim.open(1, URL);
    sim.run(1_000);
    assert_eq!((sim.dials.len(), sim.client(second).stops.len()), (2, 1));
    sim.start_server();
    sim.in_tab(0, |session| session.reconnect(first.id));
    sim.run(1_000);
    assert!(sim.client(first).is_connected() && sim.client(second).is_connected());
}

#[test]
fn what_waits_is_returned_when_the_loop_stops() {
    let mut sim = Sim::with_tabs(3, 1);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(Some(2), None)
    });
    sim.send(chan, "waits");
    sim.run(60_000);
    let reason = StopReason::GaveUp {
        attempts: 2,
        cause: ReconnectCause::Unreachable,
    };
    assert_eq!(sim.client(chan).stops, core::slice::from_ref(&reason));
    assert_eq!(
        sim.outcomes(chan),
        [Outcome::NotSent(SendFailure::Stopped(reason))]
    );
}

#[test]
fn there_was_one_dial_more_than_the_policy_allows() {
    for (attempts, dials) in [(0, 1), (1, 1), (2, 2), (5, 5)] {
        let mut sim = Sim::with_tabs(4, 1);
        sim.stop_server();
        let give_up = give_up_after(Some(attempts), None);
        let chan = sim.open_with(0, URL, |config| config.policy.give_up = give_up);
        sim.run(300_000);
        assert_eq!(
            (sim.dials.len(), sim.client(chan).stops.len()),
            (dials, 1),
            "{attempts} attempts"
        );
    }
}

#[test]
fn the_dials_are_counted_from_the_last_stable_socket() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(Some(3), None)
    });
    sim.run(30_000);
    sim.stop_server();
    sim.run(300_000);
    assert_eq!(sim.dials.len(), 1 + 3);
    assert!(matches!(
        sim.client(chan).stops[..],
        [StopReason::GaveUp { attempts: 3, .. }]
    ));
}

#[test]
fn the_time_offline_does_not_count() {
    let mut sim = Sim::with_tabs(6, 1);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(None, Some(20_000))
    });
    let begun = sim.now;
    sim.run(10_000);
    sim.network(0, false);
    sim.run(100_000);
    assert_eq!(sim.client(chan).stops, []);
    sim.network(0, true);
    sim.run_until("the end", |sim| !sim.client(chan).stops.is_empty());
    let counted = sim.now - begun - 100_000;
    // A dial that was under way when the browser went offline counts until it fails.
    assert!((20_000..20_100).contains(&counted), "{counted}");
}

#[test]
fn the_time_that_ran_out_in_an_unstable_socket_was_forgotten() {
    let mut sim = Sim::with_tabs(7, 1);
    // Never stable, and open nearly all the time: the time runs out while a socket is open.
    sim.server.mode = closing(4_900, 1012);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(None, Some(4_000));
        config.policy.backoff.base = Millis(10);
        config.policy.backoff.cap = Millis(10);
    });
    sim.run(4_500);
    assert!(sim.client(chan).is_connected(), "it is given its chance");
    sim.run(1_000);
    assert!(matches!(
        sim.client(chan).stops[..],
        [StopReason::GaveUp { .. }]
    ));
}

#[test]
fn a_socket_that_lasts_after_the_time_is_over_is_kept() {
    let mut sim = Sim::with_tabs(8, 1);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(None, Some(4_000))
    });
    sim.run(60_000);
    sim.server_close(0, 1001, "");
    sim.run(3_000);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.client(chan).stops, []);
}

#[test]
fn the_time_began_anew_with_the_first_failure_after_a_restart() {
    let mut sim = Sim::with_tabs(9, 1);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up = give_up_after(None, Some(20_000));
        config.policy.connect_timeout = Millis(8_000);
    });
    sim.run(10_000);
    sim.server_close(0, 1008, "");
    sim.run(1_000);
    sim.server.mode = Mode::Silent;
    sim.in_tab(0, |session| session.reconnect(chan.id));
    let begun = sim.now;
    sim.run_until("the end", |sim| sim.client(chan).stops.len() == 2);
    assert!(
        (20_000..20_100).contains(&(sim.now - begun)),
        "{}",
        sim.now - begun
    );
}

#[test]
fn what_the_browser_refuses_stops_the_loop() {
    let mut sim = Sim::with_tabs(10, 3);
    let chans = [
        sim.open(0, "invalid"),
        sim.open(1, "insecure"),
        sim.open_with(2, URL, |config| {
            config.key.subprotocols = vec!["no token".into()]
        }),
    ];
    sim.run(60_000);
    let reasons = [
        StopReason::InvalidUrl,
        StopReason::InsecureUrl,
        StopReason::InvalidSubprotocol,
    ];
    for (chan, reason) in chans.into_iter().zip(reasons) {
        assert_eq!(sim.client(chan).stops, core::slice::from_ref(&reason));
        assert_eq!(sim.client(chan).last_state(), &LinkState::Stopped(reason));
    }
    assert_eq!(sim.dials.len(), 3);
}

#[test]
fn the_time_of_a_tab_that_is_gone_ended_the_loop_of_the_next_one() {
    for after in [None, Some(60_000)] {
        for is_offline in [false, true] {
            let mut sim = Sim::with_tabs(11, 2);
            sim.stop_server();
            let first = sim.open_with(0, URL, |config| {
                config.policy.give_up = give_up_after(None, Some(20_000));
            });
            sim.run(19_000);
            sim.network(0, !is_offline);
            sim.run(500);
            sim.close(first);
            sim.run(100);
            let next = sim.open_with(1, URL, |config| {
                config.policy.give_up = give_up_after(None, after);
            });
            sim.run(100);
            sim.network(0, true);
            sim.run(50_000);
            assert_eq!(sim.client(next).stops, []);
        }
    }
}
