//! The way to one worker, whichever tier it is in.

use std::rc::{Rc, Weak};

use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use onesocket_protocol::{
    DebugLevel, Epoch, Outbox, Preface, ToWorker, Version, WorkerScope, frame::Arrived, limits,
};
use onesocket_worker::local::{self, LocalEnd};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    EventTarget, MessageChannel, MessageEvent, MessagePort, SharedWorker, Worker, WorkerOptions,
    WorkerType,
};

use super::{
    Verdict, answer_soon, deliver, early, election,
    hall::{Hall, Meeting},
    js::{Listener, describe, error_message, get},
    succession,
};
use crate::{ManagerConfig, Role, ScriptKind, Tier, TierFailure, core::Core};

/// A drop closes the ports and ends what belongs to this tab alone.
pub(super) struct Transport {
    /// One; while a worker is silent, one for each knock. The first that answers stays.
    lines: Vec<Line>,
    losers: Vec<Line>,
    is_answered: bool,
    maker: Maker,
}

struct Line {
    number: u32,
    wire: Wire,
}

enum Wire {
    Own(Own),
    Port(Port),
    Meeting(Meeting),
    Local(LocalEnd),
}

/// A dedicated worker's own way: in Firefox and WebKit what is posted on a port passes through another process.
struct Own {
    /// The `Worker`, which is posted to as a port is.
    port: MessagePort,
    listeners: Vec<Listener>,
    /// What the page has not read of the worker's is gone when it terminates the worker; what must be read even then comes here too.
    witness: Port,
}

struct Port {
    port: MessagePort,
    listeners: Vec<Listener>,
    /// What the port came from, and its errors.
    _shared: Option<(SharedWorker, Listener)>,
}

enum Maker {
    Shared(Spawner),
    Dedicated {
        spawner: Spawner,
        worker: Worker,
        /// The page has started it, and nobody has listened for its errors at first.
        may_have_failed: bool,
        errors: Listener,
        /// `None` when it is for this tab alone.
        lead: Option<Lead>,
    },
    Follower {
        spawner: Spawner,
        hall: Hall,
        /// Whom this tab has asked for a meeting since it has last knocked.
        asked: Option<String>,
    },
    Main(onesocket_worker::Host),
}

/// What makes a dedicated worker one for all tabs.
struct Lead {
    /// Its name is for the worker.
    name: String,
    _hall: Hall,
    is_announced: bool,
}

/// What it takes to make a worker.
#[derive(Clone)]
pub(super) struct Spawner {
    core: Weak<Core>,
    on_frame: OnFrame,
    script: String,
    /// The SharedWorker's.
    name: String,
    verdicts: UnboundedSender<Verdict>,
}

/// Is given what comes on a line, by its number.
pub(super) type OnFrame = Rc<dyn Fn(u32, Arrived)>;

impl Spawner {
    /// `script` is absolute.
    pub(super) fn new(
        core: &Rc<Core>,
        script: &str,
        on_frame: OnFrame,
        verdicts: UnboundedSender<Verdict>,
    ) -> Self {
        Self {
            core: Rc::downgrade(core),
            on_frame,
            script: script.to_owned(),
            name: succession::worker_name(core),
            verdicts,
        }
    }

    /// Spawns a worker, or connects to the one that is there, which the page may have done already. An answer comes after a hello only; an `error` event goes to
    /// the verdicts.
    pub(super) fn spawn(
        self,
        core: &Core,
        tier: Tier,
        role: Option<Role>,
        early: Option<SharedWorker>,
    ) -> Result<Transport, TierFailure> {
        let config = &core.config;
        let (wire, maker) = match (tier, role) {
            (Tier::Shared, _) => (
                Some(self.shared_wire(config, 0, early)?),
                Maker::Shared(self),
            ),
            (Tier::Dedicated, Some(Role::Follower)) => (None, self.follower(core)?),
            (Tier::Dedicated, role) => self.dedicated(core, role == Some(Role::Leader))?,
            (Tier::Main, _) => self.main(),
        };
        Ok(Transport {
            lines: wire
                .map(|wire| Line { number: 0, wire })
                .into_iter()
                .collect(),
            losers: Vec::new(),
            is_answered: false,
            maker,
        })
    }

    fn shared_wire(
        &self,
        config: &ManagerConfig,
        number: u32,
        early: Option<SharedWorker>,
    ) -> Result<Wire, TierFailure> {
        let make =
            || SharedWorker::new_with_worker_options(&self.script, &options(config, &self.name));
        let worker = early.map_or_else(make, Ok).map_err(threw)?;
        let errors = self.listen_for_errors(&worker);
        Ok(Wire::Port(self.port(
            worker.port(),
            number,
            Some((worker, errors)),
        )))
    }

    fn dedicated(&self, core: &Core, leads: bool) -> Result<(Option<Wire>, Maker), TierFailure> {
        // Entered before the worker is, so that its announcement is heard.
        let lead = if leads { Some(self.lead(core)?) } else { None };
        let early = early::dedicated(core);
        let may_have_failed = early.as_ref().is_some_and(|early| !early.is_watched);
        let make = || self.dedicated_worker(&core.config);
        let worker = early.map_or_else(make, |early| Ok(early.worker))?;
        let errors = self.listen_for_errors(&worker);
        let wire = self.own_wire(&worker, lead.as_ref(), 0)?;
        let maker = Maker::Dedicated {
            spawner: self.clone(),
            worker,
            may_have_failed,
            errors,
            lead,
        };
        Ok((Some(wire), maker))
    }

    fn dedicated_worker(&self, config: &ManagerConfig) -> Result<Worker, TierFailure> {
        Worker::new_with_options(&self.script, &options(config, &config.name)).map_err(threw)
    }

    fn lead(&self, core: &Core) -> Result<Lead, TierFailure> {
        let name = election::hall(core);
        Ok(Lead {
            _hall: self.hall(&name)?,
            name,
            is_announced: false,
        })
    }

    fn follower(self, core: &Core) -> Result<Maker, TierFailure> {
        let hall = self.hall(&election::hall(core))?;
        hall.ask_who_leads();
        Ok(Maker::Follower {
            spawner: self,
            hall,
            asked: None,
        })
    }

    fn hall(&self, name: &str) -> Result<Hall, TierFailure> {
        let core = self.core.clone();
        Hall::enter(name, move |leader| {
            if let Some(core) = core.upgrade()
                && let Some(transport) = &mut *core.host.transport.borrow_mut()
            {
                transport.on_leader(leader);
            }
        })
        .map_err(threw)
    }

    fn meeting(&self, hall: &Hall, leader: &str, number: u32) -> Result<Wire, JsValue> {
        let (core, on_frame) = (self.core.clone(), Rc::clone(&self.on_frame));
        let on_listened_to = move || {
            if let Some(core) = core.upgrade() {
                let hello = core.wiring.hello(core.host.holds_lock());
                if let Some(transport) = &*core.host.transport.borrow() {
                    transport.greet(number, &hello);
                }
            }
        };
        let on_data = move |data| on_frame(number, arrived(data));
        let meeting = hall.meet(leader, on_listened_to, on_data)?;
        Ok(Wire::Meeting(meeting))
    }

    /// Has the worker read what is posted to it.
    fn own_wire(
        &self,
        worker: &Worker,
        lead: Option<&Lead>,
        number: u32,
    ) -> Result<Wire, TierFailure> {
        let witness = self.hand_over(worker, &Array::of1(&hall_of(lead)), number)?;
        Ok(Wire::Own(Own {
            listeners: self.listen(worker, number),
            port: worker.clone().unchecked_into(),
            witness,
        }))
    }

    /// Hands the worker one end of a channel, with a word in which the name of the hall is when it is for all.
    fn hand_over(&self, worker: &Worker, word: &JsValue, number: u32) -> Result<Port, TierFailure> {
        let channel = MessageChannel::new().map_err(threw)?;
        let theirs = channel.port2();
        worker
            .post_message_with_transfer(word, &Array::of1(&theirs))
            .map_err(threw)?;
        Ok(self.port(channel.port1(), number, None))
    }

    fn main(&self) -> (Option<Wire>, Maker) {
        // Like every other worker it is told by the session what to log.
        let host = onesocket_worker::Host::start(WorkerScope::Main, DebugLevel::Off);
        let (ours, theirs) = local::pair();
        let on_frame = Rc::clone(&self.on_frame);
        ours.on_frame(move |arrived| on_frame(0, arrived));
        host.accept(theirs);
        (Some(Wire::Local(ours)), Maker::Main(host))
    }

    fn port(
        &self,
        port: MessagePort,
        number: u32,
        shared: Option<(SharedWorker, Listener)>,
    ) -> Port {
        let listeners = self.listen(&port, number);
        // Listeners, unlike `onmessage`, do not start a port.
        port.start();
        Port {
            port,
            listeners,
            _shared: shared,
        }
    }

    fn listen(&self, target: &EventTarget, number: u32) -> Vec<Listener> {
        let on_frame = Rc::clone(&self.on_frame);
        let message = Listener::new(target, "message", move |event| {
            on_frame(
                number,
                arrived(event.unchecked_ref::<MessageEvent>().data()),
            );
        });
        let on_frame = Rc::clone(&self.on_frame);
        // What the browser can't deserialize is a foreign frame too.
        let unreadable = Listener::new(target, "messageerror", move |_| {
            on_frame(number, Arrived::default())
        });
        vec![message, unreadable]
    }

    fn listen_for_errors(&self, worker: &EventTarget) -> Listener {
        let verdicts = self.verdicts.clone();
        Listener::new(worker, "error", move |event| {
            let message = error_message(&event);
            let verdict = Verdict::Failed(TierFailure::ScriptError {
                message: message.clone(),
            });
            // After the welcome it is no verdict any more: Firefox gives a SharedWorker's run-time errors to every page.
            if verdicts.unbounded_send(verdict).is_err() {
                tracing::warn!(target: "onesocket::tab", message, "error event of the worker");
            }
        })
    }
}

impl Transport {
    pub(super) fn post(&self, frame: &[u8]) {
        for line in &self.lines {
            line.post(frame);
        }
    }

    /// Ends a worker that is this tab's alone; what it has posted before can still be read.
    pub(super) fn end_own_worker(&self) {
        match &self.maker {
            Maker::Shared(_) | Maker::Follower { .. } => {}
            Maker::Dedicated { worker, .. } => worker.terminate(),
            Maker::Main(host) => host.stop(),
        }
    }

    /// Returns whether the worker is another tab's.
    pub(super) fn is_follower(&self) -> bool {
        matches!(self.maker, Maker::Follower { .. })
    }

    /// Returns whether the worker is this tab's.
    pub(super) fn owns_worker(&self) -> bool {
        matches!(self.maker, Maker::Dedicated { .. })
    }

    /// Returns whether the worker is a dedicated one, be it this tab's or another's.
    pub(super) fn is_dedicated(&self) -> bool {
        self.owns_worker() || self.is_follower()
    }

    /// Hears nothing any more. What was posted arrives, as nothing is closed.
    pub(super) fn deafen(&mut self) {
        for line in &mut self.lines {
            match &mut line.wire {
                Wire::Own(own) => {
                    own.listeners.clear();
                    own.witness.listeners.clear();
                }
                Wire::Port(port) => port.listeners.clear(),
                Wire::Meeting(_) | Wire::Local(_) => {}
            }
        }
    }

    /// Returns whether the worker is to be there for all, and has not said so in the hall.
    pub(super) fn is_unannounced(&self) -> bool {
        matches!(&self.maker, Maker::Dedicated { lead: Some(lead), .. } if !lead.is_announced)
    }

    /// A worker says that it is the leader's.
    fn on_leader(&mut self, leader: &str) {
        let number = self.next_number();
        match &mut self.maker {
            Maker::Dedicated {
                lead: Some(lead), ..
            } => lead.is_announced = true,
            Maker::Follower {
                spawner,
                hall,
                asked,
            } if !self.is_answered && asked.as_deref() != Some(leader) => {
                *asked = Some(leader.to_owned());
                // Without it the tab knocks again.
                if let Ok(wire) = spawner.meeting(hall, leader, number) {
                    self.lines.push(Line { number, wire });
                }
            }
            _ => {}
        }
    }

    /// Says hello on a line that is listened to only now.
    fn greet(&self, number: u32, hello: &[u8]) {
        let line = self.lines.iter().find(|line| line.number == number);
        if let Some(line) = line.filter(|_| !self.is_answered) {
            line.post(hello);
        }
    }

    fn next_number(&self) -> u32 {
        self.lines.last().map_or(0, |line| line.number + 1)
    }

    /// Opens one more port to a silent worker, and says hello on it. A worker without the prelude loses the ports that come
    /// before its wasm is up
    /// ([wasm-bindgen#4536](https://github.com/wasm-bindgen/wasm-bindgen/issues/4536)).
    pub(super) fn knock(
        &mut self,
        config: &ManagerConfig,
        hello: &[u8],
    ) -> Result<(), TierFailure> {
        if self.is_answered {
            return Ok(());
        }
        let number = self.next_number();
        let wire = match &mut self.maker {
            Maker::Shared(spawner) => spawner.shared_wire(config, number, None)?,
            Maker::Dedicated {
                spawner,
                worker,
                may_have_failed,
                errors,
                lead,
            } if *may_have_failed => {
                *may_have_failed = false;
                worker.terminate();
                self.lines.clear();
                *worker = spawner.dedicated_worker(config)?;
                *errors = spawner.listen_for_errors(worker);
                spawner.own_wire(worker, lead.as_ref(), number)?
            }
            Maker::Dedicated {
                spawner,
                worker,
                lead,
                ..
            } => Wire::Port(spawner.hand_over(worker, &hall_of(lead.as_ref()), number)?),
            Maker::Follower { hall, asked, .. } => {
                *asked = None;
                hall.ask_who_leads();
                return Ok(());
            }
            Maker::Main(_) => return Ok(()),
        };
        let line = Line { number, wire };
        line.post(hello);
        self.lines.push(line);
        Ok(())
    }

    /// Returns whether what comes on this line is to be read. The first line on which a word of the protocol comes is the one that stays: what else a
    /// script in a dedicated worker posts comes to its page, too.
    fn hears(&mut self, number: u32, frame: &Bytes) -> bool {
        let is_ours = self.lines.iter().any(|line| line.number == number);
        if is_ours && !self.is_answered && Preface::decode(frame).is_ok() {
            self.is_answered = true;
            let (chosen, losers) = self.lines.drain(..).partition(|line| line.number == number);
            self.lines = chosen;
            self.losers = losers;
        }
        is_ours
    }

    /// Takes leave on the ports that were not the first to answer: the worker may have heard the hello there, too.
    pub(super) fn dismiss_losers(&mut self, epoch: Epoch, version: Version) {
        for loser in self.losers.drain(..) {
            loser.say_goodbye(epoch, version);
        }
    }

    /// Takes leave of a worker that was only visited.
    pub(super) fn say_goodbye(&self, epoch: Epoch, version: Version) {
        for line in &self.lines {
            line.say_goodbye(epoch, version);
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.end_own_worker();
    }
}

impl Line {
    fn say_goodbye(&self, epoch: Epoch, version: Version) {
        let mut outbox = Outbox::new(epoch, version);
        outbox.push(&ToWorker::Bye);
        if let Some(bye) = outbox.poll_frame() {
            self.post(bye);
        }
    }

    /// Copies the frame out of wasm memory, once.
    fn post(&self, frame: &[u8]) {
        let posted = match &self.wire {
            Wire::Own(Own { port, .. }) | Wire::Port(Port { port, .. }) => {
                let buffer = Uint8Array::from(frame).buffer();
                port.post_message_with_transferable(&buffer, &Array::of1(&buffer))
            }
            Wire::Meeting(meeting) => {
                meeting.post(&Uint8Array::from(frame).buffer());
                Ok(())
            }
            Wire::Local(end) => {
                end.post(frame);
                Ok(())
            }
        };
        debug_assert!(posted.is_ok(), "a fresh buffer can be transferred");
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.port.close();
    }
}

/// Gives what comes to the tab's session.
pub(super) fn to_session(core: &Rc<Core>) -> OnFrame {
    let core = Rc::downgrade(core);
    Rc::new(move |line, arrived| {
        if let Some(core) = core.upgrade() {
            on_frame(&core, line, arrived);
        }
    })
}

fn on_frame(core: &Rc<Core>, line: u32, arrived: Arrived) {
    let is_ours = core
        .host
        .transport
        .borrow_mut()
        .as_mut()
        .is_some_and(|transport| transport.hears(line, arrived.frame()));
    if is_ours {
        core.host.heard.set(core.host.heard.get() + 1);
        core.wiring.handle_frame(arrived);
        deliver(core);
        answer_soon(core);
    }
}

/// Copies the frame that has arrived. Anything but a buffer of a sane size, alone or with what belongs into it, is none of ours; the session knows what to
/// make of the empty frame that stands for it.
fn arrived(data: JsValue) -> Arrived {
    match data.dyn_into::<ArrayBuffer>() {
        Ok(buffer) if buffer.byte_length() as usize <= limits::MAX_FRAME_BYTES => {
            Some(Bytes::from(Uint8Array::new(&buffer).to_vec()).into())
        }
        Ok(_) => None,
        Err(data) => data.dyn_ref().and_then(onesocket_worker::arrived),
    }
    .unwrap_or_default()
}

fn options(config: &ManagerConfig, name: &str) -> WorkerOptions {
    let options = WorkerOptions::new();
    options.set_name(name);
    if config.script_kind == ScriptKind::Module {
        options.set_type(WorkerType::Module);
    }
    options
}

/// What a dedicated worker is told to lead in.
fn hall_of(lead: Option<&Lead>) -> JsValue {
    lead.map_or(JsValue::NULL, |lead| lead.name.as_str().into())
}

/// Returns whether the browser has workers of this tier.
pub(super) fn is_there(tier: Tier) -> bool {
    let name = match tier {
        Tier::Shared => "SharedWorker",
        Tier::Dedicated => "Worker",
        Tier::Main => return true,
    };
    get(&js_sys::global(), name).is_function()
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn threw(exception: JsValue) -> TierFailure {
    let (name, message) = describe(&exception);
    TierFailure::ConstructorThrew { name, message }
}
