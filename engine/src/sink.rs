//! The log on its way to the tabs.

use core::{cell::RefCell, mem};

use onesocket_protocol::{LogEntry, log::kind};

/// What a host will tell its tabs. An entry can come at any time, in the middle of a drain too; so it waits here.
#[derive(Debug, Default)]
pub struct LogSink {
    waiting: RefCell<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<LogEntry>,
    is_loud: bool,
}

impl LogSink {
    /// Takes what has come since.
    ///
    /// What stands for no more than an input waits for company: it may be the acknowledgement of the entries before it, and
    /// would be the next one to be acknowledged for ever.
    pub fn take(&self) -> Vec<LogEntry> {
        let mut waiting = self.waiting.borrow_mut();
        if !mem::take(&mut waiting.is_loud) {
            return Vec::new();
        }
        mem::take(&mut waiting.entries)
    }

    /// Adds an entry.
    pub fn push(&self, entry: LogEntry) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.entries.len() < MAX_ENTRIES {
            waiting.is_loud |= entry.kind < kind::MOMENT;
            waiting.entries.push(entry);
        }
    }
}

/// What may come of one input. Far more is a loop, which must not eat the memory.
const MAX_ENTRIES: usize = 1000;
