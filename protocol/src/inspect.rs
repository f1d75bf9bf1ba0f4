//! What a tab that looks into its worker asks for, and what the worker's survey says.
//!
//! A survey is a [`LogEntry`] for each port and each link.

use bytes::Bytes;
use serde::Serialize;

use crate::{DebugLevel, LogEntry, Status, log::kind, message::worker_side, redact_url_bytes};

/// How much a tab sees of its worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub enum Sight {
    /// Nothing.
    #[default]
    Off,
    /// Every message by its name, ids and length.
    Messages,
    /// The content of payloads too. It may hold secrets.
    Payloads,
    /// All that an engine needs to do the same again.
    Recording,
}

impl From<DebugLevel> for Sight {
    fn from(level: DebugLevel) -> Self {
        match level {
            DebugLevel::Off => Self::Off,
            DebugLevel::Messages => Self::Messages,
            DebugLevel::Payloads => Self::Payloads,
        }
    }
}

/// One tab, as the worker sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortSurvey {
    /// Its number in the worker.
    pub port: u32,
    /// Whether it is the tab that has asked.
    pub is_own: bool,
    /// Whether it owes an acknowledgement. One that does so for long is frozen, or busy.
    pub is_behind: bool,
    /// How many bytes wait for it.
    pub waiting: u32,
    /// How many channels it has.
    pub channels: u32,
    /// The interval of its pace, in milliseconds, up to 65,535. A hidden tab asks for a longer one.
    pub pace: u32,
}

impl PortSurvey {
    /// Returns the entry that says so.
    #[must_use]
    pub fn entry(&self) -> LogEntry {
        LogEntry {
            id: self.port,
            code: u32::from(self.is_own)
                | u32::from(self.is_behind) << 1
                | self.channels << 2
                | self.pace << 16,
            len: self.waiting,
            ..LogEntry::new(kind::PORT)
        }
    }

    /// Reads an entry; `None` when it is another one.
    #[must_use]
    pub fn of(entry: &LogEntry) -> Option<Self> {
        (entry.kind == kind::PORT).then_some(Self {
            port: entry.id,
            is_own: entry.code & 1 != 0,
            is_behind: entry.code & 2 != 0,
            waiting: entry.len,
            channels: entry.code >> 2 & 0x3fff,
            pace: entry.code >> 16,
        })
    }
}

/// One connection, as the worker sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkSurvey {
    /// Its number in the worker.
    pub link: u32,
    /// The socket that it has, or 0.
    pub socket: u32,
    /// For how many milliseconds the oldest of what is queued has waited.
    pub oldest: u32,
    /// How it is doing, without its subprotocol.
    pub status: Status,
    /// The URL, without what may be secret.
    pub url: String,
}

impl LinkSurvey {
    /// Returns the entry that says so; the URL is redacted by it.
    #[must_use]
    pub fn entry(link: u32, socket: u32, oldest: u32, status: &Status, url: &str) -> LogEntry {
        let mut content = Vec::new();
        worker_side::write_status(status, &mut content);
        content.extend_from_slice(&redact_url_bytes(url));
        LogEntry {
            id: link,
            code: socket,
            len: oldest,
            content: content.into(),
            ..LogEntry::new(kind::LINK)
        }
    }

    /// Reads an entry; `None` when it is another one.
    #[must_use]
    pub fn of(entry: &LogEntry) -> Option<Self> {
        if entry.kind != kind::LINK {
            return None;
        }
        let (status, url) = postcard::take_from_bytes(&entry.content).ok()?;
        Some(Self {
            link: entry.id,
            socket: entry.code,
            oldest: entry.len,
            status,
            url: String::from_utf8_lossy(url).into_owned(),
        })
    }
}

/// From what state an engine goes on while it is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beginning {
    /// The port of the tab that records.
    pub port: u32,
    /// Since when that tab's pace is counted, in milliseconds of the engine's time, of which the upper 32 bits are left out. An engine to which the tab
    /// says hello then counts as this one does.
    pub paced_since: u32,
    /// When it began, counted the same way.
    pub now: u32,
    /// The state of its randomness; `None` when more would have to be known: there were other tabs or links before, or the worker
    /// transcodes by an app's own code.
    pub seed: Option<u64>,
}

impl Beginning {
    /// Returns the entry that says so.
    #[must_use]
    pub fn entry(&self) -> LogEntry {
        let mut entry = LogEntry {
            id: self.port,
            code: self.paced_since,
            len: self.now,
            ..LogEntry::new(kind::BEGINNING)
        };
        if let Some(seed) = self.seed {
            entry.content = Bytes::copy_from_slice(&seed.to_le_bytes());
        }
        entry
    }

    /// Reads an entry; `None` when it is another one.
    #[must_use]
    pub fn of(entry: &LogEntry) -> Option<Self> {
        (entry.kind == kind::BEGINNING).then(|| Self {
            port: entry.id,
            paced_since: entry.code,
            now: entry.len,
            seed: entry.content[..].try_into().ok().map(u64::from_le_bytes),
        })
    }
}

/// Returns the entry that says at how many milliseconds of its time the next input was given to the engine, but for the upper 32 bits: it begins at
/// 0 again behind 49.7 days.
#[must_use]
pub fn moment(now: u32) -> LogEntry {
    LogEntry {
        len: now,
        ..LogEntry::new(kind::MOMENT)
    }
}

/// Returns the entry that holds a frame from a port.
#[must_use]
pub fn frame(port: u32, frame: &Bytes) -> LogEntry {
    LogEntry {
        id: port,
        len: frame.len() as u32,
        content: frame.clone(),
        ..LogEntry::new(kind::FRAME_IN)
    }
}

#[cfg(test)]
mod tests {
    use crate::{LinkState, Millis};

    use super::*;

    #[test]
    fn what_a_survey_says_can_be_read() {
        let port = PortSurvey {
            port: 3,
            is_own: true,
            is_behind: false,
            waiting: 900,
            channels: 256,
            pace: 250,
        };
        assert_eq!(PortSurvey::of(&port.entry()), Some(port.clone()));
        let status = Status {
            state: LinkState::Offline { attempt: 2 },
            tabs: 2,
            queued_messages: 3,
            queued_bytes: 70,
            dials: 4,
            round_trip: Some(Millis(12)),
        };
        let entry = LinkSurvey::entry(1, 4, 1_500, &status, "wss://x.org/?key=secret");
        let link = LinkSurvey {
            link: 1,
            socket: 4,
            oldest: 1_500,
            status,
            url: "wss://x.org/?key=***".to_owned(),
        };
        assert_eq!(LinkSurvey::of(&entry), Some(link));
        assert_eq!(LinkSurvey::of(&port.entry()), None);
        let mut short = entry;
        short.content = short.content.slice(..3);
        assert_eq!(LinkSurvey::of(&short), None);
    }

    #[test]
    fn where_a_recording_begins_can_be_read() {
        let beginning = |seed| Beginning {
            port: 1,
            paced_since: 5,
            now: 7,
            seed,
        };
        for seed in [None, Some(u64::MAX - 1)] {
            let entry = beginning(seed).entry();
            assert_eq!(Beginning::of(&entry), Some(beginning(seed)));
        }
    }
}
