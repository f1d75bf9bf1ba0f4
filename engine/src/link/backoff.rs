//! How long to wait before the next dial.

use fastrand::Rng;
use onesocket_protocol::{Backoff, CloseInfo, Millis};

/// Draws the wait before attempt `attempt`, counted from 1.
pub(crate) fn draw(policy: &Backoff, attempt: u32, rng: &mut Rng) -> Millis {
    let doublings = attempt.saturating_sub(1).min(31);
    let bound = u64::from(policy.base.0) << doublings;
    let bound = bound.min(u64::from(policy.cap.0));
    Millis(rng.u64(..=bound) as u32)
}

/// A server that asks for more than this is held to this: a typing error must not silence its clients for ever.
const MAX_DIRECTED_DELAY: Millis = Millis(60 * 60 * 1000);

/// Returns the delay that a server has asked for in its close reason, as `retry-after=SECONDS` with an optional fraction.
///
/// The name is that of HTTP's [Retry-After](https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Retry-After)
/// header; WebSocket has no field for it, and codes 1012 (service restart) and 1013 (try again later) say when, not how long.
pub(crate) fn directed_delay(close: &CloseInfo) -> Option<Millis> {
    let reason = close.reason.as_bytes();
    let at = reason
        .windows(RETRY_AFTER.len())
        .position(|part| part == RETRY_AFTER)?;
    let mut digits = reason[at + RETRY_AFTER.len()..].iter().copied().peekable();
    // By hand: the parsers of the standard library would be a twentieth of the worker's wasm.
    digits.peek().filter(|byte| byte.is_ascii_digit())?;
    let mut seconds: u32 = 0;
    while let Some(digit) = digits.next_if(u8::is_ascii_digit) {
        seconds = seconds
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'));
    }
    let mut millis = 0;
    if digits.next_if_eq(&b'.').is_some() {
        for place in [100, 10, 1] {
            let digit = digits.next_if(u8::is_ascii_digit).unwrap_or(b'0');
            millis += place * u32::from(digit - b'0');
        }
        while digits.next_if(u8::is_ascii_digit).is_some() {}
        if digits.peek() == Some(&b'.') {
            return None;
        }
    }
    let delay = Millis(seconds.saturating_mul(1000).saturating_add(millis));
    Some(clamp_directed(delay))
}

const RETRY_AFTER: &[u8] = b"retry-after=";

/// Holds a delay to what a server may ask for.
pub(crate) fn clamp_directed(delay: Millis) -> Millis {
    delay.min(MAX_DIRECTED_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let policy = Backoff::default();
        let mut rng = Rng::with_seed(1);
        for (attempt, bound) in [
            (1, 1000),
            (2, 2000),
            (5, 16_000),
            (6, 30_000),
            (40, 30_000),
            (u32::MAX, 30_000),
        ] {
            let waits: Vec<u32> = (0..2000)
                .map(|_| draw(&policy, attempt, &mut rng).0)
                .collect();
            let (min, max) = (waits.iter().min(), waits.iter().max());
            assert!(max <= Some(&bound), "attempt {attempt}: {max:?}");
            assert!(
                max > Some(&(bound - bound / 50)),
                "full jitter reaches the bound: {max:?} of {bound}"
            );
            assert!(
                min < Some(&(bound / 50)),
                "full jitter reaches nothing: {min:?}"
            );
        }
    }

    #[test]
    fn a_close_reason_may_direct_the_delay() {
        let check = |reason: &str, expect: Option<u32>| {
            let close = CloseInfo {
                code: 1013,
                reason: reason.into(),
                was_clean: true,
            };
            assert_eq!(directed_delay(&close), expect.map(Millis), "{reason}");
        };
        check("retry-after=5", Some(5000));
        check("deploy; retry-after=0.25; bye", Some(250));
        check("retry-after=99999999", Some(3_600_000));
        check("retry-after=soon", None);
        check("retry-after=1.2.3", None);
        check("retry-after=-1", None);
        check("", None);
    }
}
