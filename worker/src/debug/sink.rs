//! The log on its way to the tabs.

use std::{cell::RefCell, mem};

use onesocket_protocol::{LogEntry, WorkerScope};

/// What a host will tell its tabs. An entry can come at any time, in the middle of a drain too; so it waits here.
#[derive(Debug)]
pub(crate) struct TabSink {
    /// Not in the page: its console is this context's own, and a line that comes back to it would be the next one for ever.
    forwards: bool,
    entries: RefCell<Vec<LogEntry>>,
}

impl TabSink {
    pub(crate) fn new(scope: WorkerScope) -> Self {
        Self {
            forwards: scope != WorkerScope::Main,
            entries: RefCell::default(),
        }
    }

    /// Takes what has come since.
    pub(crate) fn take(&self) -> Vec<LogEntry> {
        mem::take(&mut self.entries.borrow_mut())
    }

    /// Adds an entry.
    pub(crate) fn push(&self, entry: LogEntry) {
        if !self.forwards {
            return;
        }
        let mut entries = self.entries.borrow_mut();
        if entries.len() == MAX_ENTRIES {
            entries.remove(0);
        }
        entries.push(entry);
    }
}

/// What may come of one input. Far more is a loop, which must not eat the memory.
const MAX_ENTRIES: usize = 1000;
