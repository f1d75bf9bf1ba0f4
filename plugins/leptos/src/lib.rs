//! One WebSocket for every tab, off the main thread, as signals for [Leptos](https://leptos.dev).
//!
//! A [`OneSocketProvider`] holds the connection for everything below it; [`use_client`] finds its handle there, and the other hooks
//! make signals, actions and resources of it. What a component has made ends with it, and when the last provider of a connection is
//! gone its socket is closed after a linger.
//!
//! ```
//! use leptos::prelude::*;
//! use onesocket_leptos::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Said { from: String, text: String }
//!
//! #[component]
//! fn App() -> impl IntoView {
//!     let config = || Client::<Said, Said>::builder("/chat", Json);
//!     view! {
//!         <OneSocketProvider config>
//!             <Chat />
//!         </OneSocketProvider>
//!     }
//! }
//!
//! #[component]
//! fn Chat() -> impl IntoView {
//!     let socket = use_client::<Said, Said>();
//!     let status = use_status(socket);
//!     let lines = use_fold(socket, Vec::new, |lines, event| {
//!         if let Event::Message(said) = event {
//!             lines.push(format!("{}: {}", said.from, said.text));
//!         }
//!     });
//!     let send = use_send(socket);
//!     let hello = move |_| {
//!         send.dispatch(Said { from: "ada".into(), text: "hello".into() });
//!     };
//!     view! {
//!         <p>{move || if status.read().state.is_connected() { "connected" } else { "not connected" }}</p>
//!         <p>{move || lines.read().join("\n")}</p>
//!         <button on:click=hello disabled=send.pending()>"Say hello"</button>
//!     }
//! }
//! # let _ = App;
//! ```
//!
//! # Which hook
//!
//! | what for | hook | gives |
//! |---|---|---|
//! | the connection: `send`, `reconnect`, the client | [`use_client`]; without a provider [`use_connection`] | a handle that is `Copy` |
//! | how the connection is doing | [`use_status`] | a signal |
//! | where it runs and why there | [`use_tier`], [`use_ladder`] | signals |
//! | every message, in order, as state | [`use_fold`] | a signal that tells at most once per animation frame |
//! | every event, in order | [`use_event`] | calls of a function |
//! | the newest message | [`use_message`] | a signal |
//! | to send, and show how it ends | [`use_send`] | an action |
//! | how one send has ended | [`use_receipt`] | a signal |
//! | to ask, and show the answer | [`use_request`] | a resource |
//! | to subscribe with the server for as long as a component is mounted | [`use_greeting`] | a signal with the error |
//! | what went wrong | [`use_error`] | a signal |
//!
//! # In actions and futures of one's own
//!
//! The handle [`OneSocket`] is `Copy` and goes anywhere. The [`Client`] in it is of the page, and not `Send`: what awaits it is for
//! [`Action::new_unsync`](leptos::prelude::Action::new_unsync), [`LocalResource`](leptos::prelude::LocalResource) or
//! [`spawn_local`](leptos::task::spawn_local). `Action::new` and `Resource` say of it that a future cannot be sent between threads. The future of a send
//! can:
//!
//! ```
//! use leptos::prelude::*;
//! use onesocket_leptos::{onesocket::SendError, prelude::*};
//!
//! #[component]
//! fn Log(socket: OneSocket<str, String>) -> impl IntoView {
//!     let say = Action::new(move |line: &String| socket.send(line));
//!     let ask = Action::new_unsync(move |()| {
//!         let client = socket.client();
//!         async move { client?.request(|id| format!("{id} weather")).await.ok() }
//!     });
//!     let is_lost = move || matches!(*say.value().read(), Some(Err(SendError::NotSent(_))));
//!     view! { <p>{is_lost} {move || ask.value().get().flatten()}</p> }
//! }
//! # let _ = Log;
//! ```
//!
//! An action has a message that has a size, and so has what a greeting keeps. So [`use_send`] and [`use_greeting`] take the handle of a
//! `Client<String, _>`, and not that of a `Client<str, _>`; the other hooks take both.
//!
//! # Accounts, routes, hot reload
//!
//! The provider's config is a function: when a signal that it reads has changed and its data differ
//! ([`ClientBuilder::is_alike`](onesocket::ClientBuilder::is_alike)), the connection is another one, and everything that hooks have
//! kept of the old one is forgotten: nothing of one account is shown to another. For several accounts side by side each has a provider;
//! nested ones are told apart by handing on the outer handle. Two providers of one connection are two clients on one socket. A page
//! that is reloaded in development finds its socket open in the shared tier, if the browser has kept the worker; a patched view keeps its client.
//!
//! # On a server
//!
//! On a native target there is no client, whichever features are on: nothing is dialled or sent, requests stay pending, so that
//! `<Suspense>` shows its fallback, and the status is *connecting*. That is also what a browser shows until it has hydrated, so that
//! both have rendered the same. All handles may be dropped on another thread than the one that made them, as servers do.
//!
//! # Features
//!
//! `csr`, `hydrate` and `ssr` turn on those of `leptos`.

mod effect;
mod event;
mod fold;
mod greeting;
mod handle;
mod provider;
mod request;
mod scope;
mod send;
mod shelf;
mod status;
mod term;
#[cfg(test)]
mod tests;

pub use event::{use_error, use_event};
pub use fold::{use_fold, use_message};
pub use greeting::use_greeting;
pub use handle::OneSocket;
pub use onesocket;
pub use onesocket::Client;
pub use provider::{
    OneSocketProvider, OneSocketProviderProps, OneSocketProviderPropsBuilder, use_client,
    use_connection,
};
pub use request::use_request;
pub use send::{use_receipt, use_send};
pub use status::{use_ladder, use_status, use_tier};

/// What most components need: the hooks, and the types of [`onesocket`] that they are used with.
pub mod prelude {
    #[doc(no_inline)]
    pub use onesocket::{
        Client, ClientBuilder, Event, LinkState, Receipt, RequestError, RequestId, SendError,
        Status, Tier,
        codec::{Json, Postcard, Text},
    };

    #[doc(no_inline)]
    pub use crate::{
        OneSocket, OneSocketProvider, use_client, use_connection, use_error, use_event, use_fold,
        use_greeting, use_ladder, use_message, use_receipt, use_request, use_send, use_status,
        use_tier,
    };
}
