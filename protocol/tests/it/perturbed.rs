//! Bytes that something happened to: a typed error, never a panic, and no harm to the neighbours.

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, ChannelId, DecodeError, Epoch, FrameError, Outbox, Preface, PrefaceError,
    RawMessage, ToTab, ToWorker, Version,
    frame::{HEADER_BYTES, MESSAGE_HEADER_BYTES},
    message::tag,
    preface::kind,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{raw, samples, strategies, strategies::pack};

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        match self {
            _ if len == 0 => {}
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(len)),
            Self::Insert(at, byte) => bytes.insert(at.index(len + 1), *byte),
            Self::Remove(at) => drop(bytes.remove(at.index(len))),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<Index>().prop_map(Damage::Cut),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        2 => any::<Index>().prop_map(Damage::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_damaged_frame_is_read_to_an_end(
        messages in vec(strategies::to_worker(), 1..6),
        damages in vec(damage(), 1..5),
    ) {
        let mut bytes = frame(&messages).to_vec();
        for damage in &damages {
            damage.apply(&mut bytes);
        }
        read_as_anything(bytes.into());
    }

    #[test]
    fn a_damaged_preface_is_read_to_an_end(at: Index, damages in vec(damage(), 1..4)) {
        let prefaces = samples::prefaces();
        let mut bytes = prefaces[at.index(prefaces.len())].1.clone();
        for damage in &damages {
            damage.apply(&mut bytes);
        }
        read_as_anything(bytes.into());
    }

    #[test]
    fn random_bytes_are_read_to_an_end(kind: u8, bytes in vec(any::<u8>(), 0..200)) {
        read_as_anything(bytes.clone().into());
        let ours = [b"1skt".as_slice(), &[kind % 8], &bytes].concat();
        read_as_anything(ours.into());
    }

    #[test]
    fn a_random_body_is_read_to_an_end(at: Index, body in vec(any::<u8>(), 0..100)) {
        let tag = tag::ALL[at.index(tag::ALL.len())];
        let raw = RawMessage { tag, body: body.into() };
        let errors = [ToWorker::decode(Version::V1, &raw).err(), ToTab::decode(Version::V1, &raw).err()];
        prop_assert!(errors.contains(&Some(DecodeError::UnknownTag { tag })), "one side knows each tag");
    }

    #[test]
    fn a_damaged_body_does_not_harm_its_neighbours(
        mut messages in vec(strategies::to_tab(), 3..8),
        victim: Index,
        damages in vec(damage(), 1..5),
    ) {
        let victim = victim.index(messages.len());
        let mut raws: Vec<_> = messages.iter().map(raw).collect();
        let mut body = raws[victim].body.to_vec();
        for damage in &damages {
            damage.apply(&mut body);
        }
        raws[victim].body = body.into();
        let mut read: Vec<_> = BatchReader::new(&frame_of_raws(&raws))
            .expect("the header is whole")
            .map(|raw| ToTab::decode(Version::V1, &raw.expect("the lengths are right")))
            .collect();
        prop_assert_eq!(read.len(), messages.len());
        read.remove(victim).ok();
        messages.remove(victim);
        prop_assert_eq!(read, messages.into_iter().map(Ok).collect::<Vec<_>>());
    }
}

#[test]
fn a_message_that_ends_early_or_goes_on_is_malformed() {
    for (name, mut bytes) in samples::encoded() {
        let tag = bytes[0];
        let has_no_fixed_end = [tag::SEND, tag::MESSAGE, tag::PACKED, tag::LOG].contains(&tag);
        if has_no_fixed_end {
            continue;
        }
        bytes.drain(..MESSAGE_HEADER_BYTES);
        let malformed = Some(DecodeError::Malformed { tag });
        for len in 0..bytes.len() {
            assert_eq!(
                error(tag, bytes[..len].to_vec()),
                malformed,
                "{name} cut at {len}"
            );
        }
        bytes.push(0);
        assert_eq!(error(tag, bytes), malformed, "{name} with a byte more");
    }
}

#[test]
fn a_pack_that_does_not_end_where_a_message_ends_is_malformed_and_the_batch_is_read_on() {
    let packed = ToTab::Packed {
        channel: ChannelId(1),
        packed: pack(&[&b"ab"[..], b"", b"abc"]),
    };
    let RawMessage { tag, body } = raw(&packed);
    let pong = ToTab::Pong { nonce: 1 };
    let read = |body: Bytes| {
        let raws = [raw(&pong), RawMessage { tag, body }, raw(&pong)];
        let batch = BatchReader::new(&frame_of_raws(&raws)).expect("a batch");
        let mut read: Vec<_> = batch
            .map(|raw| ToTab::decode(Version::V1, &raw.expect("the lengths are right")))
            .collect();
        assert_eq!((read.pop(), read.len()), (Some(Ok(pong.clone())), 2));
        read.pop()
    };
    assert_eq!(read(body.clone()), Some(Ok(packed)));
    let malformed = Some(Err(DecodeError::Malformed { tag }));
    // Behind the channel, and behind each message.
    let ends = [1, 7, 11, 18];
    for len in 0..=body.len() {
        let cut = read(body.slice(..len));
        assert_eq!(cut != malformed, ends.contains(&len), "cut at {len}");
    }
    for more in 1..4 {
        let more = [&body[..], &[0; 3][..more]].concat();
        assert_eq!(read(more.into()), malformed, "with half a length behind it");
    }
    for len in [4, 13, 14, 1 << 20, u32::MAX] {
        let mut long = body.to_vec();
        long[11..15].copy_from_slice(&len.to_le_bytes());
        assert_eq!(read(long.into()), malformed, "the last is said to be {len}");
    }
}

#[test]
fn a_text_that_is_no_utf8_is_malformed() {
    let (channel, id, text) = (1, 1, 0);
    let body = vec![channel, id, text, 0xff];
    assert_eq!(
        error(tag::SEND, body),
        Some(DecodeError::Malformed { tag: tag::SEND })
    );
    let (id, no_farewell) = (1, 0);
    let body = vec![channel, id, text, 1, 0xff, no_farewell];
    assert_eq!(
        error(tag::GREET, body),
        Some(DecodeError::Malformed { tag: tag::GREET })
    );
}

#[test]
fn a_frame_with_an_unknown_tag_is_read_on() {
    let pong = ToTab::Pong { nonce: 1 };
    let from_the_future = RawMessage {
        tag: 250,
        body: Bytes::from_static(b"who knows"),
    };
    let raws = [raw(&pong), from_the_future, raw(&pong)];
    let read: Vec<_> = BatchReader::new(&frame_of_raws(&raws))
        .expect("a batch")
        .map(|raw| ToTab::decode(Version::V1, &raw.expect("the lengths are right")))
        .collect();
    assert_eq!(
        read,
        [
            Ok(pong.clone()),
            Err(DecodeError::UnknownTag { tag: 250 }),
            Ok(pong)
        ]
    );
}

#[test]
fn every_flaw_of_an_envelope_has_its_error() {
    let whole = frame(&[ToWorker::Bye, ToWorker::Ping { nonce: 1 }]).to_vec();
    let check = |expected: FrameError, change: fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        let error = match BatchReader::new(&bytes.into()) {
            Err(error) => Some(error),
            Ok(mut batch) => batch.find_map(Result::err),
        };
        assert_eq!(error, Some(expected));
    };
    check(PrefaceError::NotOurs.into(), |bytes| bytes[0] = b'2');
    check(PrefaceError::NotOurs.into(), |bytes| bytes.truncate(4));
    check(PrefaceError::UnknownKind { kind: 9 }.into(), |bytes| {
        bytes[4] = 9
    });
    check(
        PrefaceError::Truncated {
            kind: kind::BATCH,
            len: 20,
        }
        .into(),
        |bytes| bytes.truncate(20),
    );
    check(FrameError::Truncated { index: 0, count: 2 }, |bytes| {
        bytes.truncate(HEADER_BYTES + 1)
    });
    check(FrameError::Truncated { index: 1, count: 2 }, |bytes| {
        bytes.truncate(bytes.len() - 1)
    });
    check(FrameError::Truncated { index: 2, count: 3 }, |bytes| {
        bytes[32] = 3
    });
    check(FrameError::Truncated { index: 0, count: 2 }, |bytes| {
        bytes[HEADER_BYTES + 4] = 0xff
    });
    check(FrameError::Trailing { extra: 1 }, |bytes| bytes.push(0));
    check(FrameError::TooMany { count: 0xff_0002 }, |bytes| {
        bytes[34] = 0xff
    });
}

#[test]
fn a_foreign_buffer_is_not_ours() {
    for bytes in [
        b"".as_slice(),
        b"1skt",
        b"2skt\x01",
        b"[object Object]",
        &[0; 64],
    ] {
        assert_eq!(Preface::decode(bytes), Err(PrefaceError::NotOurs));
    }
    assert_eq!(
        Preface::decode(b"1skt\x00"),
        Err(PrefaceError::UnknownKind { kind: 0 })
    );
    assert_eq!(
        Preface::decode(b"1skt\x09"),
        Err(PrefaceError::UnknownKind { kind: 9 })
    );
}

#[test]
fn a_preface_that_ends_early_is_truncated() {
    for (name, bytes, preface) in samples::prefaces() {
        if matches!(preface, Preface::Failed(_)) {
            continue;
        }
        // The build number was appended: a hello may end before it.
        let end = match preface {
            Preface::Hello(_) => 18,
            _ => bytes.len(),
        };
        for len in 5..end {
            let truncated = PrefaceError::Truncated {
                kind: bytes[4],
                len,
            };
            assert_eq!(Preface::decode(&bytes[..len]), Err(truncated), "{name}");
        }
    }
}

fn error(tag: u8, body: Vec<u8>) -> Option<DecodeError> {
    let raw = RawMessage {
        tag,
        body: body.into(),
    };
    if tag < 128 {
        ToWorker::decode(Version::V1, &raw).err()
    } else {
        ToTab::decode(Version::V1, &raw).err()
    }
}

/// Whatever it is: that this returns is the test, and that an error ends a batch.
fn read_as_anything(bytes: Bytes) {
    Preface::decode(&bytes).ok();
    let Ok(mut batch) = BatchReader::new(&bytes) else {
        return;
    };
    let mut outbox = Outbox::new(Epoch(7), Version::V1);
    outbox.on_batch(batch.header()).ok();
    outbox.poll_frame();
    let whole = batch.by_ref().map_while(Result::ok).inspect(|raw| {
        ToWorker::decode(Version::V1, raw).ok();
        ToTab::decode(Version::V1, raw).ok();
    });
    whole.for_each(drop);
    assert!(batch.next().is_none());
}

fn frame(messages: &[ToWorker]) -> Bytes {
    let mut outbox = Outbox::new(Epoch(7), Version::V1);
    for message in messages {
        outbox.push(message);
    }
    Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"))
}

fn frame_of_raws(raws: &[RawMessage]) -> Bytes {
    let mut bytes = frame(&[ToWorker::Bye])[..HEADER_BYTES].to_vec();
    bytes[32..36].copy_from_slice(&(raws.len() as u32).to_le_bytes());
    for RawMessage { tag, body } in raws {
        bytes.push(*tag);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
    }
    bytes.into()
}
