//! `/sink`: counts what a client sends and checks its order, for tests of the way upstream.

use axum::{extract::ws::Message, response::Response};
use serde::{Deserialize, Serialize};

use crate::{
    endpoint::{Endpoint, Handshake, feed::feed_sequence},
    error::BadParameter,
    socket::{Incoming, Outbox},
};

/// Tells what one `/sink` socket has received; the JSON answer to the text `report`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SinkReport {
    /// Text and binary frames so far, without the requests for a report.
    pub frames: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// The number that was expected when the first binary frame came that is not [`feed_frame`](crate::feed_frame) of it; `None`
    /// while all are in order. Numbers start with 0 and each binary frame counts one.
    pub first_out_of_order: Option<u64>,
}

pub(super) async fn sink(handshake: Handshake) -> Result<Response, BadParameter> {
    handshake.accept(Endpoint::Sink, QUEUE_FRAMES, serve)
}

async fn serve(mut incoming: Incoming, outbox: Outbox) {
    let mut tally = Tally::default();
    while let Some(message) = incoming.next().await {
        match message {
            Message::Text(text) if text.as_str() == "report" => {
                let Ok(json) = serde_json::to_string(&tally.report) else {
                    return;
                };
                if outbox.send(Message::Text(json.into())).await.is_err() {
                    return;
                }
            }
            Message::Text(text) => tally.count(text.len()),
            Message::Binary(bytes) => tally.check(&bytes),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

#[derive(Default)]
struct Tally {
    report: SinkReport,
    expected: u64,
}

impl Tally {
    fn count(&mut self, bytes: usize) {
        self.report.frames += 1;
        self.report.bytes += bytes as u64;
    }

    fn check(&mut self, frame: &[u8]) {
        self.count(frame.len());
        if feed_sequence(frame) != Some(self.expected) {
            self.report.first_out_of_order.get_or_insert(self.expected);
        }
        self.expected += 1;
    }
}

const QUEUE_FRAMES: usize = 64;
