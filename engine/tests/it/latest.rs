//! Streams of state: a tab that does not keep up is given the latest of each key.

use onesocket_protocol::{LatestBy, LinkState, Pace, Payload};

use crate::sim::{Chan, Sim};

const URL: &str = "ws://prices/";

fn world(tabs: usize) -> (Sim, Vec<Chan>) {
    let mut sim = Sim::with_tabs(1, tabs);
    sim.server.broadcasts = false;
    sim.net_delay = 0;
    let open = |tab| {
        sim.open_with(tab, URL, |config| {
            config.policy.latest = Some(LatestBy::JsonMember("s".into()));
        })
    };
    let chans: Vec<_> = (0..tabs).map(open).collect();
    sim.run(1_000);
    (sim, chans)
}

fn tick(sim: &mut Sim, symbol: &str, price: u32) {
    let conn = sim.open_conns()[0];
    let text = format!(r#"{{"s":"{symbol}","p":{price}}}"#);
    sim.server_post(conn, Payload::text(text));
    sim.run(1);
}

#[test]
fn a_frozen_tab_wakes_to_the_latest_of_each_key_and_the_others_got_all() {
    let (mut sim, chans) = world(2);
    sim.in_tab(1, |session| session.set_pace(Pace::AT_ONCE));
    sim.port_delay = 0;
    sim.freeze(0);
    for price in 0..5_000 {
        for symbol in ["a", "b", "c"] {
            tick(&mut sim, symbol, price);
        }
    }
    tick(&mut sim, "b", 7);
    assert_eq!(sim.client(chans[1]).texts().len(), 15_001);
    sim.thaw(0);
    sim.run(100);
    let got = sim.client(chans[0]).texts();
    let expect = [
        r#"{"s":"a","p":0}"#,
        r#"{"s":"a","p":4999}"#,
        r#"{"s":"c","p":4999}"#,
        r#"{"s":"b","p":7}"#,
    ];
    assert_eq!(got, expect, "the first was in flight");
    assert!(sim.client(chans[0]).lagged.is_empty());
}

#[test]
fn what_has_no_key_is_neither_replaced_nor_overtaken() {
    let (mut sim, chans) = world(1);
    sim.port_delay = 0;
    sim.freeze(0);
    let conn = sim.open_conns()[0];
    for price in 0..10 {
        tick(&mut sim, "a", price);
        if price == 5 {
            sim.server_post(conn, Payload::text("news"));
            sim.run(1);
        }
    }
    sim.thaw(0);
    sim.run(100);
    let expect = [
        r#"{"s":"a","p":0}"#,
        r#"{"s":"a","p":5}"#,
        "news",
        r#"{"s":"a","p":9}"#,
    ];
    assert_eq!(sim.client(chans[0]).texts(), expect);
}

#[test]
fn the_loss_of_the_socket_is_told_behind_the_latest() {
    let (mut sim, chans) = world(1);
    sim.port_delay = 0;
    sim.freeze(0);
    tick(&mut sim, "a", 1);
    tick(&mut sim, "a", 2);
    sim.stop_server();
    sim.run(100);
    sim.thaw(0);
    sim.run(10);
    assert_eq!(
        sim.client(chans[0]).texts().last(),
        Some(&r#"{"s":"a","p":2}"#)
    );
    let state = sim.client(chans[0]).last_state().clone();
    assert!(!matches!(state, LinkState::Connected { .. }), "{state:?}");
}

#[test]
fn so_many_keys_that_they_are_over_the_bound_lag_like_anything_else() {
    let (mut sim, chans) = world(1);
    sim.port_delay = 0;
    sim.freeze(0);
    let conn = sim.open_conns()[0];
    let padding = "x".repeat(100_000);
    for symbol in 0..1_000 {
        let text = format!(r#"{{"s":{symbol},"pad":"{padding}"}}"#);
        sim.server_post(conn, Payload::text(text));
        sim.run(1);
    }
    sim.thaw(0);
    sim.run(1_000);
    let missed: u64 = sim.client(chans[0]).lagged.iter().sum();
    assert!(missed > 100, "{missed}");
    assert_eq!(sim.client(chans[0]).texts().len() as u64 + missed, 1_000);
}
