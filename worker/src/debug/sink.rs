//! The lines on their way to the tabs.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem,
    rc::{Rc, Weak},
};

use onesocket_protocol::{DebugLevel, LogLevel};
use wasm_bindgen_futures::spawn_local;

use crate::host::Inner;

/// What a host will tell its tabs. A line can come at any time, in the middle of a drain too; so it waits here.
#[derive(Debug)]
pub(crate) struct TabSink {
    host: Weak<Inner>,
    level: Cell<DebugLevel>,
    lines: RefCell<VecDeque<Line>>,
    is_scheduled: Cell<bool>,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: LogLevel,
    pub(crate) target: &'static str,
    pub(crate) text: String,
}

impl TabSink {
    pub(crate) fn new(host: Weak<Inner>) -> Rc<Self> {
        let level = Cell::default();
        let sink = Rc::new(Self {
            host,
            level,
            lines: RefCell::default(),
            is_scheduled: Cell::default(),
        });
        SINKS.with_borrow_mut(|sinks| sinks.push(Rc::downgrade(&sink)));
        sink
    }

    pub(crate) fn set_level(&self, level: DebugLevel) {
        self.level.set(level);
    }

    /// Takes the lines that have come since.
    pub(crate) fn take_lines(&self) -> VecDeque<Line> {
        mem::take(&mut self.lines.borrow_mut())
    }

    fn push(self: &Rc<Self>, line: Line) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
        drop(lines);
        // A host that is at work takes the lines when it is done; another one has to be woken for a line of the app's own.
        if !self.is_scheduled.replace(true) {
            let sink = Rc::clone(self);
            spawn_local(async move {
                sink.is_scheduled.set(false);
                if let Some(host) = sink.host.upgrade() {
                    host.drive();
                }
            });
        }
    }
}

/// Returns whether any host of this context has tabs that want to see lines.
pub(super) fn is_wanted() -> bool {
    SINKS.with_borrow(|sinks| {
        sinks
            .iter()
            .filter_map(Weak::upgrade)
            .any(|sink| sink.level.get() != DebugLevel::Off)
    })
}

/// Hands a line to every host of this context that wants it.
pub(super) fn push_to_all(line: &Line) {
    let sinks: Vec<_> = SINKS.with_borrow_mut(|sinks| {
        sinks.retain(|sink| sink.strong_count() > 0);
        sinks.iter().filter_map(Weak::upgrade).collect()
    });
    for sink in sinks
        .iter()
        .filter(|sink| sink.level.get() != DebugLevel::Off)
    {
        sink.push(line.clone());
    }
}

thread_local! {
    /// One per host; there is one host but in tests, and in a page that changes its tier.
    static SINKS: RefCell<Vec<Weak<TabSink>>> = const { RefCell::new(Vec::new()) };
}

/// What may come of one input. Far more is a loop, which must not eat the memory.
const MAX_LINES: usize = 1000;
