//! Messages of which only the latest counts, for as long as a tab does not keep up.

use core::cell::OnceCell;

use bytes::Bytes;
use litemap::LiteMap;
use onesocket_protocol::{ChannelId, Payload};

/// A message of which only the latest with its key counts, on its way to the tabs.
#[derive(Debug)]
pub(crate) struct Newest<'a> {
    key: &'a [u8],
    pub(crate) payload: &'a Payload,
    kept: OnceCell<(Bytes, Payload)>,
}

impl<'a> Newest<'a> {
    pub(crate) fn new(key: &'a [u8], payload: &'a Payload) -> Self {
        let kept = OnceCell::new();
        Self { key, payload, kept }
    }

    /// Returns key and message for tabs that do not keep up, in memory of their own, which they share: it may be long, and the message may have come in a pack
    /// of many others.
    fn kept(&self) -> (Bytes, Payload) {
        let copy = || (Bytes::copy_from_slice(self.key), self.payload.detached());
        self.kept.get_or_init(copy).clone()
    }
}

/// What waits for one tab, in the order in which the latest of each key came.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    waiting: Vec<Option<(ChannelId, Payload)>>,
    /// Where the latest of each key stands.
    places: LiteMap<(ChannelId, Bytes), usize>,
    bytes: usize,
}

impl Latest {
    /// Puts a message in the place of the one with the same key, and behind all others.
    pub(crate) fn push(&mut self, channel: ChannelId, newest: &Newest<'_>) {
        let (key, payload) = newest.kept();
        if self.waiting.len() >= 2 * self.places.len() + MIN_PLACES {
            self.close_up();
        }
        self.bytes += payload.len();
        let place = self.waiting.len();
        self.waiting.push(Some((channel, payload)));
        let before = self.places.insert((channel, key), place);
        let before = before.and_then(|before| self.waiting.get_mut(before)?.take());
        self.bytes -= before.map_or(0, |(_, payload)| payload.len());
    }

    /// Moves what waits over the places that were left.
    fn close_up(&mut self) {
        let mut next = 0;
        let places: Vec<usize> = self
            .waiting
            .iter()
            .map(|waiting| {
                let place = next;
                next += usize::from(waiting.is_some());
                place
            })
            .collect();
        self.waiting.retain(Option::is_some);
        for (_, place) in self.places.iter_mut() {
            *place = places.get(*place).copied().unwrap_or(0);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many bytes of payloads wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes everything, in order.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (ChannelId, Payload)> + use<> {
        self.places = LiteMap::new();
        self.bytes = 0;
        core::mem::take(&mut self.waiting).into_iter().flatten()
    }
}

/// So few places are not worth closing up.
const MIN_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_of_each_key_is_left_in_the_order_of_coming() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut latest = Latest::default();
        let mut model: Vec<(u32, u8, String)> = Vec::new();
        for number in 0..20_000 {
            let (channel, key) = (rng.u32(0..3), rng.u8(0..50));
            let text = format!("{number}");
            let payload = Payload::text(&*text);
            latest.push(ChannelId(channel), &Newest::new(&[key], &payload));
            model.retain(|(c, k, _)| (*c, *k) != (channel, key));
            model.push((channel, key, text));
            assert!(latest.waiting.len() <= 2 * 150 + MIN_PLACES + 1);
            let bytes: usize = model.iter().map(|(.., text)| text.len()).sum();
            assert_eq!(latest.bytes(), bytes);
        }
        let left: Vec<_> = latest
            .take()
            .map(|(channel, payload)| (channel.0, payload.as_text().unwrap_or("").to_owned()))
            .collect();
        let expect: Vec<_> = model.into_iter().map(|(c, _, text)| (c, text)).collect();
        assert_eq!(left, expect);
        assert!(latest.is_empty() && latest.bytes() == 0);
    }

    #[test]
    fn what_waits_does_not_hold_the_pack_that_it_came_in_and_is_one_for_all_tabs() {
        let pack = Bytes::from(vec![b'x'; 1_000]);
        let mut tabs = [Latest::default(), Latest::default()];
        let (key, payload) = (pack.slice(..2), Payload::binary(pack.slice(..5)));
        let newest = Newest::new(&key, &payload);
        tabs.iter_mut()
            .for_each(|latest| latest.push(ChannelId(1), &newest));
        drop((key, payload));
        assert!(pack.is_unique());
        let [one, other] = tabs.map(|mut latest| latest.take().map(|(_, payload)| payload).next());
        let at = |payload: Option<Payload>| payload.map(|payload| payload.bytes().as_ptr());
        assert_eq!(at(one.clone()), at(other.clone()));
        drop((one, other));
    }
}
