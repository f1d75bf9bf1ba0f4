//! The page. A hook holds the client, which is dropped with the component, and a future turns its events into signals.

#![expect(
    unused_qualifications,
    reason = "the macro writes the path of each handler"
)]

use dioxus::prelude::*;
use futures::StreamExt as _;
use onesocket::{Client, Event, LinkState, Status};

use crate::poll::{self, OPTIONS, Poll, QUESTION, Vote};

// ANCHOR: hook
#[component]
pub(crate) fn App() -> Element {
    match use_hook(poll::connect) {
        Ok(client) => rsx! { Page { client } },
        Err(error) => rsx! { p { role: "alert", "{error}" } },
    }
}
// ANCHOR_END: hook

#[component]
fn Page(client: Client<Vote, Vote>) -> Element {
    let mut poll = use_signal(Poll::default);
    let mut status = use_signal(|| client.status());
    let mut problem = use_signal(|| None);
    let voter = use_hook(poll::voter);
    // ANCHOR: events
    use_future({
        let client = client.clone();
        move || {
            let mut events = client.events();
            async move {
                while let Some(event) = events.next().await {
                    match event {
                        Event::Message(vote) | Event::Replayed(vote) => poll.write().take(&vote),
                        Event::Status(now) => status.set(now),
                        _ => {}
                    }
                }
            }
        }
    });
    // ANCHOR_END: events
    // ANCHOR: send
    let vote = use_callback(move |option| {
        // Taken by the call; it ends when it is in an open socket, now or after a reconnect.
        let sending = client.send(&Vote { voter, option });
        spawn(async move { problem.set(sending.await.err()) });
    });
    // ANCHOR_END: send
    let (class, state) = words(&status.read());
    rsx! {
        main {
            p { id: "status", class: "pill {class}", role: "status", "{state}" }
            h1 { "{QUESTION}" }
            for (option, text) in OPTIONS.into_iter().enumerate() {
                Answer {
                    text,
                    voted: poll.read().of(voter) == Some(option),
                    votes: poll.read().votes(option),
                    total: poll.read().total(),
                    on_vote: move |()| vote(option),
                }
            }
            if let Some(problem) = &*problem.read() {
                p { role: "alert", "{problem}" }
            }
        }
    }
}

#[component]
fn Answer(
    text: &'static str,
    voted: bool,
    votes: usize,
    total: usize,
    on_vote: EventHandler<()>,
) -> Element {
    let part = 100 * votes / total.max(1);
    rsx! {
        button {
            "aria-pressed": voted,
            onclick: move |_| on_vote(()),
            // SVG, because a strict policy allows no style in an attribute.
            svg { "aria-hidden": true, rect { width: "{part}%", height: "100%" } }
            span { "{text}" }
            b { "{votes}" }
        }
    }
}

fn words(status: &Status) -> (&'static str, String) {
    match &status.state {
        LinkState::Connecting { .. } => ("waiting", "connecting".to_owned()),
        LinkState::Connected { .. } => ("connected", "connected".to_owned()),
        LinkState::Reconnecting { attempt, .. } => {
            ("waiting", format!("reconnecting, attempt {attempt}"))
        }
        LinkState::Offline { .. } => ("stopped", "offline".to_owned()),
        LinkState::NeedsAuth { .. } => ("stopped", "log-in needed".to_owned()),
        LinkState::Stopped(reason) => ("stopped", reason.to_string()),
    }
}
