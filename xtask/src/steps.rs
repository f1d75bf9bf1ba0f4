//! The steps of a long run: all of them run, each is reported, and the last line counts everything.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};

use crate::shell::Shell;

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
    /// How many tests the programs that count their own have run.
    tests: u64,
}

#[derive(Debug)]
struct Step {
    name: String,
    counts: Counts,
    took: Duration,
    error: Option<String>,
}

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Steps {
    /// Runs a step that is itself one check.
    pub(crate) fn check(&mut self, name: &str, run: impl FnOnce() -> Result<()>) -> bool {
        self.add(name, || {
            let result = run();
            let passed = u64::from(result.is_ok());
            (Counts { passed, failed: 0 }, result)
        })
    }

    /// Runs a step that later ones need; it counts only when it fails.
    pub(crate) fn prepare<T>(&mut self, name: &str, run: impl FnOnce() -> Result<T>) -> Option<T> {
        let mut value = None;
        self.add(name, || {
            (Counts::default(), run().map(|made| value = Some(made)))
        });
        value
    }

    /// Runs a program that counts its own tests, and passes its output on. Without any it has failed, unless a filter may have left none.
    pub(crate) fn tests(
        &mut self,
        name: &str,
        format: Format,
        is_filtered: bool,
        shell: Shell,
    ) -> bool {
        let mut tests = 0;
        let is_ok = self.add(name, || {
            let mut counts = Counts::default();
            let mut failed = Vec::new();
            let result = shell.stream(|line| {
                println!("{line}");
                failed.extend(format.failed(line).map(str::to_owned));
                if let Some(more) = format.parse(line) {
                    counts.passed += more.passed;
                    counts.failed += more.failed;
                }
            });
            tests = counts.passed + counts.failed;
            let failed: String = failed.iter().map(|test| format!("\n  {test}")).collect();
            let result = result
                .map_err(|error| anyhow!("{error:#}{failed}"))
                .and_then(|()| {
                    ensure!(is_filtered || tests > 0, "no test has run");
                    Ok(())
                });
            (counts, result)
        });
        self.tests += tests;
        is_ok
    }

    /// Fails when no step of [`tests`](Self::tests) has run any: nothing has this in its name.
    pub(crate) fn filtered(&mut self, filter: &str) {
        if self.tests == 0 {
            self.add("filter", || {
                (
                    Counts::default(),
                    Err(anyhow!("no test has {filter:?} in its name")),
                )
            });
        }
    }

    /// Reports a step that could not run because an earlier one failed.
    pub(crate) fn blocked(&mut self, name: &str, by: &str) {
        let error = anyhow!("not run, because this failed: {by}");
        self.add(name, || (Counts::default(), Err(error)));
    }

    /// Prints one line per step and, last of all, the total.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\n== summary");
        let mut total = Counts::default();
        for step in &self.done {
            let verdict = if step.counts.failed == 0 {
                "ok"
            } else {
                "FAILED"
            };
            println!(
                "{verdict:6} {:28} {:4} passed {:3} failed {:7.1} s",
                step.name,
                step.counts.passed,
                step.counts.failed,
                step.took.as_secs_f64(),
            );
            total.passed += step.counts.passed;
            total.failed += step.counts.failed;
        }
        for (name, error) in self
            .done
            .iter()
            .filter_map(|step| Some((&step.name, step.error.as_ref()?)))
        {
            println!("\n{name}: {error}");
        }
        println!("\n{} passed, {} failed", total.passed, total.failed);
        if total.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn add(&mut self, name: &str, run: impl FnOnce() -> (Counts, Result<()>)) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let (mut counts, result) = run();
        let error = result.err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            println!("{error}");
            // A program that dies before it counts its tests has still failed.
            if counts.failed == 0 {
                counts.failed = 1;
            }
        }
        let is_ok = counts.failed == 0;
        self.done.push(Step {
            name: name.to_owned(),
            counts,
            took: start.elapsed(),
            error,
        });
        is_ok
    }
}

/// How a program reports its counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// `test result: ok. 5 passed; 0 failed; ...`, once per test binary.
    CargoTest,
    /// `5 passed, 0 failed`, once; above it `failed: a_test: why` for each.
    Total,
}

impl Format {
    /// The test that has failed by this line, for the summary: of a long output often only the end is kept.
    fn failed(self, line: &str) -> Option<&str> {
        match self {
            Self::CargoTest => line.strip_prefix("test ")?.strip_suffix(" ... FAILED"),
            Self::Total => line.strip_prefix("failed: "),
        }
    }

    fn parse(self, line: &str) -> Option<Counts> {
        let (passed, rest) = match self {
            Self::CargoTest => line
                .trim()
                .strip_prefix("test result: ")?
                .split_once(". ")?
                .1
                .split_once(" passed; ")?,
            Self::Total => line.trim().split_once(" passed, ")?,
        };
        let (failed, end) = rest.split_once(" failed")?;
        if matches!(self, Self::Total) && !end.is_empty() {
            return None;
        }
        Some(Counts {
            passed: passed.parse().ok()?,
            failed: failed.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, line: &str, expect: Option<(u64, u64)>) {
        let expect = expect.map(|(passed, failed)| Counts { passed, failed });
        assert_eq!(format.parse(line), expect, "{line}");
    }

    #[test]
    fn counts_are_read_from_the_line_that_states_them() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured";
        check(Format::CargoTest, line, Some((12, 3)));
        check(Format::Total, line, None);
        check(Format::Total, "4 passed, 1 failed", Some((4, 1)));
        check(Format::Total, "4 passed, 1 failed in chromium", None);
        check(Format::CargoTest, "4 passed, 1 failed", None);
    }

    #[test]
    fn failed_tests_are_named() {
        let failed = |format: Format, line| format.failed(line);
        assert_eq!(
            failed(Format::CargoTest, "test a::b ... FAILED"),
            Some("a::b")
        );
        assert_eq!(failed(Format::CargoTest, "test a::b ... ok"), None);
        assert_eq!(failed(Format::Total, "failed: a/b: why"), Some("a/b: why"));
        assert_eq!(failed(Format::Total, "FAILED a/b: why"), None);
    }

    #[test]
    fn nothing_that_has_run_is_no_success() {
        let none = || Shell::new("echo").arg("0 passed, 0 failed");
        let mut steps = Steps::default();
        assert!(!steps.tests("all", Format::Total, false, none()));
        assert!(steps.tests("some", Format::Total, true, none()));
        steps.filtered("typo");
        let last = steps.done.pop().expect("it is a step");
        assert_eq!((last.name.as_str(), last.counts.failed), ("filter", 1));

        let one = Shell::new("echo").arg("1 passed, 0 failed");
        assert!(steps.tests("some", Format::Total, true, one));
        steps.filtered("right");
        assert_eq!(steps.done.last().map(|step| step.counts.failed), Some(0));
    }

    #[test]
    fn a_step_that_dies_without_counting_has_failed() {
        let mut steps = Steps::default();
        assert!(!steps.check("dies", || Err(anyhow!("no"))));
        assert_eq!(
            steps.done[0].counts,
            Counts {
                passed: 0,
                failed: 1
            }
        );
    }
}
