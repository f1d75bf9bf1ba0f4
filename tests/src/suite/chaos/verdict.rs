//! Compares what tabs believe of their sends with what the server has written down.

use std::collections::BTreeMap;

use onesocket_server::LedgerEntry;
use serde_json::Value;

use super::{Account, Plan, Strike, table::Report, table::Tally};

/// A stream of one life of a tab.
type Stream = (u64, String);

/// Where the messages of a stream arrived: number and socket, in order.
type Arrivals = BTreeMap<Stream, Vec<(u64, u64)>>;

pub(super) fn judge(
    plan: &Plan,
    strikes: &[Strike],
    accounts: &[Account],
    ledger: &[LedgerEntry],
    hanging: usize,
) -> Report {
    let arrivals = arrivals(ledger);
    let mut report = Report::new(plan, strikes, accounts.len());
    report.problems.extend(
        (hanging > 0).then(|| format!("sends of {hanging} tabs have not ended in a minute")),
    );
    let unnoticed = strikes
        .iter()
        .filter(|strike| strike.fault.is_noticed() && strike.noticed.is_none());
    report
        .problems
        .extend(unnoticed.map(|strike| format!("{}: no tab has noticed it", strike.fault)));
    for account in accounts {
        let problems = account.problems.iter();
        report
            .problems
            .extend(problems.map(|problem| format!("tab {}: {problem}", account.life)));
        for stream in ["once", "at-least-once", "until-acknowledged"] {
            let key = (account.life, stream.to_owned());
            let arrived = arrivals.get(&key).map_or(&[][..], Vec::as_slice);
            judge_stream(&mut report, account, stream, arrived);
        }
    }
    report
}

/// When the first tab noticed each fault: what a tab sees after it has recovered may be of something else.
pub(super) fn find_noticed(strikes: &mut [Strike], accounts: &[Account]) {
    let nexts: Vec<_> = strikes.iter().skip(1).map(|next| next.at).collect();
    for (number, strike) in strikes.iter_mut().enumerate() {
        let next = nexts.get(number).copied().unwrap_or(u64::MAX);
        let recovered = strike.recovered.map_or(u64::MAX, |at| at + LOOKS_EVERY);
        let moments = accounts.iter().flat_map(|account| &account.moments);
        let seen = moments
            .map(|moment| moment.at)
            .filter(|at| *at >= strike.at);
        strike.noticed = seen.min().filter(|at| *at < next && *at <= recovered);
    }
}

/// How much later than it has recovered a tab may see what has happened, in milliseconds: a hidden one has timers once a second.
const LOOKS_EVERY: u64 = 1_000;

fn arrivals(ledger: &[LedgerEntry]) -> Arrivals {
    let mut arrivals = Arrivals::new();
    for entry in ledger {
        // The heartbeat's pings are no JSON objects.
        let Ok(Value::Object(message)) = serde_json::from_str(&entry.text) else {
            continue;
        };
        let number = |name: &str| message.get(name).and_then(Value::as_u64);
        let stream = message.get("stream").and_then(Value::as_str);
        if let (Some(life), Some(stream), Some(number)) = (number("life"), stream, number("number"))
        {
            let arrived = arrivals.entry((life, stream.to_owned())).or_default();
            arrived.push((number, entry.socket));
        }
    }
    arrivals
}

fn judge_stream(report: &mut Report, account: &Account, stream: &str, arrived: &[(u64, u64)]) {
    let name = format!("{stream} of tab {}", account.life);
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    let mut firsts = Vec::new();
    for (number, _) in arrived {
        let times = times.entry(*number).or_default();
        *times += 1;
        if *times == 1 {
            firsts.push(*number);
        }
    }
    let reordered = firsts.windows(2).find(|pair| pair[0] > pair[1]);
    if let Some([earlier, later]) = reordered {
        report
            .problems
            .push(format!("{name}: {later} arrived after {earlier}"));
    }
    for sent in account.sent.iter().filter(|sent| sent.stream == stream) {
        let times = times.get(&sent.number).copied().unwrap_or(0);
        let outcome = Outcome::of(sent.outcome.as_deref());
        let tally = report.tally_at(sent.at);
        tally.sent += 1;
        tally.maybe += usize::from(outcome == Outcome::Maybe);
        tally.not_sent += usize::from(outcome == Outcome::NotSent);
        let number = sent.number;
        if times > 1 {
            tally.repeated += 1;
            if stream == "once" {
                tally.doubled += 1;
                report
                    .problems
                    .push(format!("{name}: {number} arrived {times} times"));
            }
        }
        if times > 0 && outcome == Outcome::NotSent {
            report.problems.push(format!(
                "{name}: {number} arrived and is reported as not sent"
            ));
        }
        if times == 0 && outcome == Outcome::Sent {
            let may_miss = stream != "until-acknowledged" && !is_hole(arrived, number);
            let tally = report.tally_at(sent.at);
            if may_miss {
                tally.on_the_wire += 1;
            } else {
                tally.lost += 1;
                report
                    .problems
                    .push(format!("{name}: {number} is sent and never arrived"));
            }
        }
        if outcome == Outcome::Other {
            let outcome = sent.outcome.as_deref().unwrap_or("nothing");
            report
                .problems
                .push(format!("{name}: {number} ended as {outcome:?}"));
        }
        if outcome == Outcome::None && account.is_final {
            report.problems.push(format!("{name}: {number} hangs"));
        }
    }
}

/// Whether something sent before and something sent after it arrived on the same socket: then no network has lost it.
fn is_hole(arrived: &[(u64, u64)], number: u64) -> bool {
    let mut before = arrived.iter().filter(|(other, _)| *other < number);
    before.any(|(_, socket)| {
        arrived
            .iter()
            .any(|(other, on)| *other > number && on == socket)
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Sent,
    Maybe,
    NotSent,
    Other,
    /// It has not ended, or nobody was left to hear of it.
    None,
}

impl Outcome {
    fn of(text: Option<&str>) -> Self {
        match text {
            None => Self::None,
            Some("sent") => Self::Sent,
            Some(text) if text.contains("may have been sent") => Self::Maybe,
            Some(text) if text.contains("was not sent") => Self::NotSent,
            Some(_) => Self::Other,
        }
    }
}

impl Report {
    /// The tally of the fault that came last before a moment.
    fn tally_at(&mut self, at: u64) -> &mut Tally {
        let last = self.strikes.iter().rposition(|strike| strike.at <= at);
        let fault = last.map(|last| self.strikes[last].fault);
        self.tallies.entry(fault).or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        browser::Engine,
        suite::{
            Tier,
            chaos::{Course, Fault, Moment, Sent},
        },
    };

    fn plan() -> Plan {
        Plan {
            engine: Engine::Chromium,
            tier: Tier::Shared,
            tabs: 1,
            course: Course::Each {
                times: 1,
                only: None,
            },
            dist: PathBuf::new(),
        }
    }

    /// What one tab believes, and what arrived as `(number, socket)`.
    fn problems(stream: &str, believed: &[(u64, Option<&str>)], arrived: &[(u64, u64)]) -> usize {
        let sent = believed.iter().map(|(number, outcome)| Sent {
            stream: stream.to_owned(),
            number: *number,
            at: 1,
            outcome: outcome.map(str::to_owned),
        });
        let account = Account {
            life: 1,
            sent: sent.collect(),
            moments: vec![Moment { at: 1 }],
            problems: Vec::new(),
            is_final: true,
        };
        let mut report = Report::new(&plan(), &[], 1);
        judge_stream(&mut report, &account, stream, arrived);
        report.problems.len()
    }

    const MAYBE: Option<&str> = Some("message 2 may have been sent");
    const NOT: Option<&str> = Some("the message was not sent: expired");
    const SENT: Option<&str> = Some("sent");

    #[test]
    fn every_breach_of_a_promise_is_a_problem() {
        let all = [(1, SENT), (2, SENT), (3, SENT)];
        let maybe = [(1, SENT), (2, MAYBE), (3, SENT)];
        let check = |stream, believed: &[_], arrived: &[_], expect| {
            assert_eq!(
                problems(stream, believed, arrived),
                expect,
                "{stream} {arrived:?}"
            );
        };
        check("once", &all, &[(1, 1), (2, 1), (3, 1)], 0);
        check("once", &all, &[(1, 1), (2, 1), (2, 2), (3, 2)], 1);
        check("at-least-once", &all, &[(1, 1), (2, 1), (2, 2), (3, 2)], 0);
        check("once", &all, &[(1, 1), (3, 1), (2, 1)], 1);
        check("once", &maybe, &[(1, 1), (3, 1)], 0);
        check("once", &[(1, NOT)], &[(1, 1)], 1);
        check("once", &[(1, Some("banana"))], &[(1, 1)], 1);
        check("once", &[(1, None)], &[], 1);
    }

    #[test]
    fn a_fault_that_did_nothing_looked_survived() {
        let check = |fault, recovered, moments: &[u64], expect: &[&str]| {
            let next = Strike {
                fault: Fault::TabReloads,
                at: 2_000,
                noticed: None,
                recovered: Some(2_010),
            };
            let strike = Strike {
                fault,
                at: 100,
                recovered: Some(recovered),
                ..next.clone()
            };
            let account = Account {
                life: 1,
                sent: Vec::new(),
                moments: moments.iter().map(|&at| Moment { at }).collect(),
                problems: Vec::new(),
                is_final: true,
            };
            let mut strikes = [strike, next];
            find_noticed(&mut strikes, std::slice::from_ref(&account));
            let report = judge(&plan(), &strikes, &[account], &[], 0);
            assert_eq!(report.problems, expect, "{fault}: {moments:?}");
        };
        let unnoticed = &["half-open: no tab has noticed it"];
        check(Fault::HalfOpen, 300, &[50, 200], &[]);
        check(Fault::HalfOpen, 300, &[50], unnoticed);
        // A tab that looks a little later than it sends.
        check(Fault::HalfOpen, 300, &[50, 340], &[]);
        check(Fault::HalfOpen, 300, &[50, 1_500], unnoticed);
        // That is of the next.
        check(Fault::HalfOpen, 1_900, &[50, 2_005], unnoticed);
        check(Fault::NetworkSlow, 300, &[50], &[]);
    }

    #[test]
    fn only_the_end_of_a_socket_excuses_what_is_sent_and_missing() {
        let all = [(1, SENT), (2, SENT), (3, SENT)];
        assert_eq!(problems("once", &all, &[(1, 1), (3, 2)]), 0);
        assert_eq!(problems("once", &all, &[(1, 1), (3, 1)]), 1);
        assert_eq!(problems("until-acknowledged", &all, &[(1, 1), (3, 2)]), 1);
    }
}
