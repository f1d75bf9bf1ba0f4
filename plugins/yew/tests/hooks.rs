//! What hooks keep, and what they forget, from rendering to rendering. Effects do not run here.

use std::sync::{Arc, Mutex};

use onesocket_yew::{UseSendHandle, prelude::*};
use yew::{platform::spawn_local, prelude::*, suspense::use_future};

/// What a component has seen, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn push(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    seen: Seen,
}

/// Renders a component until it and what it has started are at rest, and returns what it has seen.
async fn run<C>() -> Vec<String>
where
    C: BaseComponent<Properties = Props>,
{
    let seen = Seen::default();
    let props = seen.clone();
    yew::ServerRenderer::<C>::with_props(move || Props { seen: props })
        .render()
        .await;
    let seen = seen.0.lock().unwrap();
    seen.clone()
}

/// Keeps those above it mounted until everything else has had its turn.
#[component]
fn Rest() -> HtmlResult {
    use_future(rest)?;
    Ok(Html::default())
}

async fn rest() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn at_rest() -> Html {
    html! { <Suspense><Rest /></Suspense> }
}

#[hook]
fn use_account(account: &str) -> Client<String, String> {
    let config = Client::builder("/feed", Text).account(account);
    use_connection(&config).unwrap()
}

/// Returns what the last rendering had, and keeps it for the next one.
#[hook]
fn use_before<T: 'static>(now: T) -> Option<T> {
    use_mut_ref(|| None).replace(Some(now))
}

#[component]
fn Greets(props: &Props) -> Html {
    let client = use_account("ada");
    // One less than a client may hold.
    use_memo(client.clone(), |client| {
        let greet = |number: u16| client.greet(&number.to_string(), None);
        (1..1_024)
            .map(greet)
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
    });
    let room = use_state(|| 0_u8);
    let greeted = use_greeting(&client, format!("room {}", *room), None);
    props.seen.push(format!("{}: {greeted:?}", *room));
    if *room < 2 {
        room.set(*room + 1);
    }
    at_rest()
}

#[tokio::test]
async fn the_last_greeting_that_a_client_may_hold_was_lost_when_it_changed() {
    assert_eq!(
        run::<Greets>().await,
        ["0: Ok(())", "1: Ok(())", "2: Ok(())"]
    );
}

#[component]
fn Sends(props: &Props) -> Html {
    let client = use_account("ada");
    let send = use_send(&client);
    match use_before(send.clone()) {
        None => drop(send.send(&"hello".to_owned())),
        Some(before) => props.seen.push(format!(
            "{} in flight, equal: {}",
            send.in_flight(),
            send == before
        )),
    }
    at_rest()
}

#[tokio::test]
async fn what_had_become_of_a_send_was_hidden_from_a_child_that_has_the_handle() {
    let seen = run::<Sends>().await;
    assert_eq!(seen[0], "1 in flight, equal: false");
    assert_eq!(seen[1], "0 in flight, equal: false");
}

#[component]
fn Idle(props: &Props) -> Html {
    let client = use_account("ada");
    let send = use_send(&client);
    let request = use_request(&client, (), |client, ()| {
        client.request(|id| id.to_string())
    });
    let renderings = use_state(|| 0);
    if *renderings < 2 {
        renderings.set(*renderings + 1);
    }
    if let Some((a, b)) = use_before((send.clone(), request.clone())) {
        props.seen.push(format!("{} {}", a == send, b == request));
    }
    at_rest()
}

#[tokio::test]
async fn a_rendering_by_itself_changes_no_handle() {
    assert_eq!(run::<Idle>().await, ["true true", "true true"]);
}

#[component]
fn Asks(props: &Props) -> Html {
    let client = use_account("ada");
    let request = use_request(&client, (), |client, ()| {
        client.request(|id| id.to_string())
    });
    match use_before(request.clone()) {
        None => request.retry(),
        Some(before) => props.seen.push((before == request).to_string()),
    }
    at_rest()
}

#[tokio::test]
async fn a_question_that_is_asked_again_is_another_handle() {
    assert_eq!(run::<Asks>().await, ["false"]);
}

#[component]
fn Accounts(props: &Props) -> Html {
    let account = use_state(|| "ada");
    let client = use_account(*account);
    let send = use_send(&client);
    let told = |send: &UseSendHandle<String, String>| {
        format!(
            "{:?}, {} in flight",
            send.last().is_some(),
            send.in_flight()
        )
    };
    props.seen.push(format!("{}: {}", *account, told(&send)));
    match (*account, use_before(())) {
        ("ada", None) => drop(send.send(&"hello".to_owned())),
        // Another one is on its way when the account changes.
        ("ada", _) if send.last().is_some() => {
            drop(send.send(&"hello".to_owned()));
            account.set("bob");
        }
        _ => {}
    }
    at_rest()
}

#[tokio::test]
async fn what_had_become_of_a_send_was_shown_to_the_next_account() {
    let seen = run::<Accounts>().await;
    assert!(
        seen.contains(&"ada: true, 0 in flight".to_owned()),
        "{seen:?}"
    );
    let of_bob: Vec<_> = seen.iter().filter(|line| line.starts_with("bob")).collect();
    assert!(!of_bob.is_empty(), "{seen:?}");
    for line in of_bob {
        assert_eq!(line, "bob: false, 0 in flight", "{seen:?}");
    }
}

#[component]
fn Nested(props: &Props) -> Html {
    let client = use_account("ada");
    let lines = use_fold(&client, Vec::new, |lines: &mut Vec<u8>, _| lines.push(0));
    if use_before(()).is_none() {
        let inner = lines.clone();
        lines.update(move |lines| {
            lines.push(1);
            // As an event is that comes of what `fold` does.
            inner.update(|lines| lines.push(3));
            lines.push(2);
        });
        props.seen.push(format!("{:?}", lines.borrow()));
        // And one that comes while somebody looks.
        let now = lines.borrow();
        lines.update(|lines| lines.push(4));
        drop(now);
        props.seen.push(format!("{:?}", lines.borrow()));
    }
    at_rest()
}

#[tokio::test]
async fn an_event_that_came_of_folding_another_one_was_a_panic() {
    assert_eq!(run::<Nested>().await, ["[1, 2, 3]", "[1, 2, 3, 4]"]);
}

#[component]
fn Within(props: &Props) -> Html {
    let client = use_account("ada");
    let heard = {
        let client = client.clone();
        use_fold(
            &client.clone(),
            || 0,
            move |heard, _| {
                *heard += 1;
                if *heard == 1 {
                    client.disconnect();
                }
            },
        )
    };
    if use_before(()).is_none() {
        let seen = props.seen.clone();
        client.disconnect();
        spawn_local(async move {
            rest().await;
            seen.push(if *heard.borrow() < 3 {
                "whole"
            } else {
                "endless"
            });
        });
    }
    html! { <><Suspense><Rest /></Suspense><Suspense><Rest /></Suspense></> }
}

#[tokio::test]
async fn fold_may_end_the_client() {
    assert_eq!(run::<Within>().await, ["whole"]);
}
