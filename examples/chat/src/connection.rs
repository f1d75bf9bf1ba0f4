//! The chat's use of onesocket: a client, its events, and what is sent through it.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    rc::Rc,
    time::Duration,
};

use futures::StreamExt as _;
use gloo_timers::future::TimeoutFuture;
use onesocket::{
    Client, DebugLevel, Event, Heartbeat, LinkState, ManagerConfig, Payload, Replay, SendError,
    Status, Tier, TierPolicy, WorkerManager, inspector,
};
use wasm_bindgen_futures::spawn_local;

use crate::{
    conversation::{Conversation, Key},
    dom,
    message::{Chat, ChatCodec, Heard},
    parameters::{Inspector, Parameters},
    view::View,
};

/// A chat that is connected, or about to be.
pub(crate) struct Connection {
    client: Client<Chat, Heard>,
    name: String,
    tiers: TierPolicy,
    view: Rc<View>,
    conversation: RefCell<Conversation>,
    /// This page in the ids of its messages.
    page: String,
    last_number: Cell<u64>,
    /// When a message went into an open socket that has not come back yet.
    under_way: RefCell<Option<(Key, f64)>>,
    trips: Cell<Trips>,
    level_when_on: DebugLevel,
}

/// How long there and back takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trips {
    pub(crate) server: Option<Duration>,
    pub(crate) worker: Option<Duration>,
}

impl Connection {
    /// Connects, and serves the page for as long as it lives.
    pub(crate) fn start(parameters: Parameters, view: Rc<View>) {
        if parameters.inspector == Some(Inspector::Page) {
            return match WorkerManager::shared(worker_config(&parameters)) {
                Ok(manager) => inspector::fill_page(&manager),
                Err(error) => view.refuse(&format!("Nothing to inspect: {}.", explain(&error))),
            };
        }
        view.introduce(&parameters);
        let client = match build(&parameters) {
            Ok(client) => client,
            Err(error) => return view.refuse(&format!("Not connected: {}.", explain(&error))),
        };
        match parameters.inspector {
            Some(Inspector::Open) => inspector::show(client.manager()),
            Some(Inspector::Recording) => inspector::record(client.manager()),
            Some(Inspector::Page) | None => {}
        }
        let connection = Rc::new(Self {
            client,
            name: parameters.name,
            tiers: parameters.tiers,
            view,
            conversation: RefCell::default(),
            page: dom::random_word(),
            last_number: Cell::new(0),
            under_way: RefCell::new(None),
            trips: Cell::default(),
            level_when_on: match parameters.debug {
                DebugLevel::Off => DebugLevel::Messages,
                level => level,
            },
        });
        connection.listen();
        connection.follow_the_manager();
        spawn_local(Rc::clone(&connection).hear());
        spawn_local(Rc::clone(&connection).look_around());
    }

    /// Hears everything, in bursts: a page that is drawn once per burst keeps up with a history of any length.
    async fn hear(self: Rc<Self>) {
        let mut bursts = self.client.events().ready_chunks(BURST);
        while let Some(burst) = bursts.next().await {
            for event in burst {
                self.on_event(event);
            }
            self.show_counts();
            self.view.log.settle();
        }
        self.view.events.add("the client was closed");
    }

    fn on_event(self: &Rc<Self>, event: Event<Heard>) {
        match event {
            Event::Message(heard) => self.on_message(heard, false),
            Event::Replayed(heard) => self.on_message(heard, true),
            Event::Status(status) => self.show_status(&status),
            Event::Connected { .. } => self.view.events.add("connected"),
            Event::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                let delay = delay.map_or_else(
                    || "when the network is back".to_owned(),
                    |delay| format!("in {:.1} s", delay.as_secs_f64()),
                );
                self.view
                    .events
                    .add(&format!("{cause}; attempt {attempt} {delay}"));
            }
            Event::Disconnected { reason } => {
                self.show_status(&self.client.status());
                self.view.events.add(&explain(&reason));
            }
            Event::Lagged { missed } => self.view.events.add(&format!(
                "{missed} messages were dropped: this page did not keep up"
            )),
            Event::Error(error) => self.view.events.add(&explain(&error)),
            _ => {}
        }
    }

    fn on_message(&self, heard: Heard, is_replay: bool) {
        let now = dom::now();
        let placed = self
            .conversation
            .borrow_mut()
            .hear(heard, is_replay, &self.name, now);
        let Some(placed) = placed else {
            return;
        };
        self.under_way.borrow_mut().take_if(|(key, since)| {
            let is_back = *key == placed.key;
            if is_back {
                let server = Some(Duration::from_secs_f64((now - *since).max(0.0) / 1_000.0));
                self.trips.set(Trips {
                    server,
                    ..self.trips.get()
                });
            }
            is_back
        });
        self.view.log.place(&self.conversation.borrow(), &placed);
        self.view.diagram.pulse("in");
    }

    /// Shows a message at once, and sends it.
    fn say(self: &Rc<Self>, text: String) {
        self.last_number.set(self.last_number.get() + 1);
        let chat = Chat {
            id: format!("{}-{}", self.page, self.last_number.get()),
            from: self.name.clone(),
            text,
            at: js_sys::Date::now(),
        };
        let placed = self.conversation.borrow_mut().say(chat);
        self.view.log.place(&self.conversation.borrow(), &placed);
        self.view.log.go_to_end();
        self.transmit(placed.key);
    }

    fn transmit(self: &Rc<Self>, key: Key) {
        let Some(chat) = self
            .conversation
            .borrow()
            .entry(key)
            .map(|entry| entry.chat.clone())
        else {
            return;
        };
        // Taken by this call, in the order of the calls; the future only tells how it ends.
        let sending = self.client.send(&chat);
        if self.client.status().state.is_connected() {
            self.under_way.borrow_mut().get_or_insert((key, dom::now()));
        }
        let connection = Rc::clone(self);
        spawn_local(async move {
            match sending.await {
                Ok(_) => {
                    connection
                        .conversation
                        .borrow_mut()
                        .on_sent(key, dom::now());
                    connection.view.diagram.pulse("out");
                }
                Err(error) => {
                    connection
                        .under_way
                        .borrow_mut()
                        .take_if(|(under_way, _)| *under_way == key);
                    connection
                        .conversation
                        .borrow_mut()
                        .on_failed(key, explain_failure(&error));
                }
            }
            connection
                .view
                .log
                .update(&connection.conversation.borrow(), key);
            connection.show_counts();
        });
        self.client.refresh_status();
    }

    fn retry(self: &Rc<Self>, key: Key) {
        let placed = self.conversation.borrow_mut().retry(key);
        if let Some(placed) = placed {
            self.view.log.place(&self.conversation.borrow(), &placed);
            self.transmit(key);
        }
    }

    /// Asks about what changes without an event, while somebody is looking.
    async fn look_around(self: Rc<Self>) {
        for second in 0u64.. {
            if dom::is_visible() {
                self.client.refresh_status();
                if second % PING_EVERY_S == 0
                    && let Ok(worker) = self.client.manager().ping().await
                {
                    self.trips.set(Trips {
                        worker: Some(worker),
                        ..self.trips.get()
                    });
                    self.show_status(&self.client.status());
                }
            }
            TimeoutFuture::new(1_000).await;
        }
    }

    fn switch(self: &Rc<Self>, tier: Tier) {
        if let TierPolicy::Forced(_) = self.tiers {
            return self.view.go_to_tier(tier);
        }
        let connection = Rc::clone(self);
        spawn_local(async move {
            match connection.client.manager().switch_tier(tier).await {
                Ok(()) => connection
                    .view
                    .events
                    .add(&format!("switched to tier {tier}")),
                Err(error) => connection.view.events.add(&explain(&error)),
            }
            connection.client.refresh_status();
        });
    }

    fn follow_the_manager(self: &Rc<Self>) {
        let manager = self.client.manager().clone();
        self.view
            .show_manager(&self.tiers, &manager.state(), &manager.ladder());
        let connection = Rc::downgrade(self);
        let listening = manager.on_change(move |state, ladder| {
            if let Some(connection) = connection.upgrade() {
                connection
                    .view
                    .show_manager(&connection.tiers, state, ladder);
                connection.view.events.add(&format!("worker: {state}"));
                connection.show_status(&connection.client.status());
            }
        });
        listening.keep();
    }

    fn show_status(&self, status: &Status) {
        self.view
            .show_status(status, self.client.tier(), self.trips.get());
    }

    fn show_counts(&self) {
        self.view.show_counts(self.conversation.borrow().counts);
    }

    fn listen(self: &Rc<Self>) {
        let connection = Rc::clone(self);
        self.view.on_say(move |text| connection.say(text));
        let connection = Rc::clone(self);
        self.view.log.on_retry(move |key| connection.retry(key));
        let connection = Rc::clone(self);
        self.view.on_reconnect(move || {
            // Does nothing unless there is no worker at all.
            connection.client.manager().start();
            connection.client.reconnect();
        });
        let connection = Rc::clone(self);
        self.view
            .on_inspect(move || inspector::show(connection.client.manager()));
        let connection = Rc::clone(self);
        self.view.on_tier(move |tier| connection.switch(tier));
        let connection = Rc::clone(self);
        self.view.on_debug(move |is_on| {
            let level = if is_on {
                connection.level_when_on
            } else {
                DebugLevel::Off
            };
            connection.client.set_debug(level);
            connection.view.events.add(if is_on {
                "debug log on: see the console"
            } else {
                "debug log off"
            });
        });
    }
}

fn worker_config(parameters: &Parameters) -> ManagerConfig {
    ManagerConfig::default()
        .tiers(parameters.tiers.clone())
        .debug(parameters.debug)
}

fn build(parameters: &Parameters) -> Result<Client<Chat, Heard>, onesocket::BuildError> {
    let mut builder = Client::builder(&parameters.url, ChatCodec)
        .worker(worker_config(parameters))
        // A tab that joins an open connection sees what the others saw.
        .replay(Replay::Last {
            messages: 200,
            bytes: 256 * 1024,
        });
    if let Some(ping) = &parameters.ping {
        // A server that repeats what it hears answers with the ping itself, which is then kept from the page.
        let ping = Payload::text(ping.clone());
        builder =
            builder.heartbeat(Heartbeat::every(Duration::from_secs(20), ping.clone()).pong(ping));
    }
    builder.build()
}

/// The error and what is behind it.
fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The same, where "not sent" is said already.
fn explain_failure(error: &SendError) -> String {
    match error {
        SendError::MaybeSent { .. } => "it may have been sent: the worker was lost".to_owned(),
        error => error.source().map_or_else(|| error.to_string(), explain),
    }
}

/// The word for a state, which programs read too.
pub(crate) fn word_for(state: &LinkState) -> &'static str {
    match state {
        LinkState::Connecting { .. } => "connecting",
        LinkState::Connected { .. } => "connected",
        LinkState::Reconnecting { .. } => "reconnecting",
        LinkState::Offline { .. } => "offline",
        LinkState::NeedsAuth { .. } => "unauthorized",
        LinkState::Stopped(_) => "disconnected",
    }
}

const BURST: usize = 256;
const PING_EVERY_S: u64 = 5;
