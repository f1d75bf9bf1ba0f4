//! What a client hears, as a stream.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    iter::Take,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{Stream, stream::FusedStream};
use onesocket_manager::{Stride, Turn};
use onesocket_protocol::{
    Packed, Parcel, Payload, Payloads, ReconnectCause, Status, StopReason, limits,
};

use crate::{
    ClientError,
    client::{Acknowledges, Decode, undecodable},
};

/// Something that a client hears.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<Rx> {
    /// The server has sent a message.
    Message(Rx),
    /// The server had sent this message before this client joined the connection; see
    /// [`replay`](crate::ClientBuilder::replay). The replay stands directly behind [`Connected`](Self::Connected). One that joins anew, as a page does that comes out of the
    /// back-forward cache, may have heard some of it before: a list begins anew with the first.
    Replayed(Rx),
    /// The socket is open and the greetings are sent.
    Connected {
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// There is no socket, and the loop will dial again.
    Reconnecting {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then; `None` while the browser is offline.
        delay: Option<Duration>,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The loop has ended. [`Client::reconnect`](crate::Client::reconnect) starts it anew, for all its tabs, and so does any tab that joins. For a client
    /// that was logged out, or is [one too many](crate::WorkerError::TooManyChannels), it is the last event.
    Disconnected {
        /// Why.
        reason: StopReason,
    },
    /// Nothing is dialled before a tab has a credential: all have declined, were too slow, or had only refused ones. A tab that
    /// joins ends it, and so does [`Client::reconnect`](crate::Client::reconnect), after a log-in for instance; not when another tab has
    /// logged in by then, as it would replace the open socket: [`Client::status`](crate::Client::status) knows. When the server has refused none, the
    /// tabs are asked again by and by, of which nothing is told until one has a credential.
    NeedsAuth {
        /// Whether the server has refused the last one.
        refused: bool,
    },
    /// How the connection is doing: when this client joins it, after every change of the state, and when
    /// [`Client::refresh_status`](crate::Client::refresh_status) asks. Tabs that come and go, and what is queued meanwhile, are told with the next.
    ///
    /// It stands behind the [`Connected`](Self::Connected), [`Reconnecting`](Self::Reconnecting) or [`Disconnected`](Self::Disconnected) of the
    /// same change, in which [`Client::status`](crate::Client::status) is still the one before. It stands in front of a
    /// [`NeedsAuth`](Self::NeedsAuth), of the `Connected` of a client that joins an open connection, and of a `Disconnected` because there is no
    /// worker, or that is a client's last event.
    Status(Status),
    /// Messages were dropped, here: the page, or the reader of this stream, did not keep up.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// A newer build of the app is out: another tab runs it, or the worker does. The connection lives on, and goes on working.
    ///
    /// It comes once for each build that is newer than the last one told, in every tier in which tabs share a worker. Offer a reload, or
    /// reload when nothing can be lost by it; a page that reloads by itself should remember for which build it did, so that
    /// an old page from a cache does not reload for ever.
    UpdateAvailable {
        /// The newest [build number](onesocket_manager::ManagerConfig::build) that was met; above this tab's own. `None` when
        /// it is known only that somebody speaks a newer protocol.
        build: Option<u64>,
    },
    /// Something went wrong. It ends nothing, but for [`ClientError::NoWorker`] and
    /// [`WorkerError::TooManyChannels`](crate::WorkerError::TooManyChannels), behind which [`Disconnected`](Self::Disconnected) follows.
    Error(ClientError),
}

impl<Rx> Event<Rx> {
    /// Returns the message, whether or not it is [replayed](Self::Replayed), and `None` of every other event: for who wants a stream of messages alone.
    ///
    /// ```
    /// use futures::{Stream, StreamExt};
    /// use onesocket::{Client, Event};
    ///
    /// fn texts(client: &Client<str, String>) -> impl Stream<Item = String> + use<> {
    ///     client.events().filter_map(async |event| event.into_message())
    /// }
    ///
    /// assert_eq!(Event::Message("hello").into_message(), Some("hello"));
    /// assert_eq!(Event::<&str>::Lagged { missed: 3 }.into_message(), None);
    /// # let _ = texts;
    /// ```
    pub fn into_message(self) -> Option<Rx> {
        match self {
            Self::Message(message) | Self::Replayed(message) => Some(message),
            _ => None,
        }
    }

    /// Returns the same event with another message in it; what is no message stays as it is.
    pub fn map<T>(self, map: impl FnOnce(Rx) -> T) -> Event<T> {
        match self {
            Self::Message(message) => Event::Message(map(message)),
            Self::Replayed(message) => Event::Replayed(map(message)),
            Self::Connected { subprotocol } => Event::Connected { subprotocol },
            Self::Reconnecting {
                attempt,
                delay,
                cause,
            } => Event::Reconnecting {
                attempt,
                delay,
                cause,
            },
            Self::Disconnected { reason } => Event::Disconnected { reason },
            Self::NeedsAuth { refused } => Event::NeedsAuth { refused },
            Self::Status(status) => Event::Status(status),
            Self::Lagged { missed } => Event::Lagged { missed },
            Self::UpdateAvailable { build } => Event::UpdateAvailable { build },
            Self::Error(error) => Event::Error(error),
        }
    }
}

/// What a client hears, from the moment on at which [`Client::events`](crate::Client::events) was called; the first call gets
/// what was heard before it too.
///
/// It does not keep the client alive, and ends when the client is closed, as by the drop of its last clone, behind what was heard before. At most 65,536 messages wait in it for their reader, of at most 64 MiB as the server has
/// sent them; one that is alone may have more. Beyond that messages and [errors](Event::Error) are dropped and counted in an [`Event::Lagged`].
///
/// Who has read for 8 ms without a pause is given nothing before the browser has had a turn, so that thousands of messages do not keep the page from being painted
/// and clicked. Until they are read the worker posts nothing more: what comes waits there, and is lost beyond
/// [16 MiB](onesocket_protocol::limits::MAX_BACKLOG_BYTES). A reader that polls until nothing is there, as by `now_or_never`, goes on with the next task.
///
/// # Cancel safety
///
/// Nothing is lost when a future of it, such as that of `next`, is dropped: what has come stays in the stream. So it may be read in `select!`, that of
/// `futures` as well as that of tokio:
///
/// ```
/// use futures::{FutureExt, StreamExt, select};
/// use onesocket::{Client, Event, RequestError, RequestId, codec::Text};
///
/// /// Shows what comes until the answer does.
/// async fn ask(client: &Client<str, String>) -> Result<String, RequestError> {
///     let mut events = client.events();
///     let mut answer = client.request(|id| format!("{id} weather"));
///     loop {
///         select! {
///             answer = answer => return answer,
///             event = events.select_next_some() => {
///                 if let Event::Message(text) = event {
///                     println!("{text}");
///                 }
///             }
///         }
///     }
/// }
///
/// let client: Client<str, String> = Client::builder("wss://example.org/", Text)
///     .replies(|text: &String| text.split(' ').next()?.parse().ok().map(RequestId))
///     .build()?;
/// // There is no browser here, so nothing is sent.
/// assert!(matches!(ask(&client).now_or_never(), Some(Err(RequestError::Send(_)))));
/// # Ok::<(), onesocket::BuildError>(())
/// ```
///
/// # When messages are decoded
///
/// Messages of a stream that came together, and binary ones of 16 KiB and more, are decoded when they are read here, the others when they come.
/// What is so large stays outside of the page's wasm until then, whose memory never shrinks; in the main tier where it does not receive by gloo-net.
pub struct Events<Rx> {
    inbox: Rc<RefCell<Inbox<Rx>>>,
    decode: Decode<Rx>,
    acknowledges: Acknowledges<Rx>,
    turn: Turn,
    stride: Stride,
    reading: Reading,
}

/// What a stream's reader was given last.
#[derive(Clone, Copy)]
enum Reading {
    /// Nothing: there was nothing.
    Through,
    Something,
    /// Nothing before this turn of the browser's.
    Yielded(u32),
    /// The end.
    End,
}

impl<Rx> Stream for Events<Rx> {
    type Item = Event<Rx>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.yields(cx) {
            return Poll::Pending;
        }
        loop {
            let next = this.inbox.borrow_mut().take(cx);
            match next {
                // Nothing is borrowed meanwhile: a codec is an app's code.
                Next::Unread(payload) => {
                    if let Some(event) = this.read(&payload) {
                        return Poll::Ready(Some(event));
                    }
                }
                Next::Event(event) => return Poll::Ready(Some(event)),
                Next::End => {
                    this.reading = Reading::End;
                    return Poll::Ready(None);
                }
                Next::Pending => {
                    this.reading = Reading::Through;
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Terminated once its end was read, so that `futures::select!` takes it as it is.
impl<Rx> FusedStream for Events<Rx> {
    fn is_terminated(&self) -> bool {
        matches!(self.reading, Reading::End)
    }
}

impl<Rx> fmt::Debug for Events<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("waiting", &self.inbox.borrow().count)
            .finish()
    }
}

impl<Rx> Events<Rx> {
    pub(crate) fn new(
        inbox: Rc<RefCell<Inbox<Rx>>>,
        decode: Decode<Rx>,
        acknowledges: Acknowledges<Rx>,
        turn: Turn,
    ) -> Self {
        Self {
            inbox,
            decode,
            acknowledges,
            turn,
            stride: Stride::default(),
            reading: Reading::Through,
        }
    }

    /// Lets the browser have a turn, when the reader has held the page for long and there is more to be read.
    fn yields(&mut self, cx: &Context<'_>) -> bool {
        match self.reading {
            Reading::Something if !self.stride.is_over(1) => return false,
            Reading::Something if self.inbox.borrow().count == 0 => {}
            Reading::Something => return self.wait(cx),
            Reading::Yielded(number) if self.turn.is_to_come(number) => return self.wait(cx),
            Reading::Through | Reading::Yielded(_) | Reading::End => self.stride.begin(),
        }
        self.reading = Reading::Something;
        false
    }

    #[inline(never)]
    fn wait(&mut self, cx: &Context<'_>) -> bool {
        match self.turn.wait(cx.waker()) {
            Some(number) => self.reading = Reading::Yielded(number),
            None => self.reading = Reading::Something,
        }
        matches!(self.reading, Reading::Yielded(_))
    }

    /// Decodes a message; `None` when it acknowledges another tab's, or one more of ours.
    fn read(&self, payload: &Payload) -> Option<Event<Rx>> {
        match (self.decode)(payload) {
            Ok(message) if (self.acknowledges)(&message).is_some() => None,
            Ok(message) => Some(Event::Message(message)),
            Err(error) => Some(undecodable(payload, error)),
        }
    }
}

/// What waits for the reader of one stream.
pub(crate) struct Inbox<Rx> {
    waiting: VecDeque<Waiting<Rx>>,
    /// How many messages and other events are in there.
    count: usize,
    /// How many bytes the messages in there have come as; those of a pack until all of it is read.
    bytes: usize,
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

enum Waiting<Rx> {
    /// An event, and how many bytes it has come as: how large the message in it is only the app knows.
    Event(Event<Rx>, usize),
    /// So many of these messages, as they have come, and how many bytes all of them have.
    Packed(Take<Payloads>, usize),
    /// This message, as it has come.
    Parcel(Parcel),
}

/// What is in front.
enum Next<Rx> {
    Event(Event<Rx>),
    /// A message that nobody has looked at.
    Unread(Payload),
    End,
    Pending,
}

impl<Rx> Default for Inbox<Rx> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            count: 0,
            bytes: 0,
            missed: 0,
            closed: false,
            waker: None,
        }
    }
}

impl<Rx> Inbox<Rx> {
    /// Takes what is in front, or sees to it that the reader is woken when there is something.
    fn take(&mut self, cx: &Context<'_>) -> Next<Rx> {
        while let Some(front) = self.waiting.front_mut() {
            if let Waiting::Packed(unread, _) = front
                && let Some(payload) = unread.next()
            {
                self.count -= 1;
                return Next::Unread(payload);
            }
            match self.waiting.pop_front() {
                Some(Waiting::Event(event, bytes)) => {
                    self.count -= 1;
                    self.bytes -= bytes;
                    return Next::Event(event);
                }
                Some(Waiting::Parcel(parcel)) => {
                    self.count -= 1;
                    self.bytes -= parcel.len();
                    return Next::Unread(parcel.into_payload());
                }
                // What is empty is taken away, too.
                Some(Waiting::Packed(_, bytes)) => self.bytes -= bytes,
                None => {}
            }
        }
        self.take_last(cx)
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn take_last(&mut self, cx: &Context<'_>) -> Next<Rx> {
        if let Some(lagged) = self.take_missed() {
            return Next::Event(lagged);
        }
        if self.closed {
            return Next::End;
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Next::Pending
    }

    /// Whether a message of so many bytes must be dropped and counted. Once one is, all are until the reader has caught up or something else
    /// has come, so that the hole is in one place.
    pub(crate) fn must_drop(&mut self, bytes: usize) -> bool {
        let full = self.room(bytes) == 0;
        self.missed += u64::from(full);
        full
    }

    /// How many messages more may wait, when they have so many bytes together.
    fn room(&self, bytes: usize) -> usize {
        if self.missed > 0 || (self.count > 0 && self.bytes + bytes > MAX_WAITING_BYTES) {
            return 0;
        }
        MAX_WAITING.saturating_sub(self.count)
    }

    /// Appends as many messages as may wait, and counts the others as dropped.
    #[must_use]
    pub(crate) fn push_packed(&mut self, packed: &Packed) -> Option<Waker> {
        let (count, bytes) = (packed.count() as usize, packed.bytes().len());
        let taken = count.min(self.room(bytes));
        self.missed += (count - taken) as u64;
        if taken > 0 {
            self.count += taken;
            self.bytes += bytes;
            let unread = packed.payloads().take(taken);
            self.waiting.push_back(Waiting::Packed(unread, bytes));
        }
        self.waker.take()
    }

    /// Appends a message, or counts it as dropped.
    #[must_use]
    pub(crate) fn push_parcel(&mut self, parcel: &Parcel) -> Option<Waker> {
        let bytes = parcel.len();
        if !self.must_drop(bytes) {
            self.count += 1;
            self.bytes += bytes;
            self.waiting.push_back(Waiting::Parcel(parcel.clone()));
        }
        self.waker.take()
    }

    /// Appends a message of so many bytes; returns who is to be woken, once no borrow is held any more.
    #[must_use]
    pub(crate) fn push_message(&mut self, event: Event<Rx>, bytes: usize) -> Option<Waker> {
        self.append(event, bytes);
        self.waker.take()
    }

    /// Appends what is no message, behind the hole if there is one: who reads no further than this must know of it.
    #[must_use]
    #[inline(never)]
    pub(crate) fn push(&mut self, event: Event<Rx>) -> Option<Waker> {
        match event {
            // The server, or a worker that is behind, may make any number of these.
            Event::Error(_) if self.must_drop(0) => {}
            Event::Lagged { missed } if self.room(0) == 0 => self.missed += missed,
            event => {
                if let Some(lagged) = self.take_missed() {
                    self.append(lagged, 0);
                }
                self.append(event, 0);
            }
        }
        self.waker.take()
    }

    fn append(&mut self, event: Event<Rx>, bytes: usize) {
        self.count += 1;
        self.bytes += bytes;
        self.waiting.push_back(Waiting::Event(event, bytes));
    }

    fn take_missed(&mut self) -> Option<Event<Rx>> {
        let missed = core::mem::take(&mut self.missed);
        (missed > 0).then_some(Event::Lagged { missed })
    }

    #[must_use]
    pub(crate) fn close(&mut self) -> Option<Waker> {
        self.closed = true;
        self.waker.take()
    }
}

/// Messages that wait for a reader. Enough for a page that is busy for seconds in a flood; a reader that has stopped for good
/// must not take the page's memory.
const MAX_WAITING: usize = 65_536;

/// Bytes of them. As many as the worker keeps for a page in a burst, and as the largest message may have.
const MAX_WAITING_BYTES: usize = limits::MAX_BURST_BYTES;
