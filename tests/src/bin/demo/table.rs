//! The result of the check, a row per tier.

use std::fmt;

/// One tier's run.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) tier: &'static str,
    pub(crate) cells: Option<Cells>,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) tabs: usize,
    pub(crate) sockets: u64,
    pub(crate) sent: usize,
    pub(crate) received: (u64, u64),
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) out_of_order: usize,
    pub(crate) recovery_ms: u128,
}

/// All rows; its `Display` is the table, the failures and the total.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn has_failures(&self) -> bool {
        self.rows.iter().any(|row| row.failure.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:10} {:>4} {:>17} {:>6} {:>17} {:>5} {:>10} {:>12} {:>12}",
            "tier",
            "tabs",
            "server's sockets",
            "sent",
            "received per tab",
            "lost",
            "duplicated",
            "out of order",
            "recovery ms"
        )?;
        for row in &self.rows {
            match &row.cells {
                Some(cells) => writeln!(f, "{:10} {cells}", row.tier)?,
                None => writeln!(f, "{:10} did not get to the end", row.tier)?,
            }
        }
        for row in &self.rows {
            if let Some(failure) = &row.failure {
                writeln!(f, "\nFAILED {}: {failure}", row.tier)?;
            }
        }
        let failed = self.rows.iter().filter(|row| row.failure.is_some()).count();
        write!(f, "\n{} passed, {failed} failed", self.rows.len() - failed)
    }
}

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.received;
        let received = format!("{least} to {most}");
        write!(
            f,
            "{:>4} {:>17} {:>6} {received:>17} {:>5} {:>10} {:>12} {:>12}",
            self.tabs,
            self.sockets,
            self.sent,
            self.lost,
            self.duplicated,
            self.out_of_order,
            self.recovery_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_the_tiers() {
        let report = Report {
            rows: vec![
                Row {
                    tier: "shared",
                    cells: None,
                    failure: Some("no browser".to_owned()),
                },
                Row {
                    tier: "main",
                    cells: None,
                    failure: None,
                },
            ],
        };
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed"));
        assert!(
            report.has_failures() && text.contains("FAILED shared: no browser"),
            "{text}"
        );
    }
}
