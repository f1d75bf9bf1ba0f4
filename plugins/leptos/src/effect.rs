//! Effects of hooks.

use leptos::prelude::*;

use crate::shelf::Shelf;

/// Runs an effect in a page, as [`Effect::new`] does.
#[cfg(not(test))]
pub(crate) fn effect<T: 'static>(run: impl FnMut(Option<T>) -> T + 'static) {
    Effect::new(run);
}

/// Runs an effect in a unit test, where there is no page and `Effect::new` does nothing.
#[cfg(test)]
pub(crate) fn effect<T: 'static>(run: impl FnMut(Option<T>) -> T + 'static) {
    use send_wrapper::SendWrapper;

    let mut run = SendWrapper::new(run);
    Effect::new_isomorphic(move |before: Option<SendWrapper<T>>| {
        SendWrapper::new(run(before.map(SendWrapper::take)))
    });
}

/// Keeps what `make` makes until the component is gone. Whatever `make` has read changes, it makes anew, and what there was before is dropped
/// behind that, so that what both hold together is not let go; unless `make` calls what it is given, which drops it at once.
///
/// A cleanup of the effect would drop it before `make` is called.
pub(crate) fn overlapping<T: 'static>(make: impl Fn(&dyn Fn()) -> Option<T> + 'static) {
    let held = StoredValue::new(Shelf::new(None));
    // Dropped outside of the lock: it may own what is the app's.
    let replace = move |next| {
        let next = Shelf::new(next);
        if let Some(before) = held.try_update_value(|held| core::mem::replace(held, next)) {
            before.clear();
        }
    };
    effect(move |_: Option<()>| replace(make(&|| replace(None))));
}
