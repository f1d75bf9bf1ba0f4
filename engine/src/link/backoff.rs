//! How long to wait before the next dial.

use fastrand::Rng;
use onesocket_protocol::{Backoff, CloseInfo, Millis};

/// Draws the wait before attempt `attempt`, counted from 1. A herd that has to be spread is not held to the policy's bounds.
pub(crate) fn draw(policy: &Backoff, attempt: u32, spread: Millis, rng: &mut Rng) -> Millis {
    let doublings = attempt.saturating_sub(1).min(31);
    let bound = u64::from(policy.base.0) << doublings;
    let bound = bound.min(u64::from(policy.cap.0)).max(u64::from(spread.0));
    Millis(rng.u64(..=bound) as u32)
}

/// A server that asks for more than this is held to this: a typing error must not silence its clients for ever.
const MAX_DIRECTED_DELAY: Millis = Millis(60 * 60 * 1000);

/// What a server asks of those who come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Directions {
    /// Not to come before.
    pub(crate) delay: Option<Millis>,
    /// To come at a random moment within so long after that.
    pub(crate) spread: Millis,
}

/// Reads the directions in a close reason, `retry-after=SECONDS` and `spread=SECONDS`, with optional fractions.
///
/// The first name is that of HTTP's
/// [Retry-After](https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Retry-After) header; WebSocket has no
/// field for it. Codes 1012 (service restart) and 1013 (try again later) without directions mean everybody: clients
/// [should come back](https://www.ietf.org/mail-archive/web/hybi/current/msg09649.html) at random within 30 s, which is the
/// default of `cap`.
pub(crate) fn directions(close: &CloseInfo, cap: Millis) -> Directions {
    let delay = seconds(&close.reason, b"retry-after=");
    let is_for_all = delay.is_none() && matches!(close.code, 1012 | 1013);
    let spread = seconds(&close.reason, b"spread=");
    Directions {
        delay,
        spread: spread.unwrap_or(if is_for_all { cap } else { Millis(0) }),
    }
}

fn seconds(reason: &str, name: &[u8]) -> Option<Millis> {
    let reason = reason.as_bytes();
    let at = reason.windows(name.len()).position(|part| part == name)?;
    // By hand: the parsers of the standard library would be a twentieth of the worker's wasm.
    let (mut seconds, mut millis) = (None, 0);
    let mut place = None;
    for byte in reason.iter().skip(at + name.len()) {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        match (byte, &mut place) {
            (b'0'..=b'9', None) => {
                let before: u32 = seconds.unwrap_or(0);
                seconds = Some(before.saturating_mul(10).saturating_add(digit));
            }
            (b'0'..=b'9', Some(place)) => {
                *place /= 10;
                millis += *place * digit;
            }
            (b'.', None) => place = Some(1000),
            (b'.', Some(_)) => return None,
            _ => break,
        }
    }
    let seconds = seconds?;
    let delay = Millis(seconds.saturating_mul(1000).saturating_add(millis));
    Some(clamp_directed(delay))
}

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
                .map(|_| draw(&policy, attempt, Millis(0), &mut rng).0)
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
    fn a_spread_widens_the_bound_and_never_narrows_it() {
        let policy = Backoff::default();
        let mut rng = Rng::with_seed(2);
        for (attempt, bound) in [(1, 20_000), (5, 20_000), (6, 30_000)] {
            let waits = (0..2000).map(|_| draw(&policy, attempt, Millis(20_000), &mut rng).0);
            let max = waits.max();
            assert!(
                max <= Some(bound) && max > Some(bound - bound / 50),
                "{max:?}"
            );
        }
    }

    #[test]
    fn a_close_reason_may_direct_the_delay() {
        let check = |reason: &str, delay: Option<u32>, spread: u32| {
            let close = CloseInfo {
                code: 1001,
                reason: reason.into(),
                was_clean: true,
            };
            let expect = Directions {
                delay: delay.map(Millis),
                spread: Millis(spread),
            };
            assert_eq!(directions(&close, Millis(30_000)), expect, "{reason}");
        };
        check("retry-after=5", Some(5000), 0);
        check("deploy; retry-after=0.25; bye", Some(250), 0);
        check("retry-after=5 spread=20", Some(5000), 20_000);
        check("spread=1.5", None, 1500);
        check(
            "retry-after=99999999;spread=99999999",
            Some(3_600_000),
            3_600_000,
        );
        check("retry-after=soon", None, 0);
        check("retry-after=1.2.3", None, 0);
        check("retry-after=-1", None, 0);
        check("", None, 0);
    }

    #[test]
    fn a_server_that_restarts_spreads_its_clients_over_the_cap() {
        let check = |code, reason: &str, spread| {
            let close = CloseInfo {
                code,
                reason: reason.into(),
                was_clean: true,
            };
            assert_eq!(directions(&close, Millis(30_000)).spread, Millis(spread));
        };
        check(1012, "", 30_000);
        check(1013, "busy", 30_000);
        check(1012, "retry-after=5", 0);
        check(1012, "spread=3", 3_000);
        check(1001, "", 0);
        check(1006, "", 0);
    }
}
