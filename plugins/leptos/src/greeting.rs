//! Greetings that last as long as a component.

use leptos::prelude::*;
use onesocket::GreetError;

use crate::{OneSocket, effect::overlapping};

/// Registers a greeting for as long as the component is mounted: a message that is sent first on every new socket, such as a
/// subscription to what the component shows. `greeting` makes it, with the farewell that is sent when the last tab has unmounted it;
/// when a signal that it reads has changed, another one is registered before the old one is dropped; behind that when the client holds as many
/// as it may. So one that says what it said before sends nothing.
///
/// Of identical greetings of several components and tabs one is sent. Returns what went wrong: the codec can't encode one of the
/// messages, one is over 1 MiB, or the client holds 1,024 greetings already.
///
/// ```
/// use leptos::prelude::*;
/// use onesocket_leptos::prelude::*;
///
/// #[component]
/// fn Room(room: RwSignal<String>) -> impl IntoView {
///     let error = use_greeting(use_client::<String, String>(), move || {
///         (format!("join {}", room.get()), Some(format!("leave {}", room.get())))
///     });
///     move || error.get().map(|error| error.to_string())
/// }
/// # let _ = Room;
/// ```
pub fn use_greeting<Tx: 'static, Rx: 'static>(
    socket: OneSocket<Tx, Rx>,
    greeting: impl Fn() -> (Tx, Option<Tx>) + 'static,
) -> ReadSignal<Option<GreetError>> {
    let error = RwSignal::new(None);
    overlapping(move |drop_before| {
        let Some(client) = socket.client() else {
            error.maybe_update(|error: &mut Option<_>| error.take().is_some());
            return None;
        };
        let (greeting, farewell) = greeting();
        let greet = || client.greet(&greeting, farewell.as_ref());
        let mut greeted = greet();
        if let Err(GreetError::TooMany { .. }) = greeted {
            drop_before();
            greeted = greet();
        }
        match greeted {
            Ok(guard) => {
                error.set(None);
                Some(guard)
            }
            Err(failed) => {
                error.set(Some(failed));
                None
            }
        }
    });
    error.read_only()
}
