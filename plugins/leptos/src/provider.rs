//! Where a connection lives: in a provider, or in the component that uses it.

#![expect(
    unreachable_pub,
    reason = "the macro makes a public function beside the component"
)]

use std::any::type_name;

use leptos::{
    children::TypedChildren,
    context::{Provider, ProviderProps},
    prelude::*,
};
use onesocket::ClientBuilder;

use crate::OneSocket;

/// Holds a connection for everything below it, where [`use_client`] finds it by its types of messages.
///
/// It connects when it is mounted and lets go when it is unmounted. Its children are rendered at once, on a server too: that it is
/// connected is told by [`use_status`](crate::use_status), that the configuration is wrong by [`OneSocket::config_error`].
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Feed(account: RwSignal<String>) -> impl IntoView {
///     // Another account is another connection.
///     let config = move || {
///         Client::<String, String>::builder("wss://example.org/feed", Text).account(account.get())
///     };
///     view! { <OneSocketProvider config>"…"</OneSocketProvider> }
/// }
/// # let _ = Feed;
/// ```
#[component]
pub fn OneSocketProvider<Tx, Rx, Config, Chil>(
    /// How to connect. Called again when a signal that it reads has changed.
    config: Config,
    /// Everything that may use the connection.
    children: TypedChildren<Chil>,
) -> impl IntoView
where
    Tx: ?Sized + 'static,
    Rx: 'static,
    Config: Fn() -> ClientBuilder<Tx, Rx> + 'static,
    Chil: IntoView + 'static,
{
    let value = use_connection(config);
    Provider(
        ProviderProps::builder()
            .value(value)
            .children(children)
            .build(),
    )
}

/// Returns the connection of the nearest [`OneSocketProvider`] of these types.
///
/// # Panics
///
/// Without such a provider above the component. Where that may be, `use_context::<OneSocket<Tx, Rx>>()` is the same as an option.
#[must_use]
pub fn use_client<Tx: ?Sized + 'static, Rx: 'static>() -> OneSocket<Tx, Rx> {
    match use_context() {
        Some(socket) => socket,
        None => panic!(
            "use_client::<{0}, {1}>() is used outside of a OneSocketProvider of {0} and {1}",
            type_name::<Tx>(),
            type_name::<Rx>()
        ),
    }
}

/// Connects without a provider, for as long as the component is mounted. Another `config` that is not
/// [alike](ClientBuilder::is_alike) is another [client](onesocket::Client); its codec, `replies` and `auth` are those of when it was built.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Clock() -> impl IntoView {
///     let socket = use_connection(|| Client::<String, String>::builder("wss://example.org/clock", Text));
///     let time = use_message(socket);
///     view! { <time>{move || time.get().map(|time| time.to_string())}</time> }
/// }
/// # let _ = Clock;
/// ```
#[must_use]
pub fn use_connection<Tx: ?Sized + 'static, Rx: 'static>(
    config: impl Fn() -> ClientBuilder<Tx, Rx> + 'static,
) -> OneSocket<Tx, Rx> {
    OneSocket::new(config)
}
