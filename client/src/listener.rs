//! Listeners: they hear each event in the moment in which it comes, and have no queue.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
    sync::Arc,
};

use crate::{Event, client::Shared};

/// Keeps a listener of [`Client::on_event`](crate::Client::on_event) listening. A drop ends it. It does not keep the client alive.
#[must_use = "a listener ends when its guard is dropped"]
pub struct EventGuard<Rx> {
    pub(crate) shared: Weak<Shared<Rx>>,
    pub(crate) id: u64,
}

impl<Rx> EventGuard<Rx> {
    /// Keeps the listener for as long as the client lives and is not closed.
    pub fn keep(mut self) {
        self.shared = Weak::new();
    }
}

impl<Rx> Drop for EventGuard<Rx> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.unlisten(self.id);
        }
    }
}

impl<Rx> fmt::Debug for EventGuard<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventGuard")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Keeps who takes large messages by [`Client::on_parcel`](crate::Client::on_parcel). A drop ends it, unless somebody else has taken its place. It does not
/// keep the client alive.
#[must_use = "large messages are for the listeners again when the guard is dropped"]
pub struct ParcelGuard<Rx> {
    pub(crate) shared: Weak<Shared<Rx>>,
    pub(crate) id: u64,
}

impl<Rx> ParcelGuard<Rx> {
    /// Keeps it for as long as the client lives and is not closed, or until somebody else takes its place.
    pub fn keep(mut self) {
        self.shared = Weak::new();
    }
}

impl<Rx> Drop for ParcelGuard<Rx> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.leave_parcels(self.id);
        }
    }
}

impl<Rx> fmt::Debug for ParcelGuard<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParcelGuard")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A message goes to all listeners as it was decoded once.
type Listener<Rx> = Rc<dyn Fn(Event<Arc<Rx>>)>;

/// The listeners of a client, in the order in which they came, which is that of their ids.
pub(crate) struct Listeners<Rx> {
    all: RefCell<Vec<(u64, Listener<Rx>)>>,
    next: Cell<u64>,
}

impl<Rx> Default for Listeners<Rx> {
    fn default() -> Self {
        Self {
            all: RefCell::default(),
            next: Cell::new(0),
        }
    }
}

impl<Rx> Listeners<Rx> {
    pub(crate) fn add(&self, listener: impl Fn(Event<Arc<Rx>>) + 'static) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        self.all.borrow_mut().push((id, Rc::new(listener)));
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        // Dropped outside of the borrow: what the listener owns may drop other guards.
        let mut all = self.all.borrow_mut();
        let at = all.binary_search_by_key(&id, |(id, _)| *id);
        let listener = at.map(|at| all.remove(at));
        drop(all);
        drop(listener);
    }

    pub(crate) fn clear(&self) {
        drop(self.all.take());
    }

    /// Hands all of them over to a list that has none.
    pub(crate) fn move_to(&self, other: &Self) {
        other.next.set(self.next.get());
        other.all.swap(&self.all);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.borrow().is_empty()
    }

    /// Tells all that are there. Nothing is borrowed meanwhile: listeners may come and go by it. Who comes hears the next one: a listener
    /// that each time puts another one in its place would never be through.
    pub(crate) fn tell(&self, event: impl Fn() -> Event<Arc<Rx>>) {
        let (mut next, end) = (0, self.next.get());
        while let Some((id, listener)) = self.first(next).filter(|(id, _)| *id < end) {
            listener(event());
            next = id + 1;
        }
    }

    /// Returns the first one whose id is no less.
    fn first(&self, id: u64) -> Option<(u64, Listener<Rx>)> {
        let all = self.all.borrow();
        let at = all.partition_point(|(other, _)| *other < id);
        all.get(at).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(listeners: &Listeners<u32>, message: u32) {
        let message = Arc::new(message);
        listeners.tell(|| Event::Message(Arc::clone(&message)));
    }

    #[test]
    fn a_listener_may_end_itself_and_the_next_one() {
        let listeners = Rc::new(Listeners::<u32>::default());
        let heard = Rc::new(Cell::new(0));
        let (inner, count) = (Rc::clone(&listeners), Rc::clone(&heard));
        listeners.add(move |_| {
            count.set(count.get() + 1);
            inner.remove(0);
            inner.remove(1);
        });
        for _ in 0..2 {
            let count = Rc::clone(&heard);
            listeners.add(move |_| count.set(count.get() + 10));
        }
        tell(&listeners, 1);
        assert_eq!(heard.get(), 11);
        tell(&listeners, 2);
        assert_eq!(heard.get(), 21);
    }

    #[test]
    fn a_listener_that_replaces_itself_heard_one_event_for_ever() {
        fn listen(listeners: &Rc<Listeners<u32>>, heard: &Rc<Cell<u32>>) {
            let (inner, count) = (Rc::clone(listeners), Rc::clone(heard));
            let own = listeners.next.get();
            listeners.add(move |_| {
                count.set(count.get() + 1);
                assert!(count.get() < 10, "it hears it again and again");
                inner.remove(own);
                listen(&inner, &count);
            });
        }

        let (listeners, heard) = (Rc::default(), Rc::default());
        listen(&listeners, &heard);
        tell(&listeners, 1);
        assert_eq!(heard.get(), 1);
        tell(&listeners, 2);
        assert_eq!(heard.get(), 2);
        listeners.clear();
    }

    #[test]
    fn what_a_listener_owns_may_be_another_listener() {
        struct Removes(Rc<Listeners<u32>>, u64);
        impl Drop for Removes {
            fn drop(&mut self) {
                self.0.remove(self.1);
            }
        }

        let listeners = Rc::new(Listeners::<u32>::default());
        let other = listeners.add(|_| {});
        let owned = Removes(Rc::clone(&listeners), other);
        let owner = listeners.add(move |_| {
            let _ = &owned;
        });
        listeners.remove(owner);
        assert!(listeners.is_empty());
    }
}
