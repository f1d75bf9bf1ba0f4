//! The faults over HTTP, for tests that run in a browser or in another process.
//!
//! Every query denies unknown parameters: a misspelt one must not pass as a fault that does nothing.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{Query, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};

use crate::{
    connection::Connection,
    endpoint::Endpoint,
    error::{BadParameter, FaultError},
    fault::{Faults, HttpFault, InjectedFrame, Selection},
    server::App,
};

/// Routes `/fault/…`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/fault/drop", post(drop_sockets))
        .route("/fault/refuse", post(refuse))
        .route("/fault/close", post(close))
        .route("/fault/half-open", post(half_open))
        .route("/fault/delay", post(delay))
        .route("/fault/handshake-delay", post(handshake_delay))
        .route("/fault/slow-reader", post(slow_reader))
        .route("/fault/http", post(http))
        .route("/fault/inject", post(inject))
        .route("/fault/token", post(token))
        .route("/fault/clear", post(clear))
        .route_layer(middleware::from_fn(loopback_only))
}

async fn loopback_only(
    Extension(connection): Extension<Arc<Connection>>,
    request: Request,
    next: Next,
) -> Response {
    if !connection.is_loopback() {
        return (
            StatusCode::FORBIDDEN,
            "the fault API is for loopback peers only",
        )
            .into_response();
    }
    next.run(request).await
}

async fn drop_sockets(
    State(faults): State<Faults>,
    Query(query): Query<SelectionQuery>,
) -> ApiResult {
    hit(faults.drop_sockets(selection(query.path, query.id)?))
}

async fn refuse(State(faults): State<Faults>, Query(query): Query<RefuseQuery>) -> ApiResult {
    faults.refuse(query.next, query.status)?;
    hit(0)
}

async fn close(State(faults): State<Faults>, Query(query): Query<CloseQuery>) -> ApiResult {
    let selection = selection(query.path, query.id)?;
    hit(match query.hold {
        Flag::Off => faults.close(selection, query.code, &query.reason)?,
        Flag::On => faults.close_and_hold(selection, query.code, &query.reason)?,
    })
}

async fn half_open(State(faults): State<Faults>, Query(query): Query<HalfOpenQuery>) -> ApiResult {
    let selection = selection(query.path, query.id)?;
    if query.new == Flag::On {
        faults.half_open_new(true);
    }
    hit(faults.half_open(selection))
}

async fn delay(State(faults): State<Faults>, Query(query): Query<DelayQuery>) -> ApiResult {
    faults.delay(Duration::from_millis(query.ms))?;
    hit(0)
}

async fn handshake_delay(
    State(faults): State<Faults>,
    Query(query): Query<DelayQuery>,
) -> ApiResult {
    faults.handshake_delay(Duration::from_millis(query.ms))?;
    hit(0)
}

async fn slow_reader(
    State(faults): State<Faults>,
    Query(query): Query<SlowReaderQuery>,
) -> ApiResult {
    let rate = NonZeroU32::new(query.bytes_per_second).ok_or(FaultError::ReadRate)?;
    faults.slow_reader(Some(rate));
    hit(0)
}

async fn http(State(faults): State<Faults>, Query(query): Query<HttpQuery>) -> ApiResult {
    let delay = Duration::from_millis(query.delay_ms);
    let fault = HttpFault {
        status: query.status,
        body: query.body,
        mime: query.mime,
        csp: query.csp,
        isolates: query.isolates,
        delay,
    };
    faults.http(&query.path, fault)?;
    hit(0)
}

async fn inject(State(faults): State<Faults>, Query(query): Query<InjectQuery>) -> ApiResult {
    let frame = match (query.text, query.hex) {
        (Some(text), None) => InjectedFrame::Text(text),
        (None, Some(hex)) => InjectedFrame::Binary(decode_hex(&hex).ok_or(FaultError::Hex)?),
        (Some(_), Some(_)) | (None, None) => return Err(FaultError::AmbiguousFrame.into()),
    };
    hit(faults.inject(selection(query.path, query.id)?, frame))
}

async fn token(State(faults): State<Faults>, Query(query): Query<TokenQuery>) -> ApiResult {
    if let Some(token) = &query.allow {
        faults.allow_token(token);
    }
    if let Some(token) = &query.expire {
        faults.expire_token(token);
    }
    hit(0)
}

async fn clear(State(faults): State<Faults>, Query(NoQuery {}): Query<NoQuery>) -> ApiResult {
    faults.clear();
    hit(0)
}

type ApiResult = Result<Json<Hit>, BadParameter>;

#[derive(Serialize)]
struct Hit {
    sockets: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionQuery {
    path: Option<String>,
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefuseQuery {
    next: u32,
    #[serde(default = "default_refusal")]
    status: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseQuery {
    #[serde(default = "default_close_code")]
    code: u16,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    hold: Flag,
    path: Option<String>,
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HalfOpenQuery {
    #[serde(default)]
    new: Flag,
    path: Option<String>,
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DelayQuery {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SlowReaderQuery {
    bytes_per_second: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpQuery {
    path: String,
    status: Option<u16>,
    body: Option<String>,
    mime: Option<String>,
    csp: Option<String>,
    #[serde(default)]
    isolates: bool,
    #[serde(default)]
    delay_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenQuery {
    allow: Option<String>,
    expire: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InjectQuery {
    text: Option<String>,
    hex: Option<String>,
    path: Option<String>,
    id: Option<u64>,
}

/// A yes or no in a query.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Absent, `0` or `false`.
    #[default]
    #[serde(rename = "0", alias = "false")]
    Off,
    /// `1` or `true`.
    #[serde(rename = "1", alias = "true")]
    On,
}

fn selection(path: Option<String>, id: Option<u64>) -> Result<Selection, FaultError> {
    match (path, id) {
        (None, None) => Ok(Selection::All),
        (None, Some(id)) => Ok(Selection::Socket(id)),
        (Some(path), None) => Endpoint::from_path(&path)
            .map(Selection::Endpoint)
            .ok_or(FaultError::UnknownEndpoint { path }),
        (Some(_), Some(_)) => Err(FaultError::AmbiguousSelection),
    }
}

fn decode_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    let (pairs, []) = digits.as_ref()?.as_chunks::<2>() else {
        return None;
    };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn default_refusal() -> u16 {
    StatusCode::SERVICE_UNAVAILABLE.as_u16()
}

fn default_close_code() -> u16 {
    1000
}

fn hit(sockets: usize) -> ApiResult {
    Ok(Json(Hit { sockets }))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::HeaderValue};
    use tokio::{
        net::{TcpListener, TcpStream},
        sync::watch,
    };
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt;

    use super::*;
    use crate::{
        endpoint::{chat::ChatState, ledger::Ledger},
        registry::Registry,
        site,
    };

    #[tokio::test]
    async fn a_peer_from_elsewhere_gets_403_and_changes_nothing() {
        let registry = Registry::new();
        let faults = Faults::new(registry.clone());
        let app = App {
            registry,
            faults: faults.clone(),
            chat: ChatState::new(),
            ledger: Ledger::new(),
            history: 0,
        };
        let router = site::router(app, None, HeaderValue::from_static(""));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        for (peer, status) in [("10.1.2.3:50000", 403), ("127.0.0.1:50000", 200)] {
            let stream = TcpStream::connect(addr).await.unwrap();
            let (connection, _io) = Connection::open(
                stream,
                peer.parse().unwrap(),
                &CancellationToken::new(),
                &watch::Sender::new(0),
            );
            let mut request = Request::post("/fault/refuse?next=1")
                .body(Body::empty())
                .unwrap();
            request.extensions_mut().insert(connection);
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{peer}");
            assert_eq!(faults.take_refusal().is_some(), status == 200);
        }
    }

    #[test]
    fn hex_is_pairs_of_digits_and_nothing_else() {
        assert_eq!(decode_hex("00fFa5"), Some(vec![0, 255, 165]));
        assert_eq!(decode_hex(""), Some(vec![]));
        assert_eq!(decode_hex("0"), None);
        assert_eq!(decode_hex("0g"), None);
        assert_eq!(decode_hex("+1"), None);
        assert_eq!(decode_hex("éé"), None);
    }
}
