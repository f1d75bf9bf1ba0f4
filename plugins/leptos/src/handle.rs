//! The handle of a connection.

use std::{fmt, rc::Rc};

use leptos::prelude::*;
use onesocket::{BuildError, Client, ClientBuilder, SendError, SendRejected, Sending};

use crate::{
    effect::effect,
    shelf::Shelf,
    term::{Running, Term},
};

/// A connection in the reactive graph, from [`use_client`](crate::use_client) or [`use_connection`](crate::use_connection). It is
/// `Copy`, and lives as long as the provider or the component that made it.
pub struct OneSocket<Tx: ?Sized + 'static, Rx: 'static> {
    client: RwSignal<Shelf<Client<Tx, Rx>>>,
    term: StoredValue<Shelf<Running>>,
    error: RwSignal<Option<BuildError>>,
}

impl<Tx: ?Sized + 'static, Rx: 'static> OneSocket<Tx, Rx> {
    /// Connects as `config` says, and anew when it says something else.
    pub(crate) fn new(config: impl Fn() -> ClientBuilder<Tx, Rx> + 'static) -> Self {
        let this = Self {
            client: RwSignal::new(Shelf::new(None)),
            term: StoredValue::new(Shelf::new(None)),
            error: RwSignal::new(None),
        };
        if cfg!(any(target_family = "wasm", test)) {
            let config = Rc::new(config);
            let first = untrack({
                let config = Rc::clone(&config);
                move || config()
            });
            let mut untold = Some(this.build(&first));
            // Its first run finds what was just built. What is wrong is told behind that: until a page has hydrated it shows what a server
            // has rendered, where nothing is built.
            effect(move |before: Option<ClientBuilder<Tx, Rx>>| {
                let config = config();
                if !config.is_alike(before.as_ref().unwrap_or(&first)) {
                    untold = Some(this.build(&config));
                }
                if let Some(error) = untold.take() {
                    this.error.set(error);
                }
                config
            });
        }
        this
    }

    /// Returns what is wrong, if anything.
    fn build(self, config: &ClientBuilder<Tx, Rx>) -> Option<BuildError> {
        let built = config.clone().build();
        match &built {
            // Hooks listen without a queue: nobody will ask for the first stream.
            Ok(client) => drop(client.events()),
            Err(error) => tracing::error!(target: "onesocket::leptos", "not connected: {error}"),
        }
        let number = self.term().map_or(0, |term| term.number + 1);
        // Before anybody hears of the other client.
        self.term.set_value(Shelf::new(Some(Running::new(number))));
        let (client, error) = match built {
            Ok(client) => (Some(client), None),
            Err(error) => (None, Some(error)),
        };
        self.client.set(Shelf::new(client));
        error
    }

    /// Returns the client, for everything that has no hook: `log_out`, `greet`, `set_debug`, … Reactive. `None` on a server, and when the
    /// configuration is wrong.
    ///
    /// Do not render by whether there is one in a page that a server has rendered: in the browser there is, before the page has hydrated.
    /// [`use_status`](crate::use_status) and the other hooks begin with what the server shows.
    ///
    /// Do not keep it beyond the component: the connection lives as long as the last clone.
    #[must_use]
    pub fn client(&self) -> Option<Client<Tx, Rx>> {
        // Gone with its provider, it may still be asked by what is on its way out.
        self.client.try_with(|shelf| shelf.get().cloned()).flatten()
    }

    /// Returns the term of the client that [`client`](Self::client) returns, or of there being none. `None` on a server, and when the handle
    /// is gone.
    pub(crate) fn term(&self) -> Option<Term> {
        let term = |shelf: &Shelf<Running>| shelf.get().map(|running| running.term.clone());
        self.term.try_with_value(term).flatten()
    }

    /// Returns the client as [`client`](Self::client) does, without listening for another one.
    #[must_use]
    pub fn client_untracked(&self) -> Option<Client<Tx, Rx>> {
        self.client
            .try_with_untracked(|shelf| shelf.get().cloned())
            .flatten()
    }

    /// Returns what is wrong with the configuration, if anything. Reactive. `None` on a server, and in a browser until it has hydrated.
    #[must_use]
    pub fn config_error(&self) -> Option<BuildError> {
        self.error.try_get().flatten()
    }

    /// Sends a message as [`Client::send`] does. Where there is no client, as on a server, it is rejected.
    ///
    /// # Errors
    ///
    /// The future ends as [`SendError`] when the message was not, or may not have been, handed to an open socket.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the message back.
    pub fn send(&self, message: &Tx) -> Sending {
        match self.client_untracked() {
            Some(client) => client.send(message),
            None => SendError::Rejected(SendRejected::Closed).into(),
        }
    }

    /// Asks for a new socket now, for all tabs; see [`Client::reconnect`].
    pub fn reconnect(&self) {
        if let Some(client) = self.client_untracked() {
            client.reconnect();
        }
    }
}

impl<Tx: ?Sized + 'static, Rx: 'static> Clone for OneSocket<Tx, Rx> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Tx: ?Sized + 'static, Rx: 'static> Copy for OneSocket<Tx, Rx> {}

/// Copies are equal.
impl<Tx: ?Sized + 'static, Rx: 'static> PartialEq for OneSocket<Tx, Rx> {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client
    }
}

impl<Tx: ?Sized + 'static, Rx: 'static> Eq for OneSocket<Tx, Rx> {}

impl<Tx: ?Sized + 'static, Rx: 'static> fmt::Debug for OneSocket<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneSocket")
            .field("client", &self.client_untracked())
            .finish_non_exhaustive()
    }
}
