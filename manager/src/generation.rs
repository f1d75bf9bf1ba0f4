//! The names under which the SharedWorkers of one app follow each other.
//!
//! A SharedWorker that hangs is the one that its name leads to, for every tab and after every reload; of one that has ended, the
//! name may lead to what is left. So a successor has another name, with a number in it: the generation. Whoever leaves generation
//! *n* goes to *n* + 1, so all tabs go to the same one without a word. A tab that is in a generation holds a lock that says so, and
//! a tab that comes later reads in the list of locks which one is the newest.

use onesocket_protocol::Epoch;

/// How often the tabs have lost a SharedWorker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Generation(u32);

impl Generation {
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One app's SharedWorkers: those of a script and a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family<'a> {
    /// Absolute.
    pub(crate) script: &'a str,
    pub(crate) name: &'a str,
}

impl Family<'_> {
    /// Returns the name of a generation's worker.
    pub(crate) fn worker_name(self, generation: Generation) -> String {
        match generation {
            Generation(0) => self.name.to_owned(),
            Generation(number) => format!("{}~{number}", self.name),
        }
    }

    /// Returns the name of the lock that every tab of a generation holds.
    pub(crate) fn tabs_lock(self, Generation(number): Generation) -> String {
        format!("{TABS}{number} {} {}", self.name, self.script)
    }

    /// Returns the newest generation of which these locks tell.
    pub(crate) fn newest<'a>(self, held: impl Iterator<Item = &'a str>) -> Generation {
        held.filter_map(|lock| self.told_by(lock))
            .max()
            .unwrap_or_default()
    }

    /// Returns whether these locks tell of any worker of this family.
    pub(crate) fn lives<'a>(self, mut held: impl Iterator<Item = &'a str>) -> bool {
        let first = self.place_lock(Generation::default());
        held.any(|lock| lock == first || self.told_by(lock).is_some())
    }

    fn told_by(self, lock: &str) -> Option<Generation> {
        let number = match lock.strip_prefix(TABS) {
            Some(of_tabs) => of_tabs.split_once(' ')?.0,
            // A worker may outlive its last tab for a moment: a page that is reloaded finds it.
            None => {
                lock.strip_prefix(PLACE)?
                    .strip_prefix(self.name)?
                    .strip_prefix('~')?
                    .split_once(' ')?
                    .0
            }
        };
        let generation = Generation(number.parse().ok()?);
        let is_ours = lock == self.tabs_lock(generation) || lock == self.place_lock(generation);
        is_ours.then_some(generation)
    }

    /// Returns the name of the lock that a generation's worker holds.
    fn place_lock(self, generation: Generation) -> String {
        format!("{PLACE}{} {}", self.worker_name(generation), self.script)
    }

    /// Returns the lock of the run of each worker that holds a generation's place; `None` for one that has lost its own. Locks are names
    /// and their holders.
    pub(crate) fn runs_in_place<'a>(
        self,
        generation: Generation,
        held: &[(&'a str, &str)],
    ) -> Vec<Option<&'a str>> {
        runs_of_holders(&self.place_lock(generation), held).collect()
    }
}

/// Returns the lock of the run of each worker that holds a `place`; `None` for one that has lost its own. Locks are names and
/// their holders.
pub(crate) fn runs_of_holders<'a>(
    place: &str,
    held: &[(&'a str, &str)],
) -> impl Iterator<Item = Option<&'a str>> {
    let holders = held.iter().filter(move |(lock, _)| *lock == place);
    holders.map(|(_, holder)| {
        let run = held
            .iter()
            .find(|(lock, client)| client == holder && lock.starts_with(Epoch::LOCK_PREFIX));
        run.map(|(lock, _)| *lock)
    })
}

const TABS: &str = "onesocket-generation-";
/// `js/prelude.js` of the worker has it, too.
const PLACE: &str = "onesocket-place ";

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: Family<'static> = Family {
        script: "https://x.org/w.js",
        name: "a b",
    };

    fn newest(held: &[&str]) -> Generation {
        FAMILY.newest(held.iter().copied())
    }

    #[test]
    fn the_first_one_has_the_plain_name() {
        assert_eq!(FAMILY.worker_name(Generation(0)), "a b");
        assert_eq!(FAMILY.worker_name(Generation(0).next()), "a b~1");
    }

    #[test]
    fn the_newest_is_the_one_with_the_highest_number() {
        assert_eq!(newest(&[]), Generation(0));
        let lock = |number| FAMILY.tabs_lock(Generation(number));
        assert_eq!(newest(&[&lock(2), &lock(10), &lock(9)]), Generation(10));
        let place = "onesocket-place a b~3 https://x.org/w.js";
        assert_eq!(newest(&[place, &lock(2)]), Generation(3));
    }

    #[test]
    fn a_family_lives_in_its_workers_and_in_what_their_tabs_tell() {
        let own = Family {
            name: "a b~v2",
            ..FAMILY
        };
        let held = |lock: &str| {
            [
                FAMILY.lives([lock].into_iter()),
                own.lives([lock].into_iter()),
            ]
        };
        assert_eq!(
            held("onesocket-place a b https://x.org/w.js"),
            [true, false]
        );
        assert_eq!(
            held("onesocket-place a b~3 https://x.org/w.js"),
            [true, false]
        );
        assert_eq!(
            held("onesocket-place a b~v2 https://x.org/w.js"),
            [false, true]
        );
        assert_eq!(
            held("onesocket-place a b~v2~3 https://x.org/w.js"),
            [false, true]
        );
        assert_eq!(held(&own.tabs_lock(Generation(1))), [false, true]);
        assert_eq!(
            held("onesocket-place a b~v2 https://x.org/v.js"),
            [false, false]
        );
        assert_eq!(held("onesocket-tab-1"), [false, false]);
    }

    #[test]
    fn what_others_hold_is_not_ours() {
        let other_name = Family {
            name: "a",
            ..FAMILY
        };
        let other_script = Family {
            script: "https://x.org/v.js",
            ..FAMILY
        };
        let foreign = [
            other_name.tabs_lock(Generation(7)),
            other_script.tabs_lock(Generation(8)),
            "onesocket-generation-99999999999 a b https://x.org/w.js".to_owned(),
            "onesocket-generation-x a b https://x.org/w.js".to_owned(),
            "onesocket-generation-".to_owned(),
            "onesocket-place a b https://x.org/w.js".to_owned(),
            "onesocket-place a b~4 https://x.org/v.js".to_owned(),
            "9 a b https://x.org/w.js".to_owned(),
        ];
        assert_eq!(
            FAMILY.newest(foreign.iter().map(String::as_str)),
            Generation(0)
        );
    }

    #[test]
    fn the_run_in_a_place_is_that_of_the_same_holder() {
        let (mine, other) = (Epoch(1).lock_name(), Epoch(2).lock_name());
        let place = "onesocket-place a b~1 https://x.org/w.js";
        let held = [
            (other.as_str(), "other"),
            (place, "me"),
            ("onesocket-tab-1", "me"),
            (mine.as_str(), "me"),
            (place, "fenced off"),
        ];
        let runs = |generation, held| FAMILY.runs_in_place(Generation(generation), held);
        assert_eq!(runs(1, &held), [Some(&*mine), None]);
        assert_eq!(runs(0, &held), []);
        assert_eq!(runs(1, &held[..3]), [None]);
    }
}
