//! A tab closes the socket by a code of the app's.

use onesocket_engine::Input;
use onesocket_protocol::{
    CloseInfo, LinkState, Millis, ReconnectCause, SendFailure, StopReason,
    limits::BUFFERED_STEP_BYTES as STEP,
};

use crate::sim::{Chan, Mode, Outcome, Ready, Sim};

const URL: &str = "ws://chat/";

fn close(sim: &mut Sim, chan: Chan) {
    sim.in_tab(chan.tab, |session| {
        session.close_socket(chan.id, 3000, "done".into());
    });
}

fn closed(code: u16, reason: &str) -> StopReason {
    StopReason::Closed(CloseInfo {
        code,
        reason: reason.into(),
        was_clean: code != 1006,
    })
}

#[test]
fn the_server_hears_the_code_and_every_tab_what_it_answered() {
    let mut sim = Sim::with_tabs(1, 2);
    let chans = [sim.open(0, URL), sim.open(1, URL)];
    sim.run(1_000);
    sim.send(chans[0], "s:last");
    close(&mut sim, chans[0]);
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["s:last"]);
    for chan in chans {
        assert_eq!(sim.client(chan).stops, [closed(3000, "done")]);
        let last = sim.client(chan).statuses.last();
        let stopped = LinkState::Stopped(closed(3000, "done"));
        assert_eq!(last.map(|status| &status.state), Some(&stopped));
    }
    assert_eq!(sim.open_conns().len(), 0);
    sim.run(60_000);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn what_is_sent_after_it_is_not_sent() {
    let mut sim = Sim::with_tabs(2, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    close(&mut sim, chan);
    let late = sim.send(chan, "s:late");
    sim.run(1_000);
    let failure = SendFailure::Stopped(closed(3000, "done"));
    assert_eq!(sim.outcome(chan, late), Some(&Outcome::NotSent(failure)));
    assert!(sim.server_got().is_empty());
}

#[test]
fn a_dial_is_broken_off() {
    let mut sim = Sim::with_tabs(3, 1);
    sim.server.mode = Mode::Silent;
    let chan = sim.open(0, URL);
    sim.run(1_000);
    close(&mut sim, chan);
    sim.run(60_000);
    assert_eq!(sim.client(chan).stops, [closed(1006, "")]);
    assert_eq!(sim.dials.len(), 1);
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_for_ever() {
    let mut sim = Sim::with_tabs(4, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.conns[0].half_open = true;
    close(&mut sim, chan);
    sim.run(60_000);
    assert!(sim.client(chan).stops.is_empty());
    sim.run(20_000);
    assert_eq!(sim.client(chan).stops, [closed(1006, "")]);
}

/// A server that reads nothing for a while answers behind it, and Chromium's socket waits for 60 s.
#[test]
fn an_answer_that_the_browser_waited_for_came_too_late() {
    let mut sim = Sim::with_tabs(12, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.conns[0].half_open = true;
    sim.conns[0].holds = 6 * STEP;
    close(&mut sim, chan);
    sim.run(58_000);
    sim.conns[0].half_open = false;
    sim.conns[0].server_open = true;
    sim.server_close(0, 3000, "done");
    sim.run(1_000);
    assert_eq!(sim.client(chan).stops, [closed(3000, "done")]);
}

#[test]
fn a_close_behind_an_upload_was_given_up_amid_it() {
    let mut sim = Sim::with_tabs(7, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    // The close goes out behind what the socket holds, and is answered by nothing before.
    sim.conns[0].half_open = true;
    sim.conns[0].holds = 6 * STEP;
    close(&mut sim, chan);
    for holds in (0..6).rev() {
        sim.run(20_000);
        assert!(sim.client(chan).stops.is_empty(), "{holds} steps to go");
        sim.conns[0].holds = holds * STEP;
    }
    sim.run(20_000);
    sim.conns[0].half_open = false;
    sim.conns[0].server_open = true;
    sim.server_close(0, 3000, "done");
    sim.run(1_000);
    assert_eq!(sim.client(chan).stops, [closed(3000, "done")]);
}

/// Where the close event comes behind what the socket holds, as in Firefox.
#[test]
fn a_close_of_the_server_was_told_as_none_amid_an_upload() {
    let mut sim = Sim::with_tabs(9, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    let socket = sim.conns[0].socket;
    sim.conns[0].holds = 6 * STEP;
    // The worker looks at what it holds.
    sim.run(20_000);
    sim.conns[0].ready = Ready::Closing { told: true };
    sim.input(0, Input::SocketClosing(socket));
    for holds in (0..6).rev() {
        sim.run(2_000);
        assert!(sim.client(chan).reconnects.is_empty(), "{holds} to go");
        sim.conns[0].holds = holds * STEP;
    }
    sim.server_close(0, 4000, "moved");
    sim.run(1_000);
    let close = CloseInfo {
        code: 4000,
        reason: "moved".into(),
        was_clean: true,
    };
    let (.., cause) = &sim.client(chan).reconnects[0];
    assert_eq!(*cause, ReconnectCause::Closed(close));
}

/// The browser's own buffers swallow a little of what a dead socket holds.
#[test]
fn a_close_behind_an_upload_that_is_stuck_is_not_waited_for_for_ever() {
    let mut sim = Sim::with_tabs(8, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.conns[0].half_open = true;
    sim.conns[0].holds = 6 * STEP;
    close(&mut sim, chan);
    sim.run(20_000);
    sim.conns[0].holds = 5 * STEP;
    sim.run(131_000);
    assert_eq!(sim.client(chan).stops, [closed(1006, "")]);
}

#[test]
fn a_tab_that_asks_for_a_new_socket_gets_one() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    close(&mut sim, chan);
    sim.run(1_000);
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn who_joined_while_the_server_was_waited_for_was_ended_with_the_others() {
    let mut sim = Sim::with_tabs(10, 2);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    sim.net_delay = 100;
    close(&mut sim, chan);
    sim.run_until("it is shut", |sim| sim.conns[0].ready != Ready::Open);
    let newcomer = sim.open(1, URL);
    let send = sim.send(newcomer, "s:hello");
    sim.run(1_000);
    assert_eq!(sim.client(newcomer).stops, []);
    assert!(sim.client(newcomer).is_connected());
    assert_eq!(sim.outcome(newcomer, send), Some(&Outcome::Sent));
    assert_eq!(sim.got_on(1), ["s:hello"]);
    // Its own words have gone out, and nobody waits for what answers them.
    assert_eq!(sim.client(chan).stops, [closed(1006, "")]);
    assert!(sim.client(chan).is_connected());
    assert_eq!(sim.most_live, 1);
}

#[test]
fn who_joined_while_a_log_out_waited_for_the_queue_was_logged_out_with_the_others() {
    let mut sim = Sim::with_tabs(11, 2);
    sim.server.mode = Mode::Silent;
    let chan = sim.open(0, URL);
    let queued = sim.send(chan, "s:of the one before");
    sim.run(1_000);
    sim.in_tab(0, |session| {
        session.log_out(chan.id, Some(Millis(10_000)));
        session.close(chan.id);
    });
    sim.run(1_000);
    sim.start_server();
    let newcomer = sim.open(1, URL);
    let send = sim.send(newcomer, "s:of the next");
    sim.run(20_000);
    assert_eq!(sim.client(newcomer).stops, []);
    assert!(sim.client(newcomer).is_connected());
    assert_eq!(sim.outcome(newcomer, send), Some(&Outcome::Sent));
    assert_eq!(sim.server_got(), ["s:of the next"]);
    assert!(matches!(
        sim.outcome(chan, queued),
        Some(Outcome::NotSent(_))
    ));
}

#[test]
fn what_a_tab_says_before_its_welcome_closes_the_socket_of_all() {
    let mut sim = Sim::with_tabs(6, 1);
    let other = sim.open(0, URL);
    sim.run(1_000);
    let tab = sim.tab(0);
    let chan = sim.open(tab, URL);
    close(&mut sim, chan);
    sim.run(1_000);
    for chan in [chan, other] {
        assert_eq!(sim.client(chan).stops, [closed(3000, "done")]);
    }
    assert_eq!(sim.dials.len(), 1);
}
