//! A text of JavaScript's, as UTF-8 in this memory.
//!
//! wasm-bindgen asks a text for one character after the other, up to the first that is not ASCII. Nothing is faster for a short one. A longer one is
//! encoded by the browser, with one call (`DESIGN.md` has the numbers).

use js_sys::JsString;
use onesocket_protocol::{Payload, text_of_utf8};
use wasm_bindgen::prelude::*;

/// Copies a text into this memory, with U+FFFD in place of each surrogate that stands alone. `None` for anything else than a text.
pub(crate) fn payload(data: &JsValue) -> Option<Payload> {
    let text = data.dyn_ref::<JsString>()?;
    let len = text.length();
    // Into memory that threads share not every browser encodes: <https://encoding.spec.whatwg.org/#dom-textencoder-encodeinto>
    if len < LONG || cfg!(target_feature = "atomics") {
        return text.as_string().map(Payload::text);
    }
    encode(text, len).map(text_of_utf8)
}

/// Most texts are ASCII for the most part, so the first buffer has room for that, and only the rest is given what it may need at most.
fn encode(text: &JsString, len: u32) -> Option<Vec<u8>> {
    let mut utf8 = vec![0; len as usize];
    let first = encode_into(text, &mut utf8);
    // It ends in front of a character that has no room, so never within a pair of surrogates.
    let rest = len.saturating_sub(first.read());
    if rest > 0 {
        let written = first.written() as usize;
        let room = rest as usize * LONGEST_UNIT;
        utf8.truncate(written);
        utf8.reserve_exact(room);
        utf8.resize(written + room, 0);
        let last = encode_into(&text.slice(len - rest, len), utf8.get_mut(written..)?);
        utf8.truncate(written + last.written() as usize);
        utf8.shrink_to_fit();
    }
    Some(utf8)
}

fn encode_into(text: &JsString, utf8: &mut [u8]) -> Encoded {
    thread_local!(static ENCODER: TextEncoder = TextEncoder::new());
    ENCODER.with(|encoder| encoder.encode_into(text, utf8))
}

/// Below this length a call of the encoder takes longer than asking for each character.
const LONG: u32 = 1024;

/// The bytes of one unit of UTF-16 at most: a pair of them has four.
const LONGEST_UNIT: usize = 3;

#[wasm_bindgen]
extern "C" {
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    // Not web-sys's, which is given a text of this memory.
    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &TextEncoder, text: &JsString, utf8: &mut [u8]) -> Encoded;

    /// How far it has come.
    type Encoded;

    /// In units of UTF-16.
    #[wasm_bindgen(method, getter)]
    fn read(this: &Encoded) -> u32;

    /// In bytes.
    #[wasm_bindgen(method, getter)]
    fn written(this: &Encoded) -> u32;
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    fn a_text_of_any_characters_is_what_wasm_bindgen_makes_of_it() {
        let ascii = JsString::from("x");
        for character in ["x", "é", "€", "🦀", "\0", "\u{feff}", "\u{ffff}"] {
            let character = JsString::from(character);
            for len in lengths() {
                for first in 0..4.min(len + 1) {
                    let text = ascii
                        .repeat(first as i32)
                        .concat(&character.repeat((len - first) as i32));
                    check(&text);
                    check(&text.concat(&ascii.repeat(3)));
                }
            }
        }
    }

    #[wasm_bindgen_test]
    fn a_surrogate_that_stands_alone_is_replaced_wherever_the_buffer_ends() {
        let (high, low) = (alone(0xd83e), alone(0xdd80));
        for len in lengths() {
            for unit in [&high, &low, &high.concat(&low), &low.concat(&high)] {
                check(&unit.repeat(len as i32));
                check(&JsString::from("x").repeat(len as i32).concat(unit));
                check(&JsString::from("€").repeat(len as i32).concat(unit));
                check(&unit.concat(&JsString::from("x").repeat(len as i32)));
            }
        }
    }

    #[wasm_bindgen_test]
    fn a_large_text_takes_no_more_memory_than_its_bytes() {
        for unit in ["x", "é", "€", "🦀", "xxxxxxxxxxxxxxxé"] {
            let text = JsString::from(unit).repeat((1 << 20) / unit.len() as i32);
            check(&text);
            let utf8 = encode(&text, text.length()).unwrap();
            assert_eq!(utf8.capacity(), utf8.len(), "{unit}");
        }
    }

    #[wasm_bindgen_test]
    fn what_is_no_text_is_no_payload() {
        let list = js_sys::Array::new_with_length(2 * LONG);
        for data in [JsValue::NULL, JsValue::UNDEFINED, 1.into(), list.into()] {
            assert_eq!(payload(&data), None);
        }
    }

    /// Around those at which another way is taken.
    fn lengths() -> impl Iterator<Item = u32> {
        (0..3)
            .chain(LONG / 2 - 2..LONG / 2 + 2)
            .chain(LONG - 5..LONG + 5)
    }

    fn alone(unit: u32) -> JsString {
        JsString::from_char_code1(unit)
    }

    fn check(text: &JsString) {
        let expected = text.as_string().unwrap();
        assert_eq!(payload(text), Some(Payload::text(&*expected)));
    }
}
