//! `/echo`: returns what it gets, a page's simplest peer.
//!
//! A ping is answered twice: with the pong that the protocol asks for, and with its payload as a binary frame, because a browser can
//! see no control frame but a test may want to know that one arrived.

use axum::{extract::ws::Message, response::Response};

use crate::{
    endpoint::{Endpoint, Handshake},
    error::BadParameter,
    socket::{Incoming, Outbox},
};

pub(super) async fn echo(handshake: Handshake) -> Result<Response, BadParameter> {
    handshake.accept(Endpoint::Echo, QUEUE_FRAMES, serve)
}

async fn serve(mut incoming: Incoming, outbox: Outbox) {
    while let Some(message) = incoming.next().await {
        let answer = match message {
            Message::Text(_) | Message::Binary(_) => message,
            Message::Ping(payload) => Message::Binary(payload),
            Message::Pong(_) | Message::Close(_) => continue,
        };
        if outbox.send(answer).await.is_err() {
            return;
        }
    }
}

/// A client that sends without reading is slowed down after so many frames.
const QUEUE_FRAMES: usize = 64;
