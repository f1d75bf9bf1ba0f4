//! Protocol versions and how two ranges meet.

use core::fmt;

/// A version of the typed messages. Each variant says what it added and what it removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u16)]
pub enum Version {
    /// The first one.
    V1 = 1,
    /// For tests of two builds at once. Each body begins with a byte of its own; no release has it.
    #[cfg(feature = "next-version")]
    V2 = 2,
}

impl Version {
    /// The oldest version that this build speaks.
    pub const OLDEST: Self = if cfg!(feature = "next-version-only") {
        Self::NEWEST
    } else {
        Self::V1
    };

    /// The newest version that this build speaks.
    #[cfg(not(feature = "next-version"))]
    pub const NEWEST: Self = Self::V1;

    /// The newest version that this build speaks.
    #[cfg(feature = "next-version")]
    pub const NEWEST: Self = Self::V2;

    /// Returns the version with this number, if this build speaks it.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            #[cfg(feature = "next-version")]
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// Returns the number that stands for it in a preface.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.number())
    }
}

/// The versions that a side speaks, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VersionRange {
    /// The oldest.
    pub min: u16,
    /// The newest.
    pub max: u16,
}

impl VersionRange {
    /// What this build speaks.
    pub const OURS: Self = Self {
        min: Version::OLDEST as u16,
        max: Version::NEWEST as u16,
    };

    /// Returns the newest version that both ranges and this build contain.
    ///
    /// ```
    /// use onesocket_protocol::{Version, VersionRange};
    ///
    /// let newer_tab = VersionRange { min: 1, max: 9 };
    /// assert_eq!(VersionRange::OURS.newest_common(newer_tab), Some(Version::NEWEST));
    /// let too_new = VersionRange { min: 8, max: 9 };
    /// assert_eq!(VersionRange::OURS.newest_common(too_new), None);
    /// ```
    #[must_use]
    pub fn newest_common(self, other: Self) -> Option<Version> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min..=max).rev().find_map(Version::from_number)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{} to v{}", self.min, self.max)
    }
}
