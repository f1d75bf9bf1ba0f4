//! Which scenario passed where.

use std::{collections::BTreeMap, fmt};

use super::Tier;
use crate::browser::Engine;

/// The outcomes so far; its `Display` is the table of engines and tiers, and the total.
#[derive(Debug, Default)]
pub struct Report {
    cells: BTreeMap<(Option<Tier>, Engine), Cell>,
    failures: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    name: String,
    error: String,
    /// Of any length: logs, the paths of pictures.
    evidence: String,
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

    pub(super) fn failed(
        &mut self,
        engine: Engine,
        tier: Option<Tier>,
        name: String,
        error: &anyhow::Error,
        evidence: String,
    ) {
        self.cells.entry((tier, engine)).or_default().failed += 1;
        let error = format!("{error:#}");
        self.failures.push(Failure {
            name,
            error,
            evidence,
        });
    }

    /// Whether anything failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure {
            name,
            error,
            evidence,
        } in &self.failures
        {
            writeln!(f, "\nFAILED {name}: {error}{evidence}")?;
        }
        write!(f, "\n{:12}", "")?;
        for engine in Engine::ALL {
            write!(f, "{engine:>20}")?;
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
                write!(f, "{cell:>20}")?;
            }
            writeln!(f)?;
        }
        // Once more, each on a line: of a long output often only the end is kept.
        for Failure { name, error, .. } in &self.failures {
            let first = error.lines().next().unwrap_or_default();
            writeln!(f, "\nfailed: {name}: {first}")?;
        }
        let count = |of: fn(&Cell) -> usize| self.cells.values().map(of).sum::<usize>();
        let (passed, failed) = (count(|cell| cell.passed), count(|cell| cell.failed));
        write!(f, "\n{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_last_lines_name_what_failed_and_count_everything() {
        let mut report = Report::default();
        report.passed(Engine::Chromium, Some(Tier::Shared));
        report.passed(Engine::WebKit, None);
        let (name, error) = ("firefox/main/x".into(), anyhow!("why\nat length"));
        let evidence = "\n  a log".into();
        report.failed(Engine::Firefox, Some(Tier::Main), name, &error, evidence);
        let text = report.to_string();
        assert!(
            text.contains("FAILED firefox/main/x: why\nat length\n  a log\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\nfailed: firefox/main/x: why\n\n2 passed, 1 failed"),
            "{text}"
        );
    }
}
