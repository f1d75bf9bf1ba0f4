//! Sending, and what became of it.

use futures::future::abortable;
use leptos::{prelude::*, task::spawn_local};
use onesocket::{Receipt, SendError, SendId};

use crate::{OneSocket, shelf::Shelf};

/// Makes an action that sends: [`pending`](Action::pending) while a send has not ended, [`value`](Action::value) how the last one
/// did. For a form with a button that waits and a line that says what went wrong.
///
/// Messages are taken in the order of the dispatches, also while the connection is down: they then wait, five minutes if the builder
/// does not say otherwise. When the component is gone they are on their way all the same.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Composer() -> impl IntoView {
///     let send = use_send(use_client::<String, String>());
///     let hello = move |_| {
///         send.dispatch("hello".to_owned());
///     };
///     let error = move || match &*send.value().read() {
///         Some(Err(error)) => Some(error.to_string()),
///         _ => None,
///     };
///     view! { <button on:click=hello disabled=send.pending()>"Send"</button><p role="alert">{error}</p> }
/// }
/// # let _ = Composer;
/// ```
#[must_use]
pub fn use_send<Tx: Send + Sync + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
) -> Action<Tx, Result<SendId, SendError>> {
    Action::new_unsync(move |message: &Tx| socket.send(message))
}

/// Returns how one send has ended, or `None` while it is on its way: a mark beside each message of a list.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Line(text: String) -> impl IntoView {
///     let socket = use_client::<String, String>();
///     let outcome = use_receipt(socket.send(&text).into_receipt());
///     let mark = move || match &*outcome.read() {
///         None => "…".to_owned(),
///         Some(Ok(_)) => "✓".to_owned(),
///         Some(Err(error)) => error.to_string(),
///     };
///     view! { <p>{text}{mark}</p> }
/// }
/// # let _ = Line;
/// ```
#[must_use]
pub fn use_receipt(receipt: Receipt) -> ReadSignal<Option<Result<SendId, SendError>>> {
    let outcome = RwSignal::new(receipt.outcome());
    if cfg!(target_family = "wasm") && outcome.read_untracked().is_none() {
        let (waiting, abort) = abortable(async move { outcome.set(Some(receipt.await)) });
        spawn_local(async move {
            // Done or aborted: it has told what it had to tell.
            let _ = waiting.await;
        });
        let abort = Shelf::new(Some(abort));
        on_cleanup(move || {
            if let Some(abort) = abort.get() {
                abort.abort();
            }
        });
    }
    outcome.read_only()
}
