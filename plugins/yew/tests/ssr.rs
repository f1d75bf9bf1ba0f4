//! On a server: everything renders, and nothing is dialled.

use onesocket_yew::{onesocket::BuildError, prelude::*};
use yew::prelude::*;

#[component]
fn App() -> Html {
    html! {
        <OneSocketProvider<String, String> config={Client::builder("/feed", Text).account("ada")}>
            <Panel />
        </OneSocketProvider<String, String>>
    }
}

#[component]
fn Panel() -> Html {
    let client = use_client::<String, String>();
    let status = use_status(&client);
    let tier = use_tier(&client);
    let ladder = use_ladder(&client);
    let newest = use_message(&client);
    let error = use_error(&client);
    let count = use_fold(&client, || 0, |count, _| *count += 1);
    let answer = use_request(&client, "weather", |client, what| {
        client.request(|id| format!("{id} {what}"))
    });
    let greeted = use_greeting(&client, "join".to_owned(), Some("leave".to_owned()));
    let send = use_send(&client);
    let receipt = use_memo(client.clone(), |client| {
        client.send(&"hello".to_owned()).into_receipt()
    });
    let outcome = use_receipt(&receipt);
    use_event(&client, |_| {});
    let told = [
        // As in a browser that hydrates this, where else it would be another page.
        status.state == LinkState::Connecting { attempt: 0 },
        tier.is_none() && ladder.attempts().is_empty(),
        newest.is_none() && error.is_none() && outcome.is_none(),
        *count.borrow() == 0 && send.in_flight() == 0 && send.last().is_none(),
        answer.is_pending() && answer.answer().is_none() && answer.error().is_none(),
        greeted.is_ok(),
    ];
    html! { <p>{ format!("{told:?}") }</p> }
}

#[component]
fn Misconfigured() -> Html {
    let config = Client::builder("/feed", Text).subprotocol("not a token");
    html! {
        <OneSocketProvider<String, String> {config} fallback={|error: BuildError| html! { <b>{ error.to_string() }</b> }}>
            <Panel />
        </OneSocketProvider<String, String>>
    }
}

#[tokio::test]
async fn every_hook_renders_on_a_server() {
    let html = yew::ServerRenderer::<App>::new()
        .hydratable(false)
        .render()
        .await;
    assert_eq!(html, "<p>[true, true, true, true, true, true]</p>");
}

#[tokio::test]
async fn a_configuration_that_is_wrong_shows_the_fallback() {
    let html = yew::ServerRenderer::<Misconfigured>::new()
        .hydratable(false)
        .render()
        .await;
    assert_eq!(html, "<b>invalid subprotocol</b>");
}
