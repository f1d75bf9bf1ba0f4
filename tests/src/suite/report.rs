//! Which scenario passed where.

use std::{collections::BTreeMap, fmt};

use super::Tier;
use crate::browser::Engine;

/// The outcomes so far; its `Display` is the table of engines and tiers, and the total.
#[derive(Debug, Default)]
pub struct Report {
    cells: BTreeMap<(Option<Tier>, Engine), Cell>,
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Cell {
    passed: usize,
    failed: usize,
}

impl Report {
    pub(super) fn passed(&mut self, engine: Engine, tier: Option<Tier>) {
        self.cells.entry((tier, engine)).or_default().passed += 1;
    }

    pub(super) fn failed(&mut self, engine: Engine, tier: Option<Tier>, what: String) {
        self.cells.entry((tier, engine)).or_default().failed += 1;
        self.failures.push(what);
    }

    /// Whether anything failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "\nFAILED {failure}")?;
        }
        write!(f, "\n{:12}", "")?;
        for engine in Engine::ALL {
            write!(f, "{engine:>16}")?;
        }
        writeln!(f)?;
        for tier in Tier::ALL.map(Some).into_iter().chain([None]) {
            write!(f, "{:12}", tier.map_or("(any)", Tier::name))?;
            for engine in Engine::ALL {
                let cell = match self.cells.get(&(tier, engine)) {
                    Some(Cell { passed, failed: 0 }) => format!("{passed} ok"),
                    Some(Cell { passed, failed }) => format!("{passed} ok, {failed} FAILED"),
                    None => "-".to_owned(),
                };
                write!(f, "{cell:>16}")?;
            }
            writeln!(f)?;
        }
        let count = |of: fn(&Cell) -> usize| self.cells.values().map(of).sum::<usize>();
        let (passed, failed) = (count(|cell| cell.passed), count(|cell| cell.failed));
        write!(f, "\n{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_everything() {
        let mut report = Report::default();
        report.passed(Engine::Chromium, Some(Tier::Shared));
        report.passed(Engine::WebKit, None);
        report.failed(Engine::Firefox, Some(Tier::Main), "why".into());
        let text = report.to_string();
        assert!(text.contains("FAILED why"), "{text}");
        assert_eq!(text.lines().last(), Some("2 passed, 1 failed"));
    }
}
