//! `/feed?rate=&size=&count=`: numbered binary frames, at a rate or as fast as the client takes them.

use std::{num::NonZeroU32, time::Duration};

use axum::{body::Bytes, extract::ws::Message, response::Response};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use crate::{
    endpoint::{Endpoint, Handshake},
    error::BadParameter,
    socket::{Closed, MAX_FRAME_BYTES, Outbox},
};

/// Makes the frame with a sequence number, as `/feed` sends it and `/sink` checks it.
///
/// The first 8 bytes are the number, little-endian; the byte at index `i` from 8 on is `(number + i) mod 256`. A `size` below 8 is
/// taken as 8.
///
/// ```
/// assert_eq!(onesocket_server::feed_frame(258, 11), [2, 1, 0, 0, 0, 0, 0, 0, 10, 11, 12]);
/// ```
#[must_use]
pub fn feed_frame(sequence: u64, size: usize) -> Vec<u8> {
    Fill::new(size).frame(sequence)
}

/// Reads the sequence number of a frame; `None` when it is too short or its fill is damaged.
///
/// ```
/// use onesocket_server::{feed_frame, feed_sequence};
///
/// let mut frame = feed_frame(7, 100);
/// assert_eq!(feed_sequence(&frame), Some(7));
/// frame[99] ^= 1;
/// assert_eq!(feed_sequence(&frame), None);
/// ```
#[must_use]
pub fn feed_sequence(frame: &[u8]) -> Option<u64> {
    let (number, fill) = frame.split_first_chunk::<NUMBER_BYTES>()?;
    let sequence = u64::from_le_bytes(*number);
    let expected = (sequence as u8).wrapping_add(NUMBER_BYTES as u8);
    let is_intact = fill
        .iter()
        .enumerate()
        .all(|(index, &byte)| byte == expected.wrapping_add(index as u8));
    is_intact.then_some(sequence)
}

/// Every fill of one size, of which a frame copies its part: 256 frames of any size differ only in where the part begins.
struct Fill {
    size: usize,
    bytes: Vec<u8>,
}

impl Fill {
    fn new(size: usize) -> Self {
        let size = size.max(NUMBER_BYTES);
        Self {
            size,
            bytes: (0..size + 256).map(|index| index as u8).collect(),
        }
    }

    fn frame(&self, sequence: u64) -> Vec<u8> {
        let start = usize::from(sequence as u8);
        let mut frame = self.bytes[start..start + self.size].to_vec();
        frame[..NUMBER_BYTES].copy_from_slice(&sequence.to_le_bytes());
        frame
    }
}

#[derive(Deserialize)]
struct FeedQuery {
    #[serde(default = "default_rate")]
    rate: u32,
    #[serde(default = "default_size")]
    size: usize,
    #[serde(default)]
    count: u64,
}

pub(super) async fn feed(handshake: Handshake) -> Result<Response, BadParameter> {
    let FeedQuery { rate, size, count } = handshake.query()?;
    if rate > MAX_RATE {
        return Err(handshake.reject(format!("rate must be at most {MAX_RATE}; 0 floods")));
    }
    if !(NUMBER_BYTES..=MAX_FRAME_BYTES).contains(&size) {
        return Err(handshake.reject(format!(
            "size must be {NUMBER_BYTES} to {MAX_FRAME_BYTES} bytes"
        )));
    }
    let end = if count == 0 { u64::MAX } else { count };
    handshake.accept(
        Endpoint::Feed,
        (QUEUE_BYTES / size).clamp(1, MAX_QUEUE_FRAMES),
        move |incoming, outbox| async move {
            let produce = async {
                let fill = Fill::new(size);
                let produced = match NonZeroU32::new(rate) {
                    None => flood(&fill, end, &outbox).await,
                    Some(rate) => pace(&fill, rate, end, &outbox).await,
                };
                // The socket stays open after the last frame: a close would make every client reconnect and start again.
                if produced.is_ok() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = produce => {}
                () = incoming.drain() => {}
            }
        },
    )
}

async fn flood(fill: &Fill, end: u64, outbox: &Outbox) -> Result<(), Closed> {
    for sequence in 0..end {
        outbox
            .send(Message::Binary(Bytes::from(fill.frame(sequence))))
            .await?;
    }
    Ok(())
}

/// Sends what is due and sleeps until more is. The mean rate holds: who was slow gets the rest in a burst.
async fn pace(fill: &Fill, rate: NonZeroU32, end: u64, outbox: &Outbox) -> Result<(), Closed> {
    let start = Instant::now();
    let mut sequence = 0;
    while sequence < end {
        let due = frames_due(start.elapsed(), rate).min(end);
        while sequence < due {
            outbox
                .send(Message::Binary(Bytes::from(fill.frame(sequence))))
                .await?;
            sequence += 1;
        }
        let next = start + frame_time(sequence, rate);
        sleep_until(next.max(Instant::now() + MIN_PAUSE)).await;
    }
    Ok(())
}

/// How many frames are due after a time; the first one is due at once.
fn frames_due(elapsed: Duration, rate: NonZeroU32) -> u64 {
    let due = elapsed.as_nanos() * u128::from(rate.get()) / NANOSECONDS_PER_SECOND + 1;
    u64::try_from(due).unwrap_or(u64::MAX)
}

/// When the frame with a number is due.
fn frame_time(sequence: u64, rate: NonZeroU32) -> Duration {
    let nanoseconds =
        (u128::from(sequence) * NANOSECONDS_PER_SECOND).div_ceil(u128::from(rate.get()));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

fn default_rate() -> u32 {
    10
}

fn default_size() -> usize {
    64
}

const NANOSECONDS_PER_SECOND: u128 = 1_000_000_000;
const NUMBER_BYTES: usize = 8;

/// More per second than one socket carries: who wants all there is asks for 0.
const MAX_RATE: u32 = 1_000_000;

/// Enough to fill one write of the socket with small frames, and one frame of the largest.
const QUEUE_BYTES: usize = 256 * 1024;
const MAX_QUEUE_FRAMES: usize = 64;

/// tokio's timers have a resolution of 1 ms; above 500 frames per second frames go in batches.
const MIN_PAUSE: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_due_when_its_time_has_come_and_not_before() {
        for rate in [1, 3, 7, 60, 999, 1_000_000].map(|rate| NonZeroU32::new(rate).unwrap()) {
            for sequence in [0, 1, 2, 10, 12_345] {
                let time = frame_time(sequence, rate);
                assert!(frames_due(time, rate) > sequence, "{sequence} at {rate}");
                if sequence > 0 {
                    let before = time - Duration::from_nanos(1);
                    assert_eq!(
                        frames_due(before, rate),
                        sequence,
                        "{sequence} before {rate}"
                    );
                }
            }
        }
    }

    #[test]
    fn frames_carry_their_number_over_every_wrap_of_the_fill() {
        for sequence in (0..600).chain([u64::MAX, u64::from(u32::MAX)]) {
            for size in [8, 9, 300] {
                let frame = feed_frame(sequence, size);
                assert_eq!((frame.len(), feed_sequence(&frame)), (size, Some(sequence)));
            }
        }
        assert_eq!(feed_sequence(&[1, 2, 3]), None);
    }
}
