//! How the connection is doing, and where it runs.

use onesocket::{Client, Event, Ladder, LinkState, Status, Tier};
use yew::{hook, use_force_update, use_memo};

use crate::event::use_event;

/// Returns how the connection is doing. The component is rendered again after every change of its state.
///
/// Queue and tabs change without an event: [`Client::refresh_status`] asks for them. On a server it is connecting, as it is in a browser that
/// hydrates what was rendered there; [`Client::status`] says that it has stopped, for want of a worker.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Light() -> Html {
///     let client = use_client::<String, String>();
///     let status = use_status(&client);
///     let text = match &status.state {
///         LinkState::Connected { .. } => "connected".to_owned(),
///         LinkState::Reconnecting { attempt, cause, .. } => format!("{cause}; attempt {attempt}"),
///         LinkState::Offline { .. } => "offline".to_owned(),
///         LinkState::Stopped(reason) => reason.to_string(),
///         LinkState::Connecting { .. } | LinkState::NeedsAuth { .. } => "connecting".to_owned(),
///     };
///     html! { <p role="status">{ text }<button onclick={move |_| client.reconnect()}>{ "Try now" }</button></p> }
/// }
/// # let _ = yew::ServerRenderer::<Light>::new();
/// ```
#[hook]
pub fn use_status<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> Status {
    let render = use_force_update();
    use_event(client, move |event| {
        if let Event::Status(_) = event {
            render.force_update();
        }
    });
    let mut status = client.status();
    if cfg!(not(target_family = "wasm")) {
        // What was rendered otherwise than the browser begins, Yew does not hydrate.
        status.state = LinkState::Connecting { attempt: 0 };
    }
    status
}

/// Returns the tier that the loop runs on, or `None` while none is.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Where() -> Html {
///     let client = use_client::<String, String>();
///     let tier = use_tier(&client);
///     html! { { tier.map_or("starting".to_owned(), |tier| tier.to_string()) } }
/// }
/// # let _ = yew::ServerRenderer::<Where>::new();
/// ```
#[hook]
pub fn use_tier<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> Option<Tier> {
    use_manager_changes(client);
    client.tier()
}

/// Returns which tiers were tried, and what became of each, for display.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Why() -> Html {
///     let client = use_client::<String, String>();
///     let ladder = use_ladder(&client);
///     let attempts = ladder.attempts().iter();
///     html! { <ol>{ for attempts.map(|attempt| html! { <li>{ attempt.to_string() }</li> }) }</ol> }
/// }
/// # let _ = yew::ServerRenderer::<Why>::new();
/// ```
#[hook]
pub fn use_ladder<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> Ladder {
    use_manager_changes(client);
    client.ladder()
}

/// Renders again after every change of tier or ladder.
#[hook]
fn use_manager_changes<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) {
    let render = use_force_update();
    // As in `use_event`, not by an effect.
    use_memo(client.clone(), |client| {
        client
            .manager()
            .on_change(move |_, _| render.force_update())
    });
}
