//! From a schedule that fails to the fewest operations that do.

use std::{cell::Cell, fmt, panic, str::FromStr, sync::Once};

use super::Schedule;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Leaves out operations, in ever smaller pieces, for as long as what is left still fails.
pub(super) fn shrink(failing: &Schedule) -> Schedule {
    be_quiet(true);
    let mut smallest = failing.clone();
    let mut piece = smallest.ops.len().div_ceil(2);
    while piece > 0 {
        let mut from = 0;
        while from < smallest.ops.len() {
            let mut without = smallest.clone();
            let to = (from + piece).min(without.ops.len());
            without.ops.drain(from..to);
            if without.run().is_err() {
                smallest = without;
            } else {
                from += piece;
            }
        }
        piece /= 2;
    }
    be_quiet(false);
    smallest
}

/// Hundreds of schedules that fail as they should would hide the message of the one that matters.
fn be_quiet(quiet: bool) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                loud(info);
            }
        }));
    });
    IS_QUIET.set(quiet);
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.seed)?;
        self.ops.iter().try_for_each(|op| write!(f, " {op}"))
    }
}

impl FromStr for Schedule {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((seed, ops)) = text.split_once(':') else {
            return Ok(Self::new(text.trim().parse()?));
        };
        Ok(Self {
            seed: seed.trim().parse()?,
            ops: ops
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[test]
fn a_schedule_is_read_as_it_is_written() {
    let schedule = Schedule {
        seed: 7,
        ops: vec![1, 5, 9],
    };
    assert_eq!(schedule.to_string(), "7: 1 5 9");
    assert_eq!(schedule.to_string().parse(), Ok(schedule));
    assert_eq!("7".parse(), Ok(Schedule::new(7)));
}
