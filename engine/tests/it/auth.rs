//! Credentials: who is asked, what is dialled with, what is never dialled with again; and the log-out.

use onesocket_engine::{Loss, SessionFailure, TabSession};
use onesocket_protocol::{
    Credential, LinkState, Millis, Payload, SendFailure, StopReason, WorkerError,
};

use crate::sim::{Chan, Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

fn open(sim: &mut Sim, tab: usize) -> Chan {
    open_as(sim, tab, "alice")
}

fn open_as(sim: &mut Sim, tab: usize, account: &str) -> Chan {
    let chan = sim.open_with(tab, URL, |config| {
        config.key.account = account.into();
        config.policy.auth.ask = Some(Millis(10_000));
    });
    // The worker has it before the next tab's.
    sim.run(10);
    chan
}

fn token(token: &str) -> Credential {
    Credential {
        url: Some(format!("{URL}?token={token}")),
        ..Credential::default()
    }
}

/// Waits until a client is asked once more than before, and answers.
fn answer(sim: &mut Sim, chan: Chan, before: usize, credential: Option<Credential>) {
    sim.run_until("a question", |sim| sim.client(chan).asked.len() > before);
    let (request, _) = sim.client(chan).asked[before];
    sim.in_tab(chan.tab, |session| {
        session.credential(chan.id, request, credential);
    });
}

fn urls(sim: &Sim) -> Vec<&str> {
    sim.conns.iter().map(|conn| conn.url.as_str()).collect()
}

fn connected(sim: &mut Sim, chan: Chan) {
    sim.run_until("connected", |sim| {
        let statuses = &sim.client(chan).statuses;
        statuses.last().is_some_and(|s| s.state.is_connected())
    });
}

#[test]
fn every_dial_gets_a_credential_of_its_own() {
    let mut sim = Sim::with_tabs(1, 1);
    let chan = open(&mut sim, 0);
    sim.run(100);
    assert_eq!(sim.dials.len(), 0);
    let send = sim.send(chan, "s:early");
    answer(&mut sim, chan, 0, Some(token("1")));
    connected(&mut sim, chan);
    assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    sim.server_close(0, 1006, "");
    answer(&mut sim, chan, 1, Some(token("2")));
    connected(&mut sim, chan);
    assert_eq!(urls(&sim), ["ws://chat/?token=1", "ws://chat/?token=2"]);
    assert_eq!(sim.client(chan).asked, [(1, false), (2, false)]);
}

#[test]
fn subprotocols_and_a_first_message_are_credentials_too() {
    let mut sim = Sim::with_tabs(2, 1);
    sim.server.accepts = vec!["bearer.s3cret".into()];
    let chan = open(&mut sim, 0);
    sim.in_tab(0, |session| {
        session.greet(chan.id, Payload::text("subscribe"), None)
    });
    let credential = Credential {
        url: None,
        subprotocols: vec!["bearer.s3cret".into()],
        first: Some(Payload::text("log in")),
    };
    answer(&mut sim, chan, 0, Some(credential));
    connected(&mut sim, chan);
    sim.run(100);
    assert_eq!(sim.conns[0].offered, ["bearer.s3cret"]);
    assert_eq!(sim.got_on(0), ["log in", "subscribe"]);
    assert_eq!(sim.client(chan).connects[0].1, "", "a secret is not told");
    assert!(!format!("{:?}", sim.workers[0].engine).contains("s3cret"));
}

#[test]
fn the_log_shows_no_part_of_a_credential_also_with_payloads() {
    let mut sim = Sim::with_tabs(22, 1);
    sim.server.accepts = vec!["v1".into()];
    let chan = open(&mut sim, 0);
    sim.in_tab(0, |session| {
        session.greet(chan.id, Payload::text("subscribe"), None)
    });
    let credential = Credential {
        // A path is no secret of a key; here it may be a ticket.
        url: Some("ws://node-7/s3cret/?token=s3cret".into()),
        subprotocols: vec!["v1".into()],
        first: Some(Payload::text("s3cret")),
    };
    answer(&mut sim, chan, 0, Some(credential));
    connected(&mut sim, chan);
    sim.run(100);
    assert_eq!(urls(&sim), ["ws://node-7/s3cret/?token=s3cret"]);
    assert_eq!(sim.got_on(0), ["s3cret", "subscribe"]);
    let lines: Vec<String> = sim.described.iter().map(ToString::to_string).collect();
    let expect = [
        "socket 1 dials ws://chat/, 1 subprotocols",
        "socket 1 <- text, 6 B ",
        "socket 1 <- text, 9 B subscribe",
    ];
    assert_eq!(lines, expect);
}

#[test]
fn a_bare_dial_came_with_the_credential_of_the_dial_before() {
    let mut sim = Sim::with_tabs(21, 1);
    sim.server.mode = Mode::Refuse;
    let chan = sim.open_with(0, URL, |config| {
        config.key.subprotocols = vec!["v1".into()];
        config.policy.auth.ask = Some(Millis(10_000));
    });
    answer(&mut sim, chan, 0, Some(token("1")));
    answer(&mut sim, chan, 1, Some(token("2")));
    sim.run(100);
    assert_eq!(urls(&sim), ["ws://chat/?token=1", "ws://chat/?token=2"]);
}

#[test]
fn a_tab_that_does_not_answer_is_passed_over_and_then_asked_last() {
    let mut sim = Sim::with_tabs(3, 3);
    let [hanging, declining, giving] = [0, 1, 2].map(|tab| open(&mut sim, tab));
    sim.run_until("asked", |sim| !sim.client(declining).asked.is_empty());
    assert!((10_000..10_200).contains(&sim.now), "{}", sim.now);
    answer(&mut sim, declining, 0, None);
    answer(&mut sim, giving, 0, Some(token("1")));
    connected(&mut sim, hanging);
    sim.server_close(0, 1006, "");
    answer(&mut sim, giving, 1, Some(token("2")));
    connected(&mut sim, declining);
    assert_eq!(sim.client(hanging).asked.len(), 1);
}

#[test]
fn a_late_answer_is_an_answer() {
    let mut sim = Sim::with_tabs(4, 2);
    let [late, next] = [0, 1].map(|tab| open(&mut sim, tab));
    sim.run_until("asked", |sim| !sim.client(next).asked.is_empty());
    answer(&mut sim, late, 0, Some(token("late")));
    connected(&mut sim, next);
    answer(&mut sim, next, 0, Some(token("too late")));
    sim.run(60_000);
    assert_eq!(urls(&sim), ["ws://chat/?token=late"]);
}

#[test]
fn a_stale_refusal_to_answer_passed_over_the_wrong_tab() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = open(&mut sim, 0);
    sim.run(11_000);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run_until("asked", |sim| sim.client(chan).asked.len() == 2);
    answer(&mut sim, chan, 0, None);
    sim.run(100);
    assert!(matches!(
        sim.client(chan).last_state(),
        LinkState::Connecting { .. }
    ));
    answer(&mut sim, chan, 1, Some(token("1")));
    connected(&mut sim, chan);
}

#[test]
fn a_question_that_was_asked_before_a_pause_ended_the_loop_in_it() {
    let mut sim = Sim::with_tabs(18, 1);
    let chan = open(&mut sim, 0);
    sim.in_tab(0, |session| {
        session.delay(chan.id, Millis(30_000));
        session.reconnect(chan.id);
    });
    sim.run(29_000);
    assert_eq!(sim.client(chan).asked.len(), 1);
    answer(&mut sim, chan, 1, Some(token("1")));
    connected(&mut sim, chan);
}

fn states(sim: &Sim, chan: Chan) -> Vec<LinkState> {
    let statuses = sim.client(chan).statuses.iter();
    statuses.map(|status| status.state.clone()).collect()
}

#[test]
fn the_loop_pauses_when_nobody_has_a_credential_and_a_new_tab_ends_that() {
    let mut sim = Sim::with_tabs(6, 2);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, None);
    sim.run(900);
    assert_eq!(sim.dials.len(), 0);
    let paused = LinkState::NeedsAuth { refused: false };
    assert_eq!(sim.client(chan).last_state(), &paused);
    assert_eq!(sim.client(chan).asked.len(), 1);
    let newcomer = open(&mut sim, 1);
    answer(&mut sim, newcomer, 0, Some(token("1")));
    connected(&mut sim, chan);
    assert_eq!(sim.client(chan).asked.len(), 1);
}

/// Its log-in may be good, and what hands out its tokens unreachable for a moment.
#[test]
fn a_provider_that_failed_once_was_never_asked_again() {
    let mut sim = Sim::with_tabs(32, 2);
    let [fails, hangs] = [0, 1].map(|tab| open(&mut sim, tab));
    answer(&mut sim, fails, 0, None);
    sim.run_until("a pause", |sim| {
        sim.client(fails).last_state() == &LinkState::NeedsAuth { refused: false }
    });
    assert_eq!(sim.client(hangs).asked.len(), 1);
    let said = states(&sim, fails);
    answer(&mut sim, fails, 1, None);
    sim.run_until("a question", |sim| sim.client(fails).asked.len() == 3);
    // Nobody is shown anything of it.
    assert_eq!(states(&sim, fails), said);
    assert_eq!(sim.client(hangs).asked.len(), 2);
    assert!((21_000..27_000).contains(&sim.now), "{}", sim.now);
    answer(&mut sim, fails, 2, Some(token("1")));
    connected(&mut sim, hangs);
}

#[test]
fn the_tabs_were_not_asked_again_when_the_browser_was_back_or_a_page_shown() {
    for (seed, is_offline) in [(33, true), (34, false)] {
        let mut sim = Sim::with_tabs(seed, 1);
        let chan = open(&mut sim, 0);
        for number in 0..8 {
            answer(&mut sim, chan, number, None);
        }
        sim.run(100);
        if is_offline {
            sim.network(0, false);
            sim.run(600_000);
            assert_eq!(sim.client(chan).asked.len(), 8, "nothing can be fetched");
            sim.network(0, true);
        } else {
            sim.in_tab(0, TabSession::wake);
        }
        sim.run(100);
        assert_eq!(sim.client(chan).asked.len(), 9);
        let paused = LinkState::NeedsAuth { refused: false };
        assert_eq!(sim.client(chan).last_state(), &paused);
        answer(&mut sim, chan, 8, Some(token("1")));
        connected(&mut sim, chan);
    }
}

#[test]
fn a_log_in_while_a_tab_is_asked_in_the_pause_is_not_passed_over() {
    let mut sim = Sim::with_tabs(35, 1);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, None);
    sim.run_until("a question", |sim| sim.client(chan).asked.len() == 2);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(100);
    // That to the second question is of before the log-in.
    answer(&mut sim, chan, 1, None);
    answer(&mut sim, chan, 2, Some(token("1")));
    connected(&mut sim, chan);
    assert_eq!(sim.client(chan).asked.len(), 3);
}

#[test]
fn a_reconnect_that_was_asked_for_offline_was_forgotten_for_want_of_a_credential() {
    let mut sim = Sim::with_tabs(19, 1);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, None);
    sim.run(100);
    sim.network(0, false);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    answer(&mut sim, chan, 1, None);
    sim.run(100);
    assert!(matches!(
        sim.client(chan).last_state(),
        LinkState::Offline { .. }
    ));
    sim.network(0, true);
    answer(&mut sim, chan, 2, Some(token("1")));
    connected(&mut sim, chan);
}

#[test]
fn a_credential_that_nobody_has_offline_is_asked_for_again() {
    let mut sim = Sim::with_tabs(29, 1);
    sim.network(0, false);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, None);
    sim.run(100);
    let told = &sim.client(chan).statuses;
    assert!(
        told.iter()
            .all(|status| matches!(status.state, LinkState::Offline { .. })),
        "{told:?}"
    );
    answer(&mut sim, chan, 1, Some(token("1")));
    connected(&mut sim, chan);
}

#[test]
fn a_policy_of_zeros_asked_offline_for_ever_within_one_tick_when_the_last_tab_had_left() {
    let mut sim = Sim::with_tabs(36, 1);
    sim.network(0, false);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.auth.ask = Some(Millis(10_000));
        config.policy.backoff.base = Millis(0);
        config.policy.backoff.cap = Millis(0);
    });
    for number in 0..3 {
        answer(&mut sim, chan, number, None);
    }
    sim.run(100);
    let asked = sim.client(chan).asked.len();
    assert!(asked <= 4, "{asked}");
    sim.in_tab(0, |session| session.close(chan.id));
    sim.run(10_000);
    assert_eq!(sim.dials.len(), 0);
}

#[test]
fn no_log_in_was_shown_for_a_refused_credential_while_the_browser_was_wrong_about_its_network() {
    let mut sim = Sim::with_tabs(37, 1);
    sim.server.mode = Mode::CloseAfterOpen {
        after: 10,
        code: 4401,
        reason: "".into(),
    };
    sim.network(0, false);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, Some(token("stale")));
    sim.run_until("a refusal", |sim| {
        sim.client(chan)
            .asked
            .last()
            .is_some_and(|(_, refused)| *refused)
    });
    let asked = sim.client(chan).asked.len();
    answer(&mut sim, chan, asked - 1, None);
    sim.run(100);
    let paused = LinkState::NeedsAuth { refused: true };
    assert_eq!(sim.client(chan).last_state(), &paused);
    sim.run(120_000);
    assert_eq!(sim.client(chan).asked.len(), asked, "it takes a user");
}

#[test]
fn a_late_credential_was_thrown_away_while_the_browser_was_wrong_about_its_network() {
    let mut sim = Sim::with_tabs(39, 1);
    let mode = core::mem::replace(
        &mut sim.server.mode,
        Mode::CloseAfterOpen {
            after: 10,
            code: 4401,
            reason: "".into(),
        },
    );
    sim.network(0, false);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, Some(token("stale")));
    sim.run_until("a refusal", |sim| {
        let asked = &sim.client(chan).asked;
        asked.last().is_some_and(|(_, refused)| *refused)
    });
    let question = sim.client(chan).asked.len() - 1;
    sim.run(11_000);
    let paused = LinkState::NeedsAuth { refused: true };
    assert_eq!(sim.client(chan).last_state(), &paused);
    sim.server.mode = mode;
    answer(&mut sim, chan, question, Some(token("fresh")));
    sim.run(100);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.client(chan).asked.len(), question + 1);
}

#[test]
fn a_question_behind_a_sleep_was_not_time_enough_to_give_up() {
    // Some of them wait for longer than the loop may last.
    for seed in 0..10 {
        let mut sim = Sim::with_tabs(seed, 1);
        let chan = sim.open_with(0, URL, |config| {
            config.policy.auth.ask = Some(Millis(10_000));
            config.policy.give_up.after = Some(Millis(60_000));
            config.policy.backoff.base = Millis(600_000);
            config.policy.backoff.cap = Millis(600_000);
        });
        answer(&mut sim, chan, 0, Some(token("1")));
        connected(&mut sim, chan);
        sim.server_close(0, 1006, "");
        sim.run(100);
        sim.sleep(900_000);
        answer(&mut sim, chan, 1, Some(token("2")));
        sim.run(100);
        assert!(sim.client(chan).is_connected(), "{seed}");
    }
}

#[test]
fn a_log_in_offline_while_a_tab_was_asked_in_the_pause_was_passed_over() {
    let mut sim = Sim::with_tabs(38, 1);
    let chan = open(&mut sim, 0);
    answer(&mut sim, chan, 0, None);
    sim.run_until("a question", |sim| sim.client(chan).asked.len() == 2);
    sim.network(0, false);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(100);
    answer(&mut sim, chan, 1, None);
    answer(&mut sim, chan, 2, Some(token("1")));
    connected(&mut sim, chan);
}

#[test]
fn a_refused_credential_is_never_dialled_with_again() {
    let mut sim = Sim::with_tabs(7, 2);
    let [first, second] = [0, 1].map(|tab| open(&mut sim, tab));
    answer(&mut sim, first, 0, Some(token("old")));
    connected(&mut sim, first);
    sim.server_close(0, 4401, "expired");
    answer(&mut sim, first, 1, Some(token("old")));
    answer(&mut sim, second, 0, Some(token("older")));
    connected(&mut sim, first);
    sim.server_close(1, 4401, "expired");
    // Each has a copy that was refused, though only one of them was the last.
    answer(&mut sim, first, 2, Some(token("old")));
    answer(&mut sim, second, 1, Some(token("older")));
    sim.run(3_600_000);
    assert_eq!(
        urls(&sim),
        ["ws://chat/?token=old", "ws://chat/?token=older"]
    );
    let paused = LinkState::NeedsAuth { refused: true };
    assert_eq!(sim.client(first).last_state(), &paused);
    let refused = WorkerError::CredentialRefused;
    assert_eq!(sim.client(first).errors, [refused.clone(), refused.clone()]);
    assert_eq!(sim.client(second).errors, [refused]);
    assert_eq!(sim.client(second).asked, [(3, true), (5, true)]);

    sim.in_tab(1, |session| session.reconnect(second.id));
    answer(&mut sim, first, 3, None);
    answer(&mut sim, second, 2, Some(token("fresh")));
    connected(&mut sim, first);
}

#[test]
fn the_last_sixteen_that_were_refused_are_known() {
    let mut sim = Sim::with_tabs(39, 1);
    let chan = open(&mut sim, 0);
    let name = |number: usize| token(&number.to_string());
    for number in 0..16 {
        answer(&mut sim, chan, number, Some(name(number)));
        sim.run_until("a socket", |sim| sim.conns.len() > number);
        connected(&mut sim, chan);
        sim.server_close(number, 4401, "expired");
    }
    // The oldest and the latest.
    for (before, refused) in [(16, 0), (17, 15)] {
        answer(&mut sim, chan, before, Some(name(refused)));
        sim.run_until("a word of it", |sim| {
            sim.client(chan).errors.len() > before - 16
        });
        sim.in_tab(0, |session| session.reconnect(chan.id));
    }
    assert_eq!(sim.conns.len(), 16);
    answer(&mut sim, chan, 18, Some(name(16)));
    sim.run_until("a socket", |sim| sim.conns.len() > 16);
    connected(&mut sim, chan);
    sim.server_close(16, 4401, "expired");
    // It is the seventeenth last.
    answer(&mut sim, chan, 19, Some(name(0)));
    sim.run_until("a socket", |sim| sim.conns.len() > 17);
}

#[test]
fn a_tab_whose_fresh_credentials_are_refused_was_asked_in_front_of_one_with_a_good_one() {
    let mut sim = Sim::with_tabs(27, 3);
    let chans = [0, 1, 2].map(|tab| open(&mut sim, tab));
    let asked = |sim: &Sim| chans.map(|chan| sim.client(chan).asked.len());
    let mut answered = [0; 3];
    for dial in 0..4 {
        sim.run_until("a question", |sim| asked(sim) != answered);
        let tab = (0..3).find(|tab| asked(&sim)[*tab] != answered[*tab]);
        let tab = tab.expect("somebody was asked");
        answer(
            &mut sim,
            chans[tab],
            answered[tab],
            Some(token(&format!("{tab}.{dial}"))),
        );
        answered[tab] += 1;
        connected(&mut sim, chans[0]);
        if tab != 2 {
            sim.server_close(dial, 4401, "not you");
        }
    }
    sim.run(60_000);
    // The first has had a second chance: a credential may just have expired.
    assert_eq!(asked(&sim), [2, 1, 1]);
    let urls = urls(&sim);
    assert_eq!(urls.last(), Some(&"ws://chat/?token=2.3"), "{urls:?}");
    assert_eq!(sim.open_conns(), [3]);
    // Whose is good is asked first, also when it has expired.
    for (dial, code) in [(3, 1006), (4, 4401)] {
        sim.server_close(dial, code, "");
        let number = dial - 2;
        answer(
            &mut sim,
            chans[2],
            number,
            Some(token(&format!("2.{}", dial + 1))),
        );
        connected(&mut sim, chans[0]);
        sim.run(60_000);
    }
    assert_eq!(asked(&sim), [2, 1, 3]);
}

#[test]
fn a_tab_that_had_no_credential_and_asks_for_a_socket_was_not_asked_again() {
    let mut sim = Sim::with_tabs(29, 2);
    let [logs_in, hangs] = [0, 1].map(|tab| open(&mut sim, tab));
    for number in [0, 1] {
        answer(&mut sim, logs_in, number, None);
        answer(&mut sim, hangs, number, None);
        sim.run(100);
        sim.in_tab(0, |session| session.reconnect(logs_in.id));
    }
    answer(&mut sim, logs_in, 2, None);
    sim.run_until("a question", |sim| sim.client(hangs).asked.len() == 3);
    // Its user has logged in, and the other tab still says nothing.
    sim.run(2_000);
    sim.in_tab(0, |session| session.reconnect(logs_in.id));
    answer(&mut sim, logs_in, 3, Some(token("new")));
    connected(&mut sim, logs_in);
}

#[test]
fn a_provider_that_has_nothing_and_asks_for_a_socket_each_time_is_not_asked_without_end() {
    let mut sim = Sim::with_tabs(31, 1);
    let chan = open(&mut sim, 0);
    let (end, mut number) = (sim.now + 60_000, 0);
    while sim.now < end {
        sim.run(100);
        if sim.client(chan).asked.len() > number {
            sim.in_tab(0, |session| session.reconnect(chan.id));
            answer(&mut sim, chan, number, None);
            number += 1;
        }
    }
    let paused = LinkState::NeedsAuth { refused: false };
    assert_eq!(sim.client(chan).last_state(), &paused);
    // Twice each time, at the pace of the backoff.
    assert!((6..=20).contains(&number), "{number}");
}

#[test]
fn a_server_that_refuses_everybody_is_not_flooded() {
    let mut sim = Sim::with_tabs(8, 1);
    sim.server.mode = Mode::CloseAfterOpen {
        after: 0,
        code: 4401,
        reason: String::new(),
    };
    let chan = open(&mut sim, 0);
    let end = sim.now + 60_000;
    let mut number = 0;
    while sim.now < end {
        answer(&mut sim, chan, number, Some(token(&number.to_string())));
        number += 1;
    }
    assert!((3..20).contains(&sim.dials.len()), "{}", sim.dials.len());
}

#[test]
fn without_providers_a_refusal_pauses_until_a_tab_asks() {
    let mut sim = Sim::with_tabs(9, 2);
    let chan = sim.open(0, URL);
    sim.run(10_000);
    sim.server_close(0, 4401, "who are you?");
    sim.run(100);
    let send = sim.send(chan, "s:kept");
    sim.run(60_000);
    let paused = LinkState::NeedsAuth { refused: true };
    assert_eq!(
        (sim.dials.len(), sim.client(chan).last_state()),
        (1, &paused)
    );
    assert_eq!(sim.outcome(chan, send), None, "it waits for a socket");
    sim.open(1, URL);
    connected(&mut sim, chan);
    sim.run(100);
    assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
}

#[test]
fn a_policy_without_questions_dialled_with_the_credential_of_a_tab_that_was_gone() {
    for is_open in [true, false] {
        let mut sim = Sim::with_tabs(28, 2);
        if !is_open {
            sim.server.mode = Mode::Slow(5_000);
        }
        sim.server.accepts = vec!["bearer.s3cret".into()];
        let before = open(&mut sim, 0);
        let credential = Credential {
            subprotocols: vec!["bearer.s3cret".into()],
            first: Some(Payload::text("log in")),
            ..token("1")
        };
        answer(&mut sim, before, 0, Some(credential));
        sim.run(1_000);
        sim.close(before);
        sim.run(100);
        let chan = sim.open_with(1, URL, |config| config.key.account = "alice".into());
        connected(&mut sim, chan);
        sim.run(10_000);
        let last = sim.conns.len() - 1;
        assert_eq!(last, usize::from(!is_open), "the open one is taken over");
        if is_open {
            assert_eq!(sim.got_on(0), ["log in"]);
            sim.server_close(0, 1006, "");
            sim.run(10_000);
        }
        assert!(sim.client(chan).is_connected());
        let conn = sim.conns.last().expect("a dial");
        assert_eq!((conn.url.as_str(), conn.offered.len()), (URL, 0));
        assert_eq!(sim.got_on(1), Vec::<&str>::new());
    }
}

#[test]
fn one_account_is_never_asked_for_another() {
    let mut sim = Sim::with_tabs(10, 2);
    let alice = open_as(&mut sim, 0, "alice");
    let bob = open_as(&mut sim, 1, "bob");
    answer(&mut sim, alice, 0, None);
    answer(&mut sim, bob, 0, Some(token("bob")));
    connected(&mut sim, bob);
    // A tab that answers what it was not asked.
    sim.in_tab(1, |session| {
        session.credential(bob.id, 1, Some(token("bob")));
    });
    sim.run(60_000);
    let paused = LinkState::NeedsAuth { refused: false };
    assert_eq!(sim.client(alice).last_state(), &paused);
    assert_eq!((sim.client(bob).asked.len(), sim.dials.len()), (1, 1));
}

#[test]
fn the_next_tab_is_asked_when_the_asked_one_dies() {
    let mut sim = Sim::with_tabs(11, 2);
    let [first, second] = [0, 1].map(|tab| open(&mut sim, tab));
    sim.run_until("asked", |sim| !sim.client(first).asked.is_empty());
    sim.crash_tab(0);
    sim.run(100);
    answer(&mut sim, second, 0, Some(token("1")));
    connected(&mut sim, second);
    assert!(sim.now < 1_000, "{}", sim.now);
}

fn logged_out(sim: &Sim, chan: Chan) {
    assert_eq!(sim.client(chan).stops, [StopReason::LoggedOut]);
    let stopped = LinkState::Stopped(StopReason::LoggedOut);
    assert_eq!(sim.client(chan).last_state(), &stopped);
}

fn not_sent() -> Outcome {
    Outcome::NotSent(SendFailure::Stopped(StopReason::LoggedOut))
}

#[test]
fn a_log_out_closes_for_all_tabs_of_the_account_and_no_other() {
    let mut sim = Sim::with_tabs(12, 3);
    let chans = [0, 1].map(|tab| sim.open_with(tab, URL, |c| c.key.account = "alice".into()));
    let bob = sim.open_with(2, URL, |config| config.key.account = "bob".into());
    sim.run(1_000);
    sim.in_tab(1, |session| session.log_out(chans[1].id, None));
    sim.run(1_000);
    for chan in chans {
        logged_out(&sim, chan);
        let send = sim.send(chan, "s:too late");
        sim.run(100);
        assert_eq!(sim.outcome(chan, send), Some(&not_sent()));
    }
    assert_eq!(sim.open_conns().len(), 1);
    assert!(sim.client(bob).is_connected());
}

#[test]
fn a_log_out_drops_or_drains_what_is_queued() {
    for (seed, drain, server_returns, expect) in [
        (13, None, true, not_sent()),
        (14, Some(Millis(20_000)), true, Outcome::Sent),
        (15, Some(Millis(20_000)), false, not_sent()),
    ] {
        let mut sim = Sim::with_tabs(seed, 2);
        sim.stop_server();
        let chans = [0, 1].map(|tab| sim.open(tab, URL));
        sim.run(1_000);
        let queued = sim.send(chans[0], "s:queued");
        sim.run(10);
        sim.in_tab(1, |session| session.log_out(chans[1].id, drain));
        sim.run(10);
        let after = sim.send(chans[0], "s:after");
        if server_returns {
            sim.start_server();
        }
        sim.run(20_100);
        assert_eq!(sim.outcome(chans[0], queued), Some(&expect), "{drain:?}");
        assert_eq!(sim.outcome(chans[0], after), Some(&not_sent()));
        for chan in chans {
            logged_out(&sim, chan);
        }
        assert_eq!(sim.open_conns().len(), 0);
    }
}

#[test]
fn what_ends_the_loop_while_it_drains_is_the_log_out() {
    let mut sim = Sim::with_tabs(17, 1);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up.after = Some(Millis(5_000));
    });
    sim.send(chan, "s:queued");
    sim.run(1_000);
    sim.in_tab(0, |session| {
        session.log_out(chan.id, Some(Millis(3_600_000)));
    });
    sim.run(10_000);
    logged_out(&sim, chan);
    assert_eq!(sim.outcomes(chan), [not_sent()]);
}

#[test]
fn a_log_out_that_ended_otherwise_left_the_credential_behind() {
    let mut sim = Sim::with_tabs(20, 1);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up.after = Some(Millis(5_000));
    });
    sim.run(1_000);
    sim.server_close(0, 4401, "who are you?");
    sim.run(100);
    let credential = Credential {
        first: Some(Payload::text("log in")),
        ..token("secret")
    };
    sim.server.mode = Mode::Silent;
    sim.in_tab(0, |session| {
        session.credential(chan.id, 0, Some(credential));
    });
    sim.send(chan, "s:queued");
    sim.run(100);
    sim.in_tab(0, |session| {
        session.log_out(chan.id, Some(Millis(3_600_000)));
    });
    sim.run(10_000);
    logged_out(&sim, chan);
    sim.start_server();
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert_eq!(urls(&sim), [URL, "ws://chat/?token=secret", URL]);
    assert_eq!(sim.got_on(2), Vec::<&str>::new());
}

#[test]
fn a_log_out_was_lost_with_its_worker() {
    let mut sim = Sim::with_tabs(16, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.log_out(chan.id, None));
    let next = sim.worker();
    sim.attach(0, next);
    sim.run(1_000);
    logged_out(&sim, chan);
    assert_eq!(sim.open_conns().len(), 0);
}

#[test]
fn a_log_out_was_lost_with_its_client_where_no_worker_had_done_it() {
    for when in ["welcome", "detached", "unread", "unposted", "hand-over"] {
        let mut sim = Sim::with_tabs(23, 1);
        let other = sim.open(0, URL);
        sim.run(1_000);
        let tab = sim.tab(0);
        let chan = sim.open(tab, URL);
        if when != "welcome" {
            sim.run(1_000);
        }
        let next = sim.worker();
        match when {
            "detached" => sim.in_tab(tab, |session| session.detach(Loss::Ended)),
            "unposted" => sim.in_tab(tab, |session| session.ping(1)),
            "hand-over" => sim.hand_over(tab, next),
            _ => {}
        }
        sim.in_tab(tab, |session| session.log_out(chan.id, None));
        sim.close(chan);
        assert!(!sim.client(chan).closed, "{when}");
        assert!(sim.tabs[tab].session.owes_log_out(), "{when}");
        if when == "unread" || when == "unposted" {
            sim.kill_worker(0);
        }
        if when != "welcome" {
            // The first to come, so that it is there to be logged out.
            sim.attach(0, next);
        }
        if when != "welcome" && when != "hand-over" {
            sim.run(20);
            sim.attach(tab, next);
        }
        sim.run(1_000);
        assert_eq!(sim.client(other).stops, [StopReason::LoggedOut], "{when}");
        assert!(sim.client(chan).closed, "{when}");
        assert!(!sim.tabs[tab].session.owes_log_out(), "{when}");
    }
}

#[test]
fn a_log_out_that_nobody_will_do_does_not_keep_its_channel() {
    let mut sim = Sim::new(24);
    let worker = sim.worker();
    let tab = sim.tab(worker);
    let chan = sim.open(tab, URL);
    let send = sim.send(chan, "s:unposted");
    sim.in_tab(tab, |session| session.log_out(chan.id, None));
    sim.close(chan);
    sim.in_tab(tab, |session| session.fail(SessionFailure::NoTier));
    assert!(sim.client(chan).closed && sim.client(chan).failed == 0);
    let disconnected = Outcome::NotSent(SendFailure::Disconnected);
    assert_eq!(sim.outcome(chan, send), Some(&disconnected));
    assert!(!sim.tabs[tab].session.owes_log_out());
}

#[test]
fn a_log_out_from_before_the_welcome_ended_the_next_client() {
    let mut sim = Sim::new(25);
    let worker = sim.worker();
    let tab = sim.tab(worker);
    let before = sim.open(tab, URL);
    let send = sim.send(before, "s:of the old log-in");
    sim.in_tab(tab, |session| session.log_out(before.id, None));
    sim.close(before);
    let disconnected = Outcome::NotSent(SendFailure::Disconnected);
    assert_eq!(sim.outcome(before, send), Some(&disconnected));
    let next = sim.open(tab, URL);
    sim.run(1_000);
    assert!(sim.client(before).closed && sim.client(next).is_connected());
    assert!(sim.client(next).stops.is_empty() && sim.server_got().is_empty());
}

#[test]
fn a_log_out_that_was_among_the_last_words_was_done_again() {
    let mut sim = Sim::with_tabs(26, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.in_tab(0, |session| session.log_out(chan.id, None));
    sim.close(chan);
    sim.in_tab(0, TabSession::bye);
    sim.in_tab(0, |session| session.detach(Loss::Unknown));
    assert!(sim.client(chan).closed);
    assert!(!sim.tabs[0].session.owes_log_out());
}

#[test]
fn a_build_that_brought_credentials_was_shut_out_by_the_one_before() {
    let mut sim = Sim::with_tabs(3, 2);
    let old = sim.open_with(0, URL, |config| config.key.account = "alice".into());
    sim.run(500);
    sim.server_close(0, 4401, "");
    sim.run(1_000);
    let new = open(&mut sim, 1);
    sim.run(1_000);
    assert_eq!(sim.client(new).errors, [WorkerError::PolicyDiffers]);
    assert_eq!(sim.client(new).asked.len(), 0, "the first one counts");
    sim.server_close(1, 4401, "");
    sim.run(1_000);
    sim.close(old);
    answer(&mut sim, new, 0, Some(token("1")));
    connected(&mut sim, new);
    assert_eq!(urls(&sim).last(), Some(&"ws://chat/?token=1"));
}

#[test]
fn who_needs_no_credential_waited_for_one_when_who_needed_it_had_gone() {
    for is_answered in [true, false] {
        let mut sim = Sim::with_tabs(4, 2);
        sim.server.mode = Mode::Silent;
        let asked = open(&mut sim, 0);
        let other = sim.open_with(1, URL, |config| config.key.account = "alice".into());
        let credential = is_answered.then(|| token("1"));
        answer(&mut sim, asked, 0, credential);
        sim.run(1_000);
        sim.server.mode = Mode::Normal;
        sim.close(asked);
        connected(&mut sim, other);
        assert_eq!(urls(&sim).last(), Some(&URL), "{is_answered}");
    }
}
