//! When workers are lost so often that the next one will be, too.

use core::time::Duration;

/// Notes a loss; returns whether there are too many within the window.
pub(crate) fn note_loss(losses: &mut Vec<Duration>, now: Duration) -> bool {
    losses.retain(|loss| now.saturating_sub(*loss) < WINDOW);
    losses.push(now);
    losses.len() > MAX_LOSSES
}

/// What kills a worker more often than this within the window will kill the next one too.
const MAX_LOSSES: usize = 2;
const WINDOW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: &[u64], expect: &[bool]) {
        let mut losses = Vec::new();
        let notes = seconds.iter();
        let notes = notes.map(|at| note_loss(&mut losses, Duration::from_secs(*at)));
        assert_eq!(notes.collect::<Vec<_>>(), expect, "{seconds:?}");
    }

    #[test]
    fn the_third_loss_within_a_minute_is_one_too_many() {
        check(&[0, 1, 2], &[false, false, true]);
        check(&[0, 30, 59], &[false, false, true]);
    }

    #[test]
    fn what_is_a_minute_ago_counts_no_more() {
        check(&[0, 30, 60, 89, 90], &[false, false, false, true, true]);
        check(&[0, 60, 120, 180], &[false; 4]);
    }
}
