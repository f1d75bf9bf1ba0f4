//! The bytes of version 1, as they were first written down. A file is never edited: other bytes are another version.
//!
//! `ONESOCKET_WRITE_GOLDEN=1 cargo test -p onesocket-protocol golden` writes the files that are missing, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use bytes::Bytes;
use onesocket_protocol::{
    BatchHeader, BatchReader, ChannelId, Epoch, Outbox, Payload, Preface, SendId, ToTab, ToWorker,
    Version, message::tag,
};

use crate::{decode_all, raw, samples};

#[test]
fn every_message_and_preface_has_its_golden_bytes() {
    let mut wrong = Vec::new();
    for (name, bytes) in all() {
        let actual = hex(&bytes);
        let path = folder().join(format!("{name}.hex"));
        if !path.exists() && env::var_os("ONESOCKET_WRITE_GOLDEN").is_some() {
            fs::write(&path, &actual).expect("the golden folder is writable");
        }
        match fs::read_to_string(&path) {
            Ok(golden) if golden == actual => {}
            Ok(golden) => wrong.push(format!("{name}\n golden {golden} actual {actual}")),
            Err(_) => wrong.push(format!("{name} has no golden bytes yet: {actual}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn golden_bytes_decode_to_what_they_were_made_of() {
    for (name, expected) in samples::to_worker() {
        assert_eq!(
            ToWorker::decode(Version::V1, &golden_message(name)),
            Ok(expected),
            "{name}"
        );
    }
    for (name, expected) in samples::to_tab() {
        assert_eq!(
            ToTab::decode(Version::V1, &golden_message(name)),
            Ok(expected),
            "{name}"
        );
    }
    for (name, _, expected) in samples::prefaces() {
        assert_eq!(Preface::decode(&golden(name)), Ok(expected), "{name}");
    }
    let batch = BatchReader::new(&golden("batch").into()).expect("a batch");
    assert_eq!(decode_all::<ToWorker>(batch), batched());
    let ack = BatchReader::new(&golden("batch-ack").into()).expect("a batch");
    let (epoch, version) = (EPOCH, 1);
    assert_eq!(
        ack.header(),
        BatchHeader {
            version,
            epoch,
            seq: 0,
            ack: 1,
            count: 0
        }
    );
}

#[test]
fn no_golden_file_is_without_its_sample() {
    let names: BTreeSet<_> = all().into_keys().collect();
    for entry in fs::read_dir(folder()).expect("the golden folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name");
        assert!(
            names.contains(name),
            "{name} is golden and no longer written"
        );
    }
}

#[test]
fn every_tag_has_golden_bytes_and_a_side_of_its_own() {
    let tags = |raws: Vec<u8>| raws.into_iter().collect::<BTreeSet<_>>();
    let to_worker = tags(
        samples::to_worker()
            .iter()
            .map(|(_, message)| raw(message).tag)
            .collect(),
    );
    let to_tab = tags(
        samples::to_tab()
            .iter()
            .map(|(_, message)| raw(message).tag)
            .collect(),
    );
    assert!(to_worker.iter().all(|tag| (1..128).contains(tag)));
    assert!(to_tab.iter().all(|tag| *tag > 128));
    let all: Vec<_> = to_worker.into_iter().chain(to_tab).collect();
    assert_eq!(all, tag::ALL);
}

fn all() -> BTreeMap<&'static str, Vec<u8>> {
    let mut all: BTreeMap<_, _> = samples::encoded().into_iter().collect();
    let messages = samples::to_worker().len() + samples::to_tab().len();
    assert_eq!(all.len(), messages, "two samples have the same name");
    all.extend(
        samples::prefaces()
            .into_iter()
            .map(|(name, bytes, _)| (name, bytes)),
    );
    let (batch, ack) = frames();
    all.extend([("batch", batch), ("batch-ack", ack)]);
    all
}

const EPOCH: Epoch = Epoch(0xfedc_ba98_7654_3210);

fn batched() -> Vec<ToWorker> {
    let send = ToWorker::Send {
        channel: ChannelId(1),
        id: SendId(1),
        keep: false,
        payload: Payload::text("hello"),
    };
    vec![send, ToWorker::Bye]
}

/// A batch of two messages and its acknowledgement.
fn frames() -> (Vec<u8>, Vec<u8>) {
    let mut tab = Outbox::new(EPOCH, Version::V1);
    for message in &batched() {
        tab.push(message);
    }
    let batch = tab.poll_frame().expect("a batch").to_vec();
    let mut worker = Outbox::new(EPOCH, Version::V1);
    let reader = BatchReader::new(&Bytes::from(batch.clone())).expect("a batch");
    worker.on_batch(reader.header()).expect("the first batch");
    let ack = worker.poll_frame().expect("an acknowledgement").to_vec();
    (batch, ack)
}

fn golden_message(name: &str) -> onesocket_protocol::RawMessage {
    let bytes = Bytes::from(golden(name));
    let body = bytes.slice(onesocket_protocol::frame::MESSAGE_HEADER_BYTES..);
    onesocket_protocol::RawMessage {
        tag: bytes[0],
        body,
    }
}

fn golden(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(folder().join(format!("{name}.hex"))).expect("golden bytes");
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| {
        line.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            + "\n"
    };
    bytes.chunks(32).map(line).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}
