//! `/ledger`: writes down every text it gets, and on which socket, and returns it; meanwhile it numbers messages of its own. What
//! clients believe of their sends can be compared with it afterwards.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{State, ws::Message},
    response::Response,
};
use tokio::time::interval;

use crate::{
    endpoint::{Endpoint, Handshake},
    error::BadParameter,
    server::App,
    socket::{Incoming, Outbox},
};

/// What all sockets of `/ledger` have received. Cloning shares it, so that it can outlive a restart of the server.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    sockets: u64,
    entries: Vec<LedgerEntry>,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// The socket that it came on, counted from 1 in the order of the handshakes.
    pub socket: u64,
    /// The text.
    pub text: String,
}

impl Ledger {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what was received so far, in the order of arrival.
    #[must_use]
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.lock().entries.clone()
    }

    fn open_socket(&self) -> u64 {
        let mut book = self.lock();
        book.sockets += 1;
        book.sockets
    }

    fn write(&self, socket: u64, text: &str) {
        let text = text.to_owned();
        self.lock().entries.push(LedgerEntry { socket, text });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Book> {
        // An entry is pushed or it is not.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn ledger(
    State(app): State<App>,
    handshake: Handshake,
) -> Result<Response, BadParameter> {
    handshake.accept(Endpoint::Ledger, QUEUE_FRAMES, |incoming, outbox| {
        serve(app.ledger, incoming, outbox)
    })
}

async fn serve(ledger: Ledger, mut incoming: Incoming, outbox: Outbox) {
    let socket = ledger.open_socket();
    let mut number = 0_u64;
    let mut pulse = interval(PULSE);
    loop {
        let answer = tokio::select! {
            message = incoming.next() => match message {
                Some(Message::Text(text)) => {
                    ledger.write(socket, &text);
                    Message::Text(text)
                }
                Some(_) => continue,
                None => return,
            },
            _ = pulse.tick() => {
                number += 1;
                Message::Text(format!(r#"{{"feed":[{socket},{number}]}}"#).into())
            }
        };
        if outbox.send(answer).await.is_err() {
            return;
        }
    }
}

/// How often each socket is told the next number.
const PULSE: Duration = Duration::from_millis(50);
const QUEUE_FRAMES: usize = 64;
