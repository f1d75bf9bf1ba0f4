//! What apps, pages and their managers do in the world, and what a test asks of them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use onesocket_engine::{
    ChannelConfig, Delivery, Engine, EngineConfig, Input, Loss, PortId, SendRejected, TabSession,
};
use onesocket_protocol::{
    DebugLevel, Epoch, LinkKey, LinkPolicy, Payload, Replay, SendId, Status, TabToken, WorkerScope,
};

use super::{Chan, Client, Event, Outcome, Port, Sim, Tab, Worker};

impl Sim {
    pub(crate) fn worker(&mut self) -> usize {
        let engine = self.engine(true);
        self.workers.push(Worker {
            engine: Some(engine),
            started: self.now,
            timeout: None,
            lock_watches: Vec::new(),
            dies_after: None,
            gathered: Vec::new(),
        });
        self.workers.len() - 1
    }

    pub(super) fn engine(&mut self, online: bool) -> Engine {
        Engine::new(EngineConfig {
            epoch: Epoch(self.rng.u64(1..)),
            scope: WorkerScope::Shared,
            seed: self.rng.u64(..),
            online,
            debug: DebugLevel::Off,
        })
    }

    pub(crate) fn tab(&mut self, worker: usize) -> usize {
        let token = TabToken(self.rng.u64(..));
        self.tabs.push(Tab {
            session: TabSession::new(token, DebugLevel::Off),
            port: None,
            alive: true,
            frozen: false,
            inbox: Vec::new(),
            lost_while_frozen: Vec::new(),
            resting: None,
            clients: BTreeMap::new(),
            errors: Vec::new(),
            pongs: Vec::new(),
            logs: Vec::new(),
            handed_over: 0,
            restarts: 0,
            welcomes: 0,
            refused: Vec::new(),
            next_worker: None,
            last_posted: None,
            numbered: 0,
        });
        let tab = self.tabs.len() - 1;
        self.attach(tab, worker);
        tab
    }

    /// Gives a tab a fresh port to a worker. A port that it had before is dropped, its frames no longer read.
    pub(crate) fn attach(&mut self, tab: usize, worker: usize) {
        self.ports.push(Port {
            tab,
            worker,
            open: true,
            to_worker_at: 0,
            to_tab_at: 0,
        });
        let port = self.ports.len() - 1;
        if let Some(before) = self.tabs[tab].resting.take() {
            let before = self.ports[before].worker;
            if self.workers[before].engine.is_none() {
                self.in_tab(tab, |session| session.detach(Loss::Ended));
            }
        }
        self.tabs[tab].port = Some(port);
        self.input(worker, Input::PortOpened(PortId(port as u32)));
        self.in_tab(tab, |session| session.attach(false));
    }

    pub(crate) fn attach_later(&mut self, tab: usize, worker: usize, delay: u64) {
        self.schedule(delay, Event::Attach { tab, worker });
    }

    pub(crate) fn open(&mut self, tab: usize, url: &str) -> Chan {
        self.open_with(tab, url, |_| {})
    }

    pub(crate) fn open_with(
        &mut self,
        tab: usize,
        url: &str,
        change: impl FnOnce(&mut ChannelConfig),
    ) -> Chan {
        let config = self.config(url, change);
        let id = self.in_tab(tab, |session| session.open(config));
        self.tabs[tab].clients.entry(id).or_default();
        Chan { tab, id }
    }

    pub(crate) fn config(
        &mut self,
        url: &str,
        change: impl FnOnce(&mut ChannelConfig),
    ) -> ChannelConfig {
        let mut config = ChannelConfig {
            key: LinkKey {
                url: url.into(),
                subprotocols: Vec::new(),
                account: String::new(),
            },
            policy: LinkPolicy::default(),
            replay: Replay::None,
        };
        change(&mut config);
        self.keys
            .entry(config.key.url.clone())
            .or_default()
            .insert(config.key.clone());
        config
    }

    pub(crate) fn close(&mut self, chan: Chan) {
        self.in_tab(chan.tab, |session| session.close(chan.id));
    }

    pub(crate) fn send(&mut self, chan: Chan, text: &str) -> SendId {
        self.try_send(chan, Payload::text(text)).expect("taken")
    }

    pub(crate) fn try_send(
        &mut self,
        chan: Chan,
        payload: Payload,
    ) -> Result<SendId, SendRejected> {
        self.try_deliver(chan, payload, Delivery::AtMostOnce)
    }

    pub(crate) fn try_deliver(
        &mut self,
        chan: Chan,
        payload: Payload,
        delivery: Delivery,
    ) -> Result<SendId, SendRejected> {
        let sent = self.in_tab(chan.tab, |session| {
            session.send(chan.id, payload.clone(), delivery)
        });
        if let Ok(id) = sent {
            self.client_mut(chan)
                .on_send(id, payload.into_bytes(), delivery);
        }
        sent
    }

    /// Sends a payload that no other send has, at most once.
    pub(crate) fn send_numbered(
        &mut self,
        chan: Chan,
        padding: usize,
    ) -> Result<SendId, SendRejected> {
        self.deliver_numbered(chan, padding, Delivery::AtMostOnce)
    }

    pub(crate) fn deliver_numbered(
        &mut self,
        chan: Chan,
        padding: usize,
        delivery: Delivery,
    ) -> Result<SendId, SendRejected> {
        let number = self.tabs[chan.tab].numbered;
        self.tabs[chan.tab].numbered += 1;
        let kind = match delivery {
            Delivery::AtMostOnce => 's',
            Delivery::AtLeastOnce => 'l',
            Delivery::UntilAcknowledged => 'k',
        };
        let text = format!(
            "{kind}:{}.{}.{number:06}{}",
            chan.tab,
            chan.id,
            ".".repeat(padding)
        );
        self.try_deliver(chan, Payload::text(text), delivery)
    }

    pub(crate) fn in_tab<T>(&mut self, tab: usize, act: impl FnOnce(&mut TabSession) -> T) -> T {
        let result = act(&mut self.tabs[tab].session);
        self.drain_tab(tab);
        result
    }

    /// The page goes in an orderly way.
    pub(crate) fn bye(&mut self, tab: usize) {
        self.in_tab(tab, TabSession::bye);
        self.tabs[tab].alive = false;
        self.tabs[tab].port = None;
    }

    /// The page goes in an orderly way, and may come back. Meanwhile it reads nothing.
    pub(crate) fn bye_for_now(&mut self, tab: usize) {
        self.in_tab(tab, TabSession::bye);
        if let Some(port) = self.tabs[tab].port {
            self.tabs[tab].resting = Some(port);
        }
    }

    /// The page is gone without a word; its lock tells the worker.
    pub(crate) fn crash_tab(&mut self, tab: usize) {
        self.tabs[tab].alive = false;
        if let Some(port) = self.tabs[tab].port.take() {
            let delay = 1 + self.rng.u64(0..50);
            self.schedule(delay, Event::PortClosed { port });
        }
    }

    pub(crate) fn close_port(&mut self, port: usize) {
        if core::mem::replace(&mut self.ports[port].open, false) {
            let worker = self.ports[port].worker;
            self.input(worker, Input::PortClosed(PortId(port as u32)));
        }
    }

    pub(crate) fn freeze(&mut self, tab: usize) {
        self.tabs[tab].frozen = true;
    }

    pub(crate) fn thaw(&mut self, tab: usize) {
        self.tabs[tab].frozen = false;
        for (port, frame) in core::mem::take(&mut self.tabs[tab].inbox) {
            self.tab_reads(tab, port, &frame);
        }
        self.drain_tab(tab);
        for port in core::mem::take(&mut self.tabs[tab].lost_while_frozen) {
            self.lose_worker(tab, port);
        }
    }

    /// A tab learns that its worker has ended. Whatever that had posted is read by then.
    pub(super) fn lose_worker(&mut self, tab: usize, port: usize) {
        if self.tabs[tab].frozen {
            self.tabs[tab].lost_while_frozen.push(port);
        } else if self.tabs[tab].alive && self.tabs[tab].port == Some(port) {
            self.in_tab(tab, |session| session.detach(Loss::Ended));
        }
    }

    pub(crate) fn hand_over(&mut self, tab: usize, to: usize) {
        self.tabs[tab].next_worker = Some(to);
        self.in_tab(tab, TabSession::hand_over);
    }

    pub(crate) fn is_handing_over(&self, tab: usize) -> bool {
        self.tabs[tab].next_worker.is_some()
    }

    pub(crate) fn network(&mut self, worker: usize, online: bool) {
        self.input(worker, Input::Network { online });
    }

    /// The worker dies; its sockets with it. Its tabs notice when they are attached to another.
    pub(crate) fn kill_worker(&mut self, worker: usize) -> Vec<usize> {
        self.workers[worker].engine = None;
        self.workers[worker].timeout = None;
        self.drop_sockets(worker);
        let mut orphans = Vec::new();
        for (id, port) in self.ports.iter_mut().enumerate() {
            if port.worker == worker && core::mem::replace(&mut port.open, false) {
                orphans.extend((self.tabs[port.tab].port == Some(id)).then_some(port.tab));
            }
        }
        orphans
    }

    /// The worker dies; its tabs learn it, and find the newest worker, each in its own time.
    pub(crate) fn kill_worker_and_tell(&mut self, worker: usize) {
        for tab in self.kill_worker(worker) {
            let told = 1 + self.port_delay;
            if let Some(port) = self.tabs[tab].port {
                self.schedule(told, Event::Lost { tab, port });
            }
            // Some are faster than what they are told: for them it may live on.
            let delay = self.rng.u64(told / 2..told + 500);
            self.attach_later(tab, worker + 1, delay);
        }
    }

    /// The tabs for which something is on its way from their worker.
    pub(crate) fn unread(&self) -> BTreeSet<usize> {
        let ports = self.events.values().filter_map(|event| match event {
            Event::ToTab { port, .. } => Some(*port),
            _ => None,
        });
        let tabs = ports.map(|port| (self.ports[port].tab, port));
        let is_its_own = |(tab, port): &(usize, usize)| self.tabs[*tab].port == Some(*port);
        tabs.filter(is_its_own).map(|(tab, _)| tab).collect()
    }

    /// A page ends its own worker. What it has not read of it is gone, but for what it has by the witness.
    pub(crate) fn terminate_worker(&mut self, tab: usize) {
        let Some(own) = self.tabs[tab].port else {
            return;
        };
        self.kill_worker_and_tell(self.ports[own].worker);
        let mut witnessed = Vec::new();
        self.events.retain(|_, event| match event {
            Event::ToTab {
                port,
                frame,
                is_announcement,
            } if *port == own => {
                witnessed.extend(is_announcement.then(|| frame.clone()));
                false
            }
            _ => true,
        });
        for frame in witnessed {
            self.tab_reads(tab, own, &frame);
        }
        self.drain_tab(tab);
        self.lose_worker(tab, own);
    }

    /// Safari: another run of the worker behind the same ports.
    pub(crate) fn restart_worker_silently(&mut self, worker: usize) {
        self.drop_sockets(worker);
        self.workers[worker].engine = Some(self.engine(true));
        self.workers[worker].started = self.now;
        self.workers[worker].timeout = None;
        let ports: Vec<usize> = (0..self.ports.len())
            .filter(|port| self.ports[*port].worker == worker && self.ports[*port].open)
            .collect();
        for port in ports {
            self.input(worker, Input::PortOpened(PortId(port as u32)));
        }
    }

    pub(super) fn drop_sockets(&mut self, worker: usize) {
        self.workers[worker].gathered.clear();
        for conn in 0..self.conns.len() {
            if self.conns[conn].worker == worker && self.conns[conn].wanted {
                self.forget_socket(conn);
                let delay = self.net(true, conn);
                self.schedule(delay, Event::ClosedByClient { conn });
            }
        }
    }

    /// Posts any buffer on a tab's port, as some other script of the page may.
    pub(crate) fn post_raw(&mut self, tab: usize, frame: Bytes) {
        let port = self.tabs[tab].port.expect("attached");
        let delay = self.port_wait(port, true);
        self.schedule(delay, Event::ToWorker { port, frame });
    }

    pub(crate) fn post_raw_to_tab(&mut self, tab: usize, frame: Bytes) {
        let port = self.tabs[tab].port.expect("attached");
        let delay = self.port_wait(port, false);
        let to_tab = Event::ToTab {
            port,
            frame,
            is_announcement: false,
        };
        self.schedule(delay, to_tab);
    }

    pub(crate) fn last_posted(&self, tab: usize) -> Option<Bytes> {
        let (port, frame) = self.tabs[tab].last_posted.as_ref()?;
        (self.tabs[tab].port == Some(*port)).then(|| frame.clone())
    }

    pub(crate) fn first_conn_of(&self, worker: usize) -> Option<usize> {
        self.open_conns()
            .into_iter()
            .find(|conn| self.conns[*conn].worker == worker)
    }
    pub(crate) fn client(&self, chan: Chan) -> &Client {
        &self.tabs[chan.tab].clients[&chan.id]
    }

    fn client_mut(&mut self, chan: Chan) -> &mut Client {
        self.tabs[chan.tab].clients.entry(chan.id).or_default()
    }

    pub(crate) fn outcome(&self, chan: Chan, id: SendId) -> Option<&Outcome> {
        self.client(chan).outcomes.get(&id)
    }

    pub(crate) fn outcomes(&self, chan: Chan) -> Vec<Outcome> {
        self.client(chan).outcomes.values().cloned().collect()
    }

    pub(crate) fn bodies(&self, chan: Chan) -> Vec<&str> {
        self.client(chan)
            .messages
            .iter()
            .map(|message| message.body())
            .collect()
    }

    /// Asks for the status and waits for it.
    pub(crate) fn status(&mut self, chan: Chan) -> Status {
        let before = self.client(chan).statuses.len();
        self.in_tab(chan.tab, |session| session.ask_status(chan.id));
        self.run_until("a status", |sim| sim.client(chan).statuses.len() > before);
        self.client(chan)
            .statuses
            .last()
            .cloned()
            .expect("one came")
    }
}
