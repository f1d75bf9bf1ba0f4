//! Where the loop runs, on the command line: a name that is none is refused before anything is built.

use clap::ValueEnum;

/// A tier of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    Shared,
    Dedicated,
    Main,
}

impl Tier {
    /// The name on the command line of the test binaries.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Dedicated => "dedicated",
            Self::Main => "main",
        }
    }
}
