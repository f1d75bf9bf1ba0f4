//! What a chaos run has shown.

use std::{collections::BTreeMap, fmt};

use super::{Fault, Plan, Strike};

/// What became of a chaos run.
#[derive(Debug)]
pub struct Report {
    headline: String,
    pub(super) strikes: Vec<Strike>,
    /// By the fault that came last before a message was sent.
    pub(super) tallies: BTreeMap<Option<Fault>, Tally>,
    /// Broken promises, one sentence each.
    pub problems: Vec<String>,
}

/// How many messages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) sent: usize,
    /// At-most-once, and arrived more than once.
    pub(super) doubled: usize,
    /// Arrived more than once, whatever was asked for.
    pub(super) repeated: usize,
    /// Confirmed and missing, without an excuse.
    pub(super) lost: usize,
    /// Handed to a socket that was lost before they arrived.
    pub(super) on_the_wire: usize,
    pub(super) maybe: usize,
    pub(super) not_sent: usize,
}

impl Report {
    pub(super) fn new(plan: &Plan, strikes: &[Strike], lives: usize) -> Self {
        let headline = format!(
            "{}, {} tier, {}: {} faults, {} tabs in {lives} lives",
            plan.engine.name(),
            plan.tier,
            plan.course,
            strikes.len(),
            plan.tabs,
        );
        Self {
            headline,
            strikes: strikes.to_vec(),
            tallies: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.headline)?;
        writeln!(
            f,
            "| fault | times | noticed, s | recovered, s | messages | lost | doubled | maybe | not sent | on the wire | repeated |\n\
             |---|---|---|---|---|---|---|---|---|---|---|"
        )?;
        let none = self.tallies.keys().filter(|fault| fault.is_none());
        let struck = Fault::ALL
            .into_iter()
            .filter(|fault| self.strikes.iter().any(|strike| strike.fault == *fault));
        for fault in none.copied().chain(struck.map(Some)) {
            let strikes = || self.strikes.iter().filter(|s| Some(s.fault) == fault);
            let times = |end: fn(&Strike) -> Option<u64>| {
                let spans = strikes().filter_map(|s| Some(end(s)?.saturating_sub(s.at)));
                Span::of(spans.collect())
            };
            let tally = self.tallies.get(&fault).copied().unwrap_or_default();
            let name = fault.map_or_else(|| "none yet".to_owned(), |fault| fault.to_string());
            writeln!(
                f,
                "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                strikes().count(),
                times(|strike| strike.noticed),
                times(|strike| strike.recovered),
                tally.sent,
                tally.lost,
                tally.doubled,
                tally.maybe,
                tally.not_sent,
                tally.on_the_wire,
                tally.repeated,
            )?;
        }
        for problem in &self.problems {
            writeln!(f, "PROBLEM {problem}")?;
        }
        write!(f, "{} problems", self.problems.len())
    }
}

/// The median and the longest of some times.
struct Span(Option<(u64, u64)>);

impl Span {
    fn of(mut millis: Vec<u64>) -> Self {
        millis.sort_unstable();
        let median = millis.get(millis.len().saturating_sub(1) / 2).copied();
        Self(median.zip(millis.last().copied()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |millis: u64| millis as f64 / 1_000.0;
        match self.0 {
            Some((median, most)) if median == most => write!(f, "{:.2}", seconds(median)),
            Some((median, most)) => write!(f, "{:.2}, ≤ {:.2}", seconds(median), seconds(most)),
            None => f.write_str("–"),
        }
    }
}
