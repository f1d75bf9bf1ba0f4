//! Messages as state, told at most once per animation frame.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
};

use leptos::prelude::*;
use onesocket::{Event, PerFrame};

use crate::{OneSocket, event::on_client, scope::Scope};

/// Keeps state of what the client hears: `fold` changes it with each event, and who reads the signal is told at most once per
/// animation frame. Thousands of messages a second are thousands of calls of `fold`, and sixty updates of the page.
///
/// It begins as `init` with each client, and when there is none any more, so that nothing of one account is left for the next. What is set from elsewhere, such as what
/// the user has just sent, is told at once. A page that is not shown is told four times a second at most, or as often as the browser
/// runs its timers.
///
/// What is heard within `fold`, because of something that it does, is folded behind the event that it is about; what is heard while
/// somebody holds a guard of the signal, behind that.
///
/// # Panics
///
/// When `fold` itself looks at the signal: it is written then.
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
pub fn use_fold<Tx: ?Sized + 'static, Rx: 'static, S: Send + Sync + 'static>(
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
        let client = client?;
        let folding = Rc::new(Folding::new(state, Rc::clone(&fold)));
        let frame = PerFrame::new({
            let folding = Rc::clone(&folding);
            move || {
                folding.settle();
                state.notify();
            }
        });
        Some(client.on_event(move |event| {
            folding.take(event);
            frame.request();
        }))
    });
    state
}

/// Folds into a signal that somebody may hold at the moment, `fold` itself among them.
pub(crate) struct Folding<S: 'static, E, F> {
    state: RwSignal<S>,
    fold: Rc<F>,
    /// What was heard and is not folded yet, in order.
    waiting: RefCell<VecDeque<E>>,
}

impl<S: Send + Sync, E, F: Fn(&mut S, E)> Folding<S, E, F> {
    pub(crate) fn new(state: RwSignal<S>, fold: Rc<F>) -> Self {
        Self {
            state,
            fold,
            waiting: RefCell::default(),
        }
    }

    pub(crate) fn take(&self, event: E) {
        self.waiting.borrow_mut().push_back(event);
        self.settle();
    }

    /// Folds what waits, unless the signal is held.
    pub(crate) fn settle(&self) {
        // It does not wait for the lock, which is this thread's own if it is taken.
        self.state.try_update_untracked(|state| {
            while let Some(event) = self.next() {
                (self.fold)(state, event);
            }
        });
    }

    /// The queue is not borrowed while an event is folded: that may be followed by more.
    fn next(&self) -> Option<E> {
        self.waiting.borrow_mut().pop_front()
    }
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
pub fn use_message<Tx: ?Sized + 'static, Rx: Send + Sync + 'static>(
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
