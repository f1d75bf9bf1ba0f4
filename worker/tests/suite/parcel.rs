use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use onesocket_protocol::{
    ChannelId, Epoch, Outbox, Parcel, Payload, Version,
    frame::{Arrived, ArrivedReader},
    limits,
};
use onesocket_worker::{arrived, into_buffer};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn buffer(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).buffer().into()
}

fn list(parts: &[JsValue]) -> Array {
    parts.iter().collect()
}

#[wasm_bindgen_test]
fn a_frame_that_is_no_batch_comes_together_with_what_belongs_into_it() {
    let parts = [
        buffer(b"frame"),
        JsValue::from(2),
        buffer(b"--"),
        JsValue::from(5),
        buffer(b">"),
    ];
    let whole = |frame: &'static [u8]| Some(Arrived::from(Bytes::from_static(frame)));
    assert_eq!(arrived(&list(&parts)), whole(b"fr--ame>"));
    assert_eq!(arrived(&list(&[buffer(b"frame")])), whole(b"frame"));
}

/// A list of a batch with one message, whose payload is this buffer.
fn batch(payload: &ArrayBuffer) -> Array {
    batch_for(&[7], payload)
}

/// A list of a batch with one message for each channel, whose payload is this buffer.
fn batch_for(channels: &[u32], payload: &ArrayBuffer) -> Array {
    let len = payload.byte_length() as usize;
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    let parcel = Parcel::new(Bytes::new(), len);
    for channel in channels {
        outbox.push_parcel(ChannelId(*channel), &parcel);
    }
    assert!(outbox.prepare_frame());
    let list = list(&[buffer(outbox.prepared_frame())]);
    for enclosed in outbox.enclosed() {
        list.push(&JsValue::from(enclosed.at as u32));
        list.push(payload);
    }
    list
}

/// Until the browser looks for what nobody has any more, a page would have it twice.
#[wasm_bindgen_test]
fn what_belongs_into_a_batch_is_the_browsers_until_it_is_read() {
    let payload: ArrayBuffer = buffer(b"--").unchecked_into();
    let batch = arrived(&batch(&payload)).expect("a batch");
    let mut reader = ArrivedReader::new(batch.clone()).expect("a batch");
    let (channel, parcel) = reader.next_parcel(Version::V1).expect("a parcel");
    assert_eq!((channel, parcel.len()), (ChannelId(7), 2));
    drop(reader);
    assert_eq!(parcel.into_payload(), Payload::binary(&b"--"[..]));
    assert_eq!(payload.byte_length(), 2, "somebody else has it");

    let mut reader = ArrivedReader::new(batch).expect("a batch");
    let (_, parcel) = reader.next_parcel(Version::V1).expect("a parcel");
    drop(reader);
    assert_eq!(parcel.into_payload(), Payload::binary(&b"--"[..]));
    assert_eq!(payload.byte_length(), 0, "its memory is given back");
}

/// The worker does not copy what is for two clients of one page, and nor does the browser when it is posted.
#[wasm_bindgen_test]
fn what_is_for_several_clients_is_there_until_the_last_has_read_it() {
    let payload: ArrayBuffer = buffer(b"--").unchecked_into();
    let batch = arrived(&batch_for(&[7, 8, 9], &payload)).expect("a batch");
    let mut reader = ArrivedReader::new(batch).expect("a batch");
    let parcels: Vec<_> = core::iter::from_fn(|| reader.next_parcel(Version::V1))
        .map(|(_, parcel)| parcel)
        .collect();
    drop(reader);
    assert_eq!(parcels.len(), 3);
    for parcel in parcels {
        assert_eq!(payload.byte_length(), 2, "not everybody has it");
        assert_eq!(parcel.into_payload(), Payload::binary(&b"--"[..]));
    }
    assert_eq!(payload.byte_length(), 0, "its memory is given back");
}

#[wasm_bindgen_test]
fn who_wants_a_buffer_has_one_that_is_nobody_elses() {
    let payload: ArrayBuffer = buffer(b"--").unchecked_into();
    let batch = arrived(&batch_for(&[7, 8], &payload)).expect("a batch");
    let mut reader = ArrivedReader::new(batch).expect("a batch");
    let (_, first) = reader.next_parcel(Version::V1).expect("a parcel");
    let (_, last) = reader.next_parcel(Version::V1).expect("a parcel");
    drop(reader);
    let copy = into_buffer(&first).expect("a buffer");
    Uint8Array::new(&copy).fill(0, 0, 2);
    drop(first);
    assert_eq!(last.read(), Payload::binary(&b"--"[..]));
    let own = into_buffer(&last).expect("a buffer");
    assert_eq!(own, payload, "it is not copied");

    payload.transfer().expect("nobody has transferred it yet");
    let gone = into_buffer(&last).expect("a buffer");
    assert_eq!(gone.byte_length(), 0);
    gone.transfer().expect("it is nobody else's");
    let of_this_memory = Parcel::new(Bytes::from_static(b"--"), 2);
    assert!(into_buffer(&of_this_memory).is_none());
}

/// Every listener of an event is given the same buffer.
#[wasm_bindgen_test]
fn what_somebody_else_has_transferred_away_is_empty_and_no_exception() {
    let payload: ArrayBuffer = buffer(b"--").unchecked_into();
    let batch = arrived(&batch(&payload)).expect("a batch");
    payload.transfer().expect("nobody has transferred it yet");
    let mut reader = ArrivedReader::new(batch).expect("a batch");
    let (_, parcel) = reader.next_parcel(Version::V1).expect("a parcel");
    assert_eq!(parcel.into_payload(), Payload::binary(Bytes::new()));
}

#[wasm_bindgen_test]
fn a_list_of_anything_else_is_no_frame() {
    let (frame, part) = (|| buffer(b"frame"), || buffer(b"x"));
    let foreign = [
        JsValue::NULL,
        JsValue::UNDEFINED,
        JsValue::from("x"),
        JsValue::from(-1),
        JsValue::from(6),
        JsValue::from(0.5),
        JsValue::from(f64::NAN),
        JsValue::from(1e20),
        Array::new().into(),
        Uint8Array::new_with_length(3).into(),
    ];
    assert_eq!(arrived(&Array::new()), None);
    assert_eq!(arrived(&list(&[frame(), JsValue::from(0)])), None, "half");
    for foreign in foreign {
        let place = list(&[frame(), foreign.clone(), part()]);
        assert_eq!(arrived(&place), None, "place {foreign:?}");
        let parcel = list(&[frame(), JsValue::from(0), foreign.clone()]);
        assert_eq!(arrived(&parcel), None, "parcel {foreign:?}");
        let own = list(&[foreign.clone(), JsValue::from(0), part()]);
        assert_eq!(arrived(&own), None, "frame {foreign:?}");
    }
    let descending = [frame(), 3.into(), part(), 2.into(), part()];
    assert_eq!(arrived(&list(&descending)), None);
}

#[wasm_bindgen_test]
fn a_list_over_the_cap_is_no_frame() {
    let half = ArrayBuffer::new(limits::MAX_FRAME_BYTES as u32 / 2 + 1);
    // The same buffer twice is long enough, and costs nothing until it is copied.
    let parts = [
        buffer(b"f"),
        0.into(),
        half.clone().into(),
        1.into(),
        half.into(),
    ];
    assert_eq!(arrived(&list(&parts)), None);
    let whole = ArrayBuffer::new(limits::MAX_FRAME_BYTES as u32 + 1);
    assert_eq!(arrived(&list(&[whole.into()])), None);
}
