//! What is sent first on every socket.

use onesocket_protocol::{GreetingId, Payload, WorkerError, limits};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://chat/";

fn greet(sim: &mut Sim, chan: Chan, payload: &str, farewell: &str) -> GreetingId {
    let farewell = (!farewell.is_empty()).then(|| Payload::text(farewell));
    sim.in_tab(chan.tab, |session| {
        session.greet(chan.id, Payload::text(payload), farewell)
    })
    .expect("open")
}

#[test]
fn greetings_come_first_on_every_socket_in_their_order() {
    let mut sim = Sim::with_tabs(1, 1);
    sim.stop_server();
    let chan = sim.open(0, URL);
    sim.send(chan, "early");
    greet(&mut sim, chan, "log in", "");
    greet(&mut sim, chan, "subscribe", "");
    sim.run(500);
    sim.start_server();
    sim.run(5_000);
    assert_eq!(sim.server_got(), ["log in", "subscribe", "early"]);
    for _ in 0..3 {
        sim.server_close(sim.open_conns()[0], 1001, "");
        sim.run(30_000);
        let conn = sim.open_conns()[0];
        assert_eq!(sim.got_on(conn), ["log in", "subscribe"]);
    }
}

#[test]
fn identical_greetings_of_several_tabs_are_sent_once() {
    let mut sim = Sim::with_tabs(2, 3);
    for tab in 0..3 {
        let chan = sim.open(tab, URL);
        greet(&mut sim, chan, "log in", "");
        greet(&mut sim, chan, &format!("subscribe {tab}"), "");
        sim.run(200);
    }
    assert_eq!(
        sim.got_on(0),
        ["log in", "subscribe 0", "subscribe 1", "subscribe 2"]
    );
    sim.server_close(0, 1001, "");
    sim.run(5_000);
    let conn = sim.open_conns()[0];
    assert_eq!(
        sim.got_on(conn),
        ["log in", "subscribe 0", "subscribe 1", "subscribe 2"]
    );
}

#[test]
fn a_greeting_is_said_farewell_to_when_its_last_holder_drops_it() {
    let mut sim = Sim::with_tabs(3, 3);
    let chans: Vec<Chan> = (0..3).map(|tab| sim.open(tab, URL)).collect();
    let ids: Vec<GreetingId> = chans
        .iter()
        .map(|chan| greet(&mut sim, *chan, "subscribe", "unsubscribe"))
        .collect();
    sim.run(500);
    sim.in_tab(0, |session| session.ungreet(chans[0].id, ids[0]));
    sim.run(200);
    sim.close(chans[1]);
    sim.run(200);
    assert_eq!(sim.server_got(), ["subscribe"]);
    sim.crash_tab(2);
    sim.run(200);
    assert_eq!(sim.server_got(), ["subscribe", "unsubscribe"]);
}

#[test]
fn of_several_farewells_the_one_that_was_given_last_is_sent_when_the_last_holder_is_gone() {
    let mut sim = Sim::with_tabs(8, 4);
    let mut ids = Vec::new();
    for (tab, farewell) in ["", "leave 1", "leave 2", ""].into_iter().enumerate() {
        let chan = sim.open(tab, URL);
        ids.push((chan, greet(&mut sim, chan, "join", farewell)));
        sim.run(200);
    }
    for (chan, id) in ids {
        assert_eq!(sim.server_got(), ["join"]);
        sim.in_tab(chan.tab, |session| session.ungreet(chan.id, id));
        sim.run(200);
    }
    assert_eq!(sim.server_got(), ["join", "leave 2"]);
}

#[test]
fn a_dropped_greeting_is_not_sent_on_the_next_socket() {
    let mut sim = Sim::with_tabs(4, 1);
    let chan = sim.open(0, URL);
    let id = greet(&mut sim, chan, "subscribe", "unsubscribe");
    greet(&mut sim, chan, "other", "");
    sim.run(500);
    sim.stop_server();
    sim.run(500);
    sim.in_tab(0, |session| session.ungreet(chan.id, id));
    sim.run(500);
    sim.start_server();
    sim.run(10_000);
    assert_eq!(
        sim.server_got(),
        ["subscribe", "other", "other"],
        "and no farewell without a socket"
    );
}

#[test]
fn the_linger_keeps_the_socket_and_not_the_greetings() {
    let mut sim = Sim::with_tabs(5, 1);
    let chan = sim.open(0, URL);
    greet(&mut sim, chan, "subscribe", "unsubscribe");
    sim.run(500);
    sim.close(chan);
    sim.run(500);
    let again = sim.open(0, URL);
    greet(&mut sim, again, "subscribe", "unsubscribe");
    sim.run(500);
    assert_eq!(sim.got_on(0), ["subscribe", "unsubscribe", "subscribe"]);
}

#[test]
fn a_channel_holds_so_many_greetings_and_no_more() {
    let mut sim = Sim::with_tabs(6, 1);
    let chan = sim.open(0, URL);
    for number in 0..=limits::MAX_GREETINGS {
        greet(&mut sim, chan, &format!("{number}"), "");
    }
    sim.run(1_000);
    assert_eq!(sim.client(chan).errors, [WorkerError::TooManyGreetings]);
    assert_eq!(sim.got_on(0).len(), limits::MAX_GREETINGS);
}

#[test]
fn greetings_move_to_the_next_worker() {
    let mut sim = Sim::with_tabs(7, 1);
    let chan = sim.open(0, URL);
    greet(&mut sim, chan, "log in", "");
    sim.run(500);
    sim.kill_worker(0);
    let next = sim.worker();
    sim.attach(0, next);
    sim.send(chan, "after");
    sim.run(1_000);
    let conn = sim.first_conn_of(next).expect("open");
    assert_eq!(sim.got_on(conn), ["log in", "after"]);
}
