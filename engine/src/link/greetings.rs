//! What is sent first on every new socket, each once however many tabs ask for it.

use onesocket_protocol::{Greeting, GreetingId, Payload};

use super::Member;

#[derive(Debug, Default)]
pub(crate) struct Greetings {
    /// In the order in which they were first registered: a log-in comes before the subscriptions that need it.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    payload: Payload,
    farewell: Option<Payload>,
    holders: Vec<(Member, GreetingId)>,
}

impl Greetings {
    /// Registers a greeting. Returns its payload when no other tab had registered the same: it is to be sent if the socket
    /// is open.
    pub(crate) fn add(&mut self, member: Member, greeting: Greeting) -> Option<Payload> {
        let holder = (member, greeting.id);
        if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| entry.payload == greeting.payload)
        {
            if !entry.holders.contains(&holder) {
                entry.holders.push(holder);
            }
            // By farewell they are not told apart: one of them would end what the others greet for.
            if greeting.farewell.is_some() {
                entry.farewell = greeting.farewell;
            }
            return None;
        }
        let Greeting {
            payload, farewell, ..
        } = greeting;
        self.entries.push(Entry {
            payload: payload.clone(),
            farewell,
            holders: vec![holder],
        });
        Some(payload)
    }

    /// Drops one greeting of a member, or all. Returns the farewells of those that nobody else holds.
    pub(crate) fn remove(&mut self, member: Member, id: Option<GreetingId>) -> Vec<Payload> {
        let mut farewells = Vec::new();
        self.entries.retain_mut(|entry| {
            entry.holders.retain(|(holder, greeting)| {
                *holder != member || id.is_some_and(|id| id != *greeting)
            });
            let is_held = !entry.holders.is_empty();
            if !is_held {
                farewells.extend(entry.farewell.take());
            }
            is_held
        });
        farewells
    }

    pub(crate) fn count(&self, member: Member) -> usize {
        let of_member = |entry: &Entry| {
            entry
                .holders
                .iter()
                .filter(|(holder, _)| *holder == member)
                .count()
        };
        self.entries.iter().map(of_member).sum()
    }

    pub(crate) fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.entries.iter().map(|entry| &entry.payload)
    }
}
