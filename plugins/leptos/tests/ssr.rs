//! On a server: everything renders, nothing is dialled, and any thread may drop it.

use std::thread;

use leptos::prelude::*;
use onesocket_leptos::prelude::*;

#[component]
fn App() -> impl IntoView {
    // Owned by the closure: it would matter to a resource that is dropped on another thread.
    let account = String::from("ada");
    let config = move || Client::<String, String>::builder("/feed", Text).account(account.clone());
    view! { <OneSocketProvider config><Panel /></OneSocketProvider> }
}

#[component]
fn Panel() -> impl IntoView {
    let socket = use_client::<String, String>();
    let status = use_status(socket);
    let tier = use_tier(socket);
    let ladder = use_ladder(socket);
    let newest = use_message(socket);
    let error = use_error(socket);
    let lines = use_fold(socket, Vec::<String>::new, |lines, event| {
        if let Event::Message(text) = event {
            lines.push(text.to_string());
        }
    });
    let question = String::from("weather");
    let answer = use_request(socket, move |client| {
        let question = question.clone();
        client.request(|id| format!("{id} {question}"))
    });
    let greeted = use_greeting(socket, || ("join".to_owned(), Some("leave".to_owned())));
    let send = use_send(socket);
    let outcome = use_receipt(socket.send(&"hello".to_owned()).into_receipt());
    use_event(socket, |_| {});
    view! {
        <p id="status">{move || status.read().state.is_connected()}</p>
        <p id="tier">{move || tier.get().is_none()}</p>
        <p id="ladder">{move || ladder.read().attempts().len()}</p>
        <p id="newest">{move || newest.get().map(|text| text.to_string())}</p>
        <p id="error">{move || error.get().is_none() && greeted.get().is_none()}</p>
        <p id="lines">{move || lines.read().len()}</p>
        <Suspense fallback=|| "asking">{move || answer.get().map(|_| "answered")}</Suspense>
        <button disabled=send.pending()>"send"</button>
        <p id="outcome">{move || outcome.get().is_none()}</p>
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_renders_what_a_browser_shows_first() {
    any_spawner::Executor::init_tokio().unwrap();
    let owner = Owner::new();
    let html = owner.with(|| view! { <App /> }.to_html());
    for expected in [
        "<p id=\"status\">false",
        "<p id=\"tier\">true",
        "<p id=\"ladder\">0",
        "<p id=\"newest\">",
        "<p id=\"error\">true",
        "<p id=\"lines\">0",
        "asking",
        "<p id=\"outcome\">true",
    ] {
        assert!(html.contains(expected), "{expected} in {html}");
    }
    let dropped = thread::spawn(move || drop(owner)).join();
    assert!(dropped.is_ok(), "another thread may drop it");
}
