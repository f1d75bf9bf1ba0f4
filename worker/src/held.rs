//! The browser's own buffers as parcels, and the list in which they are posted with their frame: the frame's own buffer, then the place and the
//! buffer of each parcel.

use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use onesocket_protocol::{
    limits,
    parcel::{self, Contents, Enclosed, Part},
};
use wasm_bindgen::prelude::*;

/// A buffer that is not copied before somebody has to read it.
struct Held(ArrayBuffer);

impl Contents for Held {
    fn read(&self) -> Bytes {
        read(&self.0)
    }
}

/// Copied once, into the frame's own memory.
impl Part for Held {
    fn byte_len(&self) -> usize {
        self.0.byte_length() as usize
    }

    fn append_to(&self, frame: &mut Vec<u8>) {
        let start = frame.len();
        frame.resize(start + self.byte_len(), 0);
        Uint8Array::new(&self.0).copy_to(&mut frame[start..]);
    }
}

/// Copies a buffer into this memory.
pub(crate) fn read(buffer: &ArrayBuffer) -> Bytes {
    Uint8Array::new(buffer).to_vec().into()
}

/// Makes a parcel of a buffer, which nobody must change or transfer any more. gloo-net has copied what it gives.
#[cfg(not(feature = "gloo-net"))]
pub(crate) fn hold(buffer: ArrayBuffer) -> onesocket_protocol::Parcel {
    let held = Held(buffer);
    let len = held.byte_len();
    onesocket_protocol::Parcel::new(held, len)
}

/// Makes of a frame's own buffer what is posted: the buffer, or the list. Adds to `moved` what is to be transferred with it: of a parcel that others wait
/// for they keep the buffer, and this one's tab gets a copy.
pub(crate) fn enclose(frame: ArrayBuffer, enclosed: &[Enclosed], moved: &Array) -> JsValue {
    if enclosed.is_empty() {
        return frame.into();
    }
    let list = Array::of1(&frame);
    for Enclosed { at, parcel } in enclosed {
        if let Some(Held(buffer)) = parcel.contents() {
            list.push(&JsValue::from(*at as u32));
            list.push(buffer);
            if parcel.is_last() {
                moved.push(buffer);
            }
        }
    }
    list.into()
}

/// Copies a frame of the engine's and its parcels into one buffer, and gives back the memory of those that nobody else has.
#[cfg(feature = "local")]
pub(crate) fn join(frame: &[u8], enclosed: &[Enclosed]) -> Vec<u8> {
    let held = |enclosed: &Enclosed| {
        let Held(buffer) = enclosed.parcel.contents()?;
        Some(Enclosed {
            at: enclosed.at,
            parcel: Held(buffer.clone()),
        })
    };
    let parts: Option<Vec<_>> = enclosed.iter().map(held).collect();
    // The engine has no other parcels, and encloses none out of place.
    let joined = parts
        .and_then(|parts| parcel::assemble(frame, &parts))
        .unwrap_or_default();
    for Enclosed { parcel, .. } in enclosed {
        if let Some(Held(buffer)) = parcel.contents()
            && parcel.is_last()
        {
            release(buffer);
        }
    }
    joined
}

/// Copies a frame that was posted as a list together, and gives back the memory of what belonged into it. `None` for anything but such a list, and for one that is too long or whose parts do not fit.
pub fn assemble(list: &Array) -> Option<Vec<u8>> {
    let mut parts = list.iter();
    let frame: ArrayBuffer = parts.next()?.dyn_into().ok()?;
    if frame.byte_length() as usize > limits::MAX_FRAME_BYTES {
        return None;
    }
    let mut enclosed = Vec::new();
    while let Some(at) = parts.next() {
        enclosed.push(Enclosed {
            at: place(&at)?,
            parcel: Held(parts.next()?.dyn_into().ok()?),
        });
    }
    let assembled = parcel::assemble(&read(&frame), &enclosed);
    for Enclosed { parcel, .. } in &enclosed {
        release(&parcel.0);
    }
    assembled
}

/// Gives a large buffer's memory back at once, and not when the browser next looks for what nobody has any more.
fn release(buffer: &ArrayBuffer) {
    // Browsers from before 2024 can't: <https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/ArrayBuffer/transfer>
    let _ = buffer.transfer_with_length(0);
}

fn place(number: &JsValue) -> Option<usize> {
    let number = number.as_f64()?;
    let place = number as u32;
    (f64::from(place) == number).then_some(place as usize)
}
