//! Greetings that last as long as a component.

use onesocket::{Client, GreetError};
use yew::hook;

use crate::kept::use_overlapping;

/// Registers a greeting for as long as the component is mounted: a message that is sent first on every new socket, such as a
/// subscription to what the component shows. `farewell` is sent when the last tab has unmounted it.
///
/// Of identical greetings of several components and tabs one is sent. Another greeting is registered before the one before it is
/// dropped; behind that when the client holds as many as it may.
///
/// # Errors
///
/// When the codec can't encode one of the messages, one is over 1 MiB, or the client holds 1,024 greetings already.
///
/// ```
/// use onesocket_yew::prelude::*;
/// use yew::prelude::*;
///
/// #[derive(Properties, PartialEq)]
/// struct Props { room: String }
///
/// #[component]
/// fn Room(props: &Props) -> Html {
///     let client = use_client::<String, String>();
///     let joined = use_greeting(&client, format!("join {}", props.room), Some(format!("leave {}", props.room)));
///     html! { if let Err(error) = joined { <p role="alert">{ error.to_string() }</p> } }
/// }
/// # let _ = yew::ServerRenderer::<Room>::with_props(|| Props { room: "lobby".into() });
/// ```
#[hook]
pub fn use_greeting<Tx: PartialEq + 'static, Rx: 'static>(
    client: &Client<Tx, Rx>,
    greeting: Tx,
    farewell: Option<Tx>,
) -> Result<(), GreetError> {
    let deps = (client.clone(), greeting, farewell);
    let guard = use_overlapping(
        deps,
        |(client, greeting, farewell)| client.greet(greeting, farewell.as_ref()),
        |guard| matches!(guard, Err(GreetError::TooMany { .. })),
    );
    match &*guard {
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}
