//! The hosts of this context, for whom lines are collected.

use std::{
    cell::{Cell, RefCell},
    rc::Weak,
};

use onesocket_protocol::{DebugLevel, LogEntry};
use wasm_bindgen_futures::spawn_local;

use crate::host::Inner;

/// Makes a new host hear of lines.
pub(crate) fn register(host: &Weak<Inner>) {
    HOSTS.with_borrow_mut(|hosts| hosts.push(host.clone()));
}

/// Says whether this context itself wants to see lines, whatever its hosts do.
pub(super) fn set_own_level(level: DebugLevel) {
    OWN_LEVEL.set(level);
}

/// Returns whether this context, or any host of it, wants to see lines.
pub(super) fn want_lines() -> bool {
    OWN_LEVEL.get() != DebugLevel::Off
        || HOSTS.with_borrow(|hosts| {
            hosts
                .iter()
                .filter_map(Weak::upgrade)
                .any(|host| host.is_debugging())
        })
}

/// Hands a line to every host of this context that wants it.
pub(super) fn push_to_all(entry: &LogEntry) {
    let hosts: Vec<_> = HOSTS.with_borrow_mut(|hosts| {
        hosts.retain(|host| host.strong_count() > 0);
        hosts.iter().filter_map(Weak::upgrade).collect()
    });
    for host in hosts.iter().filter(|host| host.is_debugging()) {
        host.push_line(entry.clone());
    }
    wake();
}

/// A host that is at work takes its lines when it is done; others have to be woken for a line of the app's own.
fn wake() {
    if !IS_WAKING.replace(true) {
        spawn_local(async {
            IS_WAKING.set(false);
            let hosts = HOSTS.with_borrow(Clone::clone);
            hosts
                .iter()
                .filter_map(Weak::upgrade)
                .for_each(|host| host.resume());
        });
    }
}

thread_local! {
    static OWN_LEVEL: Cell<DebugLevel> = const { Cell::new(DebugLevel::Off) };

    /// There is one but in tests, and in a page that changes its tier.
    static HOSTS: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };

    static IS_WAKING: Cell<bool> = const { Cell::new(false) };
}
