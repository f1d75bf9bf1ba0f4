//! State that a hook keeps for one client.

use std::{cell::RefCell, rc::Rc};

use onesocket::Client;
use yew::{UseForceUpdateHandle, hook, use_force_update, use_memo};

/// What a hook keeps for a client. A handle has what it was when the component was rendered: of two handles that are compared both must
/// not tell the same present, as those of [`use_reducer`](yew::functional::use_reducer) do.
pub(crate) struct Kept<S> {
    now: RefCell<Rc<S>>,
    render: UseForceUpdateHandle,
}

impl<S> Kept<S> {
    pub(crate) fn now(&self) -> Rc<S> {
        Rc::clone(&self.now.borrow())
    }

    /// Puts another state into its place, and renders the component.
    pub(crate) fn change(&self, change: impl FnOnce(&S) -> S) {
        let next = change(&self.now());
        // Dropped outside of the borrow: it may own what is the app's.
        let before = self.now.replace(Rc::new(next));
        drop(before);
        self.render.force_update();
    }
}

/// Returns the state of a hook, which begins anew with each client: nothing of one account is left for the next.
#[hook]
pub(crate) fn use_kept<Tx: 'static, Rx: 'static, S: Default + 'static>(
    client: &Client<Tx, Rx>,
) -> Rc<Kept<S>> {
    let render = use_force_update();
    use_memo(client.clone(), |_| Kept {
        now: RefCell::default(),
        render,
    })
}
