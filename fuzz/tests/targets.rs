//! The targets, as bolero runs them: what is in `__fuzz__/<target>/corpus`, then random inputs for as long as it is told.
//!
//! `cargo test` gives each a second or two. A failure is shrunk and printed with its seed; as a file in the target's `crashes` it is
//! run for ever after.

use std::time::Duration;

#[test]
fn frames_are_read() {
    bolero::check!()
        .with_test_time(SMOKE)
        .with_iterations(usize::MAX)
        .for_each(|bytes: &[u8]| onesocket_fuzz::frames_are_read(bytes));
}

#[test]
fn anything_happens() {
    bolero::check!()
        .with_test_time(SMOKE)
        .with_iterations(usize::MAX)
        .for_each(|bytes: &[u8]| {
            onesocket_fuzz::anything_happens(bytes);
        });
}

#[test]
fn nothing_is_tampered_with() {
    bolero::check!()
        .with_test_time(SMOKE)
        .with_iterations(usize::MAX)
        .for_each(|bytes: &[u8]| {
            onesocket_fuzz::nothing_is_tampered_with(bytes);
        });
}

/// `BOLERO_RANDOM_TEST_TIME_MS` overrides it.
const SMOKE: Duration = Duration::from_secs(2);
