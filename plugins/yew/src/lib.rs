//! One WebSocket for every tab, off the main thread, as hooks for [Yew](https://yew.rs).
//!
//! A [`OneSocketProvider`] holds the connection for everything below it; hooks take the [`Client`] that [`use_client`] finds there. A
//! component that mounts listens, one that unmounts stops, and when the last provider of a connection is gone its socket is closed
//! after a linger.
//!
//! ```
//! use onesocket_yew::{Event, prelude::*};
//! use serde::{Deserialize, Serialize};
//! use yew::prelude::*;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Said { from: String, text: String }
//!
//! #[component]
//! fn App() -> Html {
//!     html! {
//!         <OneSocketProvider<Said, Said> config={Client::builder("/chat", Json)}>
//!             <Chat />
//!         </OneSocketProvider<Said, Said>>
//!     }
//! }
//!
//! #[component]
//! fn Chat() -> Html {
//!     let client = use_client::<Said, Said>();
//!     let status = use_status(&client);
//!     let lines = use_fold(&client, Vec::new, |lines, event| {
//!         if let Event::Message(said) = event {
//!             lines.push(said);
//!         }
//!     });
//!     let send = use_send(&client);
//!     let onclick = {
//!         let send = send.clone();
//!         Callback::from(move |_| {
//!             send.send(&Said { from: "ada".into(), text: "hello".into() });
//!         })
//!     };
//!     html! {
//!         <>
//!             <p>{ if status.state.is_connected() { "connected" } else { "not connected" } }</p>
//!             { for lines.borrow().iter().map(|said| html! { <p>{ format!("{}: {}", said.from, said.text) }</p> }) }
//!             <button {onclick} disabled={send.in_flight() > 0}>{ "Say hello" }</button>
//!             if let Some(error) = send.error() { <p role="alert">{ error.to_string() }</p> }
//!         </>
//!     }
//! }
//! # let _ = yew::ServerRenderer::<App>::new();
//! ```
//!
//! # Which hook
//!
//! | what for | hook |
//! |---|---|
//! | the client itself: `send`, `request`, `reconnect`, `log_out`, … | [`use_client`]; without a provider [`use_connection`] |
//! | how the connection is doing | [`use_status`] |
//! | where it runs and why there | [`use_tier`], [`use_ladder`] |
//! | every message, in order, as state | [`use_fold`]: at most one rendering per animation frame, however many come |
//! | every event, in order, for a reducer or an effect | [`use_event`] |
//! | the newest message | [`use_message`] |
//! | to send, and show how it ends | [`use_send`], and [`use_receipt`] for each message on its own |
//! | to ask, and show the answer | [`use_request`] |
//! | to subscribe with the server for as long as a component is mounted | [`use_greeting`] |
//! | what went wrong | [`use_error`] |
//!
//! A [reducer](yew::functional::use_reducer) is fed by `use_event(&client, move |event| dispatcher.dispatch(event))`; a future is
//! `client.request(..)` in [`use_future`](yew::suspense::use_future).
//!
//! Hooks take a message that has a size, as that of a `Client<String, String>`: Yew's macros put the types of a hook into a tuple, which has no room for the
//! `str` of a `Client<str, String>`.
//!
//! # Accounts, routes, hot reload
//!
//! A provider whose config changes in its data ([`ClientBuilder::is_alike`](onesocket::ClientBuilder::is_alike)) connects anew, and
//! everything that hooks have kept of the old connection is forgotten: nothing of one account is shown to another. For several
//! accounts side by side each has a provider; nested ones are told apart by handing the outer client on as a property. Two providers
//! of one connection are two clients on one socket. A page that `trunk serve` reloads finds its socket open in the shared tier, if the browser has kept
//! the worker.
//!
//! # On a server
//!
//! The hooks render with Yew's `ssr`: the client is inert, [`use_status`] says *connecting*, nothing is sent and no task is left behind. That
//! is also what a browser renders first, so that Yew can hydrate it. What a component asks the client itself it may not render by: there it
//! has stopped. Nor may the configuration be wrong in the browser only, as a `ws:` URL is in a page of `https:`: a server takes any URL,
//! and renders what is in the provider, not its fallback.

mod event;
mod fold;
mod greeting;
mod kept;
mod provider;
mod request;
mod send;
mod status;

pub use event::{UseErrorHandle, use_error, use_event};
pub use fold::{UseFoldHandle, use_fold, use_message};
pub use greeting::use_greeting;
pub use onesocket;
pub use onesocket::{Client, Event};
pub use provider::{OneSocketProvider, OneSocketProviderProps, use_client, use_connection};
pub use request::{UseRequestHandle, use_request};
pub use send::{UseSendHandle, use_receipt, use_send};
pub use status::{use_ladder, use_status, use_tier};

/// What most components need: the hooks, and the types of [`onesocket`] that they are used with. [`Event`] is to be named,
/// because Yew's prelude has one too.
pub mod prelude {
    #[doc(no_inline)]
    pub use onesocket::{
        Client, ClientBuilder, LinkState, Receipt, RequestError, RequestId, SendError, Status,
        Tier,
        codec::{Json, Postcard, Text},
    };

    #[doc(no_inline)]
    pub use crate::{
        OneSocketProvider, use_client, use_connection, use_error, use_event, use_fold,
        use_greeting, use_ladder, use_message, use_receipt, use_request, use_send, use_status,
        use_tier,
    };
}
