//! The worker's side: ports on one end, connections on the other.

use std::rc::Rc;

use bytes::Bytes;
use fastrand::Rng;
use litemap::LiteMap;
use onesocket_protocol::{
    BatchReader, ChannelId, Connect, DebugLevel, DecodeError, Epoch, Hello, LinkKey, Millis,
    Outbox, OverCap, Pace, Parcel, Payload, Preface, Refusal, SendFailure, Sight, StatedPolicy,
    TabId, ToTab, ToWorker, Version, VersionRange, Welcome, WorkerError, WorkerScope,
    frame::HEADER_BYTES, limits,
};

use crate::{
    EngineConfig, Fifo, Gathered, Input, Output, PortId, SocketId, Time,
    link::{Ctx, Link, Member, Sleep, Waking},
    port::{Build, Port, Ports, Session},
};

mod inspect;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LinkId(u32);

/// The sync loop of one worker.
///
/// See the [crate](crate) for its contract. It never panics on any input; what can't be read is answered with a typed error
/// and leaves everything else as it was.
#[derive(Debug)]
pub struct Engine {
    epoch: Epoch,
    scope: WorkerScope,
    debug: DebugLevel,
    /// What the host was told to see.
    seen: Sight,
    rng: Rng,
    now: Time,
    /// How far that is in front of the host's clock, in milliseconds: for as long as the clock stood still in sleeps.
    ahead: u64,
    /// When the last sleep was noticed: nothing is late from before.
    woke: Time,
    /// What is noticed of one, until the links have woken: by a frame, or the next tick, which is asked for at once.
    sleep: Option<Sleep>,
    /// What the browser has told the worker itself.
    own_online: bool,
    /// What is believed.
    online: bool,
    /// What the last [`Output::Timeout`] asked for.
    due: Option<Time>,
    ports: Ports,
    /// Boxed, because they are large and a map moves what it holds.
    links: LiteMap<LinkId, Box<Link>>,
    sockets: LiteMap<SocketId, LinkId>,
    /// The newest that the worker has met, itself included.
    newest: Build,
    next_tab: u32,
    next_link: u32,
    next_socket: u32,
    outputs: Fifo<Output<'static>>,
    #[cfg(feature = "transcode")]
    transcode: Option<crate::Transcode>,
}

impl Engine {
    /// Makes an engine without tabs and connections.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self {
            epoch: config.epoch,
            scope: config.scope,
            debug: config.debug,
            seen: config.debug.into(),
            rng: Rng::with_seed(config.seed),
            now: Time(0),
            ahead: 0,
            woke: Time(0),
            sleep: None,
            own_online: config.online,
            online: config.online,
            due: None,
            ports: Ports::default(),
            links: LiteMap::new(),
            sockets: LiteMap::new(),
            newest: Build {
                number: 0,
                version: VersionRange::OURS.max,
            },
            next_tab: 1,
            next_link: 1,
            next_socket: 1,
            outputs: Fifo::default(),
            #[cfg(feature = "transcode")]
            transcode: None,
        }
    }

    /// Gives the tabs each message in the form that this makes of it, from now on. It is asked once per message, however many tabs
    /// listen, and behind everything that a link's policy says about messages.
    #[cfg(feature = "transcode")]
    pub fn transcode(&mut self, transcode: crate::Transcode) {
        self.transcode = Some(transcode);
    }

    /// Takes one input. Drain [`poll_output`](Self::poll_output) after it.
    ///
    /// A `now` before the one of an earlier input counts as that earlier one: time does not run backwards in here.
    pub fn handle_input(&mut self, now: Time, input: Input) {
        self.now = self.now.max(Time(now.0.saturating_add(self.ahead)));
        self.ports.release(self.now);
        let due = self.due.map(|due| due.max(self.woke));
        let late = due.map_or(Millis(0), |due| self.now.since(due));
        // The tick of a hidden page that looks at the sockets behind a sleep may be late by itself.
        if late >= SLEPT_OR_HELD_BACK && (self.sleep.is_none() || late > SLEPT_EVEN_IF_HIDDEN) {
            self.note_sleep(late, Some(self.now));
        }
        // A send must not be handed to a socket that is not to be trusted; what sockets have to say is heard before.
        if let Some(sleep) = self.sleep
            && matches!(input, Input::Frame { .. } | Input::Tick)
        {
            self.sleep = None;
            self.wake(Waking::Slept(sleep));
        }
        self.handle(input);
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Frame { port, frame } => self.on_frame(port, &frame),
            Input::Received { socket, payload } => {
                self.receive(socket, Received::Payload(&payload));
            }
            Input::Gathered { socket, gathered } => self.on_gathered(socket, gathered),
            Input::ReceivedParcel { socket, parcel } => {
                self.receive(socket, Received::Parcel(&parcel));
            }
            input => self.handle_rare(input),
        }
        for (id, session) in self.ports.end_overrun() {
            // Should it ever read again, it is told to start over.
            self.abandon_channels(id, session);
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn handle_rare(&mut self, input: Input) {
        match input {
            Input::PortOpened(port) => {
                // Pages start their worker early, and may make no client. It needs no timer: what does not grow is no leak.
                // Nobody says hello while the machine sleeps.
                let now = self.by_host(self.now);
                while let Some((silent, was_asked)) = self.ports.next_silent(now) {
                    if was_asked {
                        self.outputs.push(Output::ClosePort(silent));
                    } else {
                        let stale = Preface::encode_stale(self.epoch);
                        self.ports.post_preface(silent, stale);
                    }
                }
                self.ports.open(port, now);
            }
            Input::PortClosed(port) => self.drop_port(port),
            Input::Network { online } => {
                self.own_online = online;
                self.update_online();
                if online {
                    self.wake(Waking::Hint);
                }
            }
            Input::Slept(slept) => {
                // Whatever waits has waited for that long, too, as where the clock goes on.
                self.ahead = self.ahead.saturating_add(u64::from(slept.0));
                self.now = self.now.after(slept);
                // What is at hand may have come before it.
                self.note_sleep(slept, None);
            }
            Input::Tick => self.stir(Stir::Tick),
            // Read by its caller.
            Input::Frame { .. }
            | Input::Received { .. }
            | Input::Gathered { .. }
            | Input::ReceivedParcel { .. } => {}
            Input::SocketOpened { socket, .. }
            | Input::SocketClosing(socket)
            | Input::SocketClosed { socket, .. }
            | Input::Buffered { socket, .. }
            | Input::DialRefused { socket, .. } => {
                self.on_link_of(socket, |link, ctx| link.on_socket(ctx, input));
            }
        }
    }

    /// Out of line with the loop that drops them, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_gathered(&mut self, socket: SocketId, gathered: Vec<Gathered>) {
        self.receive(socket, Received::Gathered(&gathered));
    }

    /// Out of line, so that there is one copy for its callers.
    #[inline(never)]
    fn receive(&mut self, socket: SocketId, received: Received<'_>) {
        let woke = self.sleep.map(|sleep| sleep.woke);
        self.on_link_of(socket, |link, ctx| match received {
            Received::Payload(payload) => link.on_received(ctx, payload),
            Received::Gathered(gathered) => {
                let known = link.last_received();
                for piece in gathered {
                    match piece {
                        Gathered::One(payload) => link.on_received(ctx, payload),
                        Gathered::Packed(packed) => link.on_packed(ctx, packed),
                        Gathered::Parcel(parcel) => link.on_parcel(ctx, parcel),
                    }
                }
                link.on_gathered(woke.unwrap_or(ctx.now), known);
            }
            Received::Parcel(parcel) => link.on_parcel(ctx, parcel),
        });
    }

    /// As [`with_link`](Self::with_link). A socket that was closed and forgotten has none: what it says is late, not wrong.
    fn on_link_of(&mut self, socket: SocketId, react: impl FnOnce(&mut Link, &mut Ctx<'_>)) {
        if let Some(link) = self.sockets.get(&socket).copied() {
            self.with_link(link, react);
        }
    }

    /// Returns whether a message that this socket receives now could not be passed on or answered: every tab that listens has a batch
    /// in flight and some messages behind it, or a batch that waits for its pace. The host may then gather what is received, and give it to the engine in front of
    /// the next input.
    #[must_use]
    pub fn may_gather(&self, socket: SocketId) -> bool {
        let link = self.sockets.get(&socket).and_then(|id| self.links.get(id));
        link.is_some_and(|link| {
            link.may_gather()
                && link
                    .ports()
                    .all(|port| self.ports.holds_back(port, self.now))
        })
    }

    /// Returns the next thing to do; [`Output::Timeout`] is the last.
    pub fn poll_output(&mut self) -> Output<'_> {
        if let Some(port) = self.ports.prepare_announcement() {
            return self.ports.post(port, true);
        }
        if let Some(output) = self.outputs.pop() {
            return output;
        }
        // Asked twice because the borrow of a frame that is returned would last over the search for the next.
        if let Some(port) = self.ports.prepare_frame(self.now) {
            return self.ports.post(port, false);
        }
        self.due = self
            .links
            .values()
            .filter_map(|link| link.next_timeout())
            .chain(self.ports.next_release())
            .chain(self.sleep.map(|sleep| sleep.woke))
            .min();
        Output::Timeout(self.due.map(|due| self.by_host(due)))
    }

    /// By the host's clock.
    fn by_host(&self, time: Time) -> Time {
        Time(time.0.saturating_sub(self.ahead))
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_frame(&mut self, id: PortId, frame: &Bytes) {
        if self.ports.get_mut(id).is_none() {
            return;
        }
        self.ports.mark_dirty(id);
        match Preface::decode_from_tab(frame) {
            Ok(Preface::Batch) => self.on_batch(id, frame),
            Ok(preface) => self.on_preface(id, preface),
            Err(_) => self.complain(id, None, WorkerError::InvalidFrame),
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_preface(&mut self, id: PortId, preface: Preface) {
        match preface {
            Preface::Hello(hello) => self.on_hello(id, hello),
            Preface::Probe => {
                let alive = Preface::encode_alive(self.epoch);
                self.ports.post_preface(id, alive);
            }
            _ => self.complain(id, None, WorkerError::InvalidFrame),
        }
    }

    fn on_hello(&mut self, id: PortId, hello: Hello) {
        let build = Build {
            number: hello.build,
            version: hello.versions.max,
        };
        if self.newest.learn(build) {
            self.ports.tell_of_update(self.newest);
        }
        let Some(version) = VersionRange::OURS.newest_common(hello.versions) else {
            return self.ports.post_preface(
                id,
                Refusal {
                    versions: VersionRange::OURS,
                }
                .encode(),
            );
        };
        let tab = TabId(self.next_tab);
        self.next_tab += 1;
        let welcome = Welcome {
            version: version.number(),
            versions: VersionRange::OURS,
            epoch: self.epoch,
            tab,
        };
        let outbox = Outbox::new(self.epoch, version).with_opening(limits::OPENING_BATCHES);
        let pace = self.pace(Pace::default());
        let session = Session::new(hello.token, version, build, outbox, pace);
        let now = self.by_host(self.now);
        let Some(port) = self.ports.get_mut(id) else {
            return;
        };
        let before = port.begin(session, now);
        if hello.holds_lock {
            self.watch(id);
        }
        self.ports.post_preface(id, welcome.encode());
        let ready = ToTab::Ready {
            scope: self.scope,
            debug: self.debug,
        };
        self.tell(id, &ready);
        if let Some(update) = self.newest.update_for(build) {
            self.tell(id, &update);
        }
        // A second hello on a port is a tab that starts over.
        if let Some(before) = before {
            self.abandon_channels(id, before);
        }
    }

    /// Its tab holds its lock.
    fn watch(&mut self, id: PortId) {
        if let Some(lock) = self.ports.get_mut(id).and_then(Port::watch) {
            self.outputs.push(Output::WatchTab { port: id, lock });
        }
    }

    fn on_batch(&mut self, id: PortId, frame: &Bytes) {
        let epoch = self.epoch;
        let Some(session) = self.ports.session_heard(id) else {
            return self.ports.post_preface(id, Preface::encode_stale(epoch));
        };
        let reader = match BatchReader::new(frame) {
            Ok(reader) if reader.header().epoch != epoch => {
                return self.ports.post_preface(id, Preface::encode_stale(epoch));
            }
            // Without a number it could never be acknowledged; only a worker's marks and receipts may come so.
            Ok(reader) if reader.header().seq == 0 && reader.header().count > 0 => {
                return self.complain(id, None, WorkerError::InvalidFrame);
            }
            Ok(reader) if reader.header().version == session.version.number() => reader,
            Ok(_) | Err(_) => return self.complain(id, None, WorkerError::InvalidFrame),
        };
        let version = session.version;
        if session.take_batch(reader.header()).is_err() {
            // Read before, or torn from its place: to read it would double or reorder sends.
            return self.complain(id, None, WorkerError::InvalidFrame);
        }
        if frame.len() <= SHORT_BATCH_BYTES {
            session.outbox.answer_lightly();
        }
        // Most are bare acknowledgements. One that promises messages is read, to see that they are missing.
        if frame.len() > HEADER_BYTES || reader.header().count > 0 {
            self.read_messages(id, version, reader);
        }
        self.finish_frame(id);
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn read_messages(&mut self, id: PortId, version: Version, reader: BatchReader) {
        for raw in reader {
            let Ok(raw) = raw else {
                self.complain(id, None, WorkerError::InvalidFrame);
                break;
            };
            match ToWorker::decode(version, &raw) {
                Ok(message) => self.on_message(id, message),
                Err(error) => self.on_undecodable(id, &error),
            }
            if self.ports.is_overrun(id) {
                // Its session ends, and what follows would only be told more.
                break;
            }
        }
    }

    /// A tab may have hundreds of links, of which a frame has put off something in a few: a bare acknowledgement in none.
    fn finish_frame(&mut self, id: PortId) {
        let links = self.links.iter();
        let links: Vec<LinkId> = links
            .filter(|(_, link)| link.has_put_off())
            .map(|(link, _)| *link)
            .collect();
        for link in links {
            self.with_link(link, |link, ctx| link.finish_frame(ctx, id));
        }
    }

    fn on_undecodable(&mut self, id: PortId, error: &DecodeError) {
        let error = match *error {
            DecodeError::UnknownTag { tag } => WorkerError::UnknownMessage { tag },
            DecodeError::Malformed { tag } | DecodeError::OverCap(OverCap { tag, .. }) => {
                WorkerError::InvalidMessage { tag }
            }
            _ => WorkerError::InvalidFrame,
        };
        self.complain(id, None, error);
    }

    fn on_message(&mut self, id: PortId, message: ToWorker) {
        match message {
            ToWorker::Send { channel, .. } => self.on_channel(id, channel, message),
            message => self.on_rare_message(id, message),
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_rare_message(&mut self, id: PortId, message: ToWorker) {
        match message {
            ToWorker::Connect(connect) => self.on_connect(id, *connect),
            ToWorker::Ping { nonce } => self.tell(id, &ToTab::Pong { nonce }),
            ToWorker::SetDebug { level } => {
                self.debug = level;
                self.update_seen();
            }
            ToWorker::Inspect { sight } => self.on_inspect(id, sight),
            ToWorker::Bye => {
                self.drop_port(id);
                self.outputs.push(Output::ClosePort(id));
            }
            ToWorker::Network { online } => {
                if let Some(session) = self.ports.session(id) {
                    session.online = Some(online);
                }
                self.update_online();
            }
            ToWorker::Wake => self.wake(Waking::Hint),
            ToWorker::HoldsLock => self.watch(id),
            ToWorker::Pace(pace) => {
                let pace = self.pace(pace);
                if let Some(session) = self.ports.session(id) {
                    session.set_pace(pace);
                }
            }
            ToWorker::Disconnect { channel }
            | ToWorker::Send { channel, .. }
            | ToWorker::Acknowledge { channel, .. }
            | ToWorker::GetStatus { channel }
            | ToWorker::Greet { channel, .. }
            | ToWorker::Ungreet { channel, .. }
            | ToWorker::Delay { channel, .. }
            | ToWorker::Reconnect { channel }
            | ToWorker::Credential { channel, .. }
            | ToWorker::LogOut { channel, .. }
            | ToWorker::Close { channel, .. } => self.on_channel(id, channel, message),
        }
    }

    fn on_channel(&mut self, id: PortId, channel: ChannelId, message: ToWorker) {
        let Some(session) = self.ports.session(id) else {
            return;
        };
        let link = if matches!(message, ToWorker::Disconnect { .. }) {
            session.channels.remove(&channel)
        } else {
            session.channels.get(&channel).copied()
        };
        let Some(link) = link else {
            return self.on_unknown_channel(id, channel, &message);
        };
        let member = Member { port: id, channel };
        self.with_link(link, |link, ctx| link.on_message(ctx, member, message));
    }

    fn on_unknown_channel(&mut self, id: PortId, channel: ChannelId, message: &ToWorker) {
        let answer = match message {
            // Whoever asks for a channel to be closed waits for the answer.
            ToWorker::Disconnect { .. } => ToTab::Detached { channel },
            ToWorker::Send { id, .. } => ToTab::Failed {
                channel,
                id: *id,
                failure: SendFailure::UnknownChannel,
            },
            // A channel that is closed keeps nothing.
            ToWorker::Acknowledge { .. } => return,
            _ => return self.complain(id, Some(channel), WorkerError::UnknownChannel),
        };
        self.tell(id, &answer);
    }

    fn on_connect(&mut self, id: PortId, connect: Connect) {
        let Connect {
            channel,
            key,
            policy,
            replay,
        } = connect;
        let Some(session) = self.ports.session(id) else {
            return;
        };
        let refusal = if session.channels.contains_key(&channel) {
            Some(WorkerError::ChannelInUse)
        } else if session.channels.len() >= limits::MAX_CHANNELS_PER_TAB {
            Some(WorkerError::TooManyChannels)
        } else {
            None
        };
        if let Some(error) = refusal {
            return self.complain(id, Some(channel), error);
        }
        let policy = Rc::new(policy);
        let same = self.links.iter().find(|(_, link)| *link.key() == key);
        let link = match same {
            Some((link, _)) => *link,
            None => self.add_link(key, Rc::clone(&policy)),
        };
        if let Some(session) = self.ports.session(id) {
            session.channels.insert(channel, link);
        }
        let member = Member { port: id, channel };
        self.with_link(link, |link, ctx| link.join(ctx, member, &policy, replay));
    }

    fn add_link(&mut self, key: LinkKey, policy: Rc<StatedPolicy>) -> LinkId {
        let id = LinkId(self.next_link);
        self.next_link += 1;
        self.links.insert(id, Box::new(Link::new(key, policy)));
        id
    }

    /// Tabs know better than the worker, which in Chromium hears nothing. Offline needs all of them: a tab alone may be set
    /// so in its developer tools, and what a tab has said ends with it.
    fn update_online(&mut self) {
        let online = self.ports.is_online().unwrap_or(self.own_online);
        if online == self.online {
            return;
        }
        self.online = online;
        self.stir(Stir::Network);
    }

    /// Adds to what is noticed already. `trusted`: see [`Sleep`].
    fn note_sleep(&mut self, slept: Millis, trusted: Option<Time>) {
        let (before, is_trusted) = self.sleep.map_or((Millis(0), true), |sleep| {
            (sleep.lasted, sleep.trusted.is_some())
        });
        let lasted = Millis(before.0.saturating_add(slept.0));
        self.woke = self.now;
        self.sleep = (lasted > Millis(0)).then_some(Sleep {
            lasted,
            woke: self.woke,
            trusted: trusted.filter(|_| is_trusted),
        });
        self.stir(Stir::Slept(slept));
    }

    fn wake(&mut self, waking: Waking) {
        self.stir(Stir::Wake(waking));
    }

    fn stir(&mut self, stir: Stir) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.with_link(link, |link, ctx| match stir {
                Stir::Tick => link.on_tick(ctx),
                Stir::Network => link.on_network(ctx),
                Stir::Slept(slept) => link.on_sleep(ctx.now, slept),
                Stir::Wake(waking) => link.on_wake(ctx, waking),
            });
        }
    }

    fn drop_port(&mut self, id: PortId) {
        let Some(mut port) = self.ports.remove(id) else {
            return;
        };
        if let Some(session) = port.end() {
            self.abandon_channels(id, session);
        }
    }

    fn abandon_channels(&mut self, port: PortId, session: Session) {
        for (channel, link) in session.channels {
            self.with_link(link, |link, ctx| {
                link.abandon(ctx, Member { port, channel })
            });
        }
        self.update_seen();
        self.update_online();
    }

    /// In the page itself the timers are those of the page, which are late by up to a minute while it is hidden.
    fn pace(&self, wish: Pace) -> Pace {
        if self.scope == WorkerScope::Main && wish.interval > Pace::default().interval {
            Pace::AT_ONCE
        } else {
            wish
        }
    }

    /// Nothing but the reaction itself may be in here: there is a copy of it for each reaction.
    fn with_link(&mut self, id: LinkId, react: impl FnOnce(&mut Link, &mut Ctx<'_>)) {
        let Some((link, mut ctx)) = self.lend(id) else {
            return;
        };
        let before = link.socket();
        react(link, &mut ctx);
        self.settle(id, before);
    }

    fn lend(&mut self, id: LinkId) -> Option<(&mut Link, Ctx<'_>)> {
        let link = self.links.get_mut(&id)?;
        let ctx = Ctx {
            now: self.now,
            online: self.online,
            rng: &mut self.rng,
            next_socket: &mut self.next_socket,
            ports: &mut self.ports,
            outputs: &mut self.outputs,
            #[cfg(feature = "transcode")]
            transcode: self.transcode.as_ref(),
        };
        Some((link, ctx))
    }

    /// Takes note of what a reaction has changed; `before` is the socket that the link had.
    fn settle(&mut self, id: LinkId, before: Option<SocketId>) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let after = link.socket();
        let is_finished = link.is_finished();
        if before != after {
            before.map(|socket| self.sockets.remove(&socket));
            after.map(|socket| self.sockets.insert(socket, id));
        }
        if is_finished {
            self.links.remove(&id);
        }
    }

    fn complain(&mut self, id: PortId, channel: Option<ChannelId>, error: WorkerError) {
        self.tell(id, &ToTab::Error { channel, error });
    }

    fn tell(&mut self, id: PortId, message: &ToTab) {
        self.ports.tell(id, message);
    }
}

/// Messages that a socket has received.
enum Received<'a> {
    Payload(&'a Payload),
    Gathered(&'a [Gathered]),
    Parcel(&'a Parcel),
}

/// What concerns every link.
#[derive(Clone, Copy)]
enum Stir {
    Tick,
    Network,
    Slept(Millis),
    Wake(Waking),
}

/// What a socket is handed of such a batch is little beside [`limits::BUFFERED_STEP_BYTES`]: its host need not be woken to see it leave.
const SHORT_BATCH_BYTES: usize = 4 * 1024;

/// Timers are late by milliseconds, in hidden tabs by a second. What is later than this has slept, or was held back for long.
const SLEPT_OR_HELD_BACK: Millis = Millis(5_000);

/// Browsers wake the timers of a page that is hidden for long once a minute. What is later than this has slept all the same.
pub(crate) const SLEPT_EVEN_IF_HIDDEN: Millis = Millis(120_000);
