//! What the open socket holds that has not gone to the network, as those who send are told.

use onesocket_engine::{Input, Loss};
use onesocket_protocol::{Payload, limits::BUFFERED_STEP_BYTES as STEP};

use crate::sim::{Chan, Outcome, Sim};

const URL: &str = "ws://chat/";

fn send_steps(sim: &mut Sim, chan: Chan, steps: u32) {
    let payload = Payload::binary(vec![0; (steps * STEP) as usize]);
    sim.try_send(chan, payload).expect("taken");
}

fn buffered(sim: &Sim, chan: Chan) -> usize {
    sim.tabs[chan.tab].session.buffered_bytes(chan.id)
}

fn told(sim: &Sim, chan: Chan) -> Vec<u32> {
    let buffered = sim.client(chan).buffered.iter();
    buffered.map(|bytes| bytes / STEP).collect()
}

/// A world in which the socket of all tabs is open, and its server has stopped to read.
fn clogged(seed: u64, tabs: usize) -> (Sim, Vec<Chan>) {
    let mut sim = Sim::with_tabs(seed, tabs);
    let chans = (0..tabs).map(|tab| sim.open(tab, URL)).collect();
    sim.run(500);
    sim.conns[0].clogged = true;
    (sim, chans)
}

#[test]
fn what_a_tab_has_sent_counts_until_it_is_with_the_network() {
    let (mut sim, chans) = clogged(1, 1);
    let chan = chans[0];
    send_steps(&mut sim, chan, 5);
    assert_eq!(buffered(&sim, chan), 5 * STEP as usize, "it is in the tab");
    sim.run(100);
    assert_eq!(sim.outcomes(chan), [Outcome::Sent], "nothing is held back");
    assert_eq!(buffered(&sim, chan), 5 * STEP as usize, "the socket has it");
    assert_eq!(told(&sim, chan), [5]);
    sim.run(60_000);
    assert_eq!(told(&sim, chan), [5], "nothing has changed");

    sim.unclog(0);
    sim.run(1_100);
    assert_eq!((told(&sim, chan), buffered(&sim, chan)), (vec![5, 0], 0));
    assert_eq!(sim.server_got().len(), 1);
}

#[test]
fn a_socket_that_drains_is_looked_at_without_any_other_input() {
    let (mut sim, chans) = clogged(2, 1);
    send_steps(&mut sim, chans[0], 4);
    sim.run(100);
    for holds in (0..4).rev() {
        sim.conns[0].holds = holds * STEP;
        sim.run(200);
    }
    assert_eq!(told(&sim, chans[0]), [4, 3, 2, 1, 0]);
}

/// A worker must not run hot for as long as a server reads nothing.
#[test]
fn a_socket_that_hangs_is_looked_at_less_and_less() {
    let (mut sim, chans) = clogged(3, 1);
    send_steps(&mut sim, chans[0], 1);
    sim.run(5_000);
    let before = sim.steps;
    sim.run(60_000);
    let steps = sim.steps - before;
    assert!((50..80).contains(&steps), "{steps} steps in a minute");
    sim.unclog(0);
    sim.run(5_000);
    let before = sim.steps;
    sim.run(60_000);
    assert!(sim.steps - before < 10, "nothing is left to look at");
}

#[test]
fn whoever_only_listens_is_told_nothing_before_it_sends() {
    let (mut sim, chans) = clogged(4, 2);
    send_steps(&mut sim, chans[0], 3);
    sim.run(2_000);
    assert_eq!(
        (told(&sim, chans[0]), told(&sim, chans[1])),
        (vec![3], vec![])
    );
    sim.send(chans[1], "so little that the socket holds no step more");
    sim.run(100);
    assert_eq!(told(&sim, chans[1]), [3]);
    sim.send(chans[1], "once is enough");
    send_steps(&mut sim, chans[1], 1);
    sim.run(2_000);
    assert_eq!(
        (told(&sim, chans[0]), told(&sim, chans[1])),
        (vec![3, 4], vec![3, 4])
    );
    sim.unclog(0);
    sim.run(2_000);
    assert_eq!(told(&sim, chans[0]), [3, 4, 0]);
    assert_eq!(told(&sim, chans[1]), [3, 4, 0]);
}

#[test]
fn a_socket_that_is_lost_holds_nothing_any_more() {
    for (seed, code) in [(5, 1006), (6, 4000)] {
        let (mut sim, chans) = clogged(seed, 2);
        sim.conns[0].holds = 7 * STEP;
        sim.send(chans[0], "of one tab");
        sim.send(chans[1], "of the other");
        sim.run(100);
        assert_eq!(buffered(&sim, chans[1]), 7 * STEP as usize);
        sim.server_close(0, code, "");
        sim.run(100);
        for chan in &chans {
            assert_eq!((told(&sim, *chan), buffered(&sim, *chan)), (vec![7, 0], 0));
        }
        sim.run(60_000);
        assert_eq!(sim.conns.len(), 2, "one dial more");
        assert_eq!(told(&sim, chans[0]), [7, 0], "the new one holds nothing");
    }
}

/// Its next worker has another socket.
#[test]
fn a_worker_that_is_lost_takes_its_socket_with_it() {
    let (mut sim, chans) = clogged(7, 1);
    sim.conns[0].holds = 2 * STEP;
    sim.send(chans[0], "x");
    sim.run(100);
    assert_eq!(told(&sim, chans[0]), [2]);
    sim.kill_worker(0);
    sim.in_tab(0, |session| session.detach(Loss::Ended));
    assert_eq!(
        (told(&sim, chans[0]), buffered(&sim, chans[0])),
        (vec![2, 0], 0)
    );

    sim.send(chans[0], "waits for the next one");
    assert_eq!(buffered(&sim, chans[0]), 22);
    let next = sim.worker();
    sim.attach(0, next);
    sim.run(1_000);
    assert_eq!(
        (told(&sim, chans[0]), buffered(&sim, chans[0])),
        (vec![2, 0], 0)
    );
}

#[test]
fn a_hand_over_leaves_the_socket_behind() {
    let (mut sim, chans) = clogged(8, 1);
    sim.conns[0].holds = 2 * STEP;
    sim.send(chans[0], "x");
    sim.run(100);
    let next = sim.worker();
    sim.hand_over(0, next);
    sim.run(1_000);
    assert_eq!(
        (told(&sim, chans[0]), buffered(&sim, chans[0])),
        (vec![2, 0], 0)
    );
    assert!(sim.client(chans[0]).is_connected());
}

#[test]
fn what_waits_for_a_socket_counts_for_its_own_channel_only() {
    let mut sim = Sim::with_tabs(9, 1);
    sim.stop_server();
    let (one, other) = (sim.open(0, URL), sim.open(0, "ws://other/"));
    sim.run(500);
    sim.send(one, "123");
    sim.send(other, "12345");
    sim.run(500);
    assert_eq!((buffered(&sim, one), buffered(&sim, other)), (3, 5));
    sim.close(one);
    sim.run(500);
    assert_eq!((buffered(&sim, one), buffered(&sim, other)), (0, 5));
}

/// It is another socket by then, or none.
#[test]
fn what_is_said_of_a_socket_that_is_gone_is_ignored() {
    let (mut sim, chans) = clogged(10, 1);
    sim.send(chans[0], "x");
    sim.run(100);
    let socket = sim.conns[0].socket;
    sim.server_close(0, 1006, "");
    sim.run(100);
    let bytes = STEP;
    sim.input(0, Input::Buffered { socket, bytes });
    sim.run(100);
    assert_eq!(told(&sim, chans[0]), []);
}
