//! Tabs that do not read.

use crate::sim::Sim;

const URL: &str = "ws://chat/";

#[test]
fn a_tab_that_never_acknowledges_slows_nobody_and_learns_exactly_what_it_missed() {
    let mut sim = Sim::with_tabs(1, 2);
    let (awake, frozen) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    sim.freeze(1);
    let total = 400;
    let body = "x".repeat(100 * 1024);
    for _ in 0..total {
        sim.server_say(0, &body);
        sim.run(50);
    }
    assert_eq!(sim.client(awake).messages.len(), total);
    assert_eq!(sim.client(awake).lagged, [0; 0]);
    assert_eq!(sim.client(frozen).messages.len(), 0);
    sim.thaw(1);
    sim.run(5_000);
    sim.server_say(0, "awake again");
    sim.run(500);
    // The model has checked that the hole is where, and as large as, it was said.
    let client = sim.client(frozen);
    let missed: u64 = client.lagged.iter().sum();
    assert!(missed > 100, "{missed}");
    assert_eq!(client.messages.len() as u64 + missed, total as u64 + 1);
    assert_eq!(sim.bodies(frozen).last(), Some(&"awake again"));
}

/// Says so many messages of 100 KiB on the tab's connection, in one moment.
fn burst(sim: &mut Sim, messages: usize) {
    let body = "x".repeat(100 * 1024);
    (0..messages).for_each(|_| sim.server_say(0, &body));
    sim.run(0);
}

#[test]
fn a_burst_is_not_taken_for_a_tab_that_does_not_read() {
    let mut sim = Sim::with_tabs(3, 1);
    (sim.net_delay, sim.port_delay) = (0, 500);
    let chan = sim.open(0, URL);
    sim.run(5_000);
    burst(&mut sim, 400);
    sim.run(60_000);
    assert_eq!(sim.client(chan).messages.len(), 400);
    assert_eq!(sim.client(chan).lagged, [0; 0]);
}

#[test]
fn a_burst_has_its_bound_too() {
    let mut sim = Sim::with_tabs(4, 1);
    (sim.net_delay, sim.port_delay) = (0, 500);
    let chan = sim.open(0, URL);
    sim.run(5_000);
    burst(&mut sim, 800);
    sim.run(60_000);
    let client = sim.client(chan);
    let missed: u64 = client.lagged.iter().sum();
    // 64 MiB are 655 of them, and a batch of up to 1 MiB is in front and one in flight.
    assert!((120..=150).contains(&missed), "{missed}");
    assert_eq!(client.messages.len() as u64 + missed, 800);
}

#[test]
fn a_tab_that_has_read_nothing_for_two_seconds_is_not_thought_to_read_soon() {
    let mut sim = Sim::with_tabs(5, 1);
    sim.net_delay = 0;
    let chan = sim.open(0, URL);
    sim.run(5_000);
    sim.freeze(0);
    burst(&mut sim, 1);
    sim.run(1_999);
    burst(&mut sim, 400);
    sim.run(1);
    burst(&mut sim, 100);
    sim.thaw(0);
    sim.run(60_000);
    assert_eq!(sim.client(chan).lagged, [100]);
}

/// What opens a session is posted to a tab that does not read, too: it says nothing of when the tab will.
#[test]
fn a_tab_that_has_not_read_its_opening_is_not_thought_to_read_soon() {
    let mut sim = Sim::with_tabs(6, 2);
    sim.net_delay = 0;
    sim.open(0, URL);
    sim.run(5_000);
    let chan = sim.open(1, URL);
    sim.run(5_000);
    sim.freeze(1);
    burst(&mut sim, 1);
    sim.run(1_999);
    burst(&mut sim, 400);
    sim.run(1);
    burst(&mut sim, 100);
    sim.thaw(1);
    sim.run(60_000);
    assert_eq!(sim.client(chan).lagged, [100]);
}

#[test]
fn a_frozen_tab_still_settles_its_sends() {
    let mut sim = Sim::with_tabs(2, 2);
    let (chan, _other) = (sim.open(0, URL), sim.open(1, URL));
    sim.run(500);
    for _ in 0..50 {
        sim.send_numbered(chan, 10).expect("taken");
    }
    sim.freeze(0);
    sim.server_close(0, 1001, "");
    sim.run(60_000);
    sim.thaw(0);
    sim.run(1_000);
    assert_eq!(sim.client(chan).unsettled(), []);
    assert_eq!(sim.tabs[0].session.unsettled_bytes(), 0);
}
