//! Messages as state, told at most once per animation frame.

use std::{cell::Cell, rc::Rc, sync::Arc};

use leptos::prelude::*;
use onesocket::{Event, PerFrame};

use crate::{OneSocket, event::on_client, scope::Scope};

/// Keeps state of what the client hears: `fold` changes it with each event, and who reads the signal is told at most once per
/// animation frame. Thousands of messages a second are thousands of calls of `fold`, and sixty updates of the page.
///
/// It begins as `init` with each client, so that nothing of one account is left for the next. What is set from elsewhere, such as what
/// the user has just sent, is told at once. A page that is not shown is told four times a second at most, or as often as the browser
/// runs its timers.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Price { symbol: String, cents: u64 }
///
/// #[component]
/// fn Table() -> impl IntoView {
///     let prices = use_fold(use_client::<String, Price>(), BTreeMap::new, |prices, event| {
///         if let Event::Message(price) = event {
///             prices.insert(price.symbol.clone(), price.cents);
///         }
///     });
///     let row = move |symbol: String| {
///         let key = symbol.clone();
///         view! { <tr><td>{symbol}</td><td>{move || prices.read().get(&key).copied()}</td></tr> }
///     };
///     let symbols = move || prices.read().keys().cloned().collect::<Vec<_>>();
///     view! {
///         <table>
///             <For each=symbols key=String::clone children=row />
///         </table>
///     }
/// }
/// # let _ = Table;
/// ```
#[must_use]
pub fn use_fold<Tx: 'static, Rx: 'static, S: Send + Sync + 'static>(
    socket: OneSocket<Tx, Rx>,
    init: impl Fn() -> S + 'static,
    fold: impl Fn(&mut S, Event<Arc<Rx>>) + 'static,
) -> RwSignal<S> {
    let state = RwSignal::new(init());
    let scope = Scope::current();
    let fold = Rc::new(move |state: &mut S, event| scope.run(|| fold(state, event)));
    let is_first = Cell::new(true);
    on_client(socket, move |client| {
        if !is_first.replace(false) {
            state.set(init());
        }
        let frame = PerFrame::new(move || state.notify());
        let fold = Rc::clone(&fold);
        client.on_event(move |event| {
            if state
                .try_update_untracked(|state| fold(state, event))
                .is_some()
            {
                frame.request();
            }
        })
    });
    state
}

/// Returns the newest message; told at most once per animation frame, so messages in between are not seen. Every message is seen by
/// [`use_fold`] and [`use_event`](crate::use_event).
///
/// Replayed messages count: a component shows what the tab was given when it joined.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Headline() -> impl IntoView {
///     let newest = use_message(use_client::<String, String>());
///     view! { <h1>{move || newest.get().map_or("nothing yet".to_owned(), |text| text.to_string())}</h1> }
/// }
/// # let _ = Headline;
/// ```
#[must_use]
pub fn use_message<Tx: 'static, Rx: Send + Sync + 'static>(
    socket: OneSocket<Tx, Rx>,
) -> ReadSignal<Option<Arc<Rx>>> {
    use_fold(
        socket,
        || None,
        |newest, event| {
            if let Event::Message(message) | Event::Replayed(message) = event {
                *newest = Some(message);
            }
        },
    )
    .read_only()
}
