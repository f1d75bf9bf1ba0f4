//! The component that a hook is used in.

use leptos::{prelude::*, reactive::owner::WeakOwner};

/// Where what the app does on an event belongs. It does not own the component: its effects own what owns this, and rows of a `<For>` and
/// routes end by nothing else than that nobody owns them.
pub(crate) struct Scope(Option<WeakOwner>);

impl Scope {
    pub(crate) fn current() -> Self {
        Self(Owner::current().map(|owner| owner.downgrade()))
    }

    /// Does something as the component would, unless it is gone.
    pub(crate) fn run(&self, act: impl FnOnce()) {
        match &self.0 {
            Some(owner) => {
                if let Some(owner) = owner.upgrade() {
                    owner.with(act);
                }
            }
            None => act(),
        }
    }
}
