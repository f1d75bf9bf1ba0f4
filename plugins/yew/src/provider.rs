//! Where a client lives: in a provider, or in the component that uses it.

use std::{any::type_name, fmt, rc::Rc};

use onesocket::{BuildError, Client, ClientBuilder};
use yew::{
    Callback, ContextProvider, Html, Properties, component, hook, html, use_context, use_memo,
};

/// What a [`OneSocketProvider`] is given.
#[derive(Properties)]
pub struct OneSocketProviderProps<Tx: 'static, Rx: 'static> {
    /// How to connect. Another one that is [alike](ClientBuilder::is_alike) changes nothing, so it may be made at each rendering; one
    /// that is not connects anew.
    pub config: ClientBuilder<Tx, Rx>,
    /// What to show in place of the children when the configuration is wrong. Default: nothing, with an error in the log. What only a
    /// browser can say of a URL, a server does not show.
    #[prop_or_default]
    pub fallback: Option<Callback<BuildError, Html>>,
    /// Everything that may use the client.
    #[prop_or_default]
    pub children: Html,
}

impl<Tx: 'static, Rx: 'static> fmt::Debug for OneSocketProviderProps<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneSocketProviderProps")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<Tx: 'static, Rx: 'static> PartialEq for OneSocketProviderProps<Tx, Rx> {
    fn eq(&self, other: &Self) -> bool {
        self.config.is_alike(&other.config)
            && self.fallback == other.fallback
            && self.children == other.children
    }
}

/// Holds a client for everything below it, where [`use_client`] finds it by its types of messages.
///
/// It connects when it is mounted and lets go when it is unmounted. Its children are mounted once the client is built, which takes no
/// waiting: that it is connected is told by [`use_status`](crate::use_status).
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[derive(Properties, PartialEq)]
/// struct Props { account: AttrValue }
///
/// #[component]
/// fn Account(props: &Props) -> Html {
///     // Another account is another connection.
///     let config = Client::builder("wss://example.org/feed", Text).account(props.account.as_str());
///     html! {
///         <OneSocketProvider<String, String>
///             {config}
///             fallback={|error| html! { <p role="alert">{ format!("not connected: {error}") }</p> }}
///         >
///             { "…" }
///         </OneSocketProvider<String, String>>
///     }
/// }
/// # let _ = yew::ServerRenderer::<Account>::with_props(|| Props { account: "ada".into() });
/// ```
#[component]
pub fn OneSocketProvider<Tx: 'static, Rx: 'static>(props: &OneSocketProviderProps<Tx, Rx>) -> Html {
    match use_connection(&props.config) {
        Ok(client) => html! {
            <ContextProvider<Client<Tx, Rx>> context={client}>
                { props.children.clone() }
            </ContextProvider<Client<Tx, Rx>>>
        },
        Err(error) => match &props.fallback {
            Some(fallback) => fallback.emit(error),
            None => Html::default(),
        },
    }
}

/// Returns the client of the nearest [`OneSocketProvider`] of these types. The component is rendered again when there is another one.
///
/// # Panics
///
/// Without such a provider above the component. Where that may be, `use_context::<Client<Tx, Rx>>()` is the same as an option.
#[hook]
pub fn use_client<Tx: 'static, Rx: 'static>() -> Client<Tx, Rx> {
    match use_context::<Client<Tx, Rx>>() {
        Some(client) => client,
        None => panic!(
            "use_client::<{0}, {1}>() is used outside of a OneSocketProvider<{0}, {1}>",
            type_name::<Tx>(),
            type_name::<Rx>()
        ),
    }
}

/// Connects without a provider, for as long as the component is mounted.
///
/// Another config that is not [alike](ClientBuilder::is_alike) is another client. The codec, `replies` and `auth` are those of when
/// the client was built.
///
/// # Errors
///
/// When something in the configuration is wrong.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[component]
/// fn Clock() -> Html {
///     let config = Client::<String, String>::builder("wss://example.org/clock", Text);
///     match use_connection(&config) {
///         Ok(client) => html! { <Time {client} /> },
///         Err(error) => html! { { error.to_string() } },
///     }
/// }
///
/// #[derive(Properties, PartialEq)]
/// struct Props { client: Client<String, String> }
///
/// #[component]
/// fn Time(props: &Props) -> Html {
///     let time = use_message(&props.client);
///     html! { <time>{ time.map_or("…".to_owned(), |time| time.to_string()) }</time> }
/// }
/// # let _ = yew::ServerRenderer::<Clock>::new();
/// ```
#[hook]
pub fn use_connection<Tx: 'static, Rx: 'static>(
    config: &ClientBuilder<Tx, Rx>,
) -> Result<Client<Tx, Rx>, BuildError> {
    let built: Rc<_> = use_memo(Alike(config.clone()), |Alike(config)| {
        let client = config.clone().build();
        match &client {
            // Hooks listen without a queue: nobody will ask for the first stream.
            Ok(client) => drop(client.events()),
            Err(error) => tracing::error!(target: "onesocket::yew", "not connected: {error}"),
        }
        client
    });
    built.as_ref().clone()
}

/// What decides whether a client is built anew.
struct Alike<Tx, Rx>(ClientBuilder<Tx, Rx>);

impl<Tx: 'static, Rx: 'static> PartialEq for Alike<Tx, Rx> {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_alike(&other.0)
    }
}
