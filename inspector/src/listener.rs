//! Telling JavaScript what is observed.

#![expect(unnameable_types, reason = "wasm-bindgen exports public items")]

use js_sys::{Array, Uint8Array};
use onesocket_manager::Observation;
use onesocket_protocol::{
    LinkState, LogEntry,
    inspect::{LinkSurvey, PortSurvey},
    log::kind,
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object of JavaScript's with these methods. None of them throws.
    #[derive(Clone)]
    pub type Listener;

    /// The state, the tier or the ladder has changed.
    #[wasm_bindgen(method)]
    pub(crate) fn changed(this: &Listener);
    #[wasm_bindgen(method)]
    fn entry(this: &Listener, kind: u8, id: u32, code: u32, len: u32, content: Uint8Array);
    /// What the page posted before the worker began to record.
    #[wasm_bindgen(method)]
    fn opening(this: &Listener, frames: Array);
    #[wasm_bindgen(method)]
    fn port(this: &Listener, port: Port);
    #[wasm_bindgen(method)]
    fn link(this: &Listener, link: Link);
}

/// One tab, as the worker sees it.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Port {
    pub id: u32,
    #[wasm_bindgen(js_name = isOwn)]
    pub is_own: bool,
    #[wasm_bindgen(js_name = isBehind)]
    pub is_behind: bool,
    pub waiting: u32,
    pub channels: u32,
    pub pace: u32,
}

/// One connection, as the worker sees it.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Link {
    pub id: u32,
    pub socket: u32,
    pub oldest: u32,
    pub state: String,
    /// What there is to say about the state: why, and until when.
    pub detail: String,
    pub attempt: u32,
    pub tabs: u32,
    #[wasm_bindgen(js_name = queuedMessages)]
    pub queued_messages: u32,
    #[wasm_bindgen(js_name = queuedBytes)]
    pub queued_bytes: u32,
    pub dials: u32,
    #[wasm_bindgen(js_name = roundTrip)]
    pub round_trip: Option<u32>,
    pub url: String,
}

impl Listener {
    pub(crate) fn tell(&self, what: &Observation) {
        match what {
            Observation::Entry(entry) => self.tell_entry(entry),
            Observation::Opening(frames) => {
                let frames = frames.iter().map(|frame| Uint8Array::from(&frame[..]));
                self.opening(frames.collect());
            }
            _ => {}
        }
    }

    fn tell_entry(&self, entry: &LogEntry) {
        if let Some(port) = PortSurvey::of(entry) {
            self.port(port.into());
        } else if let Some(link) = LinkSurvey::of(entry) {
            self.link(link.into());
        }
        let LogEntry {
            kind,
            id,
            code,
            len,
            content,
        } = entry;
        let content = Uint8Array::from(&content[..]);
        self.entry(*kind, *id, *code, *len, content);
    }
}

/// Returns whether an entry is part of a survey, and shown as that.
pub(crate) fn is_survey(kind: u8) -> bool {
    matches!(kind, kind::PORT | kind::LINK)
}

impl From<PortSurvey> for Port {
    fn from(survey: PortSurvey) -> Self {
        let PortSurvey {
            port: id,
            is_own,
            is_behind,
            waiting,
            channels,
            pace,
        } = survey;
        Self {
            id,
            is_own,
            is_behind,
            waiting,
            channels,
            pace,
        }
    }
}

impl From<LinkSurvey> for Link {
    fn from(survey: LinkSurvey) -> Self {
        let LinkSurvey {
            link,
            socket,
            oldest,
            status,
            url,
        } = survey;
        let (state, attempt, detail) = match status.state {
            LinkState::Connecting { attempt } => ("connecting", attempt, String::new()),
            LinkState::Connected { uptime, .. } => {
                ("connected", 0, format!("for {}", seconds(uptime.0)))
            }
            LinkState::Reconnecting {
                attempt,
                delay,
                cause,
            } => (
                "reconnecting",
                attempt,
                format!("{cause}; in {}", seconds(delay.0)),
            ),
            LinkState::Offline { attempt } => {
                ("offline", attempt, "the browser is offline".to_owned())
            }
            LinkState::NeedsAuth { refused: true } => (
                "needs-auth",
                0,
                "the server refuses the credential".to_owned(),
            ),
            LinkState::NeedsAuth { refused: false } => {
                ("needs-auth", 0, "no tab has a credential".to_owned())
            }
            LinkState::Stopped(reason) => ("stopped", 0, reason.to_string()),
        };
        Self {
            id: link,
            socket,
            oldest,
            state: state.to_owned(),
            detail,
            attempt,
            tabs: status.tabs,
            queued_messages: status.queued_messages,
            queued_bytes: status.queued_bytes,
            dials: status.dials,
            round_trip: status.round_trip.map(|trip| trip.0),
            url,
        }
    }
}

fn seconds(millis: u32) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min", millis / 60_000),
    }
}
