//! A map for a few things with ids that only grow.

/// A sorted vector: a hundred ports are found as fast as in a tree, and each `BTreeMap` is 5 kB of wasm.
#[derive(Debug)]
pub(super) struct Slots<K, V>(Vec<(K, V)>);

impl<K: Copy + Ord, V> Slots<K, V> {
    /// Adds a value under an id that is above all before it.
    pub(super) fn push(&mut self, id: K, value: V) {
        debug_assert!(
            self.0.last().is_none_or(|(last, _)| *last < id),
            "ids only grow"
        );
        self.0.push((id, value));
    }

    pub(super) fn get(&self, id: K) -> Option<&V> {
        self.find(id).map(|at| &self.0[at].1)
    }

    pub(super) fn get_mut(&mut self, id: K) -> Option<&mut V> {
        self.find(id).map(|at| &mut self.0[at].1)
    }

    pub(super) fn remove(&mut self, id: K) -> Option<V> {
        self.find(id).map(|at| self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut (K, V)> {
        self.0.iter_mut()
    }

    fn find(&self, id: K) -> Option<usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id).ok()
    }
}

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
