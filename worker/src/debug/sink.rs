//! The lines on their way to the tabs.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem,
    rc::{Rc, Weak},
};

use onesocket_protocol::{DebugLevel, LogLevel, WorkerScope};
use wasm_bindgen_futures::spawn_local;

use crate::host::Inner;

/// What a host will tell its tabs. A line can come at any time, in the middle of a drain too; so it waits here.
#[derive(Debug)]
pub(crate) struct TabSink {
    host: Weak<Inner>,
    /// Not in the page: its console is this context's own, and a line that comes back to it would be the next one for ever.
    forwards: bool,
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
    pub(crate) fn new(host: Weak<Inner>, scope: WorkerScope) -> Rc<Self> {
        let level = Cell::default();
        let sink = Rc::new(Self {
            host,
            forwards: scope != WorkerScope::Main,
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

/// Says whether this context itself wants to see lines, whatever its hosts do.
pub(super) fn set_own_level(level: DebugLevel) {
    OWN_LEVEL.set(level);
}

/// Returns whether this context, or any host of it, wants to see lines.
pub(super) fn is_wanted() -> bool {
    OWN_LEVEL.get() != DebugLevel::Off || is_wanted_by_hosts()
}

fn is_wanted_by_hosts() -> bool {
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
        .filter(|sink| sink.forwards && sink.level.get() != DebugLevel::Off)
    {
        sink.push(line.clone());
    }
}

thread_local! {
    static OWN_LEVEL: Cell<DebugLevel> = const { Cell::new(DebugLevel::Off) };

    /// One per host; there is one host but in tests, and in a page that changes its tier.
    static SINKS: RefCell<Vec<Weak<TabSink>>> = const { RefCell::new(Vec::new()) };
}

/// What may come of one input. Far more is a loop, which must not eat the memory.
const MAX_LINES: usize = 1000;
