//! When a lost connection is dialled again.

use onesocket_engine::Input;
use onesocket_protocol::{
    Backoff, Credential, Heartbeat, LinkState, Millis, Payload, ReconnectCause, StopReason,
};

use crate::sim::{Chan, Mode, Ready, Sim};

const URL: &str = "ws://chat/";

fn refused(seed: u64) -> (Sim, Chan) {
    let mut sim = Sim::with_tabs(seed, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    (sim, chan)
}

fn attempts(sim: &Sim, chan: Chan) -> Vec<u32> {
    sim.client(chan)
        .reconnects
        .iter()
        .map(|(_, attempt, ..)| *attempt)
        .collect()
}

#[test]
fn the_backoff_grows_with_full_jitter_up_to_its_cap() {
    let mut first = Vec::new();
    let mut late = Vec::new();
    for seed in 0..60 {
        let (mut sim, chan) = refused(seed);
        sim.run(400_000);
        for (index, (_, attempt, delay, cause)) in sim.client(chan).reconnects.iter().enumerate() {
            let bound = (1_000_u64 << index.min(20)).min(30_000);
            let delay = delay.expect("online").0;
            assert_eq!(
                (*attempt, cause),
                (index as u32 + 1, &ReconnectCause::Unreachable)
            );
            assert!(u64::from(delay) <= bound, "attempt {attempt}: {delay} ms");
            match index {
                0 => first.push(delay),
                8.. => late.push(delay),
                _ => {}
            }
        }
    }
    assert!(
        first.iter().min() < Some(&100) && first.iter().max() > Some(&900),
        "{first:?}"
    );
    assert!(
        late.iter().min() < Some(&1_000) && late.iter().max() > Some(&29_000),
        "{late:?}"
    );
}

#[test]
fn a_socket_that_does_not_stay_open_keeps_the_backoff_growing() {
    let mut sim = Sim::with_tabs(1, 1);
    let close = |after| Mode::CloseAfterOpen {
        after,
        code: 1012,
        reason: String::new(),
    };
    sim.server.mode = close(1_000);
    let chan = sim.open(0, URL);
    sim.run_until("six tries", |sim| sim.client(chan).reconnects.len() == 6);
    assert_eq!(attempts(&sim, chan), [1, 2, 3, 4, 5, 6]);
    sim.server.mode = close(7_000);
    sim.run_until("three more", |sim| sim.client(chan).reconnects.len() == 10);
    // The one dialled when the server changed its mind may still be of the old kind.
    assert_eq!(attempts(&sim, chan)[8..], [1, 1]);
}

#[test]
fn a_stable_socket_counted_as_unstable_when_the_timer_was_late() {
    let mut sim = Sim::with_tabs(2, 1);
    sim.timer_slack = 600_000;
    sim.server.mode = Mode::CloseAfterOpen {
        after: 60_000,
        code: 1012,
        reason: String::new(),
    };
    let chan = sim.open(0, URL);
    sim.run(6 * 3_600_000);
    let attempts = attempts(&sim, chan);
    assert!(
        attempts.len() > 20 && attempts.iter().all(|attempt| *attempt == 1),
        "{attempts:?}"
    );
}

#[test]
fn a_handshake_that_takes_too_long_is_given_up_and_a_slow_one_is_not() {
    let mut sim = Sim::with_tabs(3, 1);
    sim.server.mode = Mode::Silent;
    let chan = sim.open(0, URL);
    let before = sim.now;
    sim.run_until("a timeout", |sim| !sim.client(chan).reconnects.is_empty());
    assert!((10_000..10_100).contains(&(sim.now - before)));
    assert_eq!(
        sim.client(chan).reconnects[0].3,
        ReconnectCause::ConnectTimeout
    );
    sim.server.mode = Mode::Slow(9_000);
    sim.run(15_000);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn the_loss_of_a_stable_socket_is_spread_and_that_of_a_young_one_is_not() {
    let (mut stable, mut young, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..200 {
        let wait = |uptime, code, reason| {
            let mut sim = Sim::with_tabs(seed, 1);
            let chan = sim.open(0, URL);
            sim.run(uptime);
            sim.server_close(0, code, reason);
            sim.run(100);
            sim.client(chan).reconnects[0].2.expect("online").0
        };
        stable.push(wait(60_000, 1006, ""));
        young.push(wait(1_000, 1006, ""));
        told.push(wait(60_000, 1012, ""));
        assert!((10_000..=30_000).contains(&wait(60_000, 1012, "retry-after=10 spread=20")));
    }
    let reaches = |waits: &[u32], bound: u32| {
        let max = waits.iter().copied().max().unwrap_or(0);
        assert!((bound * 9 / 10..=bound).contains(&max), "{max} of {bound}");
    };
    reaches(&stable, 5_000);
    reaches(&young, 1_000);
    reaches(&told, 30_000);
}

#[test]
fn a_link_that_gives_up_after_a_while_dials_before_that() {
    for seed in 0..50 {
        let mut sim = Sim::with_tabs(seed, 1);
        let chan = sim.open_with(0, URL, |config| {
            config.policy.give_up.after = Some(Millis(8_000));
        });
        sim.run(60_000);
        sim.server_close(0, 1012, "");
        sim.run(10_000);
        assert!(sim.client(chan).is_connected(), "seed {seed}");
    }
}

#[test]
fn a_server_directs_the_delay_by_its_close_reason() {
    let mut sim = Sim::with_tabs(4, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.server_close(0, 1013, "retry-after=7.5");
    sim.run(100);
    let delay = sim.client(chan).reconnects[0].2.expect("online").0;
    assert!((7_400..=8_500).contains(&delay), "{delay}");
    sim.run(7_300);
    assert_eq!(sim.dials.len(), 1);
    sim.run(2_000);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_directed_delay_was_waited_for_anew_after_a_sleep() {
    let mut sim = Sim::with_tabs(31, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.server_close(0, 1013, "retry-after=600");
    sim.run(1_000);
    sim.input(0, Input::Slept(Millis(300_000)));
    sim.run(200_000);
    assert_eq!(sim.dials.len(), 1);
    sim.input(0, Input::Slept(Millis(3_600_000)));
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_server_directs_the_delay_by_a_message_of_the_app() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.in_tab(0, |session| session.delay(chan.id, Millis(20_000)));
    sim.run(1_000);
    sim.server_close(0, 1006, "");
    sim.run(18_900);
    assert_eq!(sim.dials.len(), 1);
    sim.run(2_200);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_delay_that_comes_while_waiting_prolongs_the_wait() {
    let (mut sim, chan) = refused(6);
    sim.run(500);
    sim.run_until("waiting", |sim| {
        matches!(
            sim.client(chan).last_state(),
            LinkState::Reconnecting { .. }
        )
    });
    let dials = sim.dials.len();
    sim.in_tab(0, |session| session.delay(chan.id, Millis(50_000)));
    sim.run(10);
    // It may have been dialling when the delay came, once.
    sim.run(49_000);
    assert!(sim.dials.len() <= dials + 1, "{:?}", sim.dials);
}

#[test]
fn clients_that_were_told_the_same_delay_came_back_together() {
    for told in ["connected", "waiting", "offline"] {
        let mut back = Vec::new();
        for seed in 0..50 {
            let mut sim = Sim::with_tabs(seed, 1);
            let chan = sim.open(0, URL);
            sim.run(10_000);
            sim.network(0, told != "offline");
            if told != "connected" {
                sim.server_close(0, 1001, "retry-after=1");
            }
            sim.run(50);
            let at = sim.now;
            sim.in_tab(0, |session| {
                session.delay(chan.id, Millis(30_000));
                session.reconnect(chan.id);
            });
            sim.run(50);
            sim.network(0, true);
            sim.run(60_000);
            assert_eq!(sim.dials.len(), 2, "told while {told}");
            back.push(sim.dials[1].0 - at);
        }
        let (first, last) = (back.iter().min(), back.iter().max());
        assert!(
            first >= Some(&30_000) && last > Some(&34_000) && last < Some(&35_100),
            "told while {told}: {back:?}"
        );
    }
}

#[test]
fn a_bare_dial_came_in_spite_of_a_delay() {
    let mut sim = Sim::with_tabs(7, 1);
    sim.stop_server();
    sim.net_delay = 500;
    let chan = sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
    sim.in_tab(0, |session| session.delay(chan.id, Millis(30_000)));
    sim.run(29_000);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_bare_dial_came_while_offline() {
    let mut sim = Sim::with_tabs(8, 1);
    sim.stop_server();
    sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
    sim.run_until("a dial", |sim| !sim.dials.is_empty());
    sim.network(0, false);
    sim.run(60_000);
    assert!(sim.conns.iter().all(|conn| conn.offered.len() == 1));
}

#[test]
fn a_server_that_refuses_at_once_is_dialled_bare_and_not_flooded() {
    let mut sim = Sim::with_tabs(22, 1);
    (sim.port_delay, sim.net_delay) = (0, 0);
    sim.server.mode = Mode::Refuse;
    sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
    sim.run(500);
    let offered: Vec<usize> = sim.conns.iter().map(|conn| conn.offered.len()).collect();
    assert_eq!(offered[..2], [1, 0]);
    assert!(offered.len() < 10, "{offered:?}");
}

/// It was without the subprotocols that the server may want, so it says nothing of the connection.
#[test]
fn a_close_of_the_bare_dial_ended_the_loop() {
    for code in [1002, 1008, 4401] {
        let mut sim = Sim::with_tabs(23, 1);
        sim.server.mode = Mode::Refuse;
        let chan = sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
        sim.run_until("a bare dial", |sim| sim.conns.len() == 2);
        assert!(sim.conns[1].offered.is_empty());
        // Its opening is missed: it is closed in the same breath.
        sim.server.mode = Mode::Silent;
        sim.conns[1].server_open = true;
        sim.server_close(1, code, "");
        sim.run_until("its end", |sim| sim.conns[1].ready == Ready::Closed);
        sim.server.mode = Mode::Normal;
        sim.server.accepts = vec!["v1".into()];
        sim.run(100);
        let causes: Vec<_> = sim.client(chan).reconnects.iter().map(|it| &it.3).collect();
        assert_eq!(causes, [&ReconnectCause::Unreachable], "{code}");
        sim.run(10_000);
        assert!(sim.client(chan).is_connected(), "{code}");
    }
}

#[test]
fn who_wants_one_dial_was_given_a_bare_one_too() {
    let mut sim = Sim::with_tabs(21, 1);
    sim.server.mode = Mode::Refuse;
    sim.open_with(0, URL, |config| {
        config.key.subprotocols = vec!["v1".into()];
        config.policy.give_up.attempts = Some(1);
    });
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_refused_subprotocol_is_named_whether_the_handshake_fails_or_not() {
    for insists in [true, false] {
        let mut sim = Sim::with_tabs(9, 1);
        sim.server.insists = insists;
        let chan = sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
        sim.run(1_000);
        assert_eq!(
            sim.client(chan).reconnects[0].3,
            ReconnectCause::SubprotocolRefused,
            "insists: {insists}"
        );
        sim.server.accepts = vec!["v1".into()];
        sim.run(10_000);
        assert!(sim.client(chan).is_connected());
    }
}

#[test]
fn behind_the_first_refusal_of_subprotocols_the_server_was_one_that_cannot_be_reached() {
    let mut sim = Sim::with_tabs(9, 1);
    sim.server.insists = true;
    let chan = sim.open_with(0, URL, |config| config.key.subprotocols = vec!["v1".into()]);
    let causes = |sim: &Sim| -> Vec<ReconnectCause> {
        let reconnects = &sim.client(chan).reconnects;
        reconnects.iter().map(|(.., cause)| cause.clone()).collect()
    };
    sim.run(200_000);
    let refused = causes(&sim);
    assert!(refused.len() > 8);
    assert!(
        refused
            .iter()
            .all(|cause| *cause == ReconnectCause::SubprotocolRefused),
        "{refused:?}"
    );
    // A bare dial finds out that it is something else by now.
    sim.server.mode = Mode::Refuse;
    sim.run(400_000);
    let last = causes(&sim).pop();
    assert_eq!(last, Some(ReconnectCause::Unreachable));
    // It is open, and then the server is gone.
    sim.server.mode = Mode::Normal;
    sim.run(400_000);
    assert_eq!(causes(&sim).pop(), Some(ReconnectCause::SubprotocolRefused));
    sim.server.accepts = vec!["v1".into()];
    sim.run(60_000);
    assert!(sim.client(chan).is_connected());
    sim.stop_server();
    sim.run(60_000);
    assert_eq!(causes(&sim).pop(), Some(ReconnectCause::Unreachable));
}

#[test]
fn a_requested_reconnect_replaces_the_socket_at_once() {
    let mut sim = Sim::with_tabs(10, 2);
    let (a, b) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(10_000);
    sim.in_tab(0, |session| session.reconnect(a.id));
    sim.run(200);
    assert_eq!((sim.dials.len(), sim.open_conns().len()), (2, 1));
    let (_, attempt, delay, cause) = &sim.client(b).reconnects[0];
    assert_eq!(
        (*attempt, *delay, cause),
        (1, Some(Millis(0)), &ReconnectCause::Requested)
    );
    assert!(sim.client(b).is_connected());
}

#[test]
fn a_dial_that_comes_was_the_one_before_the_first() {
    let mut sim = Sim::with_tabs(10, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.in_tab(0, |session| session.delay(chan.id, Millis(60_000)));
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert_eq!(attempts(&sim, chan), [1]);
    let state = sim.client(chan).last_state();
    assert!(
        matches!(state, LinkState::Reconnecting { attempt: 1, .. }),
        "{state:?}"
    );
}

#[test]
fn a_reconnect_behind_its_connect_was_a_second_dial() {
    for ask in [None, Some(Millis(10_000))] {
        let mut sim = Sim::with_tabs(13, 1);
        // While it is in flight, what follows gathers for one frame.
        sim.in_tab(0, |session| session.ping(1));
        let chan = sim.open_with(0, URL, |config| config.policy.auth.ask = ask);
        sim.in_tab(0, |session| session.reconnect(chan.id));
        sim.run(1_000);
        let asked = sim.client(chan).asked.len();
        assert_eq!(sim.dials.len() + asked, 1, "{ask:?}");
        sim.in_tab(0, |session| session.reconnect(chan.id));
        sim.run(1_000);
        let asked = sim.client(chan).asked.len();
        assert_eq!(sim.dials.len() + asked, 2, "{ask:?}");
    }
}

#[test]
fn reconnects_in_a_loop_broke_off_each_dial() {
    for ask in [None, Some(Millis(10_000))] {
        let mut sim = Sim::with_tabs(15, 1);
        sim.server.mode = Mode::Slow(3_000);
        let chan = sim.open_with(0, URL, |config| config.policy.auth.ask = ask);
        // When each question was seen.
        let mut asked = Vec::new();
        for step in 0..50 {
            if step % 4 == 0 {
                sim.in_tab(0, |session| session.reconnect(chan.id));
            }
            sim.run(500);
            asked.resize(sim.client(chan).asked.len(), step);
            // It takes 4 s to find a credential.
            for (index, _) in asked.iter().enumerate().filter(|(_, at)| **at + 8 == step) {
                let (request, _) = sim.client(chan).asked[index];
                let credential = Some(Credential::default());
                sim.in_tab(0, |session| {
                    session.credential(chan.id, request, credential);
                });
            }
        }
        assert!(!sim.client(chan).connects.is_empty(), "{ask:?}");
        assert!(sim.dials.len() <= 9, "{ask:?}: {:?}", sim.dials);
    }
}

#[test]
fn every_tab_that_wanted_a_new_socket_broke_off_the_dial_of_the_one_before() {
    let mut sim = Sim::with_tabs(16, 10);
    let chans: Vec<Chan> = (0..10).map(|tab| sim.open(tab, URL)).collect();
    sim.run(10_000);
    sim.server.mode = Mode::Slow(1_000);
    for chan in &chans {
        sim.in_tab(chan.tab, |session| session.reconnect(chan.id));
        sim.run(10);
    }
    sim.run(2_000);
    assert_eq!(sim.dials.len(), 2);
    assert!(sim.client(chans[0]).is_connected());
}

#[test]
fn tabs_that_are_online_again_and_want_a_new_socket_get_one() {
    let mut sim = Sim::with_tabs(19, 3);
    for tab in 0..3 {
        sim.in_tab(tab, |session| session.handle_network(false));
    }
    let chans: Vec<Chan> = (0..3).map(|tab| sim.open(tab, URL)).collect();
    sim.run(1_000);
    for chan in &chans {
        sim.in_tab(chan.tab, |session| {
            session.handle_network(true);
            session.wake();
            session.reconnect(chan.id);
        });
    }
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    assert!(sim.client(chans[0]).is_connected());
}

/// As behind a log-in by cookie, which only the next handshake brings.
#[test]
fn a_reconnect_breaks_off_a_dial_of_the_backoff() {
    let mut sim = Sim::with_tabs(17, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.server.mode = Mode::Silent;
    for request in 1..4 {
        // The first is begun by a request, too, and fails.
        sim.in_tab(0, |session| session.reconnect(chan.id));
        sim.run(100);
        assert_eq!(sim.dials.len(), 2 * request);
        let conn = sim.conns.len() - 1;
        sim.conns[conn].server_open = true;
        sim.server_close(conn, 1006, "");
        sim.run_until("a dial of the backoff", |sim| sim.dials.len() > 2 * request);
        sim.run(10);
    }
    sim.start_server();
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(100);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_reconnect_breaks_off_a_dial_that_another_has_begun_long_ago() {
    let mut sim = Sim::with_tabs(18, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.server.mode = Mode::Silent;
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(4_900);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(200);
    assert_eq!(sim.dials.len(), 2);
    sim.start_server();
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(100);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_reconnect_from_before_the_welcome_replaced_the_socket_of_others() {
    let mut sim = Sim::with_tabs(14, 1);
    let other = sim.open(0, URL);
    sim.run(1_000);
    let tab = sim.tab(0);
    let chan = sim.open(tab, URL);
    sim.in_tab(tab, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 1);
    assert!(sim.client(chan).is_connected() && sim.client(other).reconnects.is_empty());
    sim.in_tab(tab, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert_eq!(sim.dials.len(), 2);
}

#[test]
fn a_requested_reconnect_was_followed_by_a_status_of_the_old_socket() {
    let mut sim = Sim::with_tabs(11, 1);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    let before = sim.client(chan).statuses.len();
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    let states: Vec<bool> = sim.client(chan).statuses[before..]
        .iter()
        .map(|s| s.state.is_connected())
        .collect();
    assert_eq!(states, [false, true]);
}

#[test]
fn a_policy_of_zeros_dialled_for_ever_within_one_tick() {
    let mut sim = Sim::with_tabs(12, 1);
    sim.server.mode = Mode::Silent;
    sim.open_with(0, URL, |config| {
        config.policy.backoff = Backoff {
            base: Millis(0),
            cap: Millis(0),
            stable_after: Millis(0),
            spread: Millis(0),
        };
        config.policy.connect_timeout = Millis(0);
        config.policy.heartbeat = Some(Heartbeat {
            interval: Millis(0),
            deadline: Millis(0),
            ping: Payload::text("ping"),
            pong: None,
        });
    });
    sim.run(100);
    assert!(sim.dials.len() <= 101, "{}", sim.dials.len());
}

#[test]
fn what_was_asked_for_offline_kept_the_dial_that_hung_since() {
    let mut sim = Sim::with_tabs(30, 1);
    sim.server.mode = Mode::Silent;
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.network(0, false);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(2_000);
    sim.server.mode = Mode::Normal;
    sim.network(0, true);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_sleep_was_counted_as_time_enough_to_give_up() {
    for stands_still in [true, false] {
        let mut sim = Sim::with_tabs(32, 1);
        let chan = sim.open_with(0, URL, |config| {
            config.policy.give_up.after = Some(Millis(60_000));
        });
        sim.run(10_000);
        sim.server_close(0, 1006, "");
        sim.run(100);
        match stands_still {
            true => sim.input(0, Input::Slept(Millis(600_000))),
            false => sim.sleep(600_000),
        }
        sim.run(1_000);
        assert!(sim.client(chan).is_connected(), "{stands_still}");
        assert_eq!(sim.client(chan).stops, []);
    }
}

#[test]
fn a_wait_ends_with_a_sleep_that_is_shorter_than_it() {
    for seed in 0..10 {
        let mut sim = Sim::with_tabs(seed, 1);
        let chan = sim.open_with(0, URL, |config| {
            config.policy.backoff.base = Millis(3_600_000);
            config.policy.backoff.cap = Millis(3_600_000);
        });
        sim.run(10_000);
        sim.server_close(0, 1006, "");
        sim.run(100);
        sim.input(0, Input::Slept(Millis(10_000)));
        sim.run(1_000);
        assert!(sim.client(chan).is_connected(), "{seed}");
    }
}

#[test]
fn a_dial_that_begins_with_a_wake_has_its_chance_though_the_time_was_over_in_the_sleep() {
    // Some of them wait for longer than the loop may last.
    for seed in 0..10 {
        let mut sim = Sim::with_tabs(seed, 1);
        let chan = sim.open_with(0, URL, |config| {
            config.policy.give_up.after = Some(Millis(60_000));
            config.policy.backoff.base = Millis(600_000);
            config.policy.backoff.cap = Millis(600_000);
        });
        sim.run(10_000);
        sim.server_close(0, 1006, "");
        sim.run(100);
        sim.sleep(100_000);
        sim.run(1_000);
        assert!(sim.client(chan).is_connected(), "{seed}");
    }
}

#[test]
fn a_loop_of_which_each_timer_is_late_by_a_minute_gives_up_all_the_same() {
    let mut sim = Sim::with_tabs(32, 1);
    sim.server.mode = Mode::Refuse;
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up.after = Some(Millis(60_000));
    });
    for _ in 0..60 {
        sim.run(10);
        sim.sleep(60_000);
    }
    sim.run(10);
    let state = sim.client(chan).last_state();
    assert!(
        matches!(state, LinkState::Stopped(StopReason::GaveUp { .. })),
        "{state:?}"
    );
}

#[test]
fn a_close_that_is_heard_after_a_sleep_is_no_end() {
    // In some of them it comes before the timer.
    for seed in 0..20 {
        let mut sim = Sim::with_tabs(seed, 1);
        sim.net_delay = 0;
        let chan = sim.open_with(0, URL, |config| {
            config.policy.give_up.after = Some(Millis(60_000));
            config.policy.backoff.stable_after = Millis(u32::MAX);
        });
        sim.run(10_000);
        sim.sleep(600_000);
        sim.server_close(0, 1006, "");
        sim.run(1_000);
        assert!(sim.client(chan).is_connected());
        assert_eq!(sim.client(chan).stops, []);
    }
}

/// Its time was all but over, and the next thing to come.
#[test]
fn a_dial_that_begins_with_the_wake_has_its_chance() {
    let mut sim = Sim::with_tabs(34, 1);
    sim.server.mode = Mode::Silent;
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up.after = Some(Millis(5_000));
    });
    sim.run(4_000);
    sim.server.mode = Mode::Normal;
    sim.sleep(600_000);
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

/// A machine wakes up, or has another network, some seconds before a name server answers.
#[test]
fn the_first_failure_behind_a_wake_was_the_nth_in_a_row() {
    for seed in 0..20 {
        for what in ["clock stood still", "clock went on", "network"] {
            let (mut sim, chan) = refused(seed);
            sim.run(300_000);
            let before = attempts(&sim, chan).len();
            assert!(before > 8);
            match what {
                "clock stood still" => sim.input(0, Input::Slept(Millis(3_600_000))),
                "clock went on" => sim.sleep(3_600_000),
                _ => {
                    sim.network(0, false);
                    sim.network(0, true);
                }
            }
            // The dial that comes at once has failed by then. Offline there is no delay.
            sim.run(100);
            let mut since = sim.client(chan).reconnects.iter().skip(before);
            let first = since.find(|(_, _, delay, _)| delay.is_some());
            let (_, attempt, delay, _) = first.expect("it failed");
            assert_eq!(*attempt, 1, "{seed}, {what}");
            assert!(*delay <= Some(Millis(1_000)), "{seed}, {what}: {delay:?}");
        }
    }
}
