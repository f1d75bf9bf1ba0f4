//! What becomes of the server's messages: who waits for one is told, and whoever else listens gets it.

use std::{sync::Arc, task::Waker};

use onesocket_protocol::{Packed, Parcel, Payload};

use super::{Shared, undecodable, wake};
use crate::{Event, RequestId, codec::DecodeError, event::Inbox};

impl<Rx> Shared<Rx> {
    /// Decodes once for each stream, and once for all listeners, so that messages need not be `Clone`; almost always there is
    /// one stream, or there are only listeners.
    pub(super) fn on_message(&self, replayed: bool, payload: &Payload) {
        // Not even a stream that is full may keep an answer or an acknowledgement from who waits for it.
        if self.awaits_messages() {
            self.on_awaited(replayed, payload);
        } else {
            self.pass_on(replayed, payload, None);
        }
    }

    /// Gives many messages to the streams as they are: each is decoded when it is read. Who else waits for messages must be told of each, now.
    pub(super) fn on_packed(&self, packed: &Packed) {
        if self.must_read() {
            return packed
                .payloads()
                .for_each(|payload| self.on_message(false, &payload));
        }
        self.for_streams(0, |inbox| inbox.push_packed(packed));
    }

    /// Gives a large message to the streams as it is, as [`on_packed`](Self::on_packed) does, and to who takes it so.
    pub(super) fn on_parcel(&self, parcel: Parcel) {
        // Nothing is borrowed while it is told.
        let take = self.on_parcel.borrow().clone();
        let take = take.filter(|_| !self.awaits_messages());
        if take.is_none() && self.must_read() {
            return self.on_message(false, &parcel.into_payload());
        }
        self.for_streams(0, |inbox| inbox.push_parcel(&parcel));
        if let Some((_, take)) = take {
            take(parcel);
        }
    }

    pub(super) fn for_streams(&self, from: usize, push: impl Fn(&mut Inbox<Rx>) -> Option<Waker>) {
        for at in from..self.places() {
            if let Some(inbox) = self.inbox(at) {
                let waker = push(&mut inbox.borrow_mut());
                wake(waker);
            }
        }
    }

    /// Whether somebody beside the streams waits for what the server sends.
    fn must_read(&self) -> bool {
        self.awaits_messages() || !self.listeners.is_empty()
    }

    /// Whether a message may be an answer or an acknowledgement.
    fn awaits_messages(&self) -> bool {
        self.reply_to.is_some() || self.receipts.wants_acknowledgements()
    }

    /// Somebody waits for a message that may be this one.
    #[inline(never)]
    fn on_awaited(&self, replayed: bool, payload: &Payload) {
        if self.closed.get() {
            return;
        }
        let message = match (self.decode)(payload) {
            Ok(message) => message,
            Err(error) => return self.publish_undecodable(0, payload, error),
        };
        let acknowledged = (self.acknowledges)(&message);
        if let Some(id) = acknowledged {
            self.on_acknowledgement(id);
        }
        let reply_to = self.reply_to.as_ref();
        match reply_to.and_then(|reply_to| reply_to(&message)) {
            Some(id) => self.on_answer(id, message),
            None if acknowledged.is_some() => {}
            None => self.pass_on(replayed, payload, Some(message)),
        }
    }

    /// Gives a message to all who listen, as it is decoded already or not yet.
    fn pass_on(&self, replayed: bool, payload: &Payload, mut decoded: Option<Rx>) {
        for at in 0..self.places() {
            let Some(inbox) = self.inbox(at) else {
                continue;
            };
            if inbox.borrow_mut().must_drop(payload.len()) {
                continue;
            }
            let message = match decoded.take().map_or_else(|| (self.decode)(payload), Ok) {
                Ok(message) => message,
                // Those before this one have counted it as dropped.
                Err(error) => return self.publish_undecodable(at, payload, error),
            };
            if (self.acknowledges)(&message).is_some() || self.closed.get() {
                // Of another tab's message, or one more of ours. Or the codec has closed the client.
                return;
            }
            let waker = inbox
                .borrow_mut()
                .push_message(message_event(replayed, message), payload.len());
            wake(waker);
        }
        if !self.listeners.is_empty() {
            self.tell_listeners(replayed, payload, decoded);
        }
    }

    #[inline(never)]
    fn tell_listeners(&self, replayed: bool, payload: &Payload, decoded: Option<Rx>) {
        let message = match decoded.map_or_else(|| (self.decode)(payload), Ok) {
            Ok(message) => message,
            // So have all streams that there are, or one would have read it.
            Err(error) => return self.publish_undecodable(self.places(), payload, error),
        };
        if (self.acknowledges)(&message).is_none() {
            let message = Arc::new(message);
            self.listeners
                .tell(|| message_event(replayed, Arc::clone(&message)));
        }
    }

    #[inline(never)]
    fn on_acknowledgement(&self, ack_id: u64) {
        for id in self.receipts.named(ack_id) {
            self.with_channel(|channel| channel.acknowledge(id));
        }
    }

    #[inline(never)]
    fn on_answer(&self, id: RequestId, answer: Rx) {
        let request = self.requests.borrow_mut().remove(&id);
        match request {
            // Whoever asked may have stopped waiting.
            Some(request) => drop(request.send(answer)),
            None => {
                tracing::debug!(target: "onesocket", "an answer to request {id} of another tab, or one too late")
            }
        }
    }

    #[inline(never)]
    fn publish_undecodable(&self, from: usize, payload: &Payload, source: DecodeError) {
        self.publish_from(from, undecodable(payload, source));
    }
}

fn message_event<T>(replayed: bool, message: T) -> Event<T> {
    if replayed {
        Event::Replayed(message)
    } else {
        Event::Message(message)
    }
}
