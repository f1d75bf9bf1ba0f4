//! Events, as they come.

use std::{cell::RefCell, fmt, ops::Deref, rc::Rc, sync::Arc};

use onesocket::{Client, ClientError, Event};
use yew::{hook, use_memo, use_mut_ref};

use crate::kept::{Kept, use_kept};

/// Calls `on_event` with everything that the client hears while the component is mounted, in order and without a gap. It is always
/// that of the last rendering, so it may capture state.
///
/// What is heard before the component is mounted it does not hear; [`use_status`](crate::use_status) knows how things are. It runs on
/// the page's main thread, and renders nothing by itself: with thousands of messages a second, [`use_fold`](crate::use_fold) renders
/// once per frame.
///
/// ```
/// use std::rc::Rc;
///
/// use onesocket_yew::{Event, prelude::*};
/// use yew::prelude::*;
///
/// #[derive(Default)]
/// struct Unread(usize);
///
/// impl Reducible for Unread {
///     type Action = Event<std::sync::Arc<String>>;
///
///     fn reduce(self: Rc<Self>, event: Self::Action) -> Rc<Self> {
///         match event {
///             Event::Message(_) => Rc::new(Self(self.0 + 1)),
///             _ => self,
///         }
///     }
/// }
///
/// #[component]
/// fn Badge() -> Html {
///     let client = use_client::<String, String>();
///     let unread = use_reducer(Unread::default);
///     let dispatcher = unread.dispatcher();
///     use_event(&client, move |event| dispatcher.dispatch(event));
///     html! { <b>{ unread.0 }</b> }
/// }
/// # let _ = yew::ServerRenderer::<Badge>::new();
/// ```
#[hook]
pub fn use_event<Tx: 'static, Rx: 'static>(
    client: &Client<Tx, Rx>,
    on_event: impl Fn(Event<Arc<Rx>>) + 'static,
) {
    let latest = use_latest(on_event);
    // Not by an effect: Yew may run it in a later task than the rendering, and what is heard in between would be missed.
    use_memo(client.clone(), |client| {
        client.on_event(move |event| {
            let on_event = latest.borrow().clone();
            on_event(event);
        })
    });
}

/// Returns the last error: a message that can't be decoded, a complaint of the worker, that there is none. What ends the connection
/// is in the [status](crate::use_status), what becomes of a send with [`use_send`](crate::use_send). With another client there is none.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Complaint() -> Html {
///     let client = use_client::<String, String>();
///     let error = use_error(&client);
///     let text = error.as_ref().map(ToString::to_string);
///     let onclick = move |_| error.clear();
///     html! { if let Some(text) = text { <p role="alert">{ text }<button {onclick}>{ "Dismiss" }</button></p> } }
/// }
/// # let _ = yew::ServerRenderer::<Complaint>::new();
/// ```
#[hook]
pub fn use_error<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> UseErrorHandle {
    let kept: Rc<Kept<Option<ClientError>>> = use_kept(client);
    let error = kept.now();
    use_event(client, {
        let kept = Rc::clone(&kept);
        move |event| {
            if let Event::Error(error) = event {
                kept.change(|_| Some(error));
            }
        }
    });
    UseErrorHandle { kept, error }
}

/// The last error as of the rendering that it is of, from [`use_error`].
#[derive(Clone)]
pub struct UseErrorHandle {
    kept: Rc<Kept<Option<ClientError>>>,
    error: Rc<Option<ClientError>>,
}

impl UseErrorHandle {
    /// Forgets it.
    pub fn clear(&self) {
        self.kept.change(|_| None);
    }
}

impl Deref for UseErrorHandle {
    type Target = Option<ClientError>;

    fn deref(&self) -> &Self::Target {
        &self.error
    }
}

/// Equal when no error was heard or forgotten from the rendering of one to that of the other.
impl PartialEq for UseErrorHandle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.error, &other.error)
    }
}

impl fmt::Debug for UseErrorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UseErrorHandle").field(&self.error).finish()
    }
}

/// Returns where the function of the last rendering is. It is taken out before it is called, so that it may cause a rendering.
#[hook]
pub(crate) fn use_latest<F: 'static>(function: F) -> Rc<RefCell<Rc<F>>> {
    let function = Rc::new(function);
    let latest = use_mut_ref(|| function.clone());
    latest.replace(function);
    latest
}
