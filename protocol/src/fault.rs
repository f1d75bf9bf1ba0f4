//! Faults on demand, for tests of apps: what an app looks like while its worker fails.

use crate::{Millis, preface::MAGIC};

/// What a worker is asked to suffer. Only a worker that is built with the feature `faults` listens; others complain about a frame
/// that they do not know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It ends, without a word to anybody, as when the browser needs its memory. In the page: the loop stops.
    End,
    /// Its wasm traps, as on a bug that is none of Rust's. In the page: the page's own wasm does.
    Trap,
    /// It panics. In the page: the page does.
    Panic,
    /// It is busy for so long, and hears nothing meanwhile. In the page: the page hangs.
    Hang(Millis),
    /// It keeps its locks and sockets, and neither reads nor answers any more.
    Mute,
    /// It closes its sockets behind the engine's back, as a network does.
    DropSockets,
}

impl Fault {
    /// Returns the frame that asks for it. It has a preface's head and a kind of its own, which is no part of the protocol.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let (what, millis) = match self {
            Self::End => (0, 0),
            Self::Trap => (1, 0),
            Self::Panic => (2, 0),
            Self::Hang(Millis(millis)) => (3, millis),
            Self::Mute => (4, 0),
            Self::DropSockets => (5, 0),
        };
        let mut frame = MAGIC.to_vec();
        frame.extend([KIND, what]);
        frame.extend(millis.to_le_bytes());
        frame
    }

    /// Reads such a frame; `None` when it is another one.
    ///
    /// ```
    /// use onesocket_protocol::{Fault, Millis};
    ///
    /// let hang = Fault::Hang(Millis(1_500));
    /// assert_eq!(Fault::decode(&hang.encode()), Some(hang));
    /// assert_eq!(Fault::decode(b"1skt\x05"), None);
    /// ```
    #[must_use]
    pub fn decode(frame: &[u8]) -> Option<Self> {
        let rest = frame.strip_prefix(&MAGIC)?.strip_prefix(&[KIND])?;
        let (what, millis) = rest.split_first()?;
        let millis = Millis(u32::from_le_bytes(millis.try_into().ok()?));
        Some(match what {
            0 => Self::End,
            1 => Self::Trap,
            2 => Self::Panic,
            3 => Self::Hang(millis),
            4 => Self::Mute,
            5 => Self::DropSockets,
            _ => return None,
        })
    }
}

/// Far from the kinds of the protocol, which count from 1.
const KIND: u8 = 250;
