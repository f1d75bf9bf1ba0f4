//! Effects of hooks.

use leptos::prelude::*;

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
