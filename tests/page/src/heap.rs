//! How much of the page's heap is in use. The size of wasm's memory says less of what is forgotten: it never shrinks, and grows by what has lived for a moment.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes.
#[wasm_bindgen]
pub fn heap_in_use() -> usize {
    let stats = HEAP.stats();
    // Both are sums since the start, which overflow.
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated)
}
