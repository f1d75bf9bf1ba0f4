//! The one rule for poisoned locks: no critical section here leaves half a change behind, so the data is still good.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks without the poison.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
