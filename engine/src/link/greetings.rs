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
            entry.farewell = entry.farewell.take().or(greeting.farewell);
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

    /// Drops one greeting. Returns its farewell when nobody else holds it.
    pub(crate) fn remove(&mut self, member: Member, id: GreetingId) -> Option<Payload> {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.holders.contains(&(member, id)))?;
        self.entries[at]
            .holders
            .retain(|holder| *holder != (member, id));
        if !self.entries[at].holders.is_empty() {
            return None;
        }
        self.entries.remove(at).farewell
    }

    /// Drops all greetings of a member. Returns the farewells of those that nobody else holds.
    pub(crate) fn remove_member(&mut self, member: Member) -> Vec<Payload> {
        let mut farewells = Vec::new();
        self.entries.retain_mut(|entry| {
            let before = entry.holders.len();
            entry.holders.retain(|(holder, _)| *holder != member);
            let orphaned = before > 0 && entry.holders.is_empty();
            if orphaned {
                farewells.extend(entry.farewell.take());
            }
            !orphaned
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
