//! Where things of the page lie in the reactive graph, whose values may be dropped on any thread of a server.

#[cfg(any(target_family = "wasm", test))]
use send_wrapper::SendWrapper;
#[cfg(not(any(target_family = "wasm", test)))]
use std::marker::PhantomData;

/// Holds something that a page's only thread owns. On a native target it holds nothing: what is put in is dropped at once, because a
/// `SendWrapper` panics when another thread drops it, and servers move what they render from thread to thread. Unit tests have one thread.
#[cfg(any(target_family = "wasm", test))]
pub(crate) struct Shelf<T>(Option<SendWrapper<T>>);

#[cfg(any(target_family = "wasm", test))]
impl<T> Shelf<T> {
    pub(crate) fn new(thing: Option<T>) -> Self {
        Self(thing.map(SendWrapper::new))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// Drops what it holds.
    pub(crate) fn clear(self) {}
}

/// Holds something that a page's only thread owns, and nothing where there is no page.
#[cfg(not(any(target_family = "wasm", test)))]
pub(crate) struct Shelf<T>(PhantomData<fn() -> T>);

#[cfg(not(any(target_family = "wasm", test)))]
impl<T> Shelf<T> {
    pub(crate) fn new(thing: Option<T>) -> Self {
        drop(thing);
        Self(PhantomData)
    }

    #[expect(clippy::unused_self, reason = "it is used where there is a page")]
    pub(crate) fn get(&self) -> Option<&T> {
        None
    }

    #[expect(
        clippy::unused_self,
        reason = "there is something to drop where there is a page"
    )]
    pub(crate) fn clear(self) {}
}
