//! Messages as state, rendered at most once per animation frame.

use std::{
    cell::{Ref, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
    sync::Arc,
};

use onesocket::{Client, Event, PerFrame};
use yew::{UseForceUpdateHandle, hook, use_force_update, use_memo};

use crate::event::use_latest;

/// Keeps state of what the client hears: `fold` changes it with each event, and the component is rendered at most once per animation
/// frame. Thousands of messages a second are thousands of calls of `fold`, and sixty renderings.
///
/// It begins as `init` with each client, so that nothing of one account is left for the next. `fold` is that of the last rendering.
/// A page that is not shown is rendered four times a second at most, or as often as the browser runs its timers.
///
/// What is heard within `fold`, because of something that it does, is folded behind the event that it is about.
///
/// # Panics
///
/// When `fold` itself looks at the handle: the state is borrowed then.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use onesocket_yew::{Event, prelude::*};
/// use serde::Deserialize;
/// use yew::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Price { symbol: String, cents: u64 }
///
/// #[component]
/// fn Table() -> Html {
///     let client = use_client::<String, Price>();
///     let prices = use_fold(&client, BTreeMap::new, |prices, event| {
///         if let Event::Message(price) = event {
///             prices.insert(price.symbol.clone(), price.cents);
///         }
///     });
///     let rows = prices.borrow().iter().map(|(symbol, cents)| html! {
///         <tr key={symbol.as_str()}><td>{ symbol }</td><td>{ cents }</td></tr>
///     }).collect::<Html>();
///     html! { <table>{ rows }</table> }
/// }
/// # let _ = yew::ServerRenderer::<Table>::new();
/// ```
#[hook]
pub fn use_fold<Tx: 'static, Rx: 'static, S: 'static>(
    client: &Client<Tx, Rx>,
    init: impl FnOnce() -> S,
    fold: impl Fn(&mut S, Event<Arc<Rx>>) + 'static,
) -> UseFoldHandle<S> {
    let latest = use_latest(fold);
    let render = use_force_update();
    // As in `use_event`, not by an effect.
    let listening = use_memo(client.clone(), |client| {
        let folded = Rc::new(Folded::new(init(), render));
        let guard = client.on_event({
            let folded = Rc::clone(&folded);
            move |event| {
                let fold = latest.borrow().clone();
                folded.change(move |state| fold(state, event));
            }
        });
        (folded, guard)
    });
    let folded = Rc::clone(&listening.0);
    folded.settle();
    let version = folded.inner.borrow().version;
    UseFoldHandle { folded, version }
}

/// Returns the newest message, rendered at most once per animation frame, so messages in
/// between are not seen. Every message is seen by [`use_fold`] and [`use_event`](crate::use_event).
///
/// Replayed messages count: a component shows what the tab was given when it joined.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Headline() -> Html {
///     let client = use_client::<String, String>();
///     let newest = use_message(&client);
///     html! { <h1>{ newest.map_or("nothing yet".to_owned(), |text| text.to_string()) }</h1> }
/// }
/// # let _ = yew::ServerRenderer::<Headline>::new();
/// ```
#[hook]
pub fn use_message<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> Option<Arc<Rx>> {
    let newest = use_fold(
        client,
        || None,
        |newest, event| {
            if let Event::Message(message) | Event::Replayed(message) = event {
                *newest = Some(message);
            }
        },
    );
    newest.borrow().clone()
}

/// State that is folded of events, from [`use_fold`]. Clones are the same state; they are equal until a rendering shows more.
pub struct UseFoldHandle<S> {
    folded: Rc<Folded<S>>,
    version: u64,
}

impl<S> UseFoldHandle<S> {
    /// Looks at the state, as it is now.
    ///
    /// # Panics
    ///
    /// Within `fold` and [`update`](Self::update).
    #[must_use]
    pub fn borrow(&self) -> Ref<'_, S> {
        self.folded.settle();
        Ref::map(self.folded.inner.borrow(), |inner| &inner.state)
    }

    /// Changes the state by what no message says, such as what the user has just sent; rendered with the next frame. Within `fold`,
    /// within another change, and while somebody [looks](Self::borrow), it is done behind that.
    ///
    /// # Panics
    ///
    /// When `change` looks at the handle.
    pub fn update(&self, change: impl FnOnce(&mut S) + 'static) {
        self.folded.change(change);
    }
}

impl<S> Clone for UseFoldHandle<S> {
    fn clone(&self) -> Self {
        Self {
            folded: Rc::clone(&self.folded),
            version: self.version,
        }
    }
}

impl<S> PartialEq for UseFoldHandle<S> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.folded, &other.folded) && self.version == other.version
    }
}

impl<S: fmt::Debug> fmt::Debug for UseFoldHandle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UseFoldHandle")
            .field(&self.borrow())
            .finish()
    }
}

struct Folded<S> {
    inner: RefCell<Inner<S>>,
    /// What has come while the state was borrowed, in order.
    waiting: RefCell<VecDeque<Change<S>>>,
    frame: PerFrame,
}

struct Inner<S> {
    state: S,
    /// Counts changes, so that a rendering in which nothing has changed equals the one before.
    version: u64,
}

type Change<S> = Box<dyn FnOnce(&mut S)>;

impl<S> Folded<S> {
    fn new(state: S, render: UseForceUpdateHandle) -> Self {
        Self {
            inner: RefCell::new(Inner { state, version: 0 }),
            waiting: RefCell::default(),
            frame: PerFrame::new(move || render.force_update()),
        }
    }

    fn change(&self, change: impl FnOnce(&mut S) + 'static) {
        match self.inner.try_borrow_mut() {
            Ok(mut inner) => {
                self.catch_up(&mut inner);
                inner.change(change);
                self.catch_up(&mut inner);
            }
            Err(_) => self.waiting.borrow_mut().push_back(Box::new(change)),
        }
        self.frame.request();
    }

    /// Does what has waited, unless the state is still borrowed.
    fn settle(&self) {
        if let Ok(mut inner) = self.inner.try_borrow_mut() {
            self.catch_up(&mut inner);
        }
    }

    fn catch_up(&self, inner: &mut Inner<S>) {
        // The queue is not borrowed meanwhile: what waits may be followed by more.
        while let Some(change) = self.next() {
            inner.change(change);
        }
    }

    fn next(&self) -> Option<Change<S>> {
        self.waiting.borrow_mut().pop_front()
    }
}

impl<S> Inner<S> {
    fn change(&mut self, change: impl FnOnce(&mut S)) {
        change(&mut self.state);
        self.version += 1;
    }
}
