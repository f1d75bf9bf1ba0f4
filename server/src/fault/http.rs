//! Faults of plain HTTP answers: a missing script, a script that is HTML, other policies, a slow file.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tokio::time::sleep;

use crate::{error::FaultError, fault::checked_delay, server::App};

/// Says how requests for a path are answered; for [`Faults::http`](crate::Faults::http).
///
/// ```
/// use onesocket_server::HttpFault;
///
/// let missing = HttpFault::default().status(404);
/// let html_script = HttpFault::default().body("<!doctype html>").mime("text/html");
/// let no_workers = HttpFault::default().csp("worker-src 'none'");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpFault {
    /// The status instead of the answer, 200..=599. The default is 200 when there is a body, else the real answer.
    pub status: Option<u16>,
    /// The body instead of the answer. The default is empty when there is a status, else the real answer.
    pub body: Option<String>,
    /// The Content-Type. The default is that of the real answer, or `text/html; charset=utf-8` for a body or status of the fault.
    pub mime: Option<String>,
    /// The Content-Security-Policy instead of the server's; empty for none at all.
    pub csp: Option<String>,
    /// Whether it has the headers of a page that is [cross-origin isolated](https://developer.mozilla.org/en-US/docs/Web/API/Window/crossOriginIsolated), and of a worker
    /// in one: `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
    pub isolates: bool,
    /// The time before the answer begins, at most 10 minutes. The default is zero.
    pub delay: Duration,
}

impl HttpFault {
    /// Answers with a status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Answers with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Answers with a Content-Type.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        self.mime = Some(mime.into());
        self
    }

    /// Answers with a Content-Security-Policy; empty for none at all.
    #[must_use]
    pub fn csp(mut self, csp: impl Into<String>) -> Self {
        self.csp = Some(csp.into());
        self
    }

    /// Answers with the headers of cross-origin isolation.
    #[must_use]
    pub fn isolates(mut self) -> Self {
        self.isolates = true;
        self
    }

    /// Answers after a time.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) fn check(self) -> Result<Checked, FaultError> {
        if self == Self::default() {
            return Err(FaultError::EmptyHttpFault);
        }
        let status = self.status.map(|status| {
            StatusCode::from_u16(status)
                .ok()
                .filter(|_| (200..=599).contains(&status))
                .ok_or(FaultError::Status { status })
        });
        Ok(Checked {
            status: status.transpose()?,
            body: self.body.map(Bytes::from),
            mime: self
                .mime
                .map(|mime| header_value("mime", &mime))
                .transpose()?,
            csp: self.csp.map(|csp| header_value("csp", &csp)).transpose()?,
            isolates: self.isolates,
            delay: checked_delay(self.delay)?,
        })
    }
}

/// A fault whose values can be sent.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    status: Option<StatusCode>,
    body: Option<Bytes>,
    mime: Option<HeaderValue>,
    csp: Option<HeaderValue>,
    isolates: bool,
    delay: Duration,
}

impl Checked {
    /// Makes the answer that is not the real one, if the fault asks for one.
    fn replacement(&self) -> Option<Response> {
        if self.status.is_none() && self.body.is_none() {
            return None;
        }
        let mut response = Response::new(Body::from(self.body.clone().unwrap_or_default()));
        *response.status_mut() = self.status.unwrap_or(StatusCode::OK);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, DEFAULT_MIME);
        Some(response)
    }
}

/// Answers as the path's fault wants, if it has one.
///
/// This stands inside the layer that adds the server's headers where there are none, hence the empty policy.
pub(crate) async fn apply(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(fault) = app.faults.http_fault(request.uri().path()) else {
        return next.run(request).await;
    };
    sleep(fault.delay).await;
    let mut response = match fault.replacement() {
        Some(response) => response,
        None => next.run(request).await,
    };
    if let Some(mime) = fault.mime {
        response.headers_mut().insert(header::CONTENT_TYPE, mime);
    }
    if let Some(csp) = fault.csp {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, csp);
    }
    if fault.isolates {
        for (name, value) in ISOLATION {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn header_value(name: &'static str, value: &str) -> Result<HeaderValue, FaultError> {
    HeaderValue::from_str(value).map_err(|_| FaultError::HeaderValue { name })
}

const ISOLATION: [(&str, &str); 2] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

const DEFAULT_MIME: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
