//! Providers that come and go, and below each every hook once.

#![expect(
    unreachable_pub,
    reason = "the macro makes a public function beside each component"
)]

use leptos::prelude::*;
use onesocket_leptos::prelude::*;

use crate::note::{self, FLOOD, FLOOD_LENGTH, GARBLED, Heard, Note};

/// Providers by their names; `one` and `two` are of one account, `three` of another.
#[component]
pub(crate) fn App() -> impl IntoView {
    let account = RwSignal::new("ada");
    // What no connection can be made with.
    let is_wrong = RwSignal::new(false);
    let another =
        move |_| account.update(|name| *name = if *name == "ada" { "bob" } else { "ada" });
    // Read by every config, which then says what it said before and must not connect anew.
    let renderings = RwSignal::new(0);
    let render = move |_| *renderings.write() += 1;
    let same = Signal::derive(move || {
        renderings.track();
        account.get()
    });
    let other = Signal::derive(move || {
        renderings.track();
        "carol"
    });
    view! {
        <button id="account" on:click=another>{account}</button>
        <button id="wrong" on:click=move |_| is_wrong.update(|is| *is = !*is)>{is_wrong}</button>
        <button id="render" on:click=render>{renderings}</button>
        <Place name="one" account=same is_wrong />
        <Place name="two" account=same is_wrong />
        <Place name="three" account=other is_wrong />
        <p id="ready">"ready"</p>
    }
}

/// A provider that is there or not.
#[component]
fn Place(
    name: &'static str,
    account: Signal<&'static str>,
    is_wrong: RwSignal<bool>,
) -> impl IntoView {
    let is_mounted = RwSignal::new(false);
    let config = move || match is_wrong.get() {
        false => note::config(account.get()),
        true => note::config(account.get()).subprotocol("not a token"),
    };
    view! {
        <section>
            <button id=format!("{name}-mount") on:click=move |_| is_mounted.update(|is| *is = !*is)>{name}</button>
            <Show when=move || is_mounted.get()>
                <OneSocketProvider config>
                    <Panel name />
                </OneSocketProvider>
            </Show>
        </section>
    }
}

#[component]
fn Panel(name: &'static str) -> impl IntoView {
    let id = move |what: &str| format!("{name}-{what}");
    let socket = use_client::<Note, Note>();
    let status = use_status(socket);
    let tier = use_tier(socket);
    let ladder = use_ladder(socket);
    let newest = use_message(socket);
    let error = use_error(socket);
    let send = use_send(socket);
    let in_flight = RwSignal::new(0);
    Effect::new(move |_| in_flight.set(i32::from(send.pending().get())));
    let has_route = RwSignal::new(false);
    let say = move |_| {
        send.dispatch(Note::new("hello"));
    };
    let garble = move |_| drop(socket.send(&Note::new(GARBLED)));
    let flood = move |_| {
        for number in 0..FLOOD_LENGTH {
            drop(socket.send(&Note::new(format!("{FLOOD} {number}"))));
        }
    };
    let outcome = move || match &*send.value().read() {
        None => "none".to_owned(),
        Some(Ok(_)) => "sent".to_owned(),
        Some(Err(error)) => error.to_string(),
    };
    view! {
        <p id=id("status")>{move || note::word(&status.read().state)}</p>
        <p id=id("tier")>{move || tier.get().map_or_else(|| "none".to_owned(), |tier| tier.to_string())}</p>
        <p id=id("ladder")>{move || ladder.read().attempts().len()}</p>
        <p id=id("newest")>{move || newest.get().map(|note| note.text.clone())}</p>
        <p id=id("error")>{move || error.get().map(|error| error.to_string())}</p>
        <p id=id("outcome")>{outcome}</p>
        <p id=id("in-flight")>{in_flight}</p>
        <button id=id("say") on:click=say>"say"</button>
        <button id=id("garble") on:click=garble>"garble"</button>
        <button id=id("flood") on:click=flood>"flood"</button>
        <button id=id("route") on:click=move |_| has_route.update(|has| *has = !*has)>"route"</button>
        <Folded name />
        <Asked name />
        // As a row, and as a router has it: nobody cleans up after it, it is only dropped.
        <For each=move || has_route.get().then_some(name) key=|name| *name children=|name| view! { <Route name /> } />
    }
}

/// Counts how often the page is told, beside what it has folded.
#[component]
fn Folded(name: &'static str) -> impl IntoView {
    let heard = use_fold(
        use_client::<Note, Note>(),
        Heard::default,
        |heard, event| heard.take(&event),
    );
    let renderings = StoredValue::new(0);
    let told = move || {
        heard.track();
        *renderings.write_value() += 1;
        renderings.get_value()
    };
    view! {
        <p id=format!("{name}-count")>{move || heard.read().count}</p>
        <p id=format!("{name}-texts")>{move || heard.read().texts.join(",")}</p>
        <p id=format!("{name}-renderings")>{told}</p>
    }
}

#[component]
fn Asked(name: &'static str) -> impl IntoView {
    let question = RwSignal::new(1);
    let answer = use_request(use_client::<Note, Note>(), move |client| {
        let text = format!("question {}", question.get());
        client.request(|id| Note::question(id, text))
    });
    let text = move || {
        answer.with(|answer| match answer {
            None => String::new(),
            Some(Ok(note)) => note.text.clone(),
            Some(Err(error)) => error.to_string(),
        })
    };
    view! {
        <p id=format!("{name}-answer")>{text}</p>
        <button id=format!("{name}-ask") on:click=move |_| *question.write() += 1>"ask"</button>
    }
}

/// A route: subscribed while it is shown, with a receipt and a count of its own.
#[component]
fn Route(name: &'static str) -> impl IntoView {
    let socket = use_client::<Note, Note>();
    let count = RwSignal::new(0);
    let room = RwSignal::new("join");
    let failed = use_greeting(socket, move || {
        (Note::new(room.get()), Some(Note::new("leave")))
    });
    use_event(socket, move |event| {
        if let Event::Message(_) = event {
            *count.write() += 1;
        }
    });
    // Behind the greeting, which is registered by an effect.
    let receipt = RwSignal::new("none".to_owned());
    Effect::new(move |_| {
        let outcome = use_receipt(socket.send(&Note::new("route")).into_receipt());
        Effect::new(move |_| {
            if let Some(outcome) = &*outcome.read() {
                receipt.set(
                    outcome
                        .as_ref()
                        .map_or_else(ToString::to_string, |_| "sent".to_owned()),
                );
            }
        });
    });
    view! {
        <button id=format!("{name}-room") on:click=move |_| room.set("change")>"room"</button>
        <p id=format!("{name}-joined")>{move || format!("{:?}", failed.get())}</p>
        <p id=format!("{name}-receipt")>{receipt}</p>
        <p id=format!("{name}-route-count")>{count}</p>
    }
}
