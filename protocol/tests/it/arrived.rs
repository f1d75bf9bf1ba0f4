//! Frames whose parcels are beside them: their messages must be the same as if they were put together.

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, ChannelId, Encode as _, Epoch, FailedStart, FrameError, Outbox, Parcel, Payload,
    RawMessage, ToTab, Version, Welcome,
    frame::{Arrived, ArrivedReader, HEADER_BYTES, MESSAGE_HEADER_BYTES},
    limits,
    parcel::{Enclosed, assemble},
};
use proptest::{collection::vec, prelude::*, sample::Index};

const CHANNEL: ChannelId = ChannelId(300);

fn parcel(bytes: &[u8]) -> Parcel {
    Parcel::new(Bytes::copy_from_slice(bytes), bytes.len())
}

/// Cuts a frame at places, so that every second piece is beside it.
fn cut(frame: &[u8], mut places: Vec<usize>) -> (Bytes, Vec<Enclosed>) {
    places.sort_unstable();
    let (mut kept, mut enclosed, mut from) = (Vec::new(), Vec::new(), 0);
    for pair in places.chunks(2) {
        kept.extend_from_slice(&frame[from..pair[0]]);
        from = pair.last().copied().unwrap_or(from);
        enclosed.push(Enclosed {
            at: kept.len(),
            parcel: parcel(&frame[pair[0]..from]),
        });
    }
    kept.extend_from_slice(&frame[from..]);
    (kept.into(), enclosed)
}

/// Reads a batch as a tab does: what it takes as it is stands for the message that it is.
fn read_lazily(arrived: Arrived) -> Result<Vec<RawMessage>, FrameError> {
    let mut reader = ArrivedReader::new(arrived)?;
    let mut messages = Vec::new();
    loop {
        if let Some((channel, parcel)) = reader.next_parcel(Version::V1) {
            let message = ToTab::Message {
                channel,
                replayed: false,
                payload: parcel.into_payload(),
            };
            messages.push(raw(&message));
        } else if let Some(message) = reader.next() {
            messages.push(message?);
        } else {
            return Ok(messages);
        }
    }
}

fn read(frame: &Bytes) -> Result<Vec<RawMessage>, FrameError> {
    BatchReader::new(frame)?.collect()
}

fn raw(message: &ToTab) -> RawMessage {
    let mut bytes = Vec::new();
    message.encode(Version::V1, &mut bytes);
    let body = Bytes::from(bytes.split_off(MESSAGE_HEADER_BYTES));
    RawMessage {
        tag: bytes[0],
        body,
    }
}

fn message(payload: Payload, replayed: bool) -> ToTab {
    let channel = CHANNEL;
    ToTab::Message {
        channel,
        replayed,
        payload,
    }
}

fn batch(messages: &[ToTab]) -> Bytes {
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    messages.iter().for_each(|message| outbox.push(message));
    Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"))
}

fn any_message() -> impl Strategy<Value = ToTab> {
    prop_oneof![
        vec(any::<u8>(), 0..60).prop_map(|bytes| message(Payload::binary(bytes), false)),
        vec(any::<u8>(), 0..60).prop_map(|bytes| message(Payload::binary(bytes), true)),
        "[a-zé]{0,20}".prop_map(|text| message(Payload::text(text), false)),
        any::<u32>().prop_map(|nonce| ToTab::Pong { nonce }),
    ]
}

proptest! {
    #[test]
    fn wherever_a_frame_is_cut_its_messages_are_the_same(
        messages in vec(any_message(), 1..8),
        places in vec(any::<Index>(), 0..9),
        garbage in vec(0..3_u8, 0..30),
    ) {
        let frame = [&batch(&messages)[..], &garbage].concat();
        let places = places.iter().map(|place| place.index(frame.len() + 1)).collect();
        let (kept, enclosed) = cut(&frame, places);
        let arrived = Arrived::new(kept, enclosed).expect("it fits");
        prop_assert_eq!(read_lazily(arrived), read(&frame.into()));
    }

    #[test]
    fn whatever_places_are_named_nothing_is_invented(
        messages in vec(any_message(), 1..8),
        places in vec((0..200_usize, vec(any::<u8>(), 0..30)), 1..6),
    ) {
        let frame = batch(&messages);
        let enclosed: Vec<_> = places
            .iter()
            .map(|(at, bytes)| Enclosed { at: *at, parcel: parcel(bytes) })
            .collect();
        let expect = assemble(&frame, &enclosed).map(|frame| read(&frame.into()));
        let Some(arrived) = Arrived::new(frame, enclosed) else {
            prop_assert_eq!(expect, None);
            return Ok(());
        };
        let was_read = read_lazily(arrived);
        match expect {
            Some(expect) => prop_assert_eq!(was_read, expect),
            None => prop_assert!(was_read.is_err(), "{was_read:?}"),
        }
    }
}

#[test]
fn only_a_whole_new_binary_payload_of_a_message_is_taken_as_it_is() {
    let taken = |message: &ToTab, in_parcel: usize| {
        let frame = batch(std::slice::from_ref(message));
        let (kept, enclosed) = cut(&frame, vec![frame.len() - in_parcel, frame.len()]);
        let arrived = Arrived::new(kept, enclosed).expect("it fits");
        let mut reader = ArrivedReader::new(arrived).expect("a batch");
        let taken = reader.next_parcel(Version::V1);
        let left = reader.next().transpose().expect("a whole frame");
        assert_eq!(left.is_none(), taken.is_some());
        taken.map(|(channel, parcel)| (channel, parcel.into_payload()))
    };
    let binary = Payload::binary(&b"binary"[..]);
    let new = message(binary.clone(), false);
    assert_eq!(taken(&new, 6), Some((CHANNEL, binary.clone())));
    assert_eq!(taken(&new, 5), None, "a byte of it is in the frame");
    assert_eq!(taken(&new, 7), None, "a byte of the front is in the parcel");
    assert_eq!(taken(&message(binary, true), 6), None, "it is replayed");
    let text = message(Payload::text("binary"), false);
    assert_eq!(taken(&text, 6), None, "its text must be looked at");
    assert_eq!(taken(&ToTab::Pong { nonce: 7 }, 1), None);
}

#[test]
fn what_is_no_batch_is_put_together_at_once() {
    let welcome = Bytes::from(
        Welcome {
            version: 1,
            versions: onesocket_protocol::VersionRange::OURS,
            epoch: Epoch(7),
            tab: onesocket_protocol::TabId(3),
        }
        .encode(),
    );
    let (kept, enclosed) = cut(&welcome, vec![6, 9]);
    assert_eq!(Arrived::new(kept, enclosed), Some(welcome.into()));

    let reason = "x".repeat(100);
    let failed = Bytes::from(FailedStart { reason }.encode());
    let (kept, enclosed) = cut(&failed, vec![60, 90]);
    assert_eq!(Arrived::new(kept, enclosed), Some(failed.into()));

    let frame = batch(&[ToTab::Pong { nonce: 7 }]);
    for place in 0..HEADER_BYTES {
        let (kept, enclosed) = cut(&frame, vec![place, place + 1]);
        let arrived = Arrived::new(kept, enclosed);
        assert_eq!(arrived, Some(frame.clone().into()), "{place}");
    }
}

#[test]
fn what_is_behind_the_last_message_is_none() {
    let bytes = Bytes::from_static(b"payload");
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    for _ in 0..2 {
        outbox.push_parcel(CHANNEL, &Parcel::new(bytes.clone(), bytes.len()));
    }
    assert!(outbox.prepare_frame());
    let mut frame = outbox.prepared_frame().to_vec();
    let whole = |frame: &[u8]| read(&assemble(frame, outbox.enclosed()).expect("it fits").into());
    let lazy = |frame: &[u8]| {
        let frame = Bytes::copy_from_slice(frame);
        let arrived = Arrived::new(frame, outbox.enclosed().to_vec());
        read_lazily(arrived.expect("a batch"))
    };
    assert_eq!(lazy(&frame), whole(&frame));
    frame[32] = 1;
    assert_eq!(lazy(&frame), whole(&frame));
    assert!(matches!(lazy(&frame), Err(FrameError::Trailing { .. })));
}

#[test]
fn a_payload_over_its_cap_is_not_taken() {
    let long = Parcel::new(Bytes::new(), limits::MAX_PAYLOAD_BYTES + 1);
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    outbox.push_parcel(CHANNEL, &long);
    assert!(outbox.prepare_frame());
    let frame = Bytes::copy_from_slice(outbox.prepared_frame());
    let arrived = Arrived::new(frame, outbox.enclosed().to_vec()).expect("a batch");
    let mut reader = ArrivedReader::new(arrived).expect("a batch");
    assert_eq!(reader.next_parcel(Version::V1), None);
}

#[test]
fn one_over_the_cap_is_not_read() {
    let frame = batch(&[ToTab::Pong { nonce: 7 }]);
    // Nobody copies it: it says that it is longer than it is.
    let long = Parcel::new(Bytes::new(), limits::MAX_FRAME_BYTES);
    let len = frame.len() + limits::MAX_FRAME_BYTES;
    let at = frame.len();
    let arrived = Arrived::new(frame, vec![Enclosed { at, parcel: long }]);
    let read = ArrivedReader::new(arrived.expect("a batch is read later"));
    assert_eq!(read.err(), Some(FrameError::TooLong { len }));
}
