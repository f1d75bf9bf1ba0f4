//! Sending, and what became of it.

use std::{fmt, rc::Rc};

use futures::future::{AbortHandle, abortable};
use onesocket::{Client, Receipt, SendError, SendId};
use yew::{hook, platform::spawn_local, use_effect_with, use_state};

use crate::kept::{Kept, use_kept};

/// Sends, and renders the component when a send ends: for a form with a button that waits and a line that says what went wrong.
///
/// Messages are taken in the order of the calls, also while the connection is down: they then wait, five minutes if the builder does not
/// say otherwise. When the component is unmounted they are on their way all the same, if it was not the component that held the
/// connection by [`use_connection`](crate::use_connection): what still waits when the last clone of a client is dropped is not sent. With
/// another client it knows of no send: what becomes of those of the one before is told by their receipts alone.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Composer() -> Html {
///     let client = use_client::<String, String>();
///     let send = use_send(&client);
///     let onclick = {
///         let send = send.clone();
///         move |_| drop(send.send(&"hello".to_owned()))
///     };
///     html! {
///         <>
///             <button {onclick} disabled={send.in_flight() > 0}>{ "Send" }</button>
///             if let Some(error) = send.error() { <p role="alert">{ error.to_string() }</p> }
///         </>
///     }
/// }
/// # let _ = yew::ServerRenderer::<Composer>::new();
/// ```
#[hook]
pub fn use_send<Tx: 'static, Rx: 'static>(client: &Client<Tx, Rx>) -> UseSendHandle<Tx, Rx> {
    let kept: Rc<Kept<Sends>> = use_kept(client);
    UseSendHandle {
        client: client.clone(),
        sends: kept.now(),
        kept,
    }
}

/// Sends, and knows how it ended as of the rendering that it is of; from [`use_send`].
pub struct UseSendHandle<Tx: 'static, Rx: 'static> {
    client: Client<Tx, Rx>,
    kept: Rc<Kept<Sends>>,
    sends: Rc<Sends>,
}

impl<Tx: 'static, Rx: 'static> UseSendHandle<Tx, Rx> {
    /// Sends a message as [`Client::send`] does. Its receipt may be kept beside what is shown of it, for [`use_receipt`].
    pub fn send(&self, message: &Tx) -> Receipt {
        let receipt = self.client.send(message).into_receipt();
        let (kept, ending) = (Rc::clone(&self.kept), receipt.clone());
        kept.change(Sends::taken);
        spawn_local(async move {
            let how = ending.await;
            kept.change(|sends| sends.ended(how));
        });
        receipt
    }

    /// Returns how many sends of this component have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.sends.in_flight
    }

    /// Returns how the last one ended, or `None` when none has.
    #[must_use]
    pub fn last(&self) -> Option<&Result<SendId, SendError>> {
        self.sends.last.as_ref()
    }

    /// Returns why the last one failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&SendError> {
        self.last()?.as_ref().err()
    }
}

impl<Tx: 'static, Rx: 'static> Clone for UseSendHandle<Tx, Rx> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            kept: Rc::clone(&self.kept),
            sends: Rc::clone(&self.sends),
        }
    }
}

/// Equal when the client is the same, and nothing was sent or has ended from the rendering of one to that of the other.
impl<Tx: 'static, Rx: 'static> PartialEq for UseSendHandle<Tx, Rx> {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client && Rc::ptr_eq(&self.sends, &other.sends)
    }
}

impl<Tx: 'static, Rx: 'static> fmt::Debug for UseSendHandle<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseSendHandle")
            .field("in_flight", &self.in_flight())
            .field("last", &self.last())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Sends {
    in_flight: usize,
    last: Option<Result<SendId, SendError>>,
}

impl Sends {
    fn taken(&self) -> Self {
        Self {
            in_flight: self.in_flight + 1,
            last: self.last.clone(),
        }
    }

    fn ended(&self, how: Result<SendId, SendError>) -> Self {
        Self {
            in_flight: self.in_flight.saturating_sub(1),
            last: Some(how),
        }
    }
}

/// Returns how one send has ended, or `None` while it is on its way. Only the component that asks is rendered again.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[derive(Properties, PartialEq)]
/// struct Props { text: AttrValue, receipt: Receipt }
///
/// #[component]
/// fn Line(props: &Props) -> Html {
///     let mark = match use_receipt(&props.receipt) {
///         None => "…".to_owned(),
///         Some(Ok(_)) => "✓".to_owned(),
///         Some(Err(error)) => error.to_string(),
///     };
///     html! { <p>{ &props.text }{ mark }</p> }
/// }
/// # fn row(client: &Client<String, String>) -> Html {
/// # let text = "hello".to_owned();
/// // Where it is sent:
/// let receipt = client.send(&text).into_receipt();
/// html! { <Line {text} {receipt} /> }
/// # }
/// ```
#[hook]
pub fn use_receipt(receipt: &Receipt) -> Option<Result<SendId, SendError>> {
    let setter = use_state(|| ()).setter();
    let is_open = receipt.outcome().is_none();
    use_effect_with(receipt.clone(), move |receipt| {
        let task = is_open.then(|| {
            let receipt = receipt.clone();
            spawn_abortable(async move {
                // The receipt itself knows how.
                let _ = receipt.await;
                setter.set(());
            })
        });
        move || drop(task)
    });
    receipt.outcome()
}

/// Ends a task when it is dropped.
pub(crate) struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a task of the page until it is done, or the handle is dropped.
pub(crate) fn spawn_abortable(task: impl Future<Output = ()> + 'static) -> Task {
    let (task, handle) = abortable(task);
    spawn_local(async move {
        // Done or aborted: it has told what it had to tell.
        let _ = task.await;
    });
    Task(handle)
}
