//! The typed client.

mod messages;

use std::{
    borrow,
    cell::{Cell, RefCell},
    convert::Infallible,
    fmt,
    rc::{Rc, Weak},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use futures::channel::oneshot;
use litemap::LiteMap;
use onesocket_engine::{ChannelEvent, Delivery};
use onesocket_manager::{Channel, Ladder, Tier, WorkerManager};
use onesocket_protocol::{
    self as protocol, DebugLevel, GreetingId, LinkState, Parcel, Payload, SendFailure, Status,
    StopReason, WorkerError, limits,
};

use crate::{
    BuildError, ClientBuilder, ClientError, CloseError, Codec, Event, EventGuard, Events,
    GreetError, GreetingGuard, LogOut, ParcelGuard, Ready, ReadyError, Request, RequestId,
    SendError, Sending, auth::Authenticator, codec::DecodeError, event::Inbox, listener::Listeners,
    page, ready::Gate, receipts::Receipts,
};

/// A typed connection, shared with every tab that asks for the same URL, subprotocols and account.
///
/// Clones are the same client. When the last one is dropped it disconnects: what it had queued fails, its greetings are
/// dropped, and when no other tab is left the socket is closed after a short linger. It lives in the page, on any tier.
///
/// ```
/// use onesocket::{Client, codec::Json};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// enum Up { Say(String) }
///
/// #[derive(Deserialize)]
/// enum Down { Said { from: String, text: String } }
///
/// let client: Client<Up, Down> = Client::builder("wss://example.org/chat", Json).build()?;
/// let also = client.clone(); // No second connection, and no second channel.
/// # drop(also);
/// # Ok::<(), onesocket::BuildError>(())
/// ```
pub struct Client<Tx: ?Sized, Rx> {
    codec: Rc<dyn Codec<Tx, Rx>>,
    shared: Rc<Shared<Rx>>,
}

impl<Tx: ?Sized + 'static, Rx: 'static> Client<Tx, Rx> {
    /// Starts to build a client for a URL, absolute or relative to the page. See [`ClientBuilder`]; an app with routes needs
    /// [`worker`](ClientBuilder::worker).
    pub fn builder(
        url: impl Into<String>,
        codec: impl Codec<Tx, Rx> + 'static,
    ) -> ClientBuilder<Tx, Rx> {
        ClientBuilder::new(url.into(), Rc::new(codec))
    }

    pub(crate) fn new(codec: Rc<dyn Codec<Tx, Rx>>, shared: Rc<Shared<Rx>>) -> Self {
        Self { codec, shared }
    }

    /// Sends a message: at once when the socket is open, else when it is next. The message is taken by this call, in the order
    /// of the calls; awaiting what it returns tells the outcome.
    ///
    /// # Errors
    ///
    /// The future ends as [`SendError`] when the message was not, or may not have been, handed to an open socket.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the message back.
    ///
    /// ```
    /// # use onesocket::{Client, SendError, codec::Text};
    /// # async fn run(client: Client<str, String>) {
    /// match client.send("hello").await {
    ///     Ok(id) => println!("{id} was handed to an open socket"),
    ///     Err(SendError::MaybeSent { id }) => println!("{id} perhaps"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn send(&self, message: &Tx) -> Sending {
        self.deliver(message, self.shared.delivery)
    }

    /// Sends a message as [`send`](Self::send) does, with another [`Delivery`] than the builder's.
    ///
    /// - [`Delivery::AtMostOnce`], the default: never sent twice. When the worker is lost in the very moment in which it hands the
    ///   message to the socket, the future ends as [`SendError::MaybeSent`].
    /// - [`Delivery::AtLeastOnce`]: in that case the next worker sends it again. For messages that may come twice.
    /// - [`Delivery::UntilAcknowledged`]: it is kept, and sent again on every new socket and by every new worker, until the server
    ///   acknowledges it in the app's own protocol, as [`Codec::ack_id`] and [`Codec::acknowledges`] know it. The future ends
    ///   then; or, when the queue's timeout, which each worker counts anew, is over or the connection has stopped first, as
    ///   [`SendError::MaybeSent`]. What is kept counts towards the queue's limits: over them it is [`SendError::NotSent`], also on an open socket.
    ///
    /// Whatever it is, one client's messages reach the server in the order of the calls, repetitions apart. One that is not `AtMostOnce`, and that a worker had refused
    /// just before it was lost, may come behind later ones: the next worker takes it, and repeats those.
    ///
    /// # Errors
    ///
    /// As for `send`. [`SendError::NoAckId`] when the codec has no name for the message.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the message back.
    ///
    /// ```
    /// use futures::FutureExt;
    /// use onesocket::{Client, Delivery, SendError, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// let sending = client.deliver("text has no name", Delivery::UntilAcknowledged);
    /// assert!(matches!(sending.now_or_never(), Some(Err(SendError::NoAckId))));
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn deliver(&self, message: &Tx, delivery: Delivery) -> Sending {
        let ack_id = match (delivery, self.codec.ack_id(message)) {
            (Delivery::UntilAcknowledged, None) => return Sending::failed(SendError::NoAckId),
            (Delivery::UntilAcknowledged, Some(ack_id)) => Some(ack_id),
            _ => None,
        };
        match self.codec.encode(message) {
            Ok(payload) => self.shared.send(payload, delivery, ack_id),
            Err(error) => Sending::failed(SendError::Encode(error)),
        }
    }

    /// Sends a request and waits for its answer, 30 s if [`Request::timeout`] does not say otherwise.
    ///
    /// `build` puts the id into the message, or into what can be borrowed as one, such as the `String` of a `Client<str, _>`; the server repeats it in the answer, where
    /// [`ClientBuilder::replies`] finds it. Ids are random, so tabs that share a socket do not mix up their answers; an answer to
    /// another tab's request is nobody's message.
    ///
    /// # Errors
    ///
    /// The future ends as [`RequestError`](crate::RequestError) when no answer came.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the request back; its answer is dropped when it comes.
    ///
    /// ```
    /// use onesocket::{Client, RequestError, RequestId, codec::Text};
    ///
    /// // The server repeats the number in front of its answer.
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text)
    ///     .replies(|text: &String| text.split(' ').next()?.parse().ok().map(RequestId))
    ///     .build()?;
    /// # async fn run(client: Client<str, String>) -> Result<(), RequestError> {
    /// let answer = client.request(|RequestId(id)| format!("{id} weather")).await?;
    /// # drop(answer);
    /// # Ok(())
    /// # }
    /// # drop(client);
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn request<T>(&self, build: impl FnOnce(RequestId) -> T) -> Request<Rx>
    where
        T: borrow::Borrow<Tx>,
    {
        Request::new(&self.shared, |id| {
            self.send(borrow::Borrow::borrow(&build(id)))
        })
    }

    /// Registers a message that is sent first on every new socket, before anything that was queued: a log-in, a subscription.
    /// If the socket is open it is sent at once. Of identical greetings of several tabs only one is sent.
    ///
    /// When the last tab that holds it drops its guard, or is closed, `farewell` is sent if the socket is open.
    ///
    /// # Errors
    ///
    /// When the codec can't encode one of the messages, one is over 1 MiB, or the client holds 1,024 already.
    ///
    /// ```
    /// use onesocket::{Client, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// let news = client.greet("subscribe news", Some("unsubscribe news"))?;
    /// drop(news); // The farewell is sent, when no other tab holds the same greeting.
    /// client.greet("my name is ada", None)?.keep(); // For as long as the client lives.
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn greet(
        &self,
        greeting: &Tx,
        farewell: Option<&Tx>,
    ) -> Result<GreetingGuard<Rx>, GreetError> {
        let payload = self.encode_greeting(greeting)?;
        let farewell = farewell
            .map(|farewell| self.encode_greeting(farewell))
            .transpose()?;
        let cap = limits::MAX_GREETINGS;
        let held = self.shared.with_channel(Channel::greetings);
        if held.is_some_and(|held| held >= cap) {
            return Err(GreetError::TooMany { cap });
        }
        Ok(self.shared.greet(payload, farewell))
    }

    fn encode_greeting(&self, message: &Tx) -> Result<Payload, GreetError> {
        let payload = self.codec.encode(message).map_err(GreetError::Encode)?;
        let (bytes, cap) = (payload.len(), limits::MAX_GREETING_BYTES);
        if bytes > cap {
            return Err(GreetError::TooLarge { bytes, cap });
        }
        Ok(payload)
    }
}

impl<Tx: ?Sized, Rx: 'static> Client<Tx, Rx> {
    /// Returns what the client hears from now on, as a stream; the first stream also has everything heard since it was built. The stream does not keep the
    /// client alive: a task that only reads has to own a clone.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use onesocket::{Client, Event};
    ///
    /// async fn show(client: Client<str, String>) {
    ///     let mut events = client.events();
    ///     while let Some(event) = events.next().await {
    ///         match event {
    ///             Event::Message(text) | Event::Replayed(text) => println!("{text}"),
    ///             Event::Lagged { missed } => println!("{missed} messages are missing here"),
    ///             Event::Disconnected { reason } => println!("stopped: {reason}"),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn events(&self) -> Events<Rx> {
        self.shared.subscribe()
    }

    /// Calls `listener` with what the client hears from now on, in the moment in which it comes, until the guard is dropped or the client is
    /// closed. One that is closed already drops the listener.
    ///
    /// For many listeners that come and go, such as components: a message is decoded once for all of them, and nothing waits in a
    /// queue. It may call whatever it likes, also what ends it. What it is slow with, everything else in the page waits for; of many messages that are told for 8 ms
    /// the rest is told when the browser has had a turn. Client and listener keep each other alive when the listener owns a clone of the client, until the guard is dropped.
    ///
    /// An app that listens only this way should take [`events`](Self::events) once and drop it: the first stream collects what
    /// comes until somebody asks for it.
    ///
    /// ```
    /// use onesocket::{Client, Event, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// let guard = client.on_event(|event| {
    ///     if let Event::Message(text) = event {
    ///         println!("{text}");
    ///     }
    /// });
    /// drop(guard); // It hears nothing any more.
    /// client.on_event(|event| println!("{event:?}")).keep(); // For as long as the client lives.
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn on_event(&self, listener: impl Fn(Event<Arc<Rx>>) + 'static) -> EventGuard<Rx> {
        let shared = &self.shared;
        // Nothing would ever break the cycle with a listener that owns the client.
        if shared.closed.get() {
            return EventGuard {
                shared: Weak::new(),
                id: 0,
            };
        }
        EventGuard {
            shared: Rc::downgrade(shared),
            id: shared.listeners.add(listener),
        }
    }

    /// Calls `take` with each large binary message as it comes, in its place among the others, until the guard is dropped or the client is closed. Listeners
    /// do not hear of it then, streams do. There is one at a time: it takes the place of the one before, for good. A client that is closed already drops it.
    ///
    /// A message is large from 16 KiB on. It is a buffer of the browser's still, and to read it copies it into the page's wasm, whose memory never shrinks:
    /// what goes on to JavaScript, to be drawn, played or stored, need not come in here. `onesocket::into_buffer`, which is there in browsers alone, makes the `ArrayBuffer` of it. A message
    /// that is [replayed](crate::ClientBuilder::replay) is for the listeners, and so is every message of a client that waits for
    /// [answers](crate::ClientBuilder::replies) or for an acknowledgement, which has to read them all; and every one that comes by gloo-net, as through a worker
    /// of your own with the default features of `onesocket-worker`, or in the main tier of a page in its package.
    ///
    /// An app without streams should take [`events`](Self::events) once and drop it, as for [`on_event`](Self::on_event): what the first stream collects is
    /// kept, and who takes it has a copy.
    ///
    /// ```
    /// use onesocket::{Client, codec::Bytes};
    ///
    /// let client: Client<[u8], bytes::Bytes> = Client::builder("wss://example.org/", Bytes).build()?;
    /// let guard = client.on_parcel(|parcel| assert!(parcel.len() >= 16 * 1024));
    /// drop(guard); // Listeners hear of them again.
    /// client.on_parcel(|parcel| assert!(parcel.len() >= 16 * 1024)).keep(); // For as long as the client lives.
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn on_parcel(&self, take: impl Fn(Parcel) + 'static) -> ParcelGuard<Rx> {
        let shared = &self.shared;
        if shared.closed.get() {
            return ParcelGuard {
                shared: Weak::new(),
                id: 0,
            };
        }
        ParcelGuard {
            shared: Rc::downgrade(shared),
            id: shared.take_parcels(Rc::new(take)),
        }
    }

    /// Returns how many bytes are on their way: those of this client's messages that have no outcome yet, in the page, on the port or in
    /// the worker's queue, and what the worker's socket holds that has not gone to the network.
    ///
    /// It is the platform's [`bufferedAmount`](https://developer.mozilla.org/en-US/docs/Web/API/WebSocket/bufferedAmount)
    /// ([WHATWG](https://websockets.spec.whatwg.org/#dom-websocket-bufferedamount)), as well as that can be known here:
    ///
    /// - Of the socket it says what the worker has told last, in steps of 256 KiB, rounded down
    ///   ([`socket_buffered_amount`](Self::socket_buffered_amount)). That is what all tabs have sent on this connection.
    /// - A message that is kept until the server acknowledges it counts until then, also while the socket holds it.
    /// - It is 0 when the client is closed, and the socket's part when the socket is lost.
    /// - WebKitGTK says 0 of every socket, whatever it holds.
    ///
    /// ```
    /// use onesocket::{Client, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// assert_eq!(client.buffered_amount(), 0); // There is no browser around a doc test, and nothing is taken.
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn buffered_amount(&self) -> usize {
        self.shared.buffered_amount()
    }

    /// Returns the part of [`buffered_amount`](Self::buffered_amount) that the worker's socket holds, of all tabs together, as last told.
    /// A client that has sent nothing yet is told nothing.
    #[must_use]
    pub fn socket_buffered_amount(&self) -> usize {
        let bytes = self.shared.with_channel(Channel::socket_bytes);
        bytes.map_or(0, |bytes| bytes as usize)
    }

    /// Waits until so little is on its way that more should be sent: at most 1 MiB of [`buffered_amount`](Self::buffered_amount), if
    /// [`ClientBuilder::ready_at`] does not say otherwise. It looks when it is called; then there is nothing to wait for, or it ends as soon
    /// as there isn't.
    ///
    /// For whoever produces faster than the network takes, such as an upload: without it what is sent piles up in memory. Nothing is
    /// held back by it: who does not ask may go on to send, and what was handed to the socket has been sent.
    ///
    /// While there is no socket it waits as the messages in the queue do. A tab that sends on the same connection delays it, and a
    /// worker that hangs does until it is replaced. A socket that is lost does not, nor a worker that is gone.
    ///
    /// # Errors
    ///
    /// The future ends as [`ReadyError`] when nothing will be sent: the connection has stopped, there is no worker, or the client is
    /// closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future costs nothing. Several may wait; they go on together.
    ///
    /// ```
    /// use futures::FutureExt;
    /// use onesocket::{Client, ReadyError, codec::Bytes};
    ///
    /// async fn upload(client: &Client<[u8], bytes::Bytes>, file: &[u8]) -> Result<(), ReadyError> {
    ///     for chunk in file.chunks(64 * 1024) {
    ///         client.ready().await?;
    ///         drop(client.send(chunk)); // Taken by the call. Awaiting it, too, would wait for each chunk.
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let client: Client<[u8], bytes::Bytes> = Client::builder("wss://example.org/", Bytes).build()?;
    /// // There is no browser here, so it is no use to wait.
    /// let outcome = upload(&client, b"hello").now_or_never();
    /// assert!(matches!(outcome, Some(Err(ReadyError::NoWorker(_)))));
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn ready(&self) -> Ready {
        self.shared.gate.wait(self.shared.buffered_amount())
    }

    /// Returns how the connection is doing, as last heard, without waiting. A worker tells every change of the state; the tabs and what is
    /// queued are as of the last one, or as [`refresh_status`](Self::refresh_status) has asked.
    ///
    /// It changes when [`Event::Status`] is told, which is behind the event that tells of the same change, or in front of it: see there.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// Asks the worker for a fresh [`Event::Status`], such as for its queue and tabs, which change without an event.
    pub fn refresh_status(&self) {
        self.shared.with_channel(Channel::ask_status);
    }

    /// Asks for a new socket now: ends a wait, starts a stopped connection anew, replaces an open socket. For all tabs. Asked for before there is a worker, it
    /// replaces nothing that other tabs have. It breaks off a dial that is under way, unless a `reconnect` has begun that less than 5 s before: what several tabs
    /// ask for at once, or one again and again, is one dial.
    ///
    /// While the server wants to be left alone (see [`delay_reconnect`](Self::delay_reconnect)) the dial waits for that, and some time more. Where the
    /// browser says that it is offline, and there is no open socket, it is dialled all the same; an open one is kept until the browser is online.
    ///
    /// When no worker could be had, the tiers are tried again.
    pub fn reconnect(&self) {
        self.shared.manager.start();
        self.shared.gate.restart();
        self.shared.with_channel(Channel::reconnect);
    }

    /// Passes on a delay that the server has asked for in a message: the next dial waits at least so long. For all tabs. Of more than an
    /// hour it is an hour.
    ///
    /// A server can also say it in its close reason, as `retry-after=SECONDS`, and over how long after that its clients should
    /// spread, as `spread=SECONDS`.
    pub fn delay_reconnect(&self, delay: Duration) {
        self.shared
            .with_channel(|channel| channel.delay(delay.into()));
    }

    /// Ends the connection for all tabs of this account: the socket is closed, sends fail, and each client hears
    /// [`Event::Disconnected`] with [`StopReason::LoggedOut`] as its last event. For another log-in a new client is built;
    /// one that joins while what is queued has its time ends that time.
    ///
    /// It holds if the worker is lost meanwhile: the next one is told, for 30 s at most once the client is dropped. A tab that is frozen hears of it when it thaws; if the worker is
    /// lost before, it may open the connection again, so let the server end the session too.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use onesocket::{Client, LogOut, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).account("ada").build()?;
    /// client.log_out(LogOut::Drain(Duration::from_secs(3))); // What is queued has 3 s to be sent.
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn log_out(&self, queued: LogOut) {
        self.shared
            .with_channel(|channel| channel.log_out(queued.patience()));
    }

    /// Closes the socket by a code of the app's, behind what was sent before, and ends the connection for all its tabs: each client hears
    /// [`Event::Disconnected`] with [`StopReason::Closed`], which says how the server has answered. [`reconnect`](Self::reconnect) starts
    /// it anew, and so does any tab that joins; when it joins before the server has answered, the others hear of no answer, which is 1006.
    ///
    /// [`disconnect`](Self::disconnect) needs no code and leaves other tabs what they have. A worker that was given it and is lost takes it
    /// along, and the next one connects.
    ///
    /// # Errors
    ///
    /// When a browser would not let a script send that code or reason, or there is a reason without a code.
    ///
    /// ```
    /// use onesocket::{Client, CloseError, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// assert_eq!(client.close_socket(4000, "done"), Ok(()));
    /// assert_eq!(client.close_socket(None, ""), Ok(()));
    /// assert_eq!(client.close_socket(1001, ""), Err(CloseError::Code { code: 1001 }));
    /// assert_eq!(client.close_socket(None, "done"), Err(CloseError::ReasonWithoutCode));
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    pub fn close_socket(
        &self,
        code: impl Into<Option<u16>>,
        reason: &str,
    ) -> Result<(), CloseError> {
        let code = code.into();
        if let Some(code) = code.filter(|code| !matches!(code, 1000 | 3000..=4999)) {
            return Err(CloseError::Code { code });
        }
        if code.is_none() && !reason.is_empty() {
            return Err(CloseError::ReasonWithoutCode);
        }
        let (bytes, cap) = (reason.len(), limits::MAX_CLOSE_REASON_BYTES);
        if bytes > cap {
            return Err(CloseError::ReasonTooLong { bytes, cap });
        }
        let code = code.unwrap_or(NO_CODE);
        self.shared
            .with_channel(|channel| channel.close_socket(code, reason.to_owned()));
        Ok(())
    }

    /// Disconnects all clones of this client; its streams end. Sends that are on their way still end as what became of them.
    ///
    /// Listeners hear a last [`Event::Status`] once this call has returned, also when the client is dropped meanwhile. (On native targets, where
    /// there is nothing to wait for, they hear it at once.)
    pub fn disconnect(&self) {
        self.shared.leave();
    }

    /// Returns the tier that the loop runs on, or `None` while none is.
    #[must_use]
    pub fn tier(&self) -> Option<Tier> {
        self.shared.manager.tier()
    }

    /// Returns which tiers were tried, and what became of each.
    ///
    /// ```
    /// use onesocket::{Client, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
    /// assert_eq!(client.ladder().to_string(), "nothing tried yet"); // There is no browser around a doc test.
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn ladder(&self) -> Ladder {
        self.shared.manager.ladder()
    }

    /// Turns the debug log on or off, for this page and its worker, with all the tabs on it.
    pub fn set_debug(&self, level: DebugLevel) {
        self.shared.manager.set_debug(level);
    }

    /// Makes the worker fail, to see what the app does then: every tab that shares the worker is affected.
    ///
    /// The worker has to be built with the feature `faults` too (`onesocket-worker/faults`), else it answers with
    /// [`WorkerError::InvalidFrame`](crate::WorkerError::InvalidFrame) and nothing fails. In the tier
    /// [`Tier::Main`] the worker is the page, and so is what fails. Does nothing while there is no worker.
    ///
    /// Not for production: with it, any script of the origin can end the worker.
    #[cfg(feature = "faults")]
    pub fn fault(&self, fault: crate::Fault) {
        self.shared.manager.fault(fault);
    }

    /// Returns the manager of the worker, which other clients of this page may share.
    #[must_use]
    pub fn manager(&self) -> &WorkerManager {
        &self.shared.manager
    }
}

impl<Tx: ?Sized, Rx> Clone for Client<Tx, Rx> {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec.clone(),
            shared: self.shared.clone(),
        }
    }
}

/// Clones are equal.
impl<Tx: ?Sized, Rx> PartialEq for Client<Tx, Rx> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<Tx: ?Sized, Rx> Eq for Client<Tx, Rx> {}

impl<Tx: ?Sized, Rx> fmt::Debug for Client<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("status", &self.shared.status.borrow())
            .finish_non_exhaustive()
    }
}

/// Stands for a close without a code ([RFC 6455, section 7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1)).
const NO_CODE: u16 = 1005;

/// Decodes a payload.
pub(crate) type Decode<Rx> = Rc<dyn Fn(&Payload) -> Result<Rx, DecodeError>>;
/// Finds the message that a message acknowledges.
pub(crate) type Acknowledges<Rx> = Rc<dyn Fn(&Rx) -> Option<u64>>;
/// Finds the request that a message answers.
pub(crate) type ReplyTo<Rx> = Rc<dyn Fn(&Rx) -> Option<RequestId>>;

type TakeParcel = Rc<dyn Fn(Parcel)>;

/// What all clones of a client share, with its streams and guards.
pub(crate) struct Shared<Rx> {
    manager: WorkerManager,
    channel: RefCell<Option<Channel>>,
    decode: Decode<Rx>,
    reply_to: Option<ReplyTo<Rx>>,
    acknowledges: Acknowledges<Rx>,
    delivery: Delivery,
    gate: Gate,
    status: RefCell<Status>,
    receipts: Receipts,
    requests: RefCell<LiteMap<RequestId, oneshot::Sender<Rx>>>,
    listeners: Listeners<Rx>,
    /// Those of a client that is closed, until they have heard it.
    leaving: Listeners<Rx>,
    /// Who takes large messages as they come, by a number that no other has.
    on_parcel: RefCell<Option<(u64, TakeParcel)>>,
    next_parcel_id: Cell<u64>,
    inboxes: RefCell<Vec<Weak<RefCell<Inbox<Rx>>>>>,
    /// Collects until the first stream is asked for.
    first_inbox: RefCell<Option<Rc<RefCell<Inbox<Rx>>>>>,
    /// The app's, which may own the client.
    authenticator: RefCell<Option<Rc<Authenticator>>>,
    closed: Cell<bool>,
}

impl<Rx> Shared<Rx> {
    pub(crate) fn new(
        manager: WorkerManager,
        decode: Decode<Rx>,
        reply_to: Option<ReplyTo<Rx>>,
        acknowledges: Acknowledges<Rx>,
        delivery: Delivery,
        gate: Gate,
        authenticator: Option<Authenticator>,
    ) -> Rc<Self> {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        Rc::new(Self {
            manager,
            channel: RefCell::new(None),
            decode,
            reply_to,
            acknowledges,
            delivery,
            gate,
            status: RefCell::new(Status::WITHOUT_WORKER),
            receipts: Receipts::default(),
            requests: RefCell::default(),
            listeners: Listeners::default(),
            leaving: Listeners::default(),
            on_parcel: RefCell::default(),
            next_parcel_id: Cell::new(0),
            inboxes: RefCell::new(vec![Rc::downgrade(&inbox)]),
            first_inbox: RefCell::new(Some(inbox)),
            authenticator: RefCell::new(authenticator.map(Rc::new)),
            closed: Cell::new(false),
        })
    }

    pub(crate) fn attach(&self, channel: Channel) {
        if self.closed.get() {
            channel.close();
        } else {
            self.channel.replace(Some(channel));
        }
    }

    pub(crate) fn manager(&self) -> &WorkerManager {
        &self.manager
    }

    pub(crate) fn unlisten(&self, id: u64) {
        self.listeners.remove(id);
        self.leaving.remove(id);
    }

    fn take_parcels(&self, take: TakeParcel) -> u64 {
        let id = self.next_parcel_id.get();
        self.next_parcel_id.set(id + 1);
        let before = self.on_parcel.replace(Some((id, take)));
        // Outside of the borrow: it may own what is the app's.
        drop(before);
        id
    }

    pub(crate) fn leave_parcels(&self, id: u64) {
        let taker = self.on_parcel.borrow_mut().take_if(|(own, _)| *own == id);
        drop(taker);
    }

    pub(crate) fn knows_replies(&self) -> bool {
        self.reply_to.is_some()
    }

    fn with_channel<R>(&self, act: impl FnOnce(&Channel) -> R) -> Option<R> {
        self.channel.borrow().as_ref().map(act)
    }

    fn buffered_amount(&self) -> usize {
        self.with_channel(Channel::buffered_bytes)
            .unwrap_or_default()
    }

    fn send(&self, payload: Payload, delivery: Delivery, ack_id: Option<u64>) -> Sending {
        let sent = self.with_channel(|channel| channel.send(payload, delivery));
        match sent.unwrap_or(Err(onesocket_engine::SendRejected::Closed)) {
            Ok(id) => {
                let receipt = match ack_id {
                    Some(ack_id) => self.receipts.expect_acknowledged(id, ack_id),
                    None => self.receipts.expect_sent(id),
                };
                Sending::taken(id, receipt)
            }
            Err(rejected) => Sending::failed(SendError::Rejected(rejected)),
        }
    }

    fn greet(self: &Rc<Self>, payload: Payload, farewell: Option<Payload>) -> GreetingGuard<Rx> {
        let id = self
            .with_channel(|channel| channel.greet(payload, farewell))
            .flatten();
        GreetingGuard {
            shared: Rc::downgrade(self),
            id,
        }
    }

    pub(crate) fn ungreet(&self, id: GreetingId) {
        self.with_channel(|channel| channel.ungreet(id));
    }

    /// Registers a request under a fresh id.
    pub(crate) fn add_request(&self) -> (RequestId, oneshot::Receiver<Rx>) {
        let (answer, receiver) = oneshot::channel();
        let mut requests = self.requests.borrow_mut();
        let mut id = RequestId(page::random_53_bits());
        while requests.contains_key(&id) {
            id = RequestId(id.0.wrapping_add(1));
        }
        requests.insert(id, answer);
        (id, receiver)
    }

    pub(crate) fn remove_request(&self, id: RequestId) {
        // Dropped outside of the borrow, as that wakes who waits for it.
        let request = self.requests.borrow_mut().remove(&id);
        drop(request);
    }

    fn subscribe(&self) -> Events<Rx> {
        if let Some(first) = self.first_inbox.borrow_mut().take() {
            return self.stream(first);
        }
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        if self.closed.get() {
            wake(inbox.borrow_mut().close());
        } else {
            let mut inboxes = self.inboxes.borrow_mut();
            let stream = Rc::downgrade(&inbox);
            // In the place of one that nobody has: whoever goes through the list may be interrupted by this, and places must not shift.
            match inboxes.iter_mut().find(|place| place.strong_count() == 0) {
                Some(place) => *place = stream,
                None => inboxes.push(stream),
            }
        }
        self.stream(inbox)
    }

    fn stream(&self, inbox: Rc<RefCell<Inbox<Rx>>>) -> Events<Rx> {
        let (decode, acknowledges) = (Rc::clone(&self.decode), Rc::clone(&self.acknowledges));
        Events::new(inbox, decode, acknowledges, self.manager.turn())
    }

    /// Answers a worker that needs a credential.
    pub(crate) fn answer(&self, request: u32, credential: Option<protocol::Credential>) {
        self.with_channel(|channel| channel.credential(request, credential));
    }

    /// Reports what the app has supplied.
    pub(crate) fn complain(&self, error: &BuildError) {
        self.publish(Event::Error(ClientError::InvalidCredential(error.clone())));
    }

    /// Only messages are heard here, so that what drops any other event is out of line.
    pub(crate) fn hear(this: &Weak<Self>, event: ChannelEvent)
    where
        Rx: 'static,
    {
        match event {
            ChannelEvent::Message { replayed, payload } => {
                if let Some(this) = this.upgrade() {
                    this.on_message(replayed, &payload);
                    this.gate.review(|| this.buffered_amount());
                }
            }
            ChannelEvent::Packed(packed) => {
                if let Some(this) = this.upgrade() {
                    this.on_packed(&packed);
                    this.gate.review(|| this.buffered_amount());
                }
            }
            event => Self::on_rare_event(this, event),
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_rare_event(this: &Weak<Self>, event: ChannelEvent)
    where
        Rx: 'static,
    {
        let Some(this) = this.upgrade() else { return };
        // Until the worker has let go of it, a channel is told everything. Of messages nobody hears then, as there is nobody.
        if this.closed.get() && !ends_sends(&event) {
            return;
        }
        // Less is on its way then, and yet nobody should send more: that it has ended is told next.
        let is_end = matches!(
            event,
            ChannelEvent::NotSent {
                failure: SendFailure::Stopped(_) | SendFailure::NoWorker,
                ..
            }
        );
        match event {
            // Told already.
            ChannelEvent::Message { .. } | ChannelEvent::Packed(_) => {}
            ChannelEvent::Parcel(parcel) => this.on_parcel(parcel),
            ChannelEvent::Sent { through } => this.receipts.settle_through(through),
            ChannelEvent::Acknowledged { id } => this.receipts.settle(id, Ok(())),
            ChannelEvent::NotSent { id, failure } => {
                this.receipts.settle(id, Err(SendError::NotSent(failure)));
            }
            ChannelEvent::MaybeSent { id } => {
                this.receipts.settle(id, Err(SendError::MaybeSent { id }));
            }
            // What has gone is looked at below.
            ChannelEvent::Buffered { .. } => {}
            ChannelEvent::Status(status) => {
                if !matches!(status.state, LinkState::Stopped(_)) {
                    this.gate.revive();
                }
                if let Some(authenticator) = &*this.authenticator.borrow() {
                    authenticator.dials.learn(&status);
                }
                let before = this.status.replace(status.clone());
                let needs_auth = match status.state {
                    LinkState::NeedsAuth { refused } if before.state != status.state => {
                        Some(refused)
                    }
                    _ => None,
                };
                this.publish(Event::Status(status));
                if let Some(refused) = needs_auth {
                    this.publish(Event::NeedsAuth { refused });
                }
            }
            ChannelEvent::NeedCredential { request, refused } => {
                // Not within the borrow: who is asked may close the client.
                let authenticator = this.authenticator.borrow().clone();
                match authenticator {
                    Some(authenticator) => authenticator.answer(&this, request, refused),
                    None => this.answer(request, None),
                }
            }
            ChannelEvent::Connected { subprotocol } => {
                this.publish(Event::Connected { subprotocol });
            }
            ChannelEvent::Disconnected { reason } => this.on_disconnected(reason),
            ChannelEvent::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                let delay = delay.map(|delay| delay.duration());
                this.publish(Event::Reconnecting {
                    attempt,
                    delay,
                    cause,
                });
            }
            ChannelEvent::Lagged { missed } => this.publish(Event::Lagged { missed }),
            ChannelEvent::Error(error) => this.on_worker_error(error),
            ChannelEvent::UpdateAvailable { build } => {
                this.publish(Event::UpdateAvailable { build });
            }
            ChannelEvent::Failed(why) => {
                this.stop(StopReason::NoWorker);
                this.gate.stop(ReadyError::NoWorker(why.clone()));
                this.publish(Event::Error(ClientError::NoWorker(why)));
                this.publish_status();
                this.publish(Event::Disconnected {
                    reason: StopReason::NoWorker,
                });
            }
            // Every send was settled before it.
            ChannelEvent::Closed => this.receipts.clear(),
        }
        if !is_end {
            this.gate.review(|| this.buffered_amount());
        }
    }

    fn on_worker_error(&self, error: WorkerError) {
        let is_refused = error == WorkerError::TooManyChannels;
        self.publish(Event::Error(ClientError::Worker(error)));
        if is_refused {
            self.end(StopReason::Unused);
        }
    }

    fn on_disconnected(&self, reason: StopReason) {
        if reason == StopReason::LoggedOut {
            return self.end(reason);
        }
        // Before it is told: who hears it may close the client, or start it anew.
        self.gate.stop(ReadyError::Stopped(reason.clone()));
        self.publish(Event::Disconnected { reason });
    }

    /// Tells the last of it. The worker says how it is doing behind that, or never; then nothing may follow any more.
    fn end(&self, reason: StopReason) {
        self.gate.stop(ReadyError::Stopped(reason.clone()));
        self.stop(reason.clone());
        self.publish_status();
        self.publish(Event::Disconnected {
            reason: reason.clone(),
        });
        // Whoever has heard it may have closed the client, which tells the others.
        if !self.closed.get() {
            self.close(reason);
            self.leaving.clear();
        }
    }

    /// It has stopped, and no worker says so.
    fn stop(&self, reason: StopReason) {
        self.status.borrow_mut().state = LinkState::Stopped(reason);
    }

    fn publish_status(&self) {
        let status = self.status.borrow().clone();
        self.publish(Event::Status(status));
    }

    /// Tells everybody what is no message.
    fn publish(&self, event: Event<Infallible>) {
        self.publish_from(0, event);
    }

    /// Tells it to the listeners, and to the streams from this place on.
    fn publish_from(&self, from: usize, event: Event<Infallible>) {
        self.for_streams(from, |inbox| {
            inbox.push(event.clone().map(|never| match never {}))
        });
        self.listeners
            .tell(|| event.clone().map(|never| match never {}));
    }

    /// Returns how many streams there may be. By a call, since the head of a loop would borrow the list until its end.
    fn places(&self) -> usize {
        self.inboxes.borrow().len()
    }

    /// Returns the inbox of a stream that somebody has. Not all at once, as there is no list to be made for each message.
    fn inbox(&self, at: usize) -> Option<Rc<RefCell<Inbox<Rx>>>> {
        self.inboxes.borrow().get(at)?.upgrade()
    }

    /// Streams end, and are forgotten: what is late is not for them.
    fn close_streams(&self) {
        let inboxes = self.inboxes.take();
        for inbox in inboxes.iter().filter_map(Weak::upgrade) {
            let waker = inbox.borrow_mut().close();
            wake(waker);
        }
    }

    /// Closes it because its owner says so. Streams end; a listener could not know.
    pub(crate) fn leave(self: &Rc<Self>)
    where
        Rx: 'static,
    {
        // Once, since who hears it may call this again. Not within the owner's call, which may have borrowed what they need.
        if self.close(StopReason::Unused) && !self.leaving.is_empty() {
            let this = Rc::clone(self);
            page::soon(move || this.tell_leaving());
        }
    }

    fn tell_leaving(&self) {
        let status = self.status.borrow().clone();
        self.leaving.tell(|| Event::Status(status.clone()));
        self.leaving.clear();
    }

    /// Returns whether it was not closed before.
    fn close(&self, reason: StopReason) -> bool {
        if self.closed.replace(true) {
            return false;
        }
        self.gate.stop(ReadyError::Closed);
        self.stop(reason);
        // Dropping the channel closes it. The outcome of what is on its way follows: only the worker knows it.
        let channel = self.channel.borrow_mut().take();
        drop(channel);
        drop(self.requests.take());
        self.close_streams();
        self.listeners.move_to(&self.leaving);
        drop(self.on_parcel.take());
        drop(self.authenticator.take());
        true
    }
}

impl<Rx> Drop for Shared<Rx> {
    fn drop(&mut self) {
        self.close_streams();
    }
}

/// Whether it says what became of sends, which counts when nothing else does.
fn ends_sends(event: &ChannelEvent) -> bool {
    matches!(
        event,
        ChannelEvent::Sent { .. }
            | ChannelEvent::Acknowledged { .. }
            | ChannelEvent::NotSent { .. }
            | ChannelEvent::MaybeSent { .. }
            | ChannelEvent::Closed
    )
}

pub(crate) fn undecodable<T>(payload: &Payload, source: DecodeError) -> Event<T> {
    Event::Error(ClientError::Undecodable {
        bytes: payload.len(),
        source,
    })
}

/// Wakes a task. Never while anything is borrowed: an executor may poll it at once.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
