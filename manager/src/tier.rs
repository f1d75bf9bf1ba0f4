//! The three places where the loop can run, and which of them an app wants.

use core::{fmt, str::FromStr};

/// A place where the loop that owns the socket can run.
///
/// ```
/// use onesocket_manager::Tier;
///
/// assert_eq!("dedicated".parse(), Ok(Tier::Dedicated));
/// assert_eq!(Tier::Shared.to_string(), "shared");
/// assert!("fast".parse::<Tier>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// A [`SharedWorker`](https://developer.mozilla.org/en-US/docs/Web/API/SharedWorker): one socket for every tab of the
    /// origin.
    Shared,
    /// A dedicated [`Worker`](https://developer.mozilla.org/en-US/docs/Web/API/Worker): off the main thread, and one socket for every
    /// tab of the origin where the tabs can elect one that leads; the [`Role`](crate::Role) tells.
    Dedicated,
    /// The page itself: works wherever the app does.
    Main,
}

impl Tier {
    /// Every tier, the best first.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Dedicated, Self::Main];

    /// Returns the word for it, as [`FromStr`] takes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Dedicated => "dedicated",
            Self::Main => "main",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(text: &str) -> Result<Self, UnknownTier> {
        let known = Self::ALL.into_iter().find(|tier| tier.as_str() == text);
        known.ok_or_else(|| UnknownTier {
            text: text.to_owned(),
        })
    }
}

/// A word that names no tier. Use `shared`, `dedicated` or `main`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is no tier: shared, dedicated or main")]
pub struct UnknownTier {
    /// The word.
    pub text: String,
}

/// Which tiers may be used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TierPolicy {
    /// These, in this order, until one works. Those that are not in the list are never used.
    Ladder(Vec<Tier>),
    /// This one and no other: when it does not work, that is an error and not a reason to use another.
    Forced(Tier),
}

impl TierPolicy {
    /// Returns the tiers that may be used, in the order in which they are tried.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        match self {
            Self::Ladder(tiers) => tiers,
            Self::Forced(tier) => core::slice::from_ref(tier),
        }
    }

    /// Returns whether a tier may be used.
    ///
    /// ```
    /// use onesocket_manager::{Tier, TierPolicy};
    ///
    /// assert!(TierPolicy::default().allows(Tier::Main));
    /// assert!(!TierPolicy::Forced(Tier::Shared).allows(Tier::Main));
    /// ```
    #[must_use]
    pub fn allows(&self, tier: Tier) -> bool {
        self.tiers().contains(&tier)
    }
}

/// All three, the best first.
impl Default for TierPolicy {
    fn default() -> Self {
        Self::Ladder(Tier::ALL.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::Tier;

    #[test]
    fn every_tier_survives_its_own_word() {
        for tier in Tier::ALL {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
    }
}
