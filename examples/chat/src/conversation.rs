//! What has been said: each message once, in the server's order, and one's own before the server has it.

use std::collections::BTreeMap;

use crate::message::{Chat, Heard};

/// The messages of a page.
///
/// What the server has sent stands in the order of its arrival. What was said here and is still under way floats below it,
/// until the server sends it to everybody: then it gets the place that it has for everybody.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    entries: BTreeMap<Key, Entry>,
    order: Vec<Key>,
    last_key: u64,
    /// By sender and id.
    known: BTreeMap<(String, String), Key>,
    /// Texts without an id, by which a replay is recognised.
    plain: Vec<String>,
    /// Up to where in `plain` the replay that is going on has got.
    replayed: Option<usize>,
    pub(crate) counts: Counts,
}

/// Names an entry within the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Handed to an open socket.
    pub(crate) sent: u64,
    /// Shown, one's own included.
    pub(crate) received: u64,
    /// Not shown, because they are already.
    pub(crate) repeats: u64,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) chat: Chat,
    pub(crate) is_mine: bool,
    /// Not of the chat's protocol.
    pub(crate) is_raw: bool,
    pub(crate) state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// On its way to a socket.
    Sending,
    /// In an open socket since then.
    Sent { at: f64 },
    /// Not sent, or nobody knows.
    Failed { why: String },
    /// The server has sent it.
    Delivered,
}

/// Where an entry belongs now.
#[derive(Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) key: Key,
    /// The entry that comes after it; `None` for the last.
    pub(crate) before: Option<Key>,
}

impl Conversation {
    pub(crate) fn entry(&self, key: Key) -> Option<&Entry> {
        self.entries.get(&key)
    }

    /// Adds a message of this page.
    pub(crate) fn say(&mut self, chat: Chat) -> Placed {
        let id = (chat.from.clone(), chat.id.clone());
        let key = self.insert(Entry {
            chat,
            is_mine: true,
            is_raw: false,
            state: State::Sending,
        });
        self.known.insert(id, key);
        self.order.push(key);
        Placed { key, before: None }
    }

    /// Adds a message of the server, or finds the one of this page that it confirms. `None` when it is shown already.
    pub(crate) fn hear(
        &mut self,
        heard: Heard,
        is_replay: bool,
        own_name: &str,
        now: f64,
    ) -> Option<Placed> {
        let is_repeat = match &heard {
            Heard::Plain(text) => self.is_replayed(text, is_replay),
            Heard::Chat(_) | Heard::Binary { .. } => false,
        };
        let (chat, is_raw) = match heard {
            Heard::Chat(chat) => (chat, false),
            Heard::Plain(text) => (self.unnamed(text, now), true),
            Heard::Binary { bytes } => (
                self.unnamed(format!("a binary message of {bytes} bytes"), now),
                true,
            ),
        };
        let id = (chat.from.clone(), chat.id.clone());
        let known = self.known.get(&id).copied();
        let is_shown = |key: &Key| {
            self.entries
                .get(key)
                .is_some_and(|entry| entry.state == State::Delivered)
        };
        if is_repeat || known.as_ref().is_some_and(is_shown) {
            self.counts.repeats += 1;
            return None;
        }
        self.counts.received += 1;
        let key = match known {
            Some(key) => {
                self.order.retain(|other| *other != key);
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.state = State::Delivered;
                }
                key
            }
            None => {
                let is_mine = !is_raw && chat.from == own_name;
                self.insert(Entry {
                    chat,
                    is_mine,
                    is_raw,
                    state: State::Delivered,
                })
            }
        };
        self.known.insert(id, key);
        let at = self.end_of_fixed(now);
        self.order.insert(at, key);
        Some(Placed {
            key,
            before: self.order.get(at + 1).copied(),
        })
    }

    /// Takes the receipt of a message of this page.
    pub(crate) fn on_sent(&mut self, key: Key, now: f64) {
        self.counts.sent += 1;
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.state != State::Delivered
        {
            entry.state = State::Sent { at: now };
        }
    }

    /// Takes the news that a message of this page was not sent, or may not have been.
    pub(crate) fn on_failed(&mut self, key: Key, why: String) {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.state != State::Delivered
        {
            entry.state = State::Failed { why };
        }
    }

    /// Moves a failed message to the end, to be sent again. With the same id: should it have been sent after all, nobody sees
    /// it twice.
    pub(crate) fn retry(&mut self, key: Key) -> Option<Placed> {
        let entry = self.entries.get_mut(&key)?;
        if !matches!(entry.state, State::Failed { .. }) {
            return None;
        }
        entry.state = State::Sending;
        self.order.retain(|other| *other != key);
        self.order.push(key);
        Some(Placed { key, before: None })
    }

    fn insert(&mut self, entry: Entry) -> Key {
        self.last_key += 1;
        let key = Key(self.last_key);
        self.entries.insert(key, entry);
        key
    }

    fn unnamed(&self, text: String, now: f64) -> Chat {
        Chat {
            id: format!("unnamed-{}", self.last_key + 1),
            from: String::new(),
            text,
            at: now,
        }
    }

    /// Whether a text without an id was shown before. Only a replay repeats what a tab may have; a server that says the same
    /// thing twice means it.
    fn is_replayed(&mut self, text: &str, is_replay: bool) -> bool {
        if is_replay {
            let from = self.replayed.unwrap_or(0);
            let found = self.plain.iter().skip(from).position(|known| known == text);
            if let Some(at) = found {
                self.replayed = Some(from + at + 1);
                return true;
            }
            self.replayed = Some(self.plain.len() + 1);
        } else {
            self.replayed = None;
        }
        if self.plain.len() == PLAIN_KEPT {
            self.plain.remove(0);
        }
        self.plain.push(text.to_owned());
        false
    }

    /// Where the floating entries begin.
    fn end_of_fixed(&self, now: f64) -> usize {
        let is_floating = |key: &Key| match self.entries.get(key).map(|entry| &entry.state) {
            Some(State::Sending) => true,
            // A server that does not send one's own messages back never confirms.
            Some(State::Sent { at }) => now - at < PATIENCE_MS,
            Some(State::Failed { .. } | State::Delivered) | None => false,
        };
        let floating = self
            .order
            .iter()
            .rev()
            .take_while(|key| is_floating(key))
            .count();
        self.order.len() - floating
    }

    /// Everything that was confirmed or heard, for the tests.
    #[cfg(test)]
    fn texts(&self) -> Vec<&str> {
        let entries = self.order.iter().filter_map(|key| self.entries.get(key));
        entries.map(|entry| entry.chat.text.as_str()).collect()
    }

    /// The ids that stand twice, for the tests.
    #[cfg(test)]
    fn has_doubles(&self) -> bool {
        let mut seen = std::collections::BTreeSet::new();
        !self.order.iter().all(|key| seen.insert(*key))
    }
}

/// As many texts as are asked for as a replay.
const PLAIN_KEPT: usize = 200;

/// A server that sends everything to everybody does so within this time; else the message keeps the place that it has.
const PATIENCE_MS: f64 = 3_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(from: &str, id: &str) -> Chat {
        Chat {
            id: id.to_owned(),
            from: from.to_owned(),
            text: format!("{from}{id}"),
            at: 0.0,
        }
    }

    fn hear(conversation: &mut Conversation, from: &str, id: &str) -> Option<Placed> {
        conversation.hear(Heard::Chat(chat(from, id)), false, "me", 0.0)
    }

    fn plain(conversation: &mut Conversation, text: &str, is_replay: bool) {
        conversation.hear(Heard::Plain(text.to_owned()), is_replay, "me", 0.0);
    }

    #[test]
    fn a_history_that_comes_again_is_shown_once() {
        let mut conversation = Conversation::default();
        for id in ["1", "2", "3", "1", "2", "3", "4"] {
            hear(&mut conversation, "ann", id);
        }
        assert_eq!(conversation.texts(), ["ann1", "ann2", "ann3", "ann4"]);
        assert_eq!(
            (conversation.counts.received, conversation.counts.repeats),
            (4, 3)
        );
        assert!(
            hear(&mut conversation, "bob", "1").is_some(),
            "ids count per sender"
        );
        assert!(!conversation.has_doubles());
    }

    #[test]
    fn an_own_message_takes_the_place_that_the_server_gives_it() {
        let mut conversation = Conversation::default();
        let first = conversation.say(chat("me", "1")).key;
        let second = conversation.say(chat("me", "2")).key;
        assert_eq!(
            hear(&mut conversation, "ann", "1").map(|placed| placed.before),
            Some(Some(first))
        );
        conversation.on_sent(first, 0.0);
        let placed = hear(&mut conversation, "me", "1");
        assert_eq!(
            placed,
            Some(Placed {
                key: first,
                before: Some(second)
            })
        );
        hear(&mut conversation, "ann", "2");
        hear(&mut conversation, "me", "2");
        assert_eq!(conversation.texts(), ["ann1", "me1", "ann2", "me2"]);
        assert_eq!(
            conversation.entry(first).map(|entry| &entry.state),
            Some(&State::Delivered)
        );
        conversation.on_sent(second, 0.0);
        assert_eq!(
            conversation.entry(second).map(|entry| &entry.state),
            Some(&State::Delivered),
            "a late receipt"
        );
        assert_eq!(
            conversation.counts,
            Counts {
                sent: 2,
                received: 4,
                repeats: 0
            }
        );
    }

    #[test]
    fn without_an_echo_a_sent_message_stays_where_it_is() {
        let mut conversation = Conversation::default();
        let key = conversation.say(chat("me", "1")).key;
        conversation.on_sent(key, 0.0);
        conversation.hear(Heard::Chat(chat("ann", "1")), false, "me", PATIENCE_MS);
        assert_eq!(conversation.texts(), ["me1", "ann1"]);
    }

    #[test]
    fn a_failed_message_goes_to_the_end_when_it_is_sent_again() {
        let mut conversation = Conversation::default();
        let key = conversation.say(chat("me", "1")).key;
        conversation.on_failed(key, "the queue is full".to_owned());
        hear(&mut conversation, "ann", "1");
        assert_eq!(conversation.texts(), ["me1", "ann1"]);
        assert!(conversation.retry(key).is_some());
        assert_eq!(conversation.texts(), ["ann1", "me1"]);
        assert_eq!(conversation.retry(key), None, "it is on its way");
    }

    #[test]
    fn plain_text_is_never_lost_and_a_replay_of_it_is_known() {
        let mut conversation = Conversation::default();
        for text in ["a", "a", "b"] {
            plain(&mut conversation, text, false);
        }
        assert_eq!(conversation.texts(), ["a", "a", "b"]);
        for text in ["a", "b", "c"] {
            plain(&mut conversation, text, true);
        }
        assert_eq!(conversation.texts(), ["a", "a", "b", "c"]);
        plain(&mut conversation, "a", false);
        assert_eq!(conversation.texts(), ["a", "a", "b", "c", "a"]);
    }
}
