//! Events, as they come.

use std::{rc::Rc, sync::Arc};

use leptos::prelude::*;
use onesocket::{Client, ClientError, Event};

use crate::{OneSocket, effect::effect, scope::Scope, shelf::Shelf};

/// Calls `on_event` with everything that the client hears while the component is mounted, in order and without a gap.
///
/// What is heard before the component is mounted it does not hear; [`use_status`](crate::use_status) knows how things are. Signals that
/// it makes live as long as the component. It runs on the page's main thread: with thousands of messages a second,
/// [`use_fold`](crate::use_fold) tells the page once per frame.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Badge() -> impl IntoView {
///     let unread = RwSignal::new(0);
///     use_event(use_client::<String, String>(), move |event| {
///         if let Event::Message(_) = event {
///             *unread.write() += 1;
///         }
///     });
///     view! { <b>{unread}</b> }
/// }
/// # let _ = Badge;
/// ```
pub fn use_event<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
    on_event: impl Fn(Event<Arc<Rx>>) + 'static,
) {
    let scope = Scope::current();
    let on_event = Rc::new(move |event| scope.run(|| on_event(event)));
    on_client(socket, move |client| {
        let on_event = Rc::clone(&on_event);
        Some(client?.on_event(move |event| on_event(event)))
    });
}

/// Returns the last error: a message that can't be decoded, a complaint of the worker, that there is none. What ends the connection
/// is in the [status](crate::use_status), what becomes of a send in [`use_send`](crate::use_send).
///
/// Set it to `None` to dismiss it. With another client there is none.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Complaint() -> impl IntoView {
///     let error = use_error(use_client::<String, String>());
///     move || error.get().map(|text| view! {
///         <p role="alert">{text.to_string()}<button on:click=move |_| error.set(None)>"Dismiss"</button></p>
///     })
/// }
/// # let _ = Complaint;
/// ```
#[must_use]
pub fn use_error<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
) -> RwSignal<Option<ClientError>> {
    let error = RwSignal::new(None);
    on_client(socket, move |client| {
        error.maybe_update(|error| error.take().is_some());
        Some(client?.on_event(move |event| {
            if let Event::Error(heard) = event {
                error.set(Some(heard));
            }
        }))
    });
    error
}

/// Does something with each client, and when there is none any more: what is kept of the one before is forgotten then. What it returns is
/// dropped when there is another one, and when the component is gone.
pub(crate) fn on_client<Tx: ?Sized + 'static, Rx: 'static, G: 'static>(
    socket: OneSocket<Tx, Rx>,
    then: impl Fn(Option<&Client<Tx, Rx>>) -> Option<G> + 'static,
) {
    effect(move |_: Option<()>| {
        let client = socket.client();
        if let Some(guard) = untrack(|| then(client.as_ref())) {
            let guard = Shelf::new(Some(guard));
            // Not as the value of the effect, which outlives the component by a moment.
            on_cleanup(move || guard.clear());
        }
    });
}
