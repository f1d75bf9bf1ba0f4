//! One channel of a tab: what it asked for, and what it has sent without a receipt.

use std::collections::VecDeque;

use litemap::LiteMap;
use onesocket_protocol::{ChannelId, Connect, Greeting, GreetingId, Payload, SendId, ToWorker};

use super::ChannelConfig;

#[derive(Debug)]
pub(super) struct Channel {
    config: ChannelConfig,
    pub(super) greetings: LiteMap<GreetingId, Greeting>,
    next_greeting: u32,
    last_send: u64,
    /// Sends that are in a batch, oldest first, until their receipt.
    pub(super) unconfirmed: VecDeque<(SendId, Payload)>,
    /// The client is gone; only the worker's last word is waited for.
    pub(super) closing: bool,
}

impl Channel {
    pub(super) fn new(config: ChannelConfig) -> Self {
        Self {
            config,
            greetings: LiteMap::new(),
            next_greeting: 1,
            last_send: 0,
            unconfirmed: VecDeque::new(),
            closing: false,
        }
    }

    pub(super) fn connect(&self, channel: ChannelId) -> ToWorker {
        let ChannelConfig {
            key,
            policy,
            replay,
        } = self.config.clone();
        ToWorker::Connect(Box::new(Connect {
            channel,
            key,
            policy,
            replay,
        }))
    }

    pub(super) fn next_send(&mut self) -> SendId {
        self.last_send += 1;
        SendId(self.last_send)
    }

    pub(super) fn add_greeting(&mut self, payload: Payload, farewell: Option<Payload>) -> Greeting {
        let id = GreetingId(self.next_greeting);
        self.next_greeting += 1;
        let greeting = Greeting {
            id,
            payload,
            farewell,
        };
        self.greetings.insert(id, greeting.clone());
        greeting
    }

    /// Settles all sends up to one; returns their bytes.
    pub(super) fn confirm(&mut self, through: SendId) -> usize {
        let mut bytes = 0;
        while let Some((id, payload)) = self.unconfirmed.front() {
            if *id > through {
                break;
            }
            bytes += payload.len();
            self.unconfirmed.pop_front();
        }
        bytes
    }

    pub(super) fn take_unconfirmed(&mut self, send: SendId) -> Option<Payload> {
        let at = self
            .unconfirmed
            .binary_search_by_key(&send, |(id, _)| *id)
            .ok()?;
        self.unconfirmed.remove(at).map(|(_, payload)| payload)
    }
}
