//! Pages from memory on a port of their own, for checks that need no WebSocket.

use std::net::SocketAddr;

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::IntoResponse as _,
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A server that stops when it is dropped.
#[derive(Debug)]
pub struct StaticServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl StaticServer {
    /// Serves each `(path, content type, body)` under a strict content security policy.
    ///
    /// # Errors
    ///
    /// When no port can be opened.
    pub async fn start(
        files: &'static [(&'static str, &'static str, &'static str)],
    ) -> std::io::Result<Self> {
        let mut router = Router::new();
        for (path, content_type, body) in files {
            let headers = [
                (CONTENT_TYPE, *content_type),
                (CONTENT_SECURITY_POLICY, POLICY),
            ];
            router = router.route(
                path,
                get(move || std::future::ready((headers, *body).into_response())),
            );
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends by being aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for StaticServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const POLICY: &str = "default-src 'self'";
