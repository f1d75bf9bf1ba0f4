//! How a client is configured.

use std::{fmt, rc::Rc, time::Duration};

use futures::FutureExt;
use onesocket_engine::{ChannelConfig, Delivery};
use onesocket_manager::{ManagerConfig, Tier, TierPolicy, WorkerManager};
use onesocket_protocol::{
    Answer, Backoff, DebugLevel, GiveUp, Heartbeat, LatestBy, LinkKey, LinkPolicy, Millis, Payload,
    QueueLimits, Replay, Wake, limits,
};

use crate::{
    BuildError, Client, Codec, Credential, CredentialRequest, RequestId,
    auth::{Authenticator, Dials, Provide},
    client::{ReplyTo, Shared},
    page,
    ready::Gate,
};

/// Configures a [`Client`]. Everything has a default that suits an app behind a load balancer.
///
/// The first client of a connection decides how it behaves, for as long as one is there that asks for the same; then the oldest does. A later one, in this tab or another, that asks for something else hears
/// [`WorkerError::PolicyDiffers`](crate::WorkerError::PolicyDiffers) as an event.
///
/// ```
/// use std::time::Duration;
///
/// use onesocket::{Backoff, Client, Heartbeat, Payload, Replay, Tier, codec::Text};
///
/// let client: Client<str, String> = Client::builder("wss://example.org/feed", Text)
///     .account("alice")
///     .subprotocol("v2.feed")
///     .backoff(Backoff { base: Duration::from_millis(500).into(), ..Backoff::default() })
///     .heartbeat(Heartbeat::every(Duration::from_secs(20), Payload::text("ping")).pong(Payload::text("pong")))
///     .replay(Replay::Last { messages: 50, bytes: 64 * 1024 })
///     .tier(Tier::Dedicated)
///     .build()?;
/// # drop(client);
/// # Ok::<(), onesocket::BuildError>(())
/// ```
pub struct ClientBuilder<Tx: ?Sized, Rx> {
    codec: Rc<dyn Codec<Tx, Rx>>,
    key: LinkKey,
    policy: LinkPolicy,
    replay: Replay,
    reply_to: Option<ReplyTo<Rx>>,
    delivery: Delivery,
    ready_at: usize,
    worker: ManagerConfig,
    tier: Option<Tier>,
    debug: Option<DebugLevel>,
    manager: Option<WorkerManager>,
    provide: Option<Rc<Provide>>,
    auth_timeout: Millis,
}

impl<Tx: ?Sized + 'static, Rx: 'static> ClientBuilder<Tx, Rx> {
    pub(crate) fn new(url: String, codec: Rc<dyn Codec<Tx, Rx>>) -> Self {
        Self {
            codec,
            key: LinkKey {
                url,
                subprotocols: Vec::new(),
                account: String::new(),
            },
            policy: LinkPolicy::default(),
            replay: Replay::None,
            reply_to: None,
            delivery: Delivery::default(),
            ready_at: DEFAULT_READY_AT,
            worker: ManagerConfig::default(),
            tier: None,
            debug: None,
            manager: None,
            provide: None,
            auth_timeout: DEFAULT_AUTH_TIMEOUT,
        }
    }

    /// Sets whose connection it is. Tabs of different accounts never share a socket. Default: the empty account.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.key.account = account.into();
        self
    }

    /// Offers a subprotocol, after those offered before. At most 32.
    ///
    /// Browsers say of no failed handshake why it failed. So while no socket of the connection was ever open, the 1st, 9th, 17th, … failure in a row is
    /// followed by a dial without any, to find out whether they are what the server refuses:
    /// [`ReconnectCause::SubprotocolRefused`](crate::ReconnectCause::SubprotocolRefused). What it opens is closed at once. There is none with
    /// [`auth`](Self::auth), nor where [`give_up`](Self::give_up) allows one dial only.
    #[must_use]
    pub fn subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.key.subprotocols.push(subprotocol.into());
        self
    }

    /// Sets when to dial again. Default: full jitter up to 1 s, 2 s, 4 s, … 30 s, counted anew once a socket was open for 5 s; after
    /// that socket, up to 5 s at least. `base` may not be zero, and `cap` is 100 ms at least.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = backoff;
        self
    }

    /// Sets how long one dial may take. Default: 10 s; at least 100 ms. Too short never connects on slow networks, too long waits for the dead.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.policy.connect_timeout = timeout.into();
        self
    }

    /// Sets when to stop dialling. Default: never. The end is an [`Event::Disconnected`](crate::Event::Disconnected). A tab that joins begins anew.
    #[must_use]
    pub fn give_up(mut self, give_up: GiveUp) -> Self {
        self.policy.give_up = give_up;
        self
    }

    /// Sets the WebSocket close codes after which dialling again is pointless. Default: 1002, 1003, 1007, 1008, 1010, by which
    /// a server says that this client can't succeed ([RFC 6455, section 7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1)). A tab that
    /// joins dials again all the same.
    #[must_use]
    pub fn fatal_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.policy.fatal_codes = codes.into_iter().collect();
        self
    }

    /// Sets a ping of the app's own protocol, by which half-open sockets are found. Default: none, for want of a message that
    /// every server understands; set one if the server has any. Its interval and its deadline, and that of a [`wake`](Self::wake), are 100 ms at least.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.policy.heartbeat = Some(heartbeat);
        self
    }

    /// Sets what the worker answers when the server sends `ping`, a message of the app's own protocol: with `pong`, at once, and
    /// without the page. Messages equal to `ping` are not delivered. Default: nothing.
    ///
    /// Servers close connections that do not answer in time, and a page that is busy or frozen does not. On the shared and the
    /// dedicated tier the worker answers without the page; in Chromium even while it is busy, in Firefox and WebKit, where the sockets
    /// of workers pass through the main thread of the process, between two of its tasks. On the main tier the page has to come to it.
    ///
    /// ```
    /// use onesocket::{Client, Payload, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/feed", Text)
    ///     .answer(Payload::text("ping"), Payload::text("pong"))
    ///     .build()?;
    /// # drop(client);
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn answer(mut self, ping: Payload, pong: Payload) -> Self {
        self.policy.answer = Some(Answer { ping, pong });
        self
    }

    /// Sets what becomes of an open socket at a wake: when a tab becomes visible or comes back from the back/forward cache, when
    /// the browser is online again, when the machine has slept. Default: with a [`heartbeat`](Self::heartbeat) the server is
    /// pinged at once and has 3 s; without one the socket is replaced after a sleep of 2 min or more, and else trusted, because
    /// a browser can't ask a server for a sign of life otherwise.
    ///
    /// A wake also ends a wait for the next dial, once in 3 s, unless the server has asked for that wait.
    #[must_use]
    pub fn wake(mut self, wake: Wake) -> Self {
        self.policy.wake = wake;
        self
    }

    /// Supplies a credential for each dial: in the URL, as a subprotocol or as a first message ([`Credential`]). `None` declines.
    ///
    /// The tabs of the connection are asked one after the other, each for up to [`auth_timeout`](Self::auth_timeout), and
    /// first the one that had the last good one. When the server refuses a credential, by one of the
    /// [`auth_codes`](Self::auth_codes), it is not dialled with again, as long as it is one of the last 16 that it has refused of this connection, and the
    /// worker is the same; a tab that answers with it hears
    /// [`WorkerError::CredentialRefused`](crate::WorkerError::CredentialRefused), and the next one is asked. When none has another,
    /// nothing is dialled any more: [`Event::NeedsAuth`](crate::Event::NeedsAuth).
    ///
    /// What hands out tokens may be out of reach for a moment. So when the server has refused none, all tabs are asked again: when the browser is
    /// online again, at a [`wake`](Self::wake), and else after 1 s and a random time that grows as the [`backoff`](Self::backoff) does, to 31 s by default.
    /// No event tells of it before a tab has a credential. Let the log-in be shown by that event and not by the provider, which is called again
    /// also while an earlier call of it has not ended.
    ///
    /// The account is part of what tabs share a connection by: no tab is asked for another account's.
    ///
    /// It is dropped when the client is closed. Until then one that owns a clone of the client keeps it alive.
    ///
    /// ```
    /// use onesocket::{Client, Credential, codec::Text};
    ///
    /// # async fn fetch_token(_fresh: bool) -> Option<String> { None }
    /// let client: Client<str, String> = Client::builder("wss://example.org/feed", Text)
    ///     .account("alice")
    ///     .auth(|request| async move {
    ///         let token = fetch_token(request.refused || request.failed > 0).await?;
    ///         Some(Credential::query("token", token))
    ///     })
    ///     .build()?;
    /// # drop(client);
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn auth<F>(mut self, provider: impl Fn(CredentialRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Option<Credential>> + 'static,
    {
        self.provide = Some(Rc::new(move |request| provider(request).boxed_local()));
        self.policy.auth.ask = Some(self.auth_timeout);
        self
    }

    /// Sets how long one tab may take to supply a credential before the next one is asked. Default: 10 s. Without
    /// [`auth`](Self::auth) nobody is asked.
    #[must_use]
    pub fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = timeout.into();
        // The order of the calls does not matter.
        self.policy.auth.ask = self.policy.auth.ask.map(|_| self.auth_timeout);
        self
    }

    /// Sets the WebSocket close codes by which the server refuses a credential. Default: 4401. Without [`auth`](Self::auth) such
    /// a close pauses the loop until a tab joins, or [`Client::reconnect`] is called.
    ///
    /// A server that refuses the handshake itself, by HTTP 401 or 403, can't be told from one that is down: let it accept, then close. Where it does not,
    /// [`CredentialRequest::failed`] is all that a provider has.
    #[must_use]
    pub fn auth_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.policy.auth.codes = codes.into_iter().collect();
        self
    }

    /// Sets what may wait while there is no socket, or for an acknowledgement. Default: 10,000 messages, 8 MiB, 5 minutes each, which a
    /// worker counts from when it has the message: with the next worker they begin anew.
    #[must_use]
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.policy.queue = limits;
        self
    }

    /// Sets how often a message of [`send`](Client::send) may reach the server. Default: [`Delivery::AtMostOnce`]. A single message
    /// can have its own: see [`deliver`](Client::deliver).
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Sets with how many bytes on their way [`Client::ready`] still lets a sender go on. Default: 1 MiB. The more, the longer what is
    /// sent waits behind it; with too little a fast line has to wait for the page. 0 waits until everything is gone.
    ///
    /// Nothing is held back by it, and each client has its own: what the socket holds is told in steps of 256 KiB, rounded down.
    #[must_use]
    pub fn ready_at(mut self, bytes: usize) -> Self {
        self.ready_at = bytes;
        self
    }

    /// Sets how long the socket stays open after the last tab has left. Default: 2 s. A reload finds it open where the worker outlives the page: in the
    /// shared tier while another tab has it, or in a browser that keeps it
    /// [while its only tab navigates](https://github.com/whatwg/html/issues/9278), and where another tab leads. A page's own dedicated worker, and the
    /// loop of the main tier, end with the page.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.policy.linger = linger.into();
        self
    }

    /// Sets the longest message taken from the server, in bytes. Default and most: 64 MiB. A longer one is not delivered, and
    /// reported as an [`Event::Error`](crate::Event::Error).
    #[must_use]
    pub fn max_received_bytes(mut self, bytes: u32) -> Self {
        self.policy.max_received_bytes = bytes;
        self
    }

    /// Says that of the server's messages with the same key a tab that does not keep up need only be given the latest: prices,
    /// positions, presence. Default: it is given all, and hears [`Event::Lagged`](crate::Event::Lagged) when too many wait.
    /// The first client of the connection says it for all of them: one that needs each message must not share with it.
    ///
    /// ```
    /// use onesocket::{Client, LatestBy, codec::Text};
    ///
    /// let client: Client<str, String> = Client::builder("wss://example.org/prices", Text)
    ///     .latest_by(LatestBy::JsonMember("symbol".into()))
    ///     .build()?;
    /// # drop(client);
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn latest_by(mut self, key: LatestBy) -> Self {
        self.policy.latest = Some(key);
        self
    }

    /// Sets what this client is given when it joins a connection that other tabs have opened. Default: nothing. [`Replay::Last`] says how much is kept, and
    /// since when.
    #[must_use]
    pub fn replay(mut self, replay: Replay) -> Self {
        self.replay = replay;
        self
    }

    /// Says how to tell the answer to a [`request`](Client::request) from a message: returns the id that it answers.
    #[must_use]
    pub fn replies(mut self, reply_to: impl Fn(&Rx) -> Option<RequestId> + 'static) -> Self {
        self.reply_to = Some(Rc::new(reply_to));
        self
    }

    /// Forces a tier: the loop runs there or not at all.
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Sets what the debug log shows. Default: nothing. As the first client of a page with this worker says it, see [`build`](Self::build);
    /// [`Client::set_debug`] at any time.
    ///
    /// It goes to the app's `tracing` subscriber if one is installed by then, else to the console: then no other can be installed any more.
    #[must_use]
    pub fn debug(mut self, level: DebugLevel) -> Self {
        self.debug = Some(level);
        self
    }

    /// Sets everything about the worker: script, name, tiers, timeouts; [`tier`](Self::tier) and [`debug`](Self::debug) go
    /// before it, whatever the order of the calls. Default: `onesocket-worker.js` beside the page's address. All but what [`build`](Self::build) names counts as the
    /// first client of a page with this worker has it.
    ///
    /// An app with routes gives an absolute path: at `/rooms/42` the default is `/rooms/onesocket-worker.js`, for which a server answers with the app's own page, and
    /// the connection is in the main tier.
    ///
    /// ```
    /// use onesocket::{Client, ManagerConfig, codec::Text};
    ///
    /// let worker = ManagerConfig::default().script("/onesocket-worker.js");
    /// let client: Client<str, String> = Client::builder("wss://example.org/", Text).worker(worker).build()?;
    /// # Ok::<(), onesocket::BuildError>(())
    /// ```
    #[must_use]
    pub fn worker(mut self, config: ManagerConfig) -> Self {
        self.worker = config;
        self
    }

    /// Uses this manager, whatever [`worker`](Self::worker), [`tier`](Self::tier) and [`debug`](Self::debug) say.
    #[must_use]
    pub fn manager(mut self, manager: &WorkerManager) -> Self {
        self.manager = Some(manager.clone());
        self
    }

    /// Returns whether both build clients that are alike, as far as data tell: URL, subprotocols, account, policy, replay, delivery,
    /// worker. Functions can't be compared, so the codec, [`replies`](Self::replies) and [`auth`](Self::auth) are taken as equal.
    ///
    /// For whoever makes a builder again and again, as a component does at each rendering, and must not connect anew each time.
    ///
    /// ```
    /// use onesocket::{Client, ClientBuilder, codec::Text};
    ///
    /// let of = |account: &str| -> ClientBuilder<str, String> {
    ///     Client::builder("wss://example.org/", Text).account(account).auth(|_| async { None })
    /// };
    /// assert!(of("alice").is_alike(&of("alice")));
    /// assert!(!of("alice").is_alike(&of("bob")));
    /// ```
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        self.key == other.key
            && self.policy == other.policy
            && self.replay == other.replay
            && self.delivery == other.delivery
            && self.ready_at == other.ready_at
            && self.worker == other.worker
            && self.tier == other.tier
            && self.debug == other.debug
            && self.manager == other.manager
    }

    /// Builds the client and connects. Clients of a page share a worker, and its port, when the `name`, `script`, `script_kind` and `tiers` of their
    /// [`ManagerConfig`] are equal. Its other fields, such as `build`, `pace` and `debug`, count as the first of them has them, until the last one is gone.
    ///
    /// # Errors
    ///
    /// When something in the configuration is wrong. What only the server or the browser can know comes as events. A worker takes 256 clients of a page: one more
    /// hears [`WorkerError::TooManyChannels`](crate::WorkerError::TooManyChannels), and that it is disconnected.
    pub fn build(self) -> Result<Client<Tx, Rx>, BuildError> {
        let Self {
            codec,
            mut key,
            policy,
            replay,
            reply_to,
            delivery,
            ready_at,
            mut worker,
            tier,
            debug,
            manager,
            provide,
            auth_timeout: _,
        } = self;
        if let Some(tier) = tier {
            worker = worker.tiers(TierPolicy::Forced(tier));
        }
        if let Some(level) = debug {
            worker = worker.debug(level);
        }
        key.url = page::resolve_url(&key.url)?;
        check_key(&key)?;
        check_times(&policy)?;
        let authenticator = provide.map(|provide| Authenticator {
            provide,
            key: key.clone(),
            dials: Dials::default(),
        });
        let config = ChannelConfig {
            key,
            policy,
            replay,
        };
        config.check().map_err(BuildError::OverCap)?;
        let manager = match manager {
            Some(manager) => manager,
            None => WorkerManager::shared(worker).map_err(BuildError::Worker)?,
        };
        let (decoder, acknowledger) = (codec.clone(), codec.clone());
        let shared = Shared::new(
            manager,
            Rc::new(move |payload| decoder.decode(payload)),
            reply_to,
            Rc::new(move |message| acknowledger.acknowledges(message)),
            delivery,
            Gate::new(ready_at),
            authenticator,
        );
        let sink = Rc::downgrade(&shared);
        let channel = shared
            .manager()
            .open(config, move |event| Shared::hear(&sink, event));
        shared.attach(channel);
        Ok(Client::new(codec, shared))
    }
}

impl<Tx: ?Sized, Rx> Clone for ClientBuilder<Tx, Rx> {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec.clone(),
            key: self.key.clone(),
            policy: self.policy.clone(),
            replay: self.replay.clone(),
            reply_to: self.reply_to.clone(),
            delivery: self.delivery,
            ready_at: self.ready_at,
            worker: self.worker.clone(),
            tier: self.tier,
            debug: self.debug,
            manager: self.manager.clone(),
            provide: self.provide.clone(),
            auth_timeout: self.auth_timeout,
        }
    }
}

impl<Tx: ?Sized, Rx> fmt::Debug for ClientBuilder<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("key", &self.key)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// What a line of 80 Mbit/s takes in 100 ms: enough for a page that is late by some frames, and little for what is sent behind it.
pub(crate) const DEFAULT_READY_AT: usize = 1024 * 1024;

/// Below it a ping or a dial follows the other before the network can have answered, and what is meant is another unit, or a typing error.
const SHORTEST: Millis = Millis(100);

/// Long enough for a token from a slow server, short enough for a user who waits.
pub(crate) const DEFAULT_AUTH_TIMEOUT: Millis = Millis(10_000);

pub(crate) fn check_key(key: &LinkKey) -> Result<(), BuildError> {
    let is_token = |text: &String| !text.is_empty() && text.bytes().all(is_token_byte);
    let has_doubles = (1..key.subprotocols.len())
        .any(|at| key.subprotocols[..at].contains(&key.subprotocols[at]));
    if has_doubles
        || key.subprotocols.len() > limits::MAX_SUBPROTOCOLS
        || !key.subprotocols.iter().all(is_token)
    {
        return Err(BuildError::InvalidSubprotocol);
    }
    Ok(())
}

/// What is too short makes a flood of pings or dials, or replaces each socket as soon as it is open.
fn check_times(policy: &LinkPolicy) -> Result<(), BuildError> {
    let LinkPolicy {
        backoff, heartbeat, ..
    } = policy;
    let of_heartbeat = heartbeat.as_ref().map_or([SHORTEST; 3], |heartbeat| {
        [heartbeat.interval, heartbeat.deadline, policy.wake.deadline]
    });
    let [interval, deadline, wake] = of_heartbeat;
    let times = [
        // It is doubled from itself, so the least will do.
        ("backoff's base", backoff.base, Millis(1)),
        ("backoff's cap", backoff.cap, SHORTEST),
        ("connect timeout", policy.connect_timeout, SHORTEST),
        ("heartbeat's interval", interval, SHORTEST),
        ("heartbeat's deadline", deadline, SHORTEST),
        ("wake's deadline", wake, SHORTEST),
    ];
    match times.into_iter().find(|(_, given, least)| given < least) {
        Some((what, given, least)) => Err(BuildError::TooShort { what, given, least }),
        None => Ok(()),
    }
}

/// A byte of a token: RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subprotocols: &[&str], url: &str) -> Result<(), BuildError> {
        let subprotocols = subprotocols.iter().map(|&text| text.to_owned()).collect();
        check_key(&LinkKey {
            url: url.to_owned(),
            subprotocols,
            account: String::new(),
        })
    }

    #[test]
    fn subprotocols_are_distinct_tokens() {
        assert_eq!(check(&[], "ws://h/"), Ok(()));
        assert_eq!(check(&["a", "b.c~1"], "ws://h/"), Ok(()));
        for bad in [&["a", "a"][..], &[""], &["a b"], &["a,b"], &["ä"]] {
            assert_eq!(
                check(bad, "ws://h/"),
                Err(BuildError::InvalidSubprotocol),
                "{bad:?}"
            );
        }
        let many: Vec<String> = (0..33).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(check(&many, "ws://h/"), Err(BuildError::InvalidSubprotocol));
    }

    #[test]
    fn a_time_of_zero_made_a_flood_of_pings_and_dials() {
        let beat = |interval, deadline| {
            let heartbeat =
                Heartbeat::every(Duration::from_millis(interval), Payload::text("ping"));
            heartbeat.deadline(Duration::from_millis(deadline))
        };
        let backoff = |base, cap| Backoff {
            base: Millis(base),
            cap: Millis(cap),
            ..Backoff::default()
        };
        let wake = |deadline| Wake {
            deadline: Millis(deadline),
            ..Wake::default()
        };
        let new = || Client::<str, String>::builder("wss://x.org/", crate::codec::Text);
        for (builder, too_short) in [
            (
                new().heartbeat(beat(0, 10_000)),
                Some(("heartbeat's interval", 0, 100)),
            ),
            (
                new().heartbeat(beat(99, 10_000)),
                Some(("heartbeat's interval", 99, 100)),
            ),
            (
                new().heartbeat(beat(100, 99)),
                Some(("heartbeat's deadline", 99, 100)),
            ),
            (
                new().heartbeat(beat(100, 100)).wake(wake(0)),
                Some(("wake's deadline", 0, 100)),
            ),
            (new().heartbeat(beat(100, 100)).wake(wake(100)), None),
            (new().wake(wake(0)), None),
            (
                new().connect_timeout(Duration::ZERO),
                Some(("connect timeout", 0, 100)),
            ),
            (new().connect_timeout(Duration::from_millis(100)), None),
            (
                new().backoff(backoff(0, 30_000)),
                Some(("backoff's base", 0, 1)),
            ),
            (
                new().backoff(backoff(1, 99)),
                Some(("backoff's cap", 99, 100)),
            ),
            (new().backoff(backoff(1, 100)), None),
        ] {
            let expected = too_short.map(|(what, given, least)| BuildError::TooShort {
                what,
                given: Millis(given),
                least: Millis(least),
            });
            assert_eq!(builder.build().err(), expected);
        }
        let error = new().connect_timeout(Duration::ZERO).build().map(drop);
        let words = "the connect timeout of 0 ms is under the least of 100 ms";
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err(words.to_owned())
        );
    }

    #[test]
    fn lengths_are_capped() {
        let url = format!("wss://h/{}", "x".repeat(limits::MAX_TEXT_BYTES));
        let built = Client::<str, String>::builder(url, crate::codec::Text).build();
        let error = built.map(drop).map_err(|error| error.to_string());
        assert_eq!(error, Err("the configuration is over a cap".to_owned()));
    }
}
