//! Sending, and what became of it.

use futures::future::abortable;
use leptos::{prelude::*, task::spawn_local};
use onesocket::{Receipt, SendError, SendId};

use crate::{OneSocket, event::on_client, shelf::Shelf};

/// Makes an action that sends: [`pending`](Action::pending) while a send has not ended, [`value`](Action::value) how the last one
/// did. For a form with a button that waits and a line that says what went wrong.
///
/// Messages are taken in the order of the dispatches, also while the connection is down: they then wait, five minutes if the builder
/// does not say otherwise. When the component is gone they are on their way all the same, if it was not the component that held the
/// connection by [`use_connection`](crate::use_connection): what still waits when the last clone of a client is dropped is not sent. With
/// another client no send is known, and what becomes of those of the one before is not told.
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
    let this = StoredValue::new(None::<Action<Tx, Result<SendId, SendError>>>);
    // The number of the client whose send has ended last.
    let ended = StoredValue::new(None::<u64>);
    let forget = move || {
        let ended = ended.try_get_value().flatten();
        let now = socket.term().map(|term| term.number);
        if ended.is_some()
            && ended != now
            && let Some(this) = this.try_get_value().flatten()
        {
            this.clear();
        }
    };
    let action = Action::new_unsync(move |message: &Tx| {
        let term = socket.term();
        let sending = socket.send(message);
        async move {
            let Some(term) = term else {
                return sending.await;
            };
            let number = term.number;
            let outcome = term.within(sending).await;
            ended.try_update_value(|ended| *ended = Some(number));
            outcome.unwrap_or_else(|| {
                // It is the action's value in a moment, and forgotten before anybody is told.
                spawn_local(async move { forget() });
                Err(SendError::Dropped)
            })
        }
    });
    this.set_value(Some(action));
    on_client(socket, move |_| -> Option<()> {
        forget();
        None
    });
    action
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
