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
    /// How many there was no room for.
    dropped: u32,
}

impl LogSink {
    /// Returns whether [`take`](Self::take) has anything to give.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        self.waiting.borrow().is_loud
    }

    /// Takes what has come since.
    ///
    /// What stands for no more than an input waits for company: it may be the acknowledgement of the entries before it, and
    /// would be the next one to be acknowledged for ever.
    pub fn take(&self) -> Vec<LogEntry> {
        let mut waiting = self.waiting.borrow_mut();
        if !mem::take(&mut waiting.is_loud) {
            return Vec::new();
        }
        let mut entries = mem::take(&mut waiting.entries);
        let len = mem::take(&mut waiting.dropped);
        if len > 0 {
            entries.push(LogEntry {
                len,
                ..LogEntry::new(kind::DROPPED)
            });
        }
        entries
    }

    /// Adds an entry, or counts it when too many wait.
    pub fn push(&self, entry: LogEntry) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.is_loud |= entry.kind < kind::MOMENT;
        if waiting.entries.len() < MAX_ENTRIES {
            waiting.entries.push(entry);
        } else {
            waiting.dropped = waiting.dropped.saturating_add(1);
        }
    }
}

/// What may come of one input. Far more is a loop, which must not eat the memory.
const MAX_ENTRIES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_quiet_entries_silenced_the_log_for_ever() {
        let sink = LogSink::default();
        for _ in 0..MAX_ENTRIES + 5 {
            sink.push(LogEntry::new(kind::MOMENT));
        }
        assert!(!sink.is_loud());
        assert_eq!(sink.take(), [], "they wait for company");
        sink.push(LogEntry::new(kind::LINE));
        assert!(sink.is_loud());
        let entries = sink.take();
        assert_eq!(entries.len(), MAX_ENTRIES + 1);
        let last = entries.last().map(|entry| (entry.kind, entry.len));
        assert_eq!(last, Some((kind::DROPPED, 6)));
        assert!(!sink.is_loud());

        sink.push(LogEntry::new(kind::LINE));
        assert_eq!(sink.take(), [LogEntry::new(kind::LINE)]);
    }
}
