//! Providers that come and go, and below each every hook once.

use onesocket_yew::{Event, UseRequestHandle, UseSendHandle, prelude::*};
use yew::prelude::*;

use crate::note::{self, FLOOD, FLOOD_LENGTH, GARBLED, Heard, Note};

/// Providers by their names; `one` and `two` are of one account, `three` of another.
#[component]
pub(crate) fn App() -> Html {
    let account = use_state(|| "ada");
    let another = {
        let account = account.clone();
        move |_| account.set(if *account == "ada" { "bob" } else { "ada" })
    };
    // A config of its own at each rendering, which must not connect anew.
    let renderings = use_state(|| 0);
    let render = {
        let renderings = renderings.clone();
        move |_| renderings.set(*renderings + 1)
    };
    html! {
        <>
            <button id="account" onclick={another}>{ *account }</button>
            <button id="render" onclick={render}>{ *renderings }</button>
            <Place name="one" account={*account} />
            <Place name="two" account={*account} />
            <Place name="three" account="carol" />
            <p id="ready">{ "ready" }</p>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct PlaceProps {
    name: &'static str,
    account: &'static str,
}

/// A provider that is there or not.
#[component]
fn Place(props: &PlaceProps) -> Html {
    let name = props.name;
    let is_mounted = use_state(|| false);
    let toggle = {
        let is_mounted = is_mounted.clone();
        move |_| is_mounted.set(!*is_mounted)
    };
    html! {
        <section>
            <button id={format!("{name}-mount")} onclick={toggle}>{ name }</button>
            if *is_mounted {
                <OneSocketProvider<Note, Note> config={note::config(props.account)}>
                    <Panel {name} />
                </OneSocketProvider<Note, Note>>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Named {
    name: &'static str,
}

#[component]
fn Panel(props: &Named) -> Html {
    let id = |what: &str| format!("{}-{what}", props.name);
    let client = use_client::<Note, Note>();
    let status = use_status(&client);
    let tier = use_tier(&client);
    let ladder = use_ladder(&client);
    let newest = use_message(&client);
    let error = use_error(&client);
    let send = use_send(&client);
    let has_route = use_state(|| false);
    let say = {
        let send = send.clone();
        move |_| drop(send.send(&Note::new("hello")))
    };
    let garble = {
        let client = client.clone();
        move |_| drop(client.send(&Note::new(GARBLED)))
    };
    let flood = {
        let client = client.clone();
        move |_| {
            for number in 0..FLOOD_LENGTH {
                drop(client.send(&Note::new(format!("{FLOOD} {number}"))));
            }
        }
    };
    let route = {
        let has_route = has_route.clone();
        move |_| has_route.set(!*has_route)
    };
    html! {
        <>
            <p id={id("status")}>{ note::word(&status.state) }</p>
            <p id={id("tier")}>{ tier.map_or_else(|| "none".to_owned(), |tier| tier.to_string()) }</p>
            <p id={id("ladder")}>{ ladder.attempts().len() }</p>
            <p id={id("newest")}>{ newest.map_or_else(String::new, |note| note.text.clone()) }</p>
            <p id={id("error")}>{ error.as_ref().map(ToString::to_string) }</p>
            <Sends name={props.name} {send} />
            <button id={id("say")} onclick={say}>{ "say" }</button>
            <button id={id("garble")} onclick={garble}>{ "garble" }</button>
            <button id={id("flood")} onclick={flood}>{ "flood" }</button>
            <button id={id("route")} onclick={route}>{ "route" }</button>
            <Folded name={props.name} />
            <Asked name={props.name} />
            if *has_route { <Route name={props.name} /> }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct SendsProps {
    name: &'static str,
    send: UseSendHandle<Note, Note>,
}

/// Rendered when the handle is another one, and by nothing else.
#[component]
fn Sends(props: &SendsProps) -> Html {
    let outcome = match props.send.last() {
        None => "none".to_owned(),
        Some(Ok(_)) => "sent".to_owned(),
        Some(Err(error)) => error.to_string(),
    };
    html! {
        <>
            <p id={format!("{}-outcome", props.name)}>{ outcome }</p>
            <p id={format!("{}-in-flight", props.name)}>{ props.send.in_flight() }</p>
        </>
    }
}

/// Counts its renderings, beside what it has folded.
#[component]
fn Folded(props: &Named) -> Html {
    let client = use_client::<Note, Note>();
    let renderings = use_mut_ref(|| 0);
    *renderings.borrow_mut() += 1;
    let heard = use_fold(&client, Heard::default, |heard, event| heard.take(&event));
    let heard = heard.borrow();
    let id = |what: &str| format!("{}-{what}", props.name);
    html! {
        <>
            <p id={id("count")}>{ heard.count }</p>
            <p id={id("texts")}>{ heard.texts.join(",") }</p>
            <p id={id("renderings")}>{ *renderings.borrow() }</p>
        </>
    }
}

#[component]
fn Asked(props: &Named) -> Html {
    let client = use_client::<Note, Note>();
    let question = use_state(|| 1);
    let answer = use_request(&client, *question, |client, question| {
        client.request(|id| Note::question(id, format!("question {question}")))
    });
    let ask = {
        let question = question.clone();
        move |_| question.set(*question + 1)
    };
    html! {
        <>
            <Answer name={props.name} {answer} />
            <button id={format!("{}-ask", props.name)} onclick={ask}>{ "ask" }</button>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct AnswerProps {
    name: &'static str,
    answer: UseRequestHandle<Note>,
}

/// Rendered when the handle is another one, and by nothing else.
#[component]
fn Answer(props: &AnswerProps) -> Html {
    let text = match (props.answer.answer(), props.answer.error()) {
        (_, Some(error)) => error.to_string(),
        (Some(note), None) => note.text.clone(),
        (None, None) => String::new(),
    };
    html! { <p id={format!("{}-answer", props.name)}>{ text }</p> }
}

/// A route: subscribed while it is shown, with a receipt and a reducer of its own.
#[component]
fn Route(props: &Named) -> Html {
    let client = use_client::<Note, Note>();
    let count = use_state(|| 0);
    let room = use_state(|| "join");
    let joined = use_greeting(&client, Note::new(*room), Some(Note::new("leave")));
    let change = {
        let room = room.clone();
        move |_| room.set("change")
    };
    {
        let count = count.clone();
        use_event(&client, move |event| {
            if let Event::Message(_) = event {
                count.set(*count + 1);
            }
        });
    }
    let receipt = use_memo(client, |client| {
        client.send(&Note::new("route")).into_receipt()
    });
    let receipt = match use_receipt(&receipt) {
        None => "none".to_owned(),
        Some(Ok(_)) => "sent".to_owned(),
        Some(Err(error)) => error.to_string(),
    };
    html! {
        <>
            <button id={format!("{}-room", props.name)} onclick={change}>{ "room" }</button>
            <p id={format!("{}-joined", props.name)}>{ format!("{joined:?}") }</p>
            <p id={format!("{}-receipt", props.name)}>{ receipt }</p>
            <p id={format!("{}-route-count", props.name)}>{ *count }</p>
        </>
    }
}
