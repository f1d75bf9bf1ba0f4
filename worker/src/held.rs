//! The browser's own buffers as parcels, and the list in which they are posted with their frame: the frame's own buffer, then the place and the
//! buffer of each parcel.

use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Map, Uint8Array};
use onesocket_protocol::{
    Parcel,
    frame::Arrived,
    limits,
    parcel::{Contents, Enclosed},
};
use wasm_bindgen::prelude::*;

/// A buffer that is not copied before somebody has to read it.
struct Held(ArrayBuffer);

impl Contents for Held {
    fn read(&self) -> Bytes {
        // Whoever listens to the same worker has been given the same buffer, and may have transferred it away; to look into it would throw then.
        match self.0.byte_length() {
            0 => Bytes::new(),
            _ => read(&self.0),
        }
    }

    /// At once, and not when the browser next looks for what nobody has any more.
    fn release(&self) {
        // Browsers from before 2024 can't: <https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/ArrayBuffer/transfer>
        let _ = self.0.transfer_with_length(0);
    }
}

/// Copies a buffer into this memory.
pub(crate) fn read(buffer: &ArrayBuffer) -> Bytes {
    Uint8Array::new(buffer).to_vec().into()
}

/// Makes a parcel of a buffer, which nobody must change or transfer any more.
pub(crate) fn hold(buffer: ArrayBuffer) -> Parcel {
    let len = buffer.byte_length() as usize;
    Parcel::new(Held(buffer), len)
}

/// Makes a parcel of what is refused by its length: nobody reads it.
#[cfg(not(feature = "gloo-net"))]
pub(crate) fn hold_unread(data: JsValue, len: usize) -> Parcel {
    Parcel::new(Held(data.unchecked_into()), len)
}

/// Gives a parcel's buffer away: the buffer itself when nobody else has the parcel, else a copy. `None` for what is in this memory anyway.
pub fn into_buffer(parcel: &Parcel) -> Option<ArrayBuffer> {
    let Held(buffer) = parcel.contents()?;
    Some(match buffer.byte_length() {
        // It may have been transferred away, as above, and can't be copied then.
        0 => ArrayBuffer::new(0),
        _ if parcel.is_last() => buffer.clone(),
        len => buffer.slice_with_end(0, len),
    })
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

/// Reads a frame that was posted as a list, and holds what belongs into it. `None` for anything but such a list, and for a frame that is too long; whether the
/// parts of a batch fit is for who reads it.
pub fn arrived(list: &Array) -> Option<Arrived> {
    let mut parts = list.iter();
    let frame: ArrayBuffer = parts.next()?.dyn_into().ok()?;
    if frame.byte_length() as usize > limits::MAX_FRAME_BYTES {
        return None;
    }
    let mut enclosed: Vec<Enclosed> = Vec::new();
    // For several clients of one page a buffer stands in several places. It is one parcel then, whose memory only the last of them gives back.
    let known = Map::new();
    while let Some(at) = parts.next() {
        let at = place(&at)?;
        let buffer: ArrayBuffer = parts.next()?.dyn_into().ok()?;
        let first = place(&known.get(&buffer)).and_then(|first| enclosed.get(first));
        let parcel = match first {
            Some(first) => first.parcel.clone(),
            None => {
                known.set(&buffer, &JsValue::from(enclosed.len() as u32));
                hold(buffer)
            }
        };
        enclosed.push(Enclosed { at, parcel });
    }
    Arrived::new(read(&frame), enclosed)
}

fn place(number: &JsValue) -> Option<usize> {
    let number = number.as_f64()?;
    let place = number as u32;
    (f64::from(place) == number).then_some(place as usize)
}
