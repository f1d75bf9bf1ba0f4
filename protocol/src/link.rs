//! What a tab asks of a connection: which one it is, and how it should behave.

use core::{fmt, ops::Deref, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Auth, GreetingId, Payload, limits, redact_url};

/// A length of time in whole milliseconds. Durations cross the port, instants never do: each context has its own clock.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Millis(pub u32);

impl Millis {
    /// Returns the length as a [`Duration`].
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_millis(u64::from(self.0))
    }
}

/// Rounds up to a whole millisecond; longer than 49 days becomes 49 days.
impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(u32::try_from(millis).unwrap_or(u32::MAX))
    }
}

/// What makes two tabs share a connection: all three must be equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LinkKey {
    /// The absolute `ws:` or `wss:` URL.
    pub url: String,
    /// The subprotocols that are offered, in order of preference.
    pub subprotocols: Vec<String>,
    /// Whose connection it is. Tabs of different accounts never share one.
    pub account: String,
}

/// Shows neither the secrets in the URL, nor the subprotocols and the account, which often are tokens.
impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LinkKey({}, {} subprotocols)",
            redact_url(&self.url),
            self.subprotocols.len()
        )
    }
}

/// How a connection behaves. The first client of a connection decides, for as long as a client is there that wants the same; see
/// [`WorkerError::PolicyDiffers`](crate::WorkerError::PolicyDiffers) for the others.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct LinkPolicy {
    /// When to dial again.
    pub backoff: Backoff,
    /// How long one dial may take until the socket is open.
    pub connect_timeout: Millis,
    /// When to stop dialling.
    pub give_up: GiveUp,
    /// The WebSocket close codes after which dialling again is pointless.
    pub fatal_codes: Vec<u16>,
    /// How to find out that an open socket is dead.
    pub heartbeat: Option<Heartbeat>,
    /// What the worker says when the server pings.
    pub answer: Option<Answer>,
    /// What may wait while there is no open socket, or for the server's acknowledgement.
    pub queue: QueueLimits,
    /// How long the socket stays open after its last tab has left: a page that is reloaded finds it open, where the worker outlives the page.
    pub linger: Millis,
    /// The longest message that is taken from the server, in bytes; at most [`limits::MAX_PAYLOAD_BYTES`].
    pub max_received_bytes: u32,
    /// What becomes of an open socket when the page, the browser or the machine wakes up.
    pub wake: Wake,
    /// Which messages of the server replace older ones that a tab has not been given yet. `None`: none does, and a tab that does
    /// not keep up gets all of them, up to a bound, see [`ToTab::Lagged`](crate::ToTab::Lagged).
    pub latest: Option<LatestBy>,
    /// How it proves whose it is.
    pub auth: Auth,
}

impl Default for LinkPolicy {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            connect_timeout: Millis(10_000),
            give_up: GiveUp::default(),
            // The server says that this client can't succeed by trying again: RFC 6455, section 7.4.1.
            fatal_codes: vec![1002, 1003, 1007, 1008, 1010],
            heartbeat: None,
            answer: None,
            queue: QueueLimits::default(),
            linger: Millis(2_000),
            max_received_bytes: limits::MAX_PAYLOAD_BYTES as u32,
            wake: Wake::default(),
            latest: None,
            auth: Auth::default(),
        }
    }
}

/// A policy, and the bytes in which a tab has stated it.
///
/// By them a worker compares it with those of the tabs that join: field by field, that is 240 bytes of its wasm.
#[derive(Clone)]
pub struct StatedPolicy {
    policy: LinkPolicy,
    bytes: Bytes,
}

impl StatedPolicy {
    pub(crate) fn new(policy: LinkPolicy, bytes: &[u8]) -> Self {
        // It is kept for long, so it does not keep the frame.
        let bytes = Bytes::copy_from_slice(bytes);
        Self { policy, bytes }
    }

    /// Returns whether both were stated in the same bytes. Whoever writes as PROTOCOL.md says writes the same policy in the same bytes.
    #[must_use]
    pub fn is_stated_as(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl From<LinkPolicy> for StatedPolicy {
    fn from(policy: LinkPolicy) -> Self {
        // A type that has no map and no sequence of unknown length can't fail to be encoded.
        let bytes = postcard::to_allocvec(&policy).unwrap_or_default();
        Self::new(policy, &bytes)
    }
}

/// Without the bytes, in which the payloads of heartbeat and answer can be read.
impl fmt::Debug for StatedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

impl Deref for StatedPolicy {
    type Target = LinkPolicy;

    fn deref(&self) -> &LinkPolicy {
        &self.policy
    }
}

impl PartialEq for StatedPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.policy == other.policy
    }
}

impl Eq for StatedPolicy {}

impl Serialize for StatedPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.policy.serialize(serializer)
    }
}

/// Exponential backoff with full jitter: attempt `n` (from 1) waits a random time between nothing and
/// `min(cap, base * 2^(n - 1))`.
///
/// Full jitter spreads a herd of clients best:
/// [AWS, Exponential Backoff And Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Backoff {
    /// The upper bound of the first wait. With zero no wait is any longer: `onesocket` refuses it.
    pub base: Millis,
    /// The upper bound of every wait. `onesocket` takes 100 ms at least.
    pub cap: Millis,
    /// How long a socket must have been open for the attempts to be counted from 1 again.
    pub stable_after: Millis,
    /// The least upper bound of the waits after a stable socket was lost. When a server goes, all its clients lose theirs at
    /// the same moment, and full jitter over [`base`](Self::base) alone brings them all back within that: `n` clients come as
    /// `n / spread` dials per second. Half of it is what one client that has lost its socket alone waits on average.
    ///
    /// A server that can say more says it: `spread=SECONDS` in its close reason, or close code 1012 or 1013, which stand for
    /// [`cap`](Self::cap) unless the reason has a `retry-after=SECONDS`.
    pub spread: Millis,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Millis(1_000),
            cap: Millis(30_000),
            stable_after: Millis(5_000),
            spread: Millis(5_000),
        }
    }
}

/// When to stop dialling. The default never stops.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct GiveUp {
    /// After so many dials without a stable socket. Those do not count that were begun while the loop waited for the browser to be online; a loop of one dial
    /// begins with it whether or not it is.
    pub attempts: Option<u32>,
    /// After so long without a stable socket. Neither the time offline counts, nor that of a sleep, nor that in which no tab has a credential.
    pub after: Option<Millis>,
}

/// An application-level ping. Browsers do not let a page send WebSocket ping frames, so this is a message of the app's own
/// protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Heartbeat {
    /// How long nothing must have been received before a ping is sent; or, 1 s more, nothing been sent. Many servers close a connection on which they
    /// hear nothing, however much they say themselves: let it be shorter than their limit by some seconds. A ping to a server that talks has no
    /// deadline. `onesocket` takes 100 ms at least.
    pub interval: Millis,
    /// How long after the ping something must have been received; else the socket is taken for dead and replaced. A ping goes out behind what
    /// the socket holds already: while that becomes less, by 256 KiB in each deadline, the socket is not taken for dead, where the browser says what it holds: WebKit's
    /// workers do not. `onesocket` takes 100 ms at least.
    ///
    /// Of a message that is under way browsers say nothing: `interval` and `deadline` together must be longer than the longest takes on the slowest
    /// network, else the socket is replaced amid it, and again each time.
    pub deadline: Millis,
    /// What is sent.
    pub ping: Payload,
    /// What the server answers. Messages equal to it are not delivered to the tabs. Anything received shows that the server lives; with this set, it alone
    /// measures [`Status::round_trip`](crate::Status::round_trip).
    pub pong: Option<Payload>,
}

impl Heartbeat {
    /// Sends `ping` after every `interval` of silence, the server's or the client's own, and takes the socket for dead when nothing at all
    /// follows one of the server's within 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use onesocket_protocol::{Heartbeat, Millis, Payload};
    ///
    /// let heartbeat = Heartbeat::every(Duration::from_secs(20), Payload::text("ping"))
    ///     .deadline(Duration::from_secs(5))
    ///     .pong(Payload::text("pong"));
    /// assert_eq!((heartbeat.interval, heartbeat.deadline), (Millis(20_000), Millis(5_000)));
    /// ```
    #[must_use]
    pub fn every(interval: Duration, ping: Payload) -> Self {
        Self {
            interval: interval.into(),
            deadline: Millis(10_000),
            ping,
            pong: None,
        }
    }

    /// Sets how long after the ping something must have been received.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets what the server answers, which is then kept from the tabs.
    #[must_use]
    pub fn pong(mut self, pong: Payload) -> Self {
        self.pong = Some(pong);
        self
    }
}

/// What the worker says by itself when the server pings with a message of the app's own protocol. A page that is busy, hidden
/// or frozen answers late or never, and is taken for dead by such servers.
///
/// ```
/// use onesocket_protocol::{Answer, Payload};
///
/// // Engine.IO, which carries Socket.IO: https://socket.io/docs/v4/engine-io-protocol/#heartbeat
/// let answer = Answer { ping: Payload::text("2"), pong: Payload::text("3") };
/// assert_eq!(answer.ping.as_text(), Some("2"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Answer {
    /// What the server sends; at most [`limits::MAX_TEXT_BYTES`]. Messages equal to it are answered, and not delivered to the tabs.
    pub ping: Payload,
    /// What it is sent, at once and in front of what is queued; at most as long.
    pub pong: Payload,
}

/// What becomes of an open socket at a wake: when a tab becomes visible or comes back from the back/forward cache, when the
/// browser says that it is online again, when the machine has slept.
///
/// With a [`Heartbeat`] the server is pinged at once, and `deadline` is what it has. Without one a browser has no way to
/// ask the server for a sign of life, so a socket is trusted unless the machine has slept for `replace_after`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Wake {
    /// How long after a wake something must have been received; else the socket is taken for dead and replaced. It counts
    /// when there is a heartbeat, whose own deadline is for the pings in turn, and for those that go out behind an upload. Too short replaces live sockets on slow
    /// networks, too long leaves the user with a dead one.
    pub deadline: Millis,
    /// How long a sleep must be for a socket without a heartbeat to be replaced unasked. `None`: it never is. Too short
    /// replaces live sockets of tabs whose timers the browser has held back, by up to a minute
    /// ([Chromium](https://developer.chrome.com/blog/timer-throttling-in-chrome-88)); load balancers drop a silent connection after one
    /// ([AWS](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html)).
    pub replace_after: Option<Millis>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            deadline: Millis(3_000),
            replace_after: Some(Millis(120_000)),
        }
    }
}

/// By what a message of the server is known to replace an older one, for streams of state such as prices and positions: of the
/// messages with the same key a tab that does not keep up is given the latest only, for as long as it is busy with what it was given before.
///
/// A message in which the key is not found replaces none and is not replaced.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum LatestBy {
    /// Every message replaces the one before.
    Any,
    /// The key is a range of the message's bytes: a fixed field of a binary format, or a prefix.
    Bytes {
        /// Where it starts.
        start: u32,
        /// How long it is.
        len: u32,
    },
    /// The key is the value of this member of a JSON object, as it is written; its first, when there are several. The name is at
    /// most 8 KiB, and compared as it is written too, without its quotes.
    JsonMember(String),
}

/// What may wait while there is no open socket, or for the server's acknowledgement.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct QueueLimits {
    /// Messages of all tabs together. With 0 nothing waits, also not for another worker: what is sent between the loss of one and the
    /// news of the next one's connection is not sent.
    pub messages: u32,
    /// Bytes of all tabs together.
    pub bytes: u32,
    /// How long a message may wait, from when the worker has it, sleeps of the machine included; a wall clock that is set forward looks like one. `None` is for ever.
    pub timeout: Option<Millis>,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            messages: 10_000,
            bytes: 8 * 1024 * 1024,
            timeout: Some(Millis(5 * 60 * 1000)),
        }
    }
}

/// What a tab is given when it joins a connection that other tabs have opened before.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub enum Replay {
    /// Nothing: it sees what arrives from now on.
    #[default]
    None,
    /// The last messages received on the open socket, as many as both numbers allow; at most [`limits::MAX_REPLAY_MESSAGES`] and
    /// [`limits::MAX_REPLAY_BYTES`]. They are kept from when a tab has first asked for so many. A message longer than any tab has asked for in
    /// bytes empties what is kept: there would be a hole.
    Last {
        /// At most so many.
        messages: u32,
        /// At most so many bytes.
        bytes: u32,
    },
    /// This payload is sent on its behalf, such as a request for a snapshot. All tabs see the answer.
    Ask(Payload),
}

/// A payload that is sent first on every new socket, such as a log-in or a subscription.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Greeting {
    /// Its name within the channel.
    pub id: GreetingId,
    /// What is sent. Identical ones of several tabs are sent once.
    pub payload: Payload,
    /// What is sent when the last tab that holds this greeting drops it while the socket is open.
    pub farewell: Option<Payload>,
}
