//! One open WebSocket: a reader that counts, a writer that counts, delays and closes, and the end of both.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    connection::Connection,
    fault::Faults,
    registry::{Command, Registered, Socket},
};

/// The largest frame and the largest message that an end point accepts, in bytes. A larger one ends the socket.
pub const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// Serves one socket until its peer closes it, a fault cuts it or the end point has had enough.
pub(crate) async fn run<F, Fut>(
    websocket: WebSocket,
    registered: Registered,
    faults: Faults,
    commands: mpsc::UnboundedReceiver<Command>,
    queue_frames: usize,
    serve: F,
) where
    F: FnOnce(Incoming, Outbox) -> Fut,
    Fut: Future<Output = ()>,
{
    let socket = registered.socket.clone();
    faults.greet(&socket.connection);
    let (sink, stream) = websocket.split();
    let (sender, queue) = mpsc::channel(queue_frames);
    let outbox = Outbox {
        queue: sender,
        connection: socket.connection.clone(),
    };
    let incoming = Incoming {
        stream,
        socket: socket.clone(),
    };
    let writer = Writer {
        sink,
        queue,
        commands,
        injected: VecDeque::new(),
        delay: faults.watch_delay(),
        socket: socket.clone(),
    };
    tokio::select! {
        biased;
        () = socket.connection.aborted() => {}
        () = socket.connection.abandoned() => {}
        () = serve(incoming, outbox) => {}
        () = writer.run() => {}
    }
}

/// What the client sends.
pub(crate) struct Incoming {
    stream: SplitStream<WebSocket>,
    socket: Arc<Socket>,
}

impl Incoming {
    /// Returns the next message; `None` when the close handshake is done or the connection is lost.
    ///
    /// A close frame is not returned: reading on is what sends the answer to it.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.stream.next().await?.ok()?;
            match &message {
                Message::Text(text) => self.socket.count_in(text.len()),
                Message::Binary(bytes) => self.socket.count_in(bytes.len()),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => continue,
            }
            return Some(message);
        }
    }

    /// Counts and forgets everything until the end.
    pub(crate) async fn drain(mut self) {
        while self.next().await.is_some() {}
    }
}

/// Where an end point puts what the client shall get.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Queued>,
    connection: Arc<Connection>,
}

impl Outbox {
    /// Queues a message, after a wait when the client is slow.
    pub(crate) async fn send(&self, message: Message) -> Result<(), Closed> {
        self.queue
            .send(Queued::now(message))
            .await
            .map_err(|_| Closed)
    }

    /// Queues a message at once, or cuts the client off when it is too slow.
    pub(crate) fn send_or_abort(&self, message: Message) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(Queued::now(message)) {
            self.connection.abort();
        }
    }
}

/// The writer has ended.
#[derive(Debug)]
pub(crate) struct Closed;

#[derive(Debug)]
struct Queued {
    at: Instant,
    message: Message,
}

impl Queued {
    fn now(message: Message) -> Self {
        Self {
            at: Instant::now(),
            message,
        }
    }
}

struct Writer {
    sink: SplitSink<WebSocket, Message>,
    queue: mpsc::Receiver<Queued>,
    commands: mpsc::UnboundedReceiver<Command>,
    /// What was commanded while a message was held.
    injected: VecDeque<Queued>,
    delay: watch::Receiver<Duration>,
    socket: Arc<Socket>,
}

impl Writer {
    /// Writes until the connection is lost or the close fault is done.
    async fn run(mut self) {
        loop {
            let written = tokio::select! {
                biased;
                Some(command) = self.commands.recv() => match command {
                    Command::Inject(message) => self.write(Queued::now(message)).await,
                    Command::Close(frame) => return self.close(frame).await,
                    Command::CloseAndHold(frame) => return self.close_and_hold(frame).await,
                },
                Some(queued) = self.queue.recv() => self.write(queued).await,
                else => return,
            };
            match written {
                Ok(()) => {}
                Err(Stop::Close(frame)) => return self.close(frame).await,
                Err(Stop::CloseAndHold(frame)) => return self.close_and_hold(frame).await,
                // The reader finds the same failure, and before it what the client has sent.
                Err(Stop::Lost) => return self.drain().await,
            }
        }
    }

    /// Writes a message and those that wait behind it, with one flush.
    async fn write(&mut self, first: Queued) -> Result<(), Stop> {
        let mut next = Some(first);
        let mut batch = 0;
        while let Some(queued) = next {
            let bytes = match &queued.message {
                Message::Text(text) => Some(text.len()),
                Message::Binary(bytes) => Some(bytes.len()),
                // Control frames are neither held nor counted.
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
            };
            if bytes.is_some() {
                self.hold(queued.at).await?;
            }
            self.sink.feed(queued.message).await?;
            if let Some(bytes) = bytes {
                self.socket.count_out(bytes);
            }
            batch += 1;
            next = self.injected.pop_front();
            if next.is_none() && batch < MAX_BATCH {
                next = self.queue.try_recv().ok();
            }
        }
        Ok(self.sink.flush().await?)
    }

    /// Waits until a message that was queued at `at` is as old as the delay fault wants it.
    async fn hold(&mut self, at: Instant) -> Result<(), Stop> {
        loop {
            let due = at + *self.delay.borrow_and_update();
            if due <= Instant::now() {
                return Ok(());
            }
            self.sink.flush().await?;
            tokio::select! {
                // What is injected before the delay is lifted comes first, also when both are seen at once.
                biased;
                Some(command) = self.commands.recv() => match command {
                    Command::Inject(message) => self.injected.push_back(Queued::now(message)),
                    Command::Close(frame) => return Err(Stop::Close(frame)),
                    Command::CloseAndHold(frame) => return Err(Stop::CloseAndHold(frame)),
                },
                Ok(()) = self.delay.changed() => {}
                () = sleep_until(due) => {}
            }
        }
    }

    /// Sends a close frame and gives the peer some time to answer it, which the reader sees.
    async fn close(mut self, frame: CloseFrame) {
        self.send_close(frame).await;
        self.drain().await;
    }

    /// Sends a close frame and leaves it to the peer to hang up.
    async fn close_and_hold(mut self, frame: CloseFrame) {
        self.send_close(frame).await;
        self.socket.connection.freeze(true);
        pending().await
    }

    async fn send_close(&mut self, frame: CloseFrame) {
        let _ = timeout(CLOSE_TIMEOUT, self.sink.send(Message::Close(Some(frame)))).await;
    }

    /// Forgets what is queued while the reader comes to its end: an end point that waits for room in the queue would not read.
    async fn drain(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, async {
            while self.queue.recv().await.is_some() {}
        })
        .await;
    }
}

/// Why the writer writes no more.
enum Stop {
    /// The connection is lost.
    Lost,
    /// The close fault wants it, and waits for no message that is held.
    Close(CloseFrame),
    /// As [`Close`](Self::Close), and the peer is to hang up.
    CloseAndHold(CloseFrame),
}

impl From<axum::Error> for Stop {
    fn from(_: axum::Error) -> Self {
        Self::Lost
    }
}

/// RFC 6455 names no time; browsers answer a close frame at once unless their thread is busy.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many queued messages one flush may serve before the commands get their turn.
const MAX_BATCH: usize = 64;
