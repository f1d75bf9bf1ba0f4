//! What is served over plain HTTP: the static files with their headers, and the stats.

use std::path::Path;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::get,
};
use serde::Deserialize;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use crate::{
    endpoint,
    fault::{self, Flag},
    server::App,
    stats::Stats,
};

/// Routes everything the server offers.
pub(crate) fn router(app: App, static_dir: Option<&Path>, policy: HeaderValue) -> Router {
    let files = match static_dir {
        Some(dir) => Router::new().fallback_service(ServeDir::new(dir)),
        None => Router::new(),
    };
    files
        .merge(endpoint::routes())
        .merge(fault::routes())
        .route("/stats", get(stats))
        .layer(middleware::from_fn_with_state(app.clone(), fault::apply))
        .layer(default_header(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        ))
        .layer(default_header(header::CONTENT_SECURITY_POLICY, policy))
        .layer(default_header(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .with_state(app)
}

/// Makes the strict policy: own scripts, workers and wasm only, and connections to some sources.
///
/// The error is the source that has a character which would end the directive or cannot be in a header.
pub(crate) fn content_security_policy(connect_sources: &[String]) -> Result<HeaderValue, &String> {
    let is_bad = |source: &&String| {
        source.is_empty()
            || source
                .bytes()
                .any(|byte| !byte.is_ascii_graphic() || matches!(byte, b';' | b','))
    };
    if let Some(bad) = connect_sources.iter().find(is_bad) {
        return Err(bad);
    }
    let connect = if connect_sources.is_empty() {
        "'none'".to_owned()
    } else {
        connect_sources.join(" ")
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src {connect}; \
         style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    Ok(
        HeaderValue::from_str(&policy)
            .expect("every source is printable ASCII, and so is the rest"),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatsQuery {
    #[serde(default)]
    clients: Flag,
}

async fn stats(State(app): State<App>, Query(query): Query<StatsQuery>) -> Json<Stats> {
    let mut stats = app.registry.stats();
    if query.clients == Flag::On {
        stats.clients = Some(app.registry.clients());
    }
    Json(stats)
}

fn default_header(name: HeaderName, value: HeaderValue) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, value)
}
