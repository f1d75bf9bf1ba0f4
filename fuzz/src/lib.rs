//! What a fuzzer calls: each target takes any bytes, does what they say, and panics when something is so that must never be so.
//!
//! Bytes and not values, so that any engine can drive a target, inputs that it has found stay valid files, and shrinking is
//! cutting. `tests/targets.rs` names the targets for [bolero](https://docs.rs/bolero); `cargo xtask fuzz` runs them for long.

mod script;
mod seeds;
mod world;

pub use world::{Reached, anything_happens, nothing_is_tampered_with};

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, DecodeError, Encode, Epoch, Outbox, Packed, Preface, RawMessage, ToTab, ToWorker,
    Version,
};

use script::Script;

/// Reads the bytes as whatever a port may carry; what can be read is written and read again.
///
/// # Panics
///
/// When the second reading differs from the first, or what is packed is not all there.
pub fn frames_are_read(bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    read(&frame);
    let mut script = Script::new(bytes);
    while !script.is_over() {
        let mut known = seeds::any(&mut script);
        script.damage(&mut known);
        read(&known.into());
    }
}

fn read(bytes: &Bytes) {
    if let Ok(preface) = Preface::decode(bytes) {
        let again = match &preface {
            Preface::Hello(hello) => hello.encode(),
            Preface::Welcome(welcome) => welcome.encode(),
            Preface::Refused(refusal) => refusal.encode(),
            Preface::Failed(failed) => failed.encode(),
            Preface::Stale(epoch) => Preface::encode_stale(*epoch),
            Preface::Batch => bytes.to_vec(),
            Preface::Probe => Preface::encode_probe(),
            Preface::Alive(epoch) => Preface::encode_alive(*epoch),
        };
        assert_eq!(Preface::decode(&again), Ok(preface), "a preface");
    }
    unpack(bytes);
    let Ok(mut batch) = BatchReader::new(bytes) else {
        return;
    };
    for raw in batch.by_ref().flatten() {
        read_message(&raw, ToWorker::decode);
        read_message(&raw, ToTab::decode);
        // Behind the number of most channels.
        unpack(&raw.body.slice(raw.body.len().min(1)..));
    }
    assert_eq!(batch.next(), None, "a batch ends");
}

fn unpack(bytes: &Bytes) {
    let Some(packed) = Packed::new(bytes.clone()) else {
        return;
    };
    let lens: Vec<usize> = packed.payloads().map(|payload| payload.len()).collect();
    assert_eq!(lens.len(), packed.count() as usize, "packed messages");
    let longest = lens.iter().max().map_or(0, |len| *len);
    assert_eq!(longest, packed.longest() as usize, "the longest of them");
    let all: usize = lens.iter().map(|len| size_of::<u32>() + len).sum();
    assert_eq!(all, bytes.len(), "all that is packed");
}

fn read_message<M: Encode + PartialEq + core::fmt::Debug>(
    raw: &RawMessage,
    decode: fn(Version, &RawMessage) -> Result<M, DecodeError>,
) {
    let Ok(message) = decode(Version::V1, raw) else {
        return;
    };
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    outbox.push(&message);
    let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a message makes a frame"));
    let mut batch = BatchReader::new(&frame).expect("our own frame");
    let again = batch.next().expect("a message").expect("whole");
    assert_eq!(decode(Version::V1, &again), Ok(message), "a message");
}
