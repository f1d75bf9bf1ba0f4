//! One TCP connection with the switches that the faults need: cut it, freeze it, slow it down.
//!
//! The switches sit below TLS, HTTP and WebSocket, so that none of these can answer for a connection that is meant to be dead.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::task::AtomicWaker;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// The switches of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: SocketAddr,
    stream: Weak<TcpStream>,
    aborted: CancellationToken,
    frozen: watch::Sender<bool>,
    /// Bytes per second, 0 is unlimited.
    read_rate: AtomicU32,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connection {
    /// Wraps an accepted stream. The connection is aborted with `server`, and counted in `live` until its stream is closed.
    pub(crate) fn open(
        stream: TcpStream,
        peer: SocketAddr,
        server: &CancellationToken,
        live: &watch::Sender<usize>,
    ) -> (Arc<Self>, ConnectionIo) {
        let stream = Arc::new(stream);
        let connection = Arc::new(Self {
            peer,
            stream: Arc::downgrade(&stream),
            aborted: server.child_token(),
            frozen: watch::Sender::new(false),
            read_rate: AtomicU32::new(0),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        });
        live.send_modify(|count| *count += 1);
        let io = ConnectionIo {
            stream,
            connection: connection.clone(),
            pause: None,
            _live: LiveGuard(live.clone()),
        };
        (connection, io)
    }

    /// Says whether the peer runs on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_peer(self.peer.ip())
    }

    /// Asks the owner of the stream to drop it, which resets it.
    pub(crate) fn abort(&self) {
        self.aborted.cancel();
    }

    /// Resolves when the stream must be dropped.
    pub(crate) async fn aborted(&self) {
        self.aborted.cancelled().await;
    }

    /// Stops or resumes all reading and writing. The kernel still acknowledges what fits into its buffers.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
        self.reader.wake();
        self.writer.wake();
    }

    /// Says whether the connection is frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        *self.frozen.borrow()
    }

    /// Limits reading to so many bytes per second; `None` lifts the limit.
    pub(crate) fn limit_reading(&self, bytes_per_second: Option<u32>) {
        self.read_rate
            .store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
        if bytes_per_second.is_some()
            && let Some(stream) = self.stream.upgrade()
        {
            // A default buffer grows to megabytes, behind which the peer would feel nothing of the slow reader. A failure only
            // makes it feel it later.
            let _ = SockRef::from(&*stream).set_recv_buffer_size(SLOW_READER_BUFFER_BYTES);
        }
        self.reader.wake();
    }

    /// Resolves when the connection is frozen and its peer has closed it: nobody reads there, so nobody else would notice.
    pub(crate) async fn abandoned(&self) {
        let mut frozen = self.frozen.subscribe();
        loop {
            // The sender lives in self.
            let _ = frozen.wait_for(|frozen| *frozen).await;
            let Some(stream) = self.stream.upgrade() else {
                return;
            };
            // Readiness stays set while unread bytes wait, hence the pause: there is no way to wait for the end alone.
            match stream.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() => sleep(ABANDONED_CHECK).await,
                Ok(_) | Err(_) if self.is_frozen() => return,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// The bytes of one connection, as its switches let them through.
#[derive(Debug)]
pub(crate) struct ConnectionIo {
    // Before the guard: the stream is closed when the guard counts it as closed.
    stream: Arc<TcpStream>,
    connection: Arc<Connection>,
    pause: Option<Pin<Box<Sleep>>>,
    _live: LiveGuard,
}

impl ConnectionIo {
    /// Takes the rate limit into account: how many bytes may be read at once, after the pause for those read before.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let rate = self.connection.read_rate.load(Ordering::Relaxed);
        if rate == 0 {
            self.pause = None;
            return Poll::Ready(None);
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(Some(rate))
    }
}

impl AsyncRead for ConnectionIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.reader.register(cx.waker());
        if self.connection.is_frozen() {
            return Poll::Pending;
        }
        let rate = ready!(self.poll_allowance(cx));
        let chunk = rate.map_or(usize::MAX, |rate| {
            (rate / CHUNKS_PER_SECOND).max(1) as usize
        });
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let room = buf.remaining().min(chunk);
            match self.stream.try_read(buf.initialize_unfilled_to(room)) {
                Ok(read) => {
                    buf.advance(read);
                    if let Some(rate) = rate {
                        let pause = Duration::from_secs_f64(read as f64 / f64::from(rate));
                        self.pause = Some(Box::pin(sleep_until(Instant::now() + pause)));
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for ConnectionIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.writer.register(cx.waker());
        if self.connection.is_frozen() {
            return Poll::Pending;
        }
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.writer.register(cx.waker());
        if self.connection.is_frozen() {
            return Poll::Pending;
        }
        Poll::Ready(SockRef::from(&*self.stream).shutdown(std::net::Shutdown::Write))
    }
}

impl Drop for ConnectionIo {
    fn drop(&mut self) {
        if self.connection.aborted.is_cancelled() {
            // Zero linger turns the close into a reset. On failure the peer gets an ordinary end of stream, abrupt enough.
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// Counts one open stream for as long as it lives.
#[derive(Debug)]
struct LiveGuard(watch::Sender<usize>);

impl Drop for LiveGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Says whether an address is a loopback one, also when an IPv6 socket reports an IPv4 peer.
fn is_loopback_peer(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}

/// How often a frozen connection looks whether its peer has gone.
const ABANDONED_CHECK: Duration = Duration::from_millis(20);

/// A slow reader reads in so many portions per second, so that a slow rate is even and a test sees progress.
const CHUNKS_PER_SECOND: u32 = 20;

/// The receive buffer of a slow reader; Linux doubles it.
const SLOW_READER_BUFFER_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_loopback_peers() {
        fn check(peer: &str, expect: bool) {
            assert_eq!(is_loopback_peer(peer.parse().unwrap()), expect, "{peer}");
        }
        check("127.0.0.1", true);
        check("127.8.9.10", true);
        check("::1", true);
        check("::ffff:127.0.0.1", true);
        check("10.0.0.1", false);
        check("192.168.1.2", false);
        check("0.0.0.0", false);
        check("fe80::1", false);
        check("::ffff:10.0.0.1", false);
    }
}
