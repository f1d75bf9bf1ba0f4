//! Requests and their answers, as resources.

use std::{cell::Cell, future::pending, rc::Rc};

use leptos::prelude::*;
use onesocket::{Client, Request, RequestError};

use crate::OneSocket;

/// Makes a resource of a request: asked when the component is mounted, and again when a signal that `ask` reads, or the client, has
/// changed, or at [`refetch`](LocalResource::refetch). The last answer is there meanwhile, but for that of another client.
///
/// `ask` makes the request, with its timeout if 30 s are not right; the builder's
/// [`replies`](onesocket::ClientBuilder::replies) says how to tell an answer. A resource of Leptos 0.8 waits for one answer at a time: what
/// has changed meanwhile is asked behind it, and only another client at once. A question whose component or client is gone is not taken
/// back; its answer is dropped when it comes. On a server it stays pending, and `<Suspense>` shows
/// its fallback. Read it with `get` or `with` there: in a `Suspend` that awaits it, Leptos 0.8.23's server now and then panics behind a
/// response that is complete ([leptos#3595](https://github.com/leptos-rs/leptos/pull/3595)).
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::{onesocket::RequestId, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct Ask { id: u64, city: String }
///
/// #[derive(Deserialize)]
/// struct Weather { answers: u64, text: String }
///
/// #[component]
/// fn Forecast(city: RwSignal<String>) -> impl IntoView {
///     // Built with `.replies(|weather| Some(RequestId(weather.answers)))`.
///     let socket = use_client::<Ask, Weather>();
///     let weather = use_request(socket, move |client| {
///         let city = city.get();
///         client.request(|RequestId(id)| Ask { id, city })
///     });
///     let text = move || weather.with(|weather| match weather {
///         None => "…".to_owned(),
///         Some(Ok(weather)) => weather.text.clone(),
///         Some(Err(error)) => error.to_string(),
///     });
///     view! { <p>{text}</p><button on:click=move |_| weather.refetch()>"Again"</button> }
/// }
/// # let _ = Forecast;
/// ```
#[must_use]
pub fn use_request<Tx: ?Sized + 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
    ask: impl Fn(&Client<Tx, Rx>) -> Request<Rx> + 'static,
) -> LocalResource<Result<Rx, RequestError>> {
    let this = Rc::new(Cell::new(None::<LocalResource<_>>));
    let asked = Cell::new(None);
    let resource = LocalResource::new({
        let this = Rc::clone(&this);
        move || {
            let request = socket.client().map(|client| ask(&client));
            let term = socket.term();
            let number = term.as_ref().map(|term| term.number);
            if asked.replace(number) != number
                && let Some(this) = this.get()
            {
                // What it was by now is an answer to another account, or none.
                this.try_set(None);
            }
            async move {
                let Some(term) = term else {
                    return pending().await;
                };
                let answer = term.within(async {
                    match request {
                        Some(request) => request.await,
                        None => pending().await,
                    }
                });
                // A resource does not run anew while it waits, so it must not. What it is now is forgotten in the same step.
                answer.await.unwrap_or(Err(RequestError::Dropped))
            }
        }
    });
    this.set(Some(resource));
    resource
}
