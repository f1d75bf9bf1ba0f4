//! When a tab that has fallen to a lower tier tries the better ones again.

use core::time::Duration;

use crate::{ClimbBack, Ladder, Tier};

/// Returns the tiers above the one that runs that may work by now, the best first.
pub(crate) fn candidates(tiers: &[Tier], running: Tier, ladder: &Ladder) -> Vec<Tier> {
    let above = tiers.iter().take_while(|tier| **tier != running);
    above
        .filter(|tier| ladder.may_work_again(**tier))
        .copied()
        .collect()
}

/// How long to wait before the next try: longer after each, and as at first after a better tier has run for long.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    tries: u32,
    /// How far down the tier is that runs, and since when it does.
    running: Option<(usize, Duration)>,
}

impl Patience {
    /// A tier has begun to run; `rank` is its place in the configuration, from 0.
    pub(crate) fn note_running(&mut self, rank: usize, now: Duration, climb_back: &ClimbBack) {
        if let Some((before, since)) = self.running
            && rank > before
            && now.saturating_sub(since) >= climb_back.cap
        {
            self.tries = 0;
        }
        self.running = Some((rank, now));
    }

    /// What has failed may work now. Returns whether the wait for the next try would be shorter than the one that is under way.
    pub(crate) fn begin_anew(&mut self) -> bool {
        core::mem::take(&mut self.tries) > 1
    }

    /// Returns how long to wait for the next try, between half of the doubled time and the whole. `random` is below 1.
    pub(crate) fn next_wait(&mut self, climb_back: &ClimbBack, random: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.tries);
        self.tries = self.tries.saturating_add(1);
        let whole = climb_back.first.saturating_mul(factor).min(climb_back.cap);
        // A release that is broken for a minute makes all tabs of the world fall at the same time.
        whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, AttemptOutcome, SkipReason, TierFailure};

    const CLIMB_BACK: ClimbBack = ClimbBack {
        first: Duration::from_secs(30),
        cap: Duration::from_secs(600),
    };

    fn waits(patience: &mut Patience, count: usize) -> Vec<u64> {
        (0..count)
            .map(|_| patience.next_wait(&CLIMB_BACK, 1.0).as_secs())
            .collect()
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap() {
        let mut patience = Patience::default();
        assert_eq!(waits(&mut patience, 7), [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(waits(&mut patience, 100)[99], 600);
    }

    #[test]
    fn a_wait_that_has_not_grown_is_not_begun_anew() {
        let mut patience = Patience::default();
        assert!(!patience.begin_anew(), "nothing is waited for");
        assert_eq!(waits(&mut patience, 1), [30]);
        assert!(!patience.begin_anew(), "it would only begin later");
        assert_eq!(waits(&mut patience, 3), [30, 60, 120]);
        assert!(patience.begin_anew());
        assert_eq!(waits(&mut patience, 1), [30]);
    }

    #[test]
    fn half_of_it_is_by_chance() {
        let wait = |random| Patience::default().next_wait(&CLIMB_BACK, random);
        assert_eq!(wait(0.0), Duration::from_secs(15));
        assert_eq!(wait(0.5), Duration::from_millis(22_500));
    }

    #[test]
    fn a_tier_that_has_run_for_long_is_trusted_anew_and_no_other() {
        let at = Duration::from_secs;
        let mut patience = Patience::default();
        patience.note_running(1, at(0), &CLIMB_BACK);
        assert_eq!(waits(&mut patience, 2), [30, 60]);
        // Up, and down again after a minute.
        patience.note_running(0, at(100), &CLIMB_BACK);
        patience.note_running(1, at(160), &CLIMB_BACK);
        assert_eq!(waits(&mut patience, 1), [120]);
        // A long time below is no merit.
        patience.note_running(0, at(5000), &CLIMB_BACK);
        patience.note_running(2, at(5599), &CLIMB_BACK);
        assert_eq!(waits(&mut patience, 1), [240]);
        patience.note_running(0, at(6000), &CLIMB_BACK);
        patience.note_running(1, at(6600), &CLIMB_BACK);
        assert_eq!(waits(&mut patience, 1), [30]);
    }

    #[test]
    fn only_what_has_failed_and_may_work_again_is_tried() {
        let mut ladder = Ladder::default();
        let mut push = |tier, outcome| {
            let duration = Duration::ZERO;
            ladder.push(Attempt {
                tier,
                outcome,
                duration,
            });
            candidates(&Tier::ALL, Tier::Main, &ladder)
        };
        let failed = AttemptOutcome::Failed;
        assert_eq!(push(Tier::Main, AttemptOutcome::Running), []);
        let not_found = failed(TierFailure::ScriptNotFound { status: 404 });
        assert_eq!(push(Tier::Shared, not_found), [Tier::Shared]);
        assert_eq!(
            push(Tier::Dedicated, failed(TierFailure::WorkerGone)),
            [Tier::Shared, Tier::Dedicated]
        );
        assert_eq!(
            push(Tier::Shared, failed(TierFailure::Unsupported)),
            [Tier::Dedicated]
        );
        // The app has left it.
        assert_eq!(push(Tier::Dedicated, AttemptOutcome::Left), []);
        let skipped = AttemptOutcome::Skipped(SkipReason::CrashLoop);
        assert_eq!(push(Tier::Shared, skipped), [Tier::Shared]);
        assert_eq!(candidates(&Tier::ALL, Tier::Shared, &ladder), []);
        assert_eq!(candidates(&[Tier::Main], Tier::Main, &ladder), []);
    }
}
