use std::time::Duration;

use super::*;

const CLIENTS: usize = 2_000;
const SERVER: Server = Server {
    handshakes_per_second: 100,
    backlog: 800,
};

fn herd(strategy: Strategy, down: u64, code: u16, reason: &'static str) -> Report {
    let outage = Outage {
        down: Duration::from_secs(down),
        code,
        reason,
    };
    run(CLIENTS, strategy, SERVER, outage, 7)
}

fn without() -> impl Iterator<Item = Report> {
    [FIXED, EXPONENTIAL, STEPS, HALF_JITTER]
        .into_iter()
        .map(|schedule| herd(Strategy::Other(schedule), 10, 1006, ""))
}

#[test]
fn a_herd_comes_back_at_half_the_rate_of_others_without_a_word_from_the_server() {
    let ours = herd(Strategy::Ours, 10, 1006, "");
    for other in without() {
        assert!(
            ours.peak() * 2 < other.peak() + other.peak() / 10,
            "{} against {}",
            ours.peak(),
            other.peak()
        );
    }
    let all = ours.back_after(100).expect("all come back");
    assert!(all < Duration::from_secs(60), "{all:?}");
}

#[test]
fn a_herd_that_was_told_of_a_restart_comes_back_at_a_tenth_of_the_rate_of_others() {
    for reason in ["", "spread=30", "retry-after=10 spread=30"] {
        let ours = herd(Strategy::Ours, 10, 1012, reason);
        for other in without() {
            assert!(
                ours.peak() * 10 < other.peak(),
                "{reason}: {} against {}",
                ours.peak(),
                other.peak()
            );
        }
        assert!(ours.back_after(100).is_some(), "all come back");
    }
}

#[test]
fn nobody_dials_before_the_delay_that_the_server_has_directed() {
    for (reason, seconds) in [("retry-after=10", 10), ("retry-after=25 spread=30", 25)] {
        let ours = herd(Strategy::Ours, 0, 1013, reason);
        let (delay, soonest) = (Duration::from_secs(seconds), ours.soonest_dial());
        // The engine counts in whole milliseconds.
        let earliest = delay - Duration::from_millis(1);
        assert!(
            soonest.is_some_and(|at| (earliest..delay + Duration::from_secs(1)).contains(&at)),
            "{reason}: {soonest:?}"
        );
    }
}

#[test]
fn a_spread_that_the_server_can_take_is_one_dial_each() {
    let ours = herd(Strategy::Ours, 10, 1012, "retry-after=10 spread=30");
    assert_eq!(ours.dials(), CLIENTS);
    assert_eq!(ours.wasted, 0);
}

#[test]
fn every_client_of_every_herd_comes_back() {
    for report in without() {
        assert!(report.back_after(100).is_some());
        assert!(
            report.peak() >= CLIENTS * 9 / 10,
            "the server hears of them all at once"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_herd() {
    let [one, two] = [1012, 1012].map(|code| herd(Strategy::Ours, 10, code, ""));
    assert_eq!(one.dials_by_second(), two.dials_by_second());
    let dials: usize = one.dials_by_second().iter().sum();
    assert_eq!(dials, one.dials());
}
