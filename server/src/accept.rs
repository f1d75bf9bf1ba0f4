//! The accept loop, and what happens to a connection until it is a WebSocket.
//!
//! It is driven here because `axum::serve` drains its connections, where a stop must cut them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::connection::{Connection, ConnectionIo};

/// The accept loop. It owns the listener, so the port is free when it has ended.
pub(crate) struct Accept {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) stop: CancellationToken,
    pub(crate) live: watch::Sender<usize>,
}

impl Accept {
    /// Accepts until it is stopped.
    pub(crate) async fn run(self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of file descriptors, or a peer that has gone before it was accepted.
                sleep(RETRY).await;
                continue;
            };
            // Without it small frames wait for acknowledgements. A failure only costs time.
            let _ = stream.set_nodelay(true);
            let (connection, io) = Connection::open(stream, peer, &self.stop, &self.live);
            tokio::spawn(serve(connection, io, self.tls.clone(), self.router.clone()));
        }
    }
}

/// Serves one connection until it ends, is aborted or becomes a WebSocket.
async fn serve(
    connection: Arc<Connection>,
    io: ConnectionIo,
    tls: Option<TlsAcceptor>,
    router: Router,
) {
    let requests = async {
        match tls {
            None => serve_http(io, connection.clone(), router).await,
            Some(acceptor) => {
                if let Ok(Ok(io)) = timeout(TLS_TIMEOUT, acceptor.accept(io)).await {
                    serve_http(io, connection.clone(), router).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = connection.aborted() => {}
        () = requests => {}
    }
}

async fn serve_http<I>(io: I, connection: Arc<Connection>, router: Router)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(io), service);
    // Who sends no HTTP, or goes away in the middle, needs no answer.
    let _ = served.with_upgrades().await;
}

/// Binds a port, with patience: right after a stop the operating system may hold it for a moment for a client that found it closed.
pub(crate) async fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + BIND_PATIENCE;
    loop {
        match TcpListener::bind(addr).await {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && addr.port() != 0
                    && Instant::now() < deadline =>
            {
                sleep(RETRY).await;
            }
            result => return result,
        }
    }
}

const BIND_PATIENCE: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_millis(20);
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
