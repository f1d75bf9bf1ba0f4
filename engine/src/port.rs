//! One tab's port, as the engine knows it.

use litemap::LiteMap;
use onesocket_protocol::{
    BatchHeader, ChannelId, Delivered, FrameError, Millis, Outbox, Pace, Packed, Parcel, Payload,
    SendId, Sight, TabToken, ToTab, Version, inspect::PortSurvey, limits, parcel::Enclosed,
};

use crate::{Output, PortId, Time, engine::LinkId};

mod latest;
mod pace;

use latest::Latest;
pub(crate) use latest::Newest;
use pace::Pacer;

/// All ports, and to which of them something may have to be posted.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    by_id: LiteMap<PortId, Port>,
    dirty: Vec<PortId>,
    /// Ports whose tabs must be told what is about to be handed to a socket.
    announcing: Vec<PortId>,
    /// Ports whose tabs ask and do not read.
    overrun: Vec<PortId>,
    /// Ports for which messages wait until then, for the sake of their tabs' pace.
    paced: Vec<(PortId, Time)>,
}

impl Ports {
    pub(crate) fn open(&mut self, id: PortId, now: Time) {
        if !self.by_id.contains_key(&id) {
            let port = Port {
                silent_since: Some(now),
                ..Port::default()
            };
            self.by_id.insert(id, port);
        }
    }

    /// Returns a port on which nobody has said hello for so long that perhaps nobody will, and whether its tab was asked for one before; if it was, the port is
    /// taken out. So it is with a tab that is gone behind its hello, when it has not told of its lock: nothing else says that. A tab that lives may have said hello
    /// to a worker that the browser has replaced, or may have slept behind its welcome.
    pub(crate) fn next_silent(&mut self, now: Time) -> Option<(PortId, bool)> {
        let mut ports = self.by_id.iter_mut();
        let is_silent = |port: &Port| {
            let since = port.silent_since;
            since.is_some_and(|since| since.after(Millis(limits::SILENCE_MILLIS)) < now)
        };
        let (id, port) = ports.find(|(_, port)| is_silent(port))?;
        let (id, was_asked) = (*id, core::mem::replace(&mut port.is_asked, true));
        port.silent_since = Some(now);
        if was_asked {
            self.by_id.remove(&id);
        }
        Some((id, was_asked))
    }

    pub(crate) fn get_mut(&mut self, id: PortId) -> Option<&mut Port> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn session(&mut self, id: PortId) -> Option<&mut Session> {
        self.get_mut(id)?.session.as_mut()
    }

    /// The session of a tab that has posted a batch: it reads what is posted to it.
    pub(crate) fn session_heard(&mut self, id: PortId) -> Option<&mut Session> {
        let port = self.get_mut(id)?;
        port.session.as_mut().inspect(|_| port.silent_since = None)
    }

    /// What a tab with a session wants to see.
    pub(crate) fn sight(&self, id: PortId) -> Option<Sight> {
        let session = self.by_id.get(&id)?.session.as_ref()?;
        Some(session.sight)
    }

    pub(crate) fn remove(&mut self, id: PortId) -> Option<Port> {
        self.by_id.remove(&id)
    }

    /// What the tabs say about the network; `None` when none has said anything.
    pub(crate) fn is_online(&self) -> Option<bool> {
        let said = self.by_id.values();
        let said = said.filter_map(|port| port.session.as_ref()?.online);
        said.reduce(|some, other| some || other)
    }

    pub(crate) fn tell(&mut self, id: PortId, message: &ToTab) {
        if let Some(session) = self.session(id) {
            session.push(message);
            if session.outbox.is_overrun() && !self.overrun.contains(&id) {
                self.overrun.push(id);
            }
            self.mark_dirty(id);
        }
    }

    /// Gives a tab a message of the server.
    pub(crate) fn deliver(&mut self, id: PortId, delivered: &Delivered<'_>, now: Time) {
        if let Some(session) = self.session(id) {
            session.bear_burst(now);
            session.push_delivered(delivered);
            self.mark_dirty(id);
        }
    }

    /// Gives a tab a message of which it need only be given the latest with its key.
    pub(crate) fn deliver_latest(
        &mut self,
        id: PortId,
        channel: ChannelId,
        newest: &Newest<'_>,
        now: Time,
    ) {
        if let Some(session) = self.session(id) {
            session.push_latest(channel, newest, now);
            self.mark_dirty(id);
        }
    }

    /// Gives a tab messages of the server.
    pub(crate) fn deliver_packed(
        &mut self,
        id: PortId,
        channel: ChannelId,
        packed: &Packed,
        now: Time,
    ) {
        if let Some(session) = self.session(id) {
            session.bear_burst(now);
            session.flush_latest();
            session.outbox.push_packed(channel, packed);
            self.mark_dirty(id);
        }
    }

    /// Gives a tab a message of the server that stays out of here.
    pub(crate) fn deliver_parcel(
        &mut self,
        id: PortId,
        channel: ChannelId,
        parcel: &Parcel,
        now: Time,
    ) {
        if let Some(session) = self.session(id) {
            session.bear_burst(now);
            session.flush_latest();
            session.outbox.push_parcel(channel, parcel);
            self.mark_dirty(id);
        }
    }

    /// Whether nothing can be posted to a tab now, and for a moment yet.
    pub(crate) fn holds_back(&self, id: PortId, now: Time) -> bool {
        let session = self.by_id.get(&id).and_then(|port| port.session.as_ref());
        session.is_none_or(|session| session.holds_back(now))
    }

    pub(crate) fn ids(&self) -> Vec<PortId> {
        self.by_id.keys().copied().collect()
    }

    /// Tells all tabs of an older build.
    pub(crate) fn tell_of_update(&mut self, newest: Build) {
        let ids: Vec<PortId> = self.by_id.keys().copied().collect();
        for id in ids {
            let session = self.session(id);
            if let Some(update) = session.and_then(|session| newest.update_for(session.build)) {
                self.tell(id, &update);
            }
        }
    }

    pub(crate) fn post_preface(&mut self, id: PortId, frame: Vec<u8>) {
        if let Some(port) = self.get_mut(id) {
            port.prefaces.push(frame);
            self.mark_dirty(id);
        }
    }

    pub(crate) fn is_overrun(&self, id: PortId) -> bool {
        self.overrun.contains(&id)
    }

    /// Ends the sessions of tabs that ask and do not read, and returns what they held.
    pub(crate) fn end_overrun(&mut self) -> Vec<(PortId, Session)> {
        let overrun = core::mem::take(&mut self.overrun);
        let end = |id| Some((id, self.get_mut(id)?.end()?));
        overrun.into_iter().filter_map(end).collect()
    }

    /// A tab's sends up to this one, which wait here, are about to be handed to a socket.
    pub(crate) fn announce(&mut self, id: PortId, channel: ChannelId, through: SendId) {
        if let Some(session) = self.session(id) {
            session.outbox.announce(channel, through);
            if !self.announcing.contains(&id) {
                self.announcing.push(id);
            }
        }
    }

    /// Looks for the next frame that must be posted before anything is handed to a socket, and says to whom.
    pub(crate) fn prepare_announcement(&mut self) -> Option<PortId> {
        while let Some(id) = self.announcing.pop() {
            if let Some(port) = self.by_id.get_mut(&id)
                && port.prepare_announcement()
            {
                return Some(id);
            }
        }
        None
    }

    /// Something may have to be posted to this port.
    pub(crate) fn mark_dirty(&mut self, id: PortId) {
        if let Some(port) = self.by_id.get_mut(&id)
            && !port.is_dirty
        {
            port.is_dirty = true;
            self.dirty.push(id);
        }
    }

    /// Looks for the next frame to post, and says to whom.
    pub(crate) fn prepare_frame(&mut self, now: Time) -> Option<PortId> {
        // From the end, where taking one does not move the others.
        while let Some(id) = self.dirty.last().copied() {
            if let Some(port) = self.by_id.get_mut(&id) {
                if port.prepare_frame(now) {
                    return Some(id);
                }
                port.is_dirty = false;
                let held = port.session.as_ref().and_then(|session| session.held);
                if let Some(until) = held {
                    match self.paced.iter_mut().find(|(paced, _)| *paced == id) {
                        Some((_, at)) => *at = until,
                        None => self.paced.push((id, until)),
                    }
                }
            }
            self.dirty.pop();
        }
        None
    }

    /// Looks again at the ports whose messages have waited long enough.
    pub(crate) fn release(&mut self, now: Time) {
        while let Some(at) = self.paced.iter().position(|(_, until)| *until <= now) {
            let (id, _) = self.paced.swap_remove(at);
            self.mark_dirty(id);
        }
    }

    /// When [`release`](Self::release) has something to do.
    pub(crate) fn next_release(&self) -> Option<Time> {
        self.paced.iter().map(|(_, until)| *until).min()
    }

    /// Has the frame posted that was prepared last for a port.
    pub(crate) fn post(&self, port: PortId, is_announcement: bool) -> Output<'_> {
        let prepared = self.by_id.get(&port).map(Port::prepared);
        let (frame, enclosed) = prepared.unwrap_or_default();
        Output::Post {
            port,
            frame,
            enclosed,
            is_announcement,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Port {
    /// Frames outside the typed protocol: welcome, refusal, stale, alive. They go first.
    prefaces: Vec<Vec<u8>>,
    posting: Vec<u8>,
    posting_preface: bool,
    session: Option<Session>,
    /// When it was opened, or a hello came; its tab has neither posted a batch nor told of its lock.
    silent_since: Option<Time>,
    /// Whether its tab was asked for a hello because of that.
    is_asked: bool,
    /// Whether its tab's lock is asked for.
    is_watched: bool,
    /// Whether something may have to be posted.
    is_dirty: bool,
}

/// What there is between a hello and a goodbye.
#[derive(Debug)]
pub(crate) struct Session {
    token: TabToken,
    pub(crate) version: Version,
    pub(crate) build: Build,
    pub(crate) outbox: Outbox,
    pub(crate) channels: LiteMap<ChannelId, LinkId>,
    /// What its tab has said about the network.
    pub(crate) online: Option<bool>,
    latest: Latest,
    pacer: Pacer,
    /// Until when what waits is held back.
    held: Option<Time>,
    /// When the tab was posted the batch since which it has not acknowledged everything, or else the last one.
    posted_at: Time,
    /// How much its tab wants to see of the worker.
    pub(crate) sight: Sight,
}

impl Session {
    pub(crate) fn new(
        token: TabToken,
        version: Version,
        build: Build,
        outbox: Outbox,
        pace: Pace,
    ) -> Self {
        Self {
            token,
            version,
            build,
            outbox,
            channels: LiteMap::new(),
            online: None,
            latest: Latest::default(),
            pacer: Pacer::new(pace),
            held: None,
            posted_at: Time(0),
            sight: Sight::Off,
        }
    }

    pub(crate) fn take_batch(&mut self, header: BatchHeader) -> Result<(), FrameError> {
        self.outbox.on_batch(header)?;
        if header.count > 0 {
            self.pacer.reset();
        }
        Ok(())
    }

    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pacer.set(pace);
    }

    pub(crate) fn paced_since(&self) -> Time {
        self.pacer.since()
    }

    pub(crate) fn survey(&self, port: PortId, is_own: bool) -> PortSurvey {
        PortSurvey {
            port: port.0,
            is_own,
            waiting: self.waiting_bytes() as u32,
            channels: self.channels.len() as u32,
            pace: self.pacer.interval().0.min(0xffff),
            is_behind: !self.outbox.may_post(),
        }
    }

    fn push(&mut self, message: &ToTab) {
        // What came before is told before.
        self.flush_latest();
        self.outbox.push_to_tab(message);
    }

    /// Looks how long the tab has not acknowledged: for a moment more may wait.
    fn bear_burst(&mut self, now: Time) {
        let is_soon = now.since(self.posted_at) < Millis(limits::MAX_BURST_MILLIS);
        self.outbox.set_backlog_cap(match is_soon {
            true => limits::MAX_BURST_BYTES,
            false => limits::MAX_BACKLOG_BYTES,
        });
    }

    fn push_delivered(&mut self, delivered: &Delivered<'_>) {
        self.flush_latest();
        self.outbox.push_delivered(delivered);
    }

    fn push_latest(&mut self, channel: ChannelId, newest: &Newest<'_>, now: Time) {
        if self.outbox.is_idle() && self.pacer.holds(now, 0).is_none() {
            return self.push_delivered(&delivered(channel, newest.payload));
        }
        self.latest.push(channel, newest);
        // So many keys, or such large messages, that the tab's own bound has to hold.
        if self.latest.bytes() > limits::MAX_BACKLOG_BYTES {
            self.flush_latest();
        }
    }

    fn flush_latest(&mut self) {
        if !self.latest.is_empty() {
            self.flush_each_latest();
        }
    }

    /// Out of line, as it is rare and its caller is not.
    #[inline(never)]
    fn flush_each_latest(&mut self) {
        for (channel, payload) in self.latest.take() {
            self.outbox.push_delivered(&delivered(channel, &payload));
        }
    }

    fn prepare_frame(&mut self, now: Time) -> bool {
        self.held = None;
        if !self.outbox.may_post() {
            return self.outbox.prepare_frame();
        }
        let waiting = self.waiting_bytes();
        if waiting > 0 && self.outbox.has_only_news() {
            self.held = self.pacer.holds(now, waiting);
        }
        if self.held.is_some() {
            return self.outbox.prepare_acknowledgement();
        }
        self.flush_latest();
        let messages = self.outbox.next_messages();
        if messages > 0 && !self.outbox.is_in_flight() {
            self.posted_at = now;
        }
        self.pacer.count(now, messages);
        self.outbox.prepare_frame()
    }

    /// An acknowledgement that comes soon, as in a conversation, is not counted on: behind the batch in flight a few must wait already.
    fn holds_back(&self, now: Time) -> bool {
        let is_behind = !self.outbox.may_post() && self.outbox.next_messages() >= FEW;
        is_behind || self.held.is_some_and(|until| until > now)
    }

    fn waiting_bytes(&self) -> usize {
        self.outbox.backlog_bytes() + self.latest.bytes()
    }
}

/// So many messages behind the batch in flight are more than an answer or two.
const FEW: u32 = 8;

fn delivered(channel: ChannelId, payload: &Payload) -> Delivered<'_> {
    Delivered {
        channel,
        replayed: false,
        payload,
    }
}

/// What a hello says of how old its tab is. Both numbers grow from deploy to deploy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build {
    /// The app's; 0 when it gives none.
    pub(crate) number: u64,
    /// The newest of the protocol that it speaks.
    pub(crate) version: u16,
}

impl Build {
    /// Takes over what is newer, and says whether anything was.
    pub(crate) fn learn(&mut self, met: Self) -> bool {
        let is_news = met.number > self.number || met.version > self.version;
        self.number = self.number.max(met.number);
        self.version = self.version.max(met.version);
        is_news
    }

    /// What a tab is told of this newest build, if its own is older. One that gives no number is older by the protocol only: it
    /// may be of any build.
    pub(crate) fn update_for(self, tab: Self) -> Option<ToTab> {
        let is_newer = tab.number != 0 && tab.number < self.number;
        (is_newer || tab.version < self.version).then_some(ToTab::UpdateAvailable {
            build: if is_newer { self.number } else { 0 },
        })
    }
}

impl Port {
    /// Begins a session; returns the one before, whose channels are to be closed.
    pub(crate) fn begin(&mut self, session: Session, now: Time) -> Option<Session> {
        self.silent_since = self.silent_since.map(|_| now);
        self.is_asked = false;
        self.session.replace(session)
    }

    /// Returns the name of the lock by which the worker learns that the tab is gone, if it is not asked for yet.
    pub(crate) fn watch(&mut self) -> Option<String> {
        let session = self.session.as_ref()?;
        self.silent_since = None;
        let is_new = !core::mem::replace(&mut self.is_watched, true);
        is_new.then(|| session.token.lock_name())
    }

    pub(crate) fn end(&mut self) -> Option<Session> {
        self.session.take()
    }

    fn prepare_frame(&mut self, now: Time) -> bool {
        if !self.prefaces.is_empty() {
            self.posting = self.prefaces.remove(0);
            self.posting_preface = true;
            return true;
        }
        self.posting_preface = false;
        self.session
            .as_mut()
            .is_some_and(|session| session.prepare_frame(now))
    }

    fn prepare_announcement(&mut self) -> bool {
        self.posting_preface = false;
        self.session
            .as_mut()
            .is_some_and(|session| session.outbox.prepare_announcement())
    }

    fn prepared(&self) -> (&[u8], &[Enclosed]) {
        match &self.session {
            Some(session) if !self.posting_preface => {
                (session.outbox.prepared_frame(), session.outbox.enclosed())
            }
            _ => (&self.posting, &[]),
        }
    }
}
