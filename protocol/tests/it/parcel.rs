//! Payloads that stay outside: their frames must be the same as if they did not.

use std::{cell::Cell, rc::Rc};

use bytes::Bytes;
use onesocket_protocol::{
    BatchHeader, ChannelId, Epoch, Outbox, Parcel, Payload, ToTab, Version, limits,
    parcel::{Contents, Enclosed, assemble},
};
use proptest::{collection::vec, prelude::*};

const CHANNEL: ChannelId = ChannelId(300);

fn enclosed(at: usize, bytes: &'static [u8]) -> Enclosed {
    Enclosed {
        at,
        parcel: Parcel::new(Bytes::from_static(bytes), bytes.len()),
    }
}

#[test]
fn parcels_are_put_into_their_places() {
    assert_eq!(assemble(b"frame", &[]).as_deref(), Some(&b"frame"[..]));
    let parcels = [
        enclosed(0, b"<"),
        enclosed(2, b"--"),
        enclosed(2, b""),
        enclosed(2, b"!"),
        enclosed(5, b">"),
    ];
    let expect = Some(&b"<fr--!ame>"[..]);
    assert_eq!(assemble(b"frame", &parcels).as_deref(), expect);
}

#[test]
fn a_place_outside_of_the_frame_or_out_of_order_makes_no_frame() {
    assert_eq!(assemble(b"frame", &[enclosed(6, b"x")]), None);
    let descending = [enclosed(3, b"x"), enclosed(2, b"y")];
    assert_eq!(assemble(b"frame", &descending), None);
    assert_eq!(assemble(b"", &[enclosed(usize::MAX, b"")]), None);
}

#[test]
fn a_frame_over_the_cap_is_not_put_together() {
    // Nobody copies it: it says that it is longer than it is.
    let long = |len| Enclosed {
        at: 0,
        parcel: Parcel::new(Bytes::new(), len),
    };
    assert_eq!(assemble(b"f", &[long(limits::MAX_FRAME_BYTES)]), None);
    assert_eq!(assemble(b"", &[long(usize::MAX), long(usize::MAX)]), None);
}

#[test]
fn a_parcel_knows_whether_somebody_else_has_it() {
    let ours = Parcel::new(Bytes::from_static(b"abc"), 3);
    let theirs = ours.clone();
    assert!(!ours.is_last() && ours == theirs);
    drop(theirs);
    assert!(ours.is_last());
    assert_eq!(ours.contents(), Some(&Bytes::from_static(b"abc")));
    assert!(ours.contents::<Counted>().is_none());
    assert_eq!(format!("{ours:?}"), "Parcel(3 B)");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Large(usize),
    Small,
    Acknowledge,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..limits::FULL_BATCH_BYTES * 2).prop_map(Step::Large),
        Just(Step::Small),
        Just(Step::Acknowledge),
    ]
}

fn versions() -> Vec<Version> {
    vec![
        Version::V1,
        #[cfg(feature = "next-version")]
        Version::V2,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn frames_are_those_of_copied_payloads(steps in vec(step(), 0..60)) {
        for version in versions() {
            let [mut copied, mut held] = [(); 2].map(|()| Outbox::new(Epoch(1), version));
            let mut seq = 0;
            for (number, step) in steps.iter().enumerate() {
                match step {
                    Step::Large(len) => {
                        let bytes = Bytes::from(vec![number as u8; *len]);
                        copied.push_to_tab(&message(bytes.clone()));
                        held.push_parcel(CHANNEL, &Parcel::new(bytes, *len));
                    }
                    Step::Small => {
                        let small = message(Bytes::copy_from_slice(&[number as u8]));
                        copied.push_to_tab(&small);
                        held.push_to_tab(&small);
                    }
                    Step::Acknowledge => {
                        let ack = BatchHeader { version: version.number(), epoch: Epoch(1), seq: 0, ack: seq, count: 0 };
                        copied.on_batch(ack).expect("an acknowledgement");
                        held.on_batch(ack).expect("an acknowledgement");
                    }
                }
                prop_assert_eq!(copied.backlog_bytes(), held.backlog_bytes());
                let is_due = copied.prepare_frame();
                prop_assert_eq!(held.prepare_frame(), is_due);
                if is_due {
                    seq += 1;
                    let frame = assemble(held.prepared_frame(), held.enclosed());
                    prop_assert!(frame.as_deref() == Some(copied.prepared_frame()));
                }
            }
        }
    }
}

/// Counts how many there are.
struct Counted(Rc<Cell<u32>>);

impl Contents for Counted {
    fn read(&self) -> Bytes {
        Bytes::new()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn counted(alive: &Rc<Cell<u32>>, len: usize) -> Parcel {
    alive.set(alive.get() + 1);
    Parcel::new(Counted(Rc::clone(alive)), len)
}

#[test]
fn what_is_posted_dropped_or_given_up_is_let_go_of() {
    let alive = Rc::new(Cell::new(0));
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    outbox.push_parcel(CHANNEL, &counted(&alive, 10));
    assert!(outbox.prepare_frame());
    assert_eq!((outbox.enclosed().len(), alive.get()), (1, 1));
    assert!(!outbox.prepare_frame(), "it is in flight");
    assert_eq!((outbox.enclosed().len(), alive.get()), (0, 0));

    // One batch waits to be posted, behind it as much as may wait, and that in whole batches.
    let len = limits::FULL_BATCH_BYTES / 16;
    let most = (limits::MAX_BACKLOG_BYTES + 2 * limits::FULL_BATCH_BYTES) / len;
    for _ in 0..10 * most {
        outbox.push_parcel(CHANNEL, &counted(&alive, len));
    }
    let waiting = alive.get() as usize;
    assert!((most / 2..=most).contains(&waiting), "{waiting}");

    drop(outbox);
    assert_eq!(alive.get(), 0);
}

fn message(bytes: Bytes) -> ToTab {
    ToTab::Message {
        channel: CHANNEL,
        replayed: false,
        payload: Payload::binary(bytes),
    }
}
