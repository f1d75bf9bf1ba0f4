//! `/auth`: an echo for those who have a valid token, in the URL, as a subprotocol or as the first message.
//!
//! Who has none is let in and closed with 4401: browsers say of a refused handshake no more than of a dead server. So is a socket
//! whose token expires.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message},
    response::Response,
};
use serde::Deserialize;
use tokio::{sync::watch, time::timeout};

use crate::{
    endpoint::{Endpoint, Handshake},
    error::BadParameter,
    socket::{Incoming, Outbox},
};

pub(super) async fn auth(mut handshake: Handshake) -> Result<Response, BadParameter> {
    let Query { token } = handshake.query()?;
    let offered = handshake
        .upgrade
        .requested_protocols()
        .filter_map(|offered| offered.to_str().ok())
        .find(|offered| offered.starts_with(SUBPROTOCOL))
        .map(str::to_owned);
    let token = token.or_else(|| Some(offered.as_ref()?.strip_prefix(SUBPROTOCOL)?.to_owned()));
    if let Some(offered) = offered {
        handshake.upgrade = handshake.upgrade.protocols([offered]);
    }
    let tokens = handshake.app.faults.watch_tokens();
    handshake.accept(Endpoint::Auth, QUEUE_FRAMES, |incoming, outbox| {
        serve(incoming, outbox, tokens, token)
    })
}

#[derive(Deserialize)]
struct Query {
    token: Option<String>,
}

async fn serve(
    mut incoming: Incoming,
    outbox: Outbox,
    mut valid: watch::Receiver<BTreeSet<String>>,
    token: Option<String>,
) {
    let token = match token {
        Some(token) => Some(token),
        None => first_message(&mut incoming).await,
    };
    let Some(token) = token else {
        return refuse(incoming, outbox).await;
    };
    loop {
        if !valid.borrow_and_update().contains(&token) {
            return refuse(incoming, outbox).await;
        }
        let message = tokio::select! {
            // The sender lives in the faults, which outlive the socket.
            _ = valid.changed() => continue,
            message = incoming.next() => message,
        };
        match message {
            Some(message @ (Message::Text(_) | Message::Binary(_))) => {
                if outbox.send(message).await.is_err() {
                    return;
                }
            }
            Some(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
            None => return,
        }
    }
}

async fn first_message(incoming: &mut Incoming) -> Option<String> {
    let message = async {
        loop {
            match incoming.next().await? {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return Some(message),
            }
        }
    };
    match timeout(PATIENCE, message).await {
        Ok(Some(Message::Text(text))) => Some(text.strip_prefix("token:")?.to_owned()),
        Ok(_) | Err(_) => None,
    }
}

async fn refuse(incoming: Incoming, outbox: Outbox) {
    let close = Message::Close(Some(CloseFrame {
        code: UNAUTHORIZED,
        reason: "unauthorized".into(),
    }));
    if outbox.send(close).await.is_ok() {
        // Until the peer has answered, but not for ever.
        let _ = timeout(PATIENCE, incoming.drain()).await;
    }
}

/// What HTTP calls 401, in the range that is free for applications (RFC 6455, 7.4.2).
const UNAUTHORIZED: u16 = 4401;

/// What the subprotocol of a token begins with.
const SUBPROTOCOL: &str = "bearer.";

/// A client sends its token, and answers a close frame, at once.
const PATIENCE: Duration = Duration::from_secs(5);

const QUEUE_FRAMES: usize = 64;
