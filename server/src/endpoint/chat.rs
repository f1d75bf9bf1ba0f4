//! `/chat`: rooms. Every frame goes to all in the room, the sender included, after the history of the last few.
//!
//! Joining and broadcasting hold the same lock, so a newcomer's history ends exactly where its live frames begin.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    extract::{State, ws::Message},
    response::Response,
};
use serde::Deserialize;

use crate::{
    endpoint::{Endpoint, Handshake},
    error::BadParameter,
    server::App,
    socket::{Incoming, Outbox},
    sync::lock,
};

/// Holds the rooms and their history; clones share them.
///
/// A server makes its own unless [`ServerBuilder::chat`](crate::ServerBuilder::chat) is given one, which keeps the history over a
/// restart. Rooms live as long as this does.
#[derive(Debug, Clone, Default)]
pub struct ChatState {
    rooms: Arc<Mutex<BTreeMap<String, Room>>>,
}

impl ChatState {
    /// Makes a state without rooms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the history of every room; who is in one stays there.
    pub fn clear_history(&self) {
        lock(&self.rooms)
            .values_mut()
            .for_each(|room| room.history.clear());
    }

    /// Sends the room's history to a newcomer and lets it in.
    fn join(&self, room_name: String, outbox: Outbox) -> Member {
        let mut rooms = lock(&self.rooms);
        let room = rooms.entry(room_name.clone()).or_default();
        room.history
            .iter()
            .for_each(|message| outbox.send_or_abort(message.clone()));
        room.last_id += 1;
        let id = room.last_id;
        room.members.insert(id, outbox);
        Member {
            state: self.clone(),
            room_name,
            id,
        }
    }

    fn broadcast(&self, room_name: &str, message: &Message, history: usize) {
        let mut rooms = lock(&self.rooms);
        let Some(room) = rooms.get_mut(room_name) else {
            return;
        };
        room.members
            .values()
            .for_each(|outbox| outbox.send_or_abort(message.clone()));
        room.history.push_back(message.clone());
        let surplus = room.history.len().saturating_sub(history);
        room.history.drain(..surplus);
    }
}

#[derive(Debug, Default)]
struct Room {
    last_id: u64,
    members: BTreeMap<u64, Outbox>,
    history: VecDeque<Message>,
}

/// Leaves the room when dropped.
struct Member {
    state: ChatState,
    room_name: String,
    id: u64,
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(room) = lock(&self.state.rooms).get_mut(&self.room_name) {
            room.members.remove(&self.id);
        }
    }
}

#[derive(Deserialize)]
struct ChatQuery {
    #[serde(default = "default_room")]
    room: String,
}

pub(super) async fn chat(
    State(app): State<App>,
    handshake: Handshake,
) -> Result<Response, BadParameter> {
    let ChatQuery { room } = handshake.query()?;
    if room.is_empty() || room.len() > MAX_ROOM_BYTES {
        return Err(handshake.reject(format!("room must have 1 to {MAX_ROOM_BYTES} bytes")));
    }
    handshake.accept(
        Endpoint::Chat,
        QUEUE_FRAMES + app.history,
        move |incoming, outbox| serve(app.chat, app.history, room, incoming, outbox),
    )
}

async fn serve(
    chat: ChatState,
    history: usize,
    room: String,
    mut incoming: Incoming,
    outbox: Outbox,
) {
    let _member = chat.join(room.clone(), outbox);
    while let Some(message) = incoming.next().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            chat.broadcast(&room, &message, history);
        }
    }
}

fn default_room() -> String {
    "lobby".to_owned()
}

const MAX_ROOM_BYTES: usize = 128;

/// A member that is so many frames behind is cut off: waiting for it would stop the whole room. It gets the history when it is back.
const QUEUE_FRAMES: usize = 16_384;
