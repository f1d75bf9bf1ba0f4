//! The WebSocket end points: their paths, and the handshake that they share.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    Extension, Router,
    extract::{FromRequestParts, Query, ws::WebSocketUpgrade},
    http::{Uri, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    connection::Connection,
    error::BadParameter,
    registry::About,
    server::App,
    socket::{self, Incoming, MAX_FRAME_BYTES, Outbox},
};

mod auth;
pub(crate) mod chat;
mod echo;
pub(crate) mod feed;
pub(crate) mod ledger;
pub(crate) mod sink;

/// Names a WebSocket end point; in JSON and in [`fmt::Display`] it is its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/auth`: returns what it gets from those who have a valid token.
    #[serde(rename = "/auth")]
    Auth,
    /// `/chat`: rooms with a history.
    #[serde(rename = "/chat")]
    Chat,
    /// `/echo`: returns what it gets.
    #[serde(rename = "/echo")]
    Echo,
    /// `/feed`: numbered frames at a rate.
    #[serde(rename = "/feed")]
    Feed,
    /// `/ledger`: writes down what it gets, returns it, and numbers messages of its own.
    #[serde(rename = "/ledger")]
    Ledger,
    /// `/sink`: counts and checks what it gets.
    #[serde(rename = "/sink")]
    Sink,
}

impl Endpoint {
    /// Lists all of them, in the order of their paths.
    pub const ALL: [Self; 6] = [
        Self::Auth,
        Self::Chat,
        Self::Echo,
        Self::Feed,
        Self::Ledger,
        Self::Sink,
    ];

    /// Returns its path, with the slash.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Auth => "/auth",
            Self::Chat => "/chat",
            Self::Echo => "/echo",
            Self::Feed => "/feed",
            Self::Ledger => "/ledger",
            Self::Sink => "/sink",
        }
    }

    /// Returns the end point of a path, if it is one.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.path() == path)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// Routes the end points.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(Endpoint::Auth.path(), any(auth::auth))
        // A ticket is a secret that stands in the path. What it says is not looked at.
        .route("/auth/{ticket}", any(auth::auth))
        .route(Endpoint::Chat.path(), any(chat::chat))
        .route(Endpoint::Echo.path(), any(echo::echo))
        .route(Endpoint::Feed.path(), any(feed::feed))
        .route(Endpoint::Ledger.path(), any(ledger::ledger))
        .route(Endpoint::Sink.path(), any(sink::sink))
}

/// A WebSocket handshake that the faults let through and that waits for the end point to accept it.
pub(crate) struct Handshake {
    app: App,
    connection: Arc<Connection>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
}

impl Handshake {
    /// Reads the parameters of the end point. Unknown ones are left to the client: tokens, accounts, cache busters.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, BadParameter> {
        Query::try_from_uri(&self.uri)
            .map(|Query(query)| query)
            .map_err(|rejection| self.reject(rejection.body_text()))
    }

    /// Makes the answer to a bad parameter.
    pub(crate) fn reject(&self, why: String) -> BadParameter {
        self.app.registry.count_rejected();
        BadParameter(why)
    }

    /// Answers 101, and serves the socket until one side ends it. At most `queue_frames` wait in its outbox.
    pub(crate) fn accept<F, Fut>(
        self,
        endpoint: Endpoint,
        queue_frames: usize,
        serve: F,
    ) -> Result<Response, BadParameter>
    where
        F: FnOnce(Incoming, Outbox) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let query: BTreeMap<_, _> = self
            .query::<Vec<(String, String)>>()?
            .into_iter()
            .filter(|(name, _)| PUBLIC_PARAMETERS.contains(&name.as_str()))
            .collect();
        let mut upgrade = self
            .upgrade
            .max_frame_size(MAX_FRAME_BYTES)
            .max_message_size(MAX_FRAME_BYTES);
        if let Some(accepted) = query.get("protocols") {
            upgrade = upgrade.protocols(accepted.split(',').map(str::to_owned).collect::<Vec<_>>());
        }
        let protocol = upgrade
            .selected_protocol()
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let (commands, command_queue) = mpsc::unbounded_channel();
        let about = About {
            endpoint,
            query,
            protocol,
        };
        // Before the answer: whoever sees the 101 must find the socket in the stats.
        let registered = self.app.registry.enter(about, self.connection, commands);
        let faults = self.app.faults;
        Ok(upgrade.on_upgrade(move |websocket| {
            socket::run(
                websocket,
                registered,
                faults,
                command_queue,
                queue_frames,
                serve,
            )
        }))
    }
}

impl FromRequestParts<App> for Handshake {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Extension(connection) = Extension::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let upgrade = WebSocketUpgrade::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        sleep(app.faults.current_handshake_delay()).await;
        if let Some(status) = app.faults.take_refusal() {
            app.registry.count_rejected();
            return Err((status, "refused by the refuse fault").into_response());
        }
        Ok(Self {
            app: app.clone(),
            connection,
            uri: parts.uri.clone(),
            upgrade,
        })
    }
}

/// The parameters that the stats may show.
const PUBLIC_PARAMETERS: [&str; 5] = ["count", "protocols", "rate", "room", "size"];
