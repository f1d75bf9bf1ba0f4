//! How often a send reaches the server, by what it asked for, when a worker or a socket is lost.

use onesocket_engine::{Delivery, Loss, TabSession};
use onesocket_protocol::{Millis, Payload, SendFailure};

use crate::sim::{Chan, Outcome, Sim};

const URL: &str = "ws://chat/";

fn deliver(
    sim: &mut Sim,
    chan: Chan,
    text: &str,
    delivery: Delivery,
) -> onesocket_protocol::SendId {
    sim.try_deliver(chan, Payload::text(text), delivery)
        .expect("taken")
}

#[test]
fn what_a_worker_that_ended_had_only_queued_goes_to_the_next_one_though_it_may_be_sent_once_only() {
    let mut sim = Sim::with_tabs(1, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    for number in 0..20 {
        sim.send(chan, &format!("{number:02}"));
        sim.run(3);
    }
    sim.run(50);
    sim.worker();
    sim.kill_worker_and_tell(0);
    sim.run(1_000);
    assert_eq!(sim.outcomes(chan), [], "all of them are with the next one");
    sim.start_server();
    sim.run(60_000);
    let expect: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    assert_eq!(sim.server_got(), expect);
    assert_eq!(sim.outcomes(chan), vec![Outcome::Sent; 20]);
}

#[test]
fn of_a_worker_that_may_live_on_everything_unconfirmed_is_a_maybe() {
    let mut sim = Sim::with_tabs(2, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    sim.run(100);
    let queued = sim.send(chan, "queued");
    sim.run(50);
    sim.in_tab(0, |session| session.detach(Loss::Unknown));
    assert_eq!(sim.outcome(chan, queued), Some(&Outcome::MaybeSent));
}

#[test]
fn only_the_batch_in_flight_is_a_maybe_of_a_worker_that_ended() {
    let mut sim = Sim::with_tabs(3, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    let done = sim.send(chan, "done");
    sim.run(50);
    let in_flight = sim.send(chan, "in flight");
    let gathers = sim.send(chan, "gathers");
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.detach(Loss::Ended));
    assert_eq!(sim.outcome(chan, done), Some(&Outcome::Sent));
    assert_eq!(sim.outcome(chan, in_flight), Some(&Outcome::MaybeSent));
    assert_eq!(sim.outcome(chan, gathers), None);
}

/// A tab waits for a moment until it is certain of the end.
#[test]
fn what_was_sent_between_the_loss_of_a_worker_and_its_burial_was_a_maybe() {
    let mut sim = Sim::with_tabs(3, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    sim.kill_worker(0);
    sim.in_tab(0, TabSession::hush);
    let late = sim.send(chan, "late");
    sim.run(500);
    sim.in_tab(0, |session| session.abandon(Loss::Ended));
    assert_eq!(sim.outcome(chan, late), None);
    let next = sim.worker();
    sim.attach(0, next);
    let later = sim.send(chan, "later");
    sim.run(1_000);
    for send in [late, later] {
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    }
    assert_eq!(sim.server_got(), ["late", "later"]);
}

/// A worker dies after each number of outputs of the drain in which it empties its queue into a fresh socket.
#[test]
fn a_worker_that_dies_while_it_empties_its_queue_has_sent_nothing_that_is_sent_again() {
    let mut seen_maybe = false;
    for outputs in 0..30 {
        let mut sim = Sim::with_tabs(4, 2);
        sim.net_delay = 0;
        sim.stop_server();
        let chans = [sim.open(0, URL), sim.open(1, URL)];
        for _ in 0..5 {
            for chan in chans {
                sim.send_numbered(chan, 0).expect("taken");
            }
            sim.run(5);
        }
        sim.run(50);
        sim.start_server();
        sim.run_until("a dial", |sim| {
            sim.dials.len() > 1 && !sim.open_conns().is_empty()
        });
        sim.worker();
        sim.workers[0].dies_after = Some(outputs);
        sim.run(120_000);
        let mut got = sim.server_got();
        let arrived = got.len();
        got.sort();
        got.dedup();
        assert_eq!(got.len(), arrived, "{outputs}: twice");
        for chan in chans {
            let outcomes = sim.outcomes(chan);
            assert_eq!(outcomes.len(), 5, "{outputs}: {outcomes:?}");
            let maybe = outcomes.contains(&Outcome::MaybeSent);
            seen_maybe |= maybe;
            let sent = outcomes.iter().filter(|o| **o == Outcome::Sent).count();
            let from = format!("s:{}.", chan.tab);
            let mine = got.iter().filter(|text| text.starts_with(&from)).count();
            assert!(mine >= sent, "{outputs}: {mine} of {sent} arrived");
        }
    }
    assert!(seen_maybe, "some schedule cuts the drain in the middle");
}

#[test]
fn at_least_once_is_sent_again_by_the_next_worker_in_order_and_under_its_id() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open(0, URL);
    sim.run(500);
    let once = deliver(&mut sim, chan, "once", Delivery::AtMostOnce);
    let first = deliver(&mut sim, chan, "first", Delivery::AtLeastOnce);
    let second = deliver(&mut sim, chan, "second", Delivery::AtLeastOnce);
    // All three are in the batch in flight, and arrive; the worker dies before it can say so.
    sim.run_until("the server has them", |sim| sim.server_got().len() == 3);
    sim.kill_worker(0);
    let next = sim.worker();
    sim.in_tab(0, |session| session.detach(Loss::Unknown));
    sim.attach(0, next);
    sim.run(2_000);
    let got = sim.server_got();
    assert!(
        got.len() >= 3 && got[..3] == ["once", "first", "second"],
        "{got:?}"
    );
    assert_eq!(got[3..], ["first", "second"][5 - got.len()..], "{got:?}");
    for send in [first, second] {
        assert_eq!(sim.outcome(chan, send), Some(&Outcome::Sent));
    }
    assert!(sim.outcome(chan, once).is_some());
}

#[test]
fn until_acknowledged_is_sent_again_on_the_next_socket_until_the_server_says_so() {
    let mut sim = Sim::with_tabs(6, 1);
    sim.net_delay = 0;
    sim.server.broadcasts = false;
    let chan = sim.open(0, URL);
    sim.run(500);
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    let other = sim.send(chan, "other");
    sim.run(100);
    assert_eq!(sim.outcome(chan, kept), None, "handed over is not enough");
    assert_eq!(sim.outcome(chan, other), Some(&Outcome::Sent));
    let conn = sim.open_conns()[0];
    sim.server_close(conn, 1001, "");
    let behind = sim.send(chan, "behind");
    sim.run(31_000);
    assert_eq!(sim.server_got(), ["kept", "other", "kept", "behind"]);
    assert_eq!(sim.outcome(chan, behind), Some(&Outcome::Sent));
    let conn = sim.open_conns()[0];
    sim.server_say(conn, "kept");
    sim.run(100);
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::Acknowledged));
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
    sim.server_close(conn, 1001, "");
    sim.run(10_000);
    assert_eq!(sim.server_got().len(), 4, "not again");
}

#[test]
fn until_acknowledged_survives_the_worker_and_the_change_of_worker() {
    let mut sim = Sim::with_tabs(7, 1);
    sim.server.broadcasts = false;
    let chan = sim.open(0, URL);
    sim.run(500);
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.run(100);
    let second = sim.worker();
    sim.hand_over(0, second);
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["kept", "kept"]);
    sim.worker();
    sim.kill_worker_and_tell(second);
    sim.run(2_000);
    assert_eq!(sim.server_got(), ["kept", "kept", "kept"]);
    assert_eq!(sim.outcome(chan, kept), None);
    sim.in_tab(0, |session| session.acknowledge(chan.id, kept));
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::Acknowledged));
}

#[test]
fn what_is_never_acknowledged_ends_as_a_maybe_when_its_time_is_over() {
    let mut sim = Sim::with_tabs(8, 1);
    sim.server.broadcasts = false;
    let chan = sim.open_with(0, URL, |config| {
        config.policy.queue.timeout = Some(Millis(3_000));
    });
    sim.run(500);
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.run(2_000);
    assert_eq!(sim.outcome(chan, kept), None);
    sim.run(2_000);
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::MaybeSent));
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
    sim.in_tab(0, |session| session.acknowledge(chan.id, kept));
    assert_eq!(sim.outcomes(chan).len(), 1, "too late, and no harm");
}

#[test]
fn what_is_kept_counts_as_queued() {
    let mut sim = Sim::with_tabs(9, 1);
    sim.server.broadcasts = false;
    let chan = sim.open_with(0, URL, |config| config.policy.queue.messages = 2);
    sim.run(500);
    let sends: Vec<_> = ["a", "b", "c"]
        .map(|text| deliver(&mut sim, chan, text, Delivery::UntilAcknowledged))
        .into();
    sim.run(200);
    let full = |bytes| Outcome::NotSent(SendFailure::QueueFull { messages: 2, bytes });
    assert_eq!(sim.outcome(chan, sends[2]), Some(&full(2)));
    sim.in_tab(0, |session| session.acknowledge(chan.id, sends[0]));
    sim.run(50);
    let fits = deliver(&mut sim, chan, "d", Delivery::UntilAcknowledged);
    sim.run(200);
    assert_eq!(sim.outcome(chan, fits), None);
    assert_eq!(sim.server_got(), ["a", "b", "d"]);
}

#[test]
fn a_client_that_closes_is_told_what_was_not_acknowledged() {
    let mut sim = Sim::with_tabs(10, 1);
    sim.server.broadcasts = false;
    let chan = sim.open(0, URL);
    sim.run(500);
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.run(200);
    sim.close(chan);
    sim.run(200);
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::MaybeSent));
    assert!(sim.client(chan).closed);
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
}

#[test]
fn what_was_handed_over_right_before_a_log_out_was_told_as_not_sent() {
    let mut sim = Sim::with_tabs(13, 1);
    sim.server.broadcasts = false;
    let chan = sim.open(0, URL);
    sim.run(500);
    // While it is in flight, both of the others gather for one frame.
    sim.send(chan, "in flight");
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.in_tab(0, |session| session.log_out(chan.id, None));
    sim.run(200);
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::MaybeSent));
}

#[test]
fn an_acknowledgement_of_what_was_sent_before_the_worker_was_lost_ends_it_at_once() {
    let mut sim = Sim::with_tabs(11, 1);
    sim.server.broadcasts = false;
    let chan = sim.open(0, URL);
    sim.run(500);
    let kept = deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.run(200);
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.detach(Loss::Ended));
    // By whatever way the app has heard it.
    sim.in_tab(0, |session| session.acknowledge(chan.id, kept));
    assert_eq!(sim.outcome(chan, kept), Some(&Outcome::Acknowledged));
    let next = sim.worker();
    sim.attach(0, next);
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["kept"]);
}

#[test]
fn what_a_tab_that_is_gone_had_queued_is_sent_once_and_not_kept() {
    let mut sim = Sim::with_tabs(12, 2);
    sim.server.broadcasts = false;
    sim.stop_server();
    let (chan, other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(200);
    deliver(&mut sim, chan, "kept", Delivery::UntilAcknowledged);
    sim.run(200);
    sim.crash_tab(0);
    sim.run(200);
    sim.start_server();
    sim.run(60_000);
    assert_eq!(sim.server_got(), ["kept"]);
    let conn = sim.open_conns()[0];
    sim.server_close(conn, 1001, "");
    sim.run(60_000);
    assert!(sim.client(other).is_connected());
    assert_eq!(sim.server_got(), ["kept"], "nobody is left to hear of it");
}

/// As one does that stands for a single socket.
#[test]
fn what_is_sent_on_a_socket_that_went_with_its_worker_is_not_sent_on_the_next_one_without_a_queue()
{
    let mut sim = Sim::with_tabs(16, 1);
    let chan = sim.open_with(0, URL, |config| {
        config.policy.give_up.attempts = Some(1);
        config.policy.queue.messages = 0;
    });
    sim.run(500);
    let first = sim.send(chan, "s:first");
    sim.run(500);
    let worker = sim.worker();
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.detach(Loss::Ended));
    let late = sim.send(chan, "s:late");
    sim.attach(0, worker);
    // The tab looks no sooner than its second socket is open.
    sim.run_until("another dial", |sim| sim.dials.len() == 2);
    sim.freeze(0);
    sim.run(1_000);
    assert_eq!(sim.open_conns().len(), 1);
    sim.thaw(0);
    sim.run(1_000);
    assert_eq!(sim.server_got(), ["s:first"]);
    assert_eq!(sim.outcome(chan, first), Some(&Outcome::Sent));
    let late = sim.outcome(chan, late);
    assert!(
        matches!(late, Some(Outcome::NotSent(SendFailure::QueueFull { .. }))),
        "{late:?}"
    );
}

/// Another tab is with the next worker sooner, and has opened its socket.
#[test]
fn what_may_not_wait_went_out_on_a_socket_that_another_tab_had_opened() {
    for seed in 0..20 {
        let mut sim = Sim::with_tabs(seed, 2);
        let [chan, other] = [0, 1].map(|tab| {
            sim.open_with(tab, URL, |config| {
                config.policy.give_up.attempts = Some(1);
                config.policy.queue.messages = 0;
            })
        });
        sim.run(500);
        let first = sim.send(chan, "s:first");
        sim.run(500);
        let worker = sim.worker();
        sim.kill_worker(0);
        for tab in [0, 1] {
            sim.in_tab(tab, |session| session.detach(Loss::Ended));
        }
        sim.attach(1, worker);
        sim.run(500);
        assert!(sim.client(other).is_connected());
        let detached = sim.send(chan, "s:detached");
        sim.attach(0, worker);
        let greeting = sim.send(chan, "s:greeting");
        sim.run(500);
        assert_eq!(sim.server_got(), ["s:first"]);
        assert_eq!(sim.outcome(chan, first), Some(&Outcome::Sent));
        for late in [detached, greeting] {
            let late = sim.outcome(chan, late);
            assert!(
                matches!(late, Some(Outcome::NotSent(SendFailure::QueueFull { .. }))),
                "{late:?}"
            );
        }
        // Its client knows the new one by now.
        let known = sim.send(chan, "s:known");
        sim.run(500);
        assert_eq!(sim.outcome(chan, known), Some(&Outcome::Sent));
    }
}
