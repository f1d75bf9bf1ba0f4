//! How the connection is doing, and where it runs.

use leptos::prelude::*;
use onesocket::{Client, Event, Ladder, Status, Tier};

use crate::{OneSocket, event::on_client};

/// Returns how the connection is doing, after every change of its state.
///
/// Queue and tabs change without an event: [`Client::refresh_status`](onesocket::Client::refresh_status) asks for them. On a server, and
/// in a browser until it has hydrated, it is connecting, and so it is while the configuration is wrong, which
/// [`OneSocket::config_error`] tells.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Light() -> impl IntoView {
///     let socket = use_client::<String, String>();
///     let status = use_status(socket);
///     let text = move || match &status.read().state {
///         LinkState::Connected { .. } => "connected".to_owned(),
///         LinkState::Reconnecting { attempt, cause, .. } => format!("{cause}; attempt {attempt}"),
///         LinkState::Offline { .. } => "offline".to_owned(),
///         LinkState::Stopped(reason) => reason.to_string(),
///         LinkState::Connecting { .. } | LinkState::NeedsAuth { .. } => "connecting".to_owned(),
///     };
///     view! { <p role="status">{text}<button on:click=move |_| socket.reconnect()>"Try now"</button></p> }
/// }
/// # let _ = Light;
/// ```
#[must_use]
pub fn use_status<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
) -> ReadSignal<Status> {
    let status = RwSignal::new(Status::WITHOUT_WORKER);
    on_client(socket, move |client| {
        status.set(client.map_or(Status::WITHOUT_WORKER, Client::status));
        Some(client?.on_event(move |event| {
            if let Event::Status(now) = event {
                status.set(now);
            }
        }))
    });
    status.read_only()
}

/// Returns the tier that the loop runs on, or `None` while none is.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Where() -> impl IntoView {
///     let tier = use_tier(use_client::<String, String>());
///     move || tier.get().map_or("starting".to_owned(), |tier| tier.to_string())
/// }
/// # let _ = Where;
/// ```
#[must_use]
pub fn use_tier<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
) -> ReadSignal<Option<Tier>> {
    let tier = RwSignal::new(None);
    on_client(socket, move |client| {
        tier.set(client.and_then(Client::tier));
        let manager = client?.manager().clone();
        let now = manager.clone();
        Some(manager.on_change(move |_, _| tier.set(now.tier())))
    });
    tier.read_only()
}

/// Returns which tiers were tried, and what became of each, for display.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Why() -> impl IntoView {
///     let ladder = use_ladder(use_client::<String, String>());
///     let attempts = move || {
///         let ladder = ladder.read();
///         ladder.attempts().iter().map(|attempt| view! { <li>{attempt.to_string()}</li> }).collect_view()
///     };
///     view! { <ol>{attempts}</ol> }
/// }
/// # let _ = Why;
/// ```
#[must_use]
pub fn use_ladder<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
) -> ReadSignal<Ladder> {
    let ladder = RwSignal::new(Ladder::default());
    on_client(socket, move |client| {
        ladder.set(client.map(Client::ladder).unwrap_or_default());
        let manager = client?.manager();
        Some(manager.on_change(move |_, now| ladder.set(now.clone())))
    });
    ladder.read_only()
}
