//! Every hook once: on the server each shows what a browser shows first.

#![expect(
    unreachable_pub,
    reason = "the macro makes a public function beside each component"
)]

use std::time::Duration;

use leptos::prelude::*;
use onesocket_leptos::{
    onesocket::{ManagerConfig, RequestId, TierPolicy},
    prelude::*,
};

#[component]
pub(crate) fn App() -> impl IntoView {
    view! {
        <main>
            <OneSocketProvider config>
                <Panel />
            </OneSocketProvider>
            <Wrong />
        </main>
    }
}

/// Its configuration is wrong, which only a browser finds.
#[component]
fn Wrong() -> impl IntoView {
    let config = || Client::<String, String>::builder("", Text).subprotocol("not a token");
    let socket = use_connection(config);
    let error = move || {
        let error = socket.config_error()?;
        Some(view! { <b>{error.to_string()}</b> })
    };
    view! { <p id="wrong">{error}</p> }
}

/// Only a browser asks for it.
fn config() -> ClientBuilder<String, String> {
    let root = document().document_element();
    let socket = root.and_then(|root| root.get_attribute("data-socket"));
    let search = location().search().unwrap_or_default();
    // ANCHOR: script
    let worker = ManagerConfig::default().script("/pkg/onesocket-worker.js");
    // ANCHOR_END: script
    let mut worker = worker.hello_timeout(Duration::from_secs(20));
    if let Some(tier) = search
        .strip_prefix("?tier=")
        .and_then(|tier| tier.parse().ok())
    {
        worker = worker.tiers(TierPolicy::Forced(tier));
    }
    Client::builder(socket.unwrap_or_default(), Text)
        .linger(Duration::from_millis(300))
        .worker(worker)
        .replies(|text: &String| text.split(' ').next()?.parse().ok().map(RequestId))
}

#[component]
fn Panel() -> impl IntoView {
    let socket = use_client::<String, String>();
    let status = use_status(socket);
    let tier = use_tier(socket);
    let ladder = use_ladder(socket);
    let newest = use_message(socket);
    let texts = use_fold(socket, Vec::new, |texts: &mut Vec<String>, event| {
        if let Event::Message(text) = event {
            texts.push(text.to_string());
        }
    });
    let answer = use_request(socket, |client| {
        client.request(|RequestId(id)| format!("{id} weather"))
    });
    let greeted = use_greeting(socket, || ("join".to_owned(), None));
    let error = use_error(socket);
    let send = use_send(socket);
    let say = move |_| {
        send.dispatch("hello".to_owned());
    };
    let state = move || {
        if status.read().state.is_connected() {
            "connected"
        } else {
            "connecting"
        }
    };
    let answer = move || {
        answer.with(|answer| {
            let text = answer.as_ref()?.as_ref();
            Some(text.is_ok_and(|text| text.ends_with(" weather")))
        })
    };
    let outcome = move || match &*send.value().read() {
        None => "none".to_owned(),
        Some(Ok(_)) => "sent".to_owned(),
        Some(Err(error)) => error.to_string(),
    };
    view! {
        <p id="status">{state}</p>
        <p id="tier">{move || tier.get().map_or_else(|| "none".to_owned(), |tier| tier.to_string())}</p>
        <ol id="ladder"><For each=move || ladder.get().attempts().to_vec() key=ToString::to_string let(attempt)><li>{attempt.to_string()}</li></For></ol>
        <p id="newest">{move || newest.get().map(|text| text.to_string())}</p>
        <p id="texts">{move || texts.read().join(",")}</p>
        <p id="answer">"answered: "<Suspense fallback=|| "not yet">{answer}</Suspense></p>
        <button id="say" on:click=say disabled=send.pending()>"say"</button>
        <p id="outcome">{outcome}</p>
        <Show when=move || error.read().is_some() || greeted.read().is_some()><p id="error">"error"</p></Show>
    }
}
