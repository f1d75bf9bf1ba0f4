//! A queue that weighs little in wasm: a `VecDeque` brings a ring and two slices for each type in it.

/// First in, first out. What is taken from its midst leaves a hole, which is passed over.
#[derive(Debug)]
pub struct Fifo<T> {
    slots: Vec<Option<T>>,
    /// In front of this slot there are only holes.
    first: usize,
    len: usize,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            first: 0,
            len: 0,
        }
    }
}

impl<T> Fifo<T> {
    /// Adds an item behind all others.
    pub fn push(&mut self, item: T) {
        let is_room = self.slots.len() < self.slots.capacity();
        // Half of it are holes: it need not grow, and to close them up costs each item no more than another push.
        if !is_room && self.len <= self.slots.len() / 2 {
            self.slots.retain(Option::is_some);
            self.first = 0;
        }
        self.slots.push(Some(item));
        self.len += 1;
    }

    /// Puts an item in front of all others.
    pub fn push_front(&mut self, item: T) {
        match self.first.checked_sub(1) {
            Some(before) => {
                self.slots[before] = Some(item);
                self.first = before;
            }
            None => self.slots.insert(0, Some(item)),
        }
        self.len += 1;
    }

    /// Takes the first item.
    pub fn pop(&mut self) -> Option<T> {
        while let Some(slot) = self.slots.get_mut(self.first) {
            self.first += 1;
            if let Some(item) = slot.take() {
                self.len -= 1;
                return Some(item);
            }
        }
        self.clear();
        None
    }

    /// Returns the first item.
    #[must_use]
    pub fn front(&self) -> Option<&T> {
        self.iter().next()
    }

    /// Takes the first item of which this is true.
    pub fn take(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let is_it = |slot: &&mut Option<T>| slot.as_ref().is_some_and(&is_it);
        let taken = self.slots.iter_mut().skip(self.first).find(is_it)?.take();
        self.len -= 1;
        self.pass_holes();
        taken
    }

    /// So that taking one after the other from the front does not pass over the same holes again and again.
    fn pass_holes(&mut self) {
        while let Some(None) = self.slots.get(self.first) {
            self.first += 1;
        }
    }

    /// Takes every item of which this is true, in order.
    pub fn take_all(&mut self, is_it: &dyn Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(is_it) {
                taken.extend(slot.take());
            }
        }
        self.len -= taken.len();
        self.pass_holes();
        taken
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.first = 0;
        self.len = 0;
    }

    /// Returns how many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Shows the items in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        let slots = self.slots.get(self.first..).unwrap_or_default();
        slots.iter().filter_map(Option::as_ref)
    }

    /// Shows the items in order, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(Option::as_mut)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn it_does_what_a_deque_does_and_stays_small() {
        let mut rng = fastrand::Rng::with_seed(5);
        let (mut fifo, mut model) = (Fifo::default(), VecDeque::new());
        let mut most = 0;
        for number in 0..5_000_u32 {
            match rng.u8(0..12) {
                0..=5 => {
                    fifo.push(number);
                    model.push_back(number);
                }
                6 => {
                    fifo.push_front(number);
                    model.push_front(number);
                }
                7..=8 => assert_eq!(fifo.pop(), model.pop_front()),
                9..=10 => {
                    let at = model.iter().position(|item| item % 3 == 0);
                    let expect = at.and_then(|at| model.remove(at));
                    assert_eq!(fifo.take(|item| item % 3 == 0), expect);
                }
                _ if number % 10 == 0 => {
                    let (expect, left): (Vec<_>, Vec<_>) =
                        model.into_iter().partition(|item| item % 2 == 0);
                    model = left.into();
                    assert_eq!(fifo.take_all(&|item| item % 2 == 0), expect);
                }
                _ => fifo.iter_mut().zip(&mut model).for_each(|(ours, model)| {
                    *ours ^= 1;
                    *model ^= 1;
                }),
            }
            most = most.max(model.len());
            assert!(fifo.iter().eq(&model) && fifo.iter().rev().eq(model.iter().rev()));
            assert_eq!((fifo.front(), fifo.len()), (model.front(), model.len()));
            assert!(fifo.slots.capacity() <= 4 * most.max(4));
        }
    }

    #[test]
    fn what_is_taken_as_fast_as_it_comes_needs_no_memory() {
        let mut fifo = Fifo::default();
        for number in 0..10_000 {
            fifo.push(number);
            fifo.push(number);
            if number % 2 == 0 {
                fifo.pop();
                fifo.pop();
            } else {
                fifo.take(|_| true);
                fifo.take(|_| true);
            }
        }
        assert!(fifo.slots.capacity() <= 8, "{}", fifo.slots.capacity());
    }

    #[test]
    fn what_was_taken_from_the_front_is_not_looked_at_again() {
        let mut fifo = Fifo::default();
        (0..9).for_each(|item| fifo.push(item));
        assert_eq!(fifo.take(|item| *item == 1), Some(1));
        assert_eq!(fifo.first, 0);
        assert_eq!(fifo.take(|item| *item == 0), Some(0));
        assert_eq!(fifo.first, 2);
        assert_eq!(fifo.take_all(&|item| *item < 5), [2, 3, 4]);
        assert_eq!((fifo.first, fifo.len()), (5, 4));
    }
}
