use js_sys::{Array, ArrayBuffer, Uint8Array};
use onesocket_protocol::limits;
use onesocket_worker::assemble;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn buffer(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).buffer().into()
}

fn list(parts: &[JsValue]) -> Array {
    parts.iter().collect()
}

#[wasm_bindgen_test]
fn a_frame_comes_together_with_what_belongs_into_it() {
    let parts = [
        buffer(b"frame"),
        JsValue::from(2),
        buffer(b"--"),
        JsValue::from(5),
        buffer(b">"),
    ];
    let expect = Some(&b"fr--ame>"[..]);
    assert_eq!(assemble(&list(&parts)).as_deref(), expect);
    let alone = list(&[buffer(b"frame")]);
    assert_eq!(assemble(&alone).as_deref(), Some(&b"frame"[..]));
}

/// Until the browser looks for what nobody has any more, a page would have it twice.
#[wasm_bindgen_test]
fn the_memory_of_what_was_put_together_is_given_back() {
    let part: ArrayBuffer = buffer(b"--").unchecked_into();
    let parts = [buffer(b"frame"), JsValue::from(2), part.clone().into()];
    assert!(assemble(&list(&parts)).is_some());
    assert_eq!(part.byte_length(), 0);
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
    assert_eq!(assemble(&Array::new()), None);
    assert_eq!(assemble(&list(&[frame(), JsValue::from(0)])), None, "half");
    for foreign in foreign {
        let place = list(&[frame(), foreign.clone(), part()]);
        assert_eq!(assemble(&place), None, "place {foreign:?}");
        let parcel = list(&[frame(), JsValue::from(0), foreign.clone()]);
        assert_eq!(assemble(&parcel), None, "parcel {foreign:?}");
        let own = list(&[foreign.clone(), JsValue::from(0), part()]);
        assert_eq!(assemble(&own), None, "frame {foreign:?}");
    }
    let descending = [frame(), 3.into(), part(), 2.into(), part()];
    assert_eq!(assemble(&list(&descending)), None);
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
    assert_eq!(assemble(&list(&parts)), None);
    let whole = ArrayBuffer::new(limits::MAX_FRAME_BYTES as u32 + 1);
    assert_eq!(assemble(&list(&[whole.into()])), None);
}
