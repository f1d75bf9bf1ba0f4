//! What waits while no socket is open.

use onesocket_engine::{Input, SendRejected};
use onesocket_protocol::{CloseInfo, Millis, Payload, ReconnectCause, SendFailure, limits};

use crate::sim::{Mode, Outcome, Sim};

const URL: &str = "ws://chat/";

#[test]
fn what_was_sent_without_a_socket_is_flushed_in_order() {
    let mut sim = Sim::with_tabs(1, 2);
    sim.stop_server();
    let (a, b) = (sim.open(0, URL), sim.open(1, URL));
    for number in 0..100 {
        sim.send(a, &format!("a{number:03}"));
        sim.send(b, &format!("b{number:03}"));
        sim.run(7);
    }
    assert_eq!(sim.outcomes(a), []);
    sim.start_server();
    sim.run(60_000);
    let got = sim.server_got();
    for (chan, name) in [(a, 'a'), (b, 'b')] {
        let mine: Vec<&String> = got.iter().filter(|text| text.starts_with(name)).collect();
        assert!(mine.len() == 100 && mine.is_sorted());
        assert_eq!(sim.outcomes(chan), vec![Outcome::Sent; 100]);
    }
}

#[test]
fn a_queue_that_is_full_by_count_says_so() {
    let mut sim = Sim::with_tabs(2, 1);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| config.policy.queue.messages = 2);
    let sends = ["one", "two", "three"].map(|text| sim.send(chan, text));
    sim.run(500);
    let full = SendFailure::QueueFull {
        messages: 2,
        bytes: 6,
    };
    assert_eq!(sim.outcome(chan, sends[2]), Some(&Outcome::NotSent(full)));
    sim.start_server();
    sim.run(10_000);
    assert_eq!(sim.server_got(), ["one", "two"]);
    let fourth = sim.send(chan, "four");
    sim.run(1_000);
    assert_eq!(sim.outcome(chan, fourth), Some(&Outcome::Sent));
}

#[test]
fn a_queue_that_is_full_by_bytes_says_so_and_takes_what_still_fits() {
    let mut sim = Sim::with_tabs(3, 2);
    sim.stop_server();
    let limit = |config: &mut onesocket_engine::ChannelConfig| config.policy.queue.bytes = 10;
    let (a, b) = (sim.open_with(0, URL, limit), sim.open_with(1, URL, limit));
    sim.send(a, "12345678");
    sim.run(100);
    let long = sim.send(b, "123");
    let short = sim.send(b, "12");
    sim.run(100);
    let full = SendFailure::QueueFull {
        messages: 1,
        bytes: 8,
    };
    assert_eq!(sim.outcome(b, long), Some(&Outcome::NotSent(full)));
    assert_eq!(sim.outcome(b, short), None);
    sim.start_server();
    sim.run(10_000);
    assert_eq!(sim.server_got(), ["12345678", "12"]);
}

#[test]
fn what_has_waited_too_long_expires_and_the_rest_is_sent() {
    let mut sim = Sim::with_tabs(4, 1);
    sim.stop_server();
    let chan = sim.open_with(0, URL, |config| {
        config.policy.queue.timeout = Some(Millis(5_000))
    });
    let old = sim.send(chan, "old");
    sim.run(4_000);
    let young = sim.send(chan, "young");
    sim.run(1_500);
    assert_eq!(
        sim.outcome(chan, old),
        Some(&Outcome::NotSent(SendFailure::Expired))
    );
    assert_eq!(sim.outcome(chan, young), None);
    sim.start_server();
    sim.in_tab(0, |session| session.reconnect(chan.id));
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["young"]);
}

#[test]
fn what_had_waited_too_long_was_sent_when_the_socket_opened_before_the_timer() {
    let mut sim = Sim::with_tabs(11, 1);
    // As in a page that is hidden.
    sim.timer_slack = 600_000;
    sim.server.mode = Mode::Slow(3_000);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.queue.timeout = Some(Millis(2_000))
    });
    let old = sim.send(chan, "old");
    sim.run(2_000);
    let young = sim.send(chan, "young");
    sim.run(2_000);
    let expired = Outcome::NotSent(SendFailure::Expired);
    assert_eq!(sim.outcome(chan, old), Some(&expired));
    assert_eq!(sim.outcome(chan, young), Some(&Outcome::Sent));
    assert_eq!(sim.server_got(), ["young"]);
}

#[test]
fn the_time_of_a_sleep_in_which_the_clock_stood_still_did_not_count() {
    let mut sim = Sim::with_tabs(16, 1);
    sim.server.mode = Mode::Silent;
    let chan = sim.open(0, URL);
    let send = sim.send(chan, "s:before");
    sim.run(1_000);
    sim.server.mode = Mode::Normal;
    sim.input(0, Input::Slept(Millis(600_000)));
    sim.run(60_000);
    assert!(sim.client(chan).is_connected());
    let expired = Outcome::NotSent(SendFailure::Expired);
    assert_eq!(sim.outcome(chan, send), Some(&expired));
}

#[test]
fn a_later_policy_did_not_hold_for_what_stood_behind_older_sends() {
    let mut sim = Sim::with_tabs(5, 2);
    sim.server.mode = Mode::Silent;
    let first = sim.open_with(0, URL, |config| config.policy.queue.timeout = None);
    sim.send(first, "without an end");
    sim.run(100);
    sim.bye(0);
    sim.run(100);
    let second = sim.open_with(1, URL, |config| {
        config.policy.queue.timeout = Some(Millis(1_000))
    });
    let send = sim.send(second, "for a second");
    sim.run(2_000);
    assert_eq!(
        sim.outcome(second, send),
        Some(&Outcome::NotSent(SendFailure::Expired))
    );
}

#[test]
fn a_closed_channel_gets_back_what_it_had_queued() {
    let mut sim = Sim::with_tabs(6, 2);
    sim.stop_server();
    let (a, b) = (sim.open(0, URL), sim.open(1, URL));
    sim.send(a, "a");
    sim.send(b, "b");
    sim.run(100);
    sim.close(a);
    sim.run(100);
    assert_eq!(
        sim.outcomes(a),
        [Outcome::NotSent(SendFailure::Disconnected)]
    );
    assert!(sim.client(a).closed);
    sim.start_server();
    sim.run(10_000);
    assert_eq!(sim.server_got(), ["b"]);
}

#[test]
fn what_a_tab_had_queued_is_sent_after_it_is_gone_while_others_hold_the_connection() {
    let mut sim = Sim::with_tabs(7, 2);
    sim.stop_server();
    let (a, _b) = (sim.open(0, URL), sim.open(1, URL));
    sim.send(a, "last words");
    sim.run(100);
    sim.bye(0);
    sim.start_server();
    sim.run(10_000);
    assert_eq!(sim.server_got(), ["last words"]);
}

#[test]
fn a_payload_over_the_cap_is_not_even_taken() {
    let mut sim = Sim::with_tabs(8, 1);
    let chan = sim.open(0, URL);
    let (bytes, cap) = (limits::MAX_PAYLOAD_BYTES + 1, limits::MAX_PAYLOAD_BYTES);
    let sent = sim.try_send(chan, Payload::binary(vec![0; bytes]));
    assert_eq!(sent, Err(SendRejected::TooLarge { bytes, cap }));
    sim.run(1_000);
    sim.close(chan);
    sim.run(1_000);
    assert_eq!(
        sim.try_send(chan, Payload::text("late")),
        Err(SendRejected::Closed)
    );
}

#[test]
fn sends_after_the_close_frame_wait_for_the_next_socket() {
    let mut sim = Sim::with_tabs(9, 1);
    (sim.net_delay, sim.close_event_delay) = (0, 900);
    let chan = sim.open(0, URL);
    sim.run(1_000);
    // The close frame is here at once; its event, like the engine's knowledge, comes later.
    sim.server_close(0, 1001, "");
    sim.run(0);
    let send = sim.send(chan, "not into the void");
    sim.run(5_000);
    assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    assert_eq!(sim.server_got(), ["not into the void"]);
}

#[test]
fn a_close_event_that_never_comes_is_waited_for_three_seconds() {
    let mut sim = Sim::with_tabs(10, 1);
    sim.close_event_delay = 0;
    let chan = sim.open(0, URL);
    sim.run(1_000);
    let socket = sim.conns[0].socket;
    sim.conns[0].half_open = true;
    sim.conns[0].ready = crate::sim::Ready::Closing { told: true };
    sim.input(0, Input::SocketClosing(socket));
    let before = sim.now;
    sim.run_until("a reconnect", |sim| !sim.client(chan).reconnects.is_empty());
    assert!((3_000..3_100).contains(&(sim.now - before)));
    sim.run(3_000);
    assert!(sim.client(chan).is_connected());
}

#[test]
fn a_close_event_that_waits_for_the_server_to_hang_up_says_why() {
    for seed in 0..20 {
        let mut sim = Sim::with_tabs(seed, 1);
        // As long as Chromium waits.
        (sim.net_delay, sim.close_event_delay) = (0, 2_000);
        let chan = sim.open(0, URL);
        sim.run(1_000);
        sim.server_close(0, 4000, "moved");
        sim.run(0);
        sim.send(chan, "s:what makes the worker look");
        sim.run(10_000);
        let (.., cause) = &sim.client(chan).reconnects[0];
        let close = CloseInfo {
            code: 4000,
            reason: "moved".into(),
            was_clean: true,
        };
        assert_eq!(*cause, ReconnectCause::Closed(close));
    }
}
