//! Known frames, to be damaged: random bytes alone are hardly ever a frame.

use std::{fs, path::Path, sync::OnceLock};

use onesocket_protocol::{Epoch, Outbox, Preface, ToWorker, Version, frame};

use crate::script::Script;

/// A preface, or a batch of known messages.
pub(crate) fn any(script: &mut Script<'_>) -> Vec<u8> {
    let Golden { prefaces, .. } = golden();
    match script.byte() % 4 {
        0 => prefaces[script.below(prefaces.len())].clone(),
        _ => batch(script, Epoch(7)),
    }
}

/// A batch of up to eight known messages of either direction.
pub(crate) fn batch(script: &mut Script<'_>, epoch: Epoch) -> Vec<u8> {
    let seq = script.number();
    let messages = &golden().messages;
    let count = 1 + script.below(8);
    let mut batch = empty_batch();
    batch[EPOCH].copy_from_slice(&epoch.0.to_le_bytes());
    batch[SEQ].copy_from_slice(&seq.to_le_bytes());
    batch[COUNT].copy_from_slice(&(count as u32).to_le_bytes());
    for _ in 0..count {
        batch.extend(&messages[script.below(messages.len())]);
    }
    batch
}

const EPOCH: std::ops::Range<usize> = 8..16;
const SEQ: std::ops::Range<usize> = 16..24;
const COUNT: std::ops::Range<usize> = 32..36;

fn empty_batch() -> Vec<u8> {
    let mut outbox = Outbox::new(Epoch(0), Version::V1);
    outbox.push(&ToWorker::Bye);
    let mut frame = outbox.poll_frame().map(<[u8]>::to_vec).unwrap_or_default();
    frame.truncate(frame::HEADER_BYTES);
    frame
}

/// The golden bytes of the protocol: every message, with its head, and every preface.
#[derive(Debug)]
struct Golden {
    messages: Vec<Vec<u8>>,
    prefaces: Vec<Vec<u8>>,
}

fn golden() -> &'static Golden {
    static GOLDEN: OnceLock<Golden> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/golden/v1");
        let mut files: Vec<_> = fs::read_dir(folder)
            .expect("the golden bytes")
            .map(|file| file.expect("a file").path())
            .collect();
        files.sort();
        let (prefaces, messages): (Vec<_>, Vec<_>) = files
            .iter()
            .map(|file| unhex(&fs::read_to_string(file).expect("text")))
            .partition(|bytes| Preface::decode(bytes).is_ok());
        assert!(!prefaces.is_empty() && messages.len() > 40);
        Golden { messages, prefaces }
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| Some(digit.to_digit(16)? as u8))
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
