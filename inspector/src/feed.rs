//! What the element is fed with, and what its buttons do.

use std::cell::RefCell;

use js_sys::{Array, Error, Object, Promise, Reflect};
use onesocket_manager::{
    AttemptOutcome, ChangeGuard, Inspection, ManagerConfig, Tier, WorkerManager,
};
use onesocket_protocol::{LogEntry, Sight};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::listener::{Listener, is_survey};

/// One manager, as an inspector sees and steers it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Feed {
    manager: WorkerManager,
    looking: RefCell<Option<(Inspection, ChangeGuard)>>,
}

impl Feed {
    /// Makes a feed that says nothing before it is asked to.
    #[must_use]
    pub fn new(manager: &WorkerManager) -> Self {
        Self {
            manager: manager.clone(),
            looking: RefCell::default(),
        }
    }
}

#[wasm_bindgen]
impl Feed {
    /// Makes a feed of the worker of this script and name, for a page of its own.
    #[wasm_bindgen(js_name = ofScript)]
    pub fn of_script(script: String, name: Option<String>) -> Result<Self, Error> {
        let mut config = ManagerConfig::default().script(script);
        if let Some(name) = name {
            config = config.name(name);
        }
        let manager =
            WorkerManager::shared(config).map_err(|error| Error::new(&error.to_string()))?;
        manager.start();
        Ok(Self::new(&manager))
    }

    /// Tells a listener from now on what can be seen: `off`, `messages`, `payloads` or `recording`.
    pub fn look(&self, sight: &str, listener: &Listener) {
        let sight = sight_of(sight);
        let (observer, follower) = (listener.clone(), listener.clone());
        let inspection = self.manager.inspect(sight, move |what| observer.tell(what));
        let guard = self.manager.on_change(move |_, _| follower.changed());
        self.looking.replace(Some((inspection, guard)));
    }

    /// Changes how much is seen.
    #[wasm_bindgen(js_name = setSight)]
    pub fn set_sight(&self, sight: &str) {
        if let Some((inspection, _)) = &*self.looking.borrow() {
            inspection.set_sight(sight_of(sight));
        }
    }

    /// Asks the worker for a survey.
    pub fn survey(&self) {
        if let Some((inspection, _)) = &*self.looking.borrow() {
            inspection.survey();
        }
    }

    /// Looks no more.
    pub fn close(&self) {
        drop(self.looking.take());
    }

    /// Returns tier, role, state, run and ladder.
    pub fn state(&self) -> Object {
        let ladder = self.manager.ladder();
        let attempts = ladder.attempts().iter().map(|attempt| {
            let outcome = match attempt.outcome {
                AttemptOutcome::Running => "running",
                AttemptOutcome::Failed(_) => "failed",
                _ => "left",
            };
            object(&[
                ("tier", attempt.tier.as_str().into()),
                ("outcome", outcome.into()),
                ("text", attempt.outcome.to_string().into()),
                ("millis", (attempt.duration.as_millis() as f64).into()),
            ])
        });
        let or_null = |text: Option<String>| text.map_or(JsValue::NULL, JsValue::from);
        object(&[
            ("state", self.manager.state().to_string().into()),
            (
                "tier",
                or_null(self.manager.tier().map(|tier| tier.to_string())),
            ),
            ("role", or_null(ladder.role().map(|role| role.to_string()))),
            (
                "epoch",
                or_null(self.manager.epoch().map(|epoch| epoch.to_string())),
            ),
            ("ladder", attempts.collect::<Array>().into()),
            ("hasFaults", cfg!(feature = "faults").into()),
        ])
    }

    /// Puts an entry of the log into words.
    pub fn words(&self, kind: u8, id: u32, code: u32, len: u32, content: Vec<u8>) -> String {
        if is_survey(kind) {
            return String::new();
        }
        let entry = LogEntry {
            kind,
            id,
            code,
            len,
            content: content.into(),
        };
        entry.to_string()
    }

    /// Changes the tier. The promise is rejected with the reason when the tab is not on it in the end.
    #[wasm_bindgen(js_name = switchTier)]
    pub fn switch_tier(&self, tier: &str) -> Promise {
        let switched = tier
            .parse::<Tier>()
            .map(|tier| self.manager.switch_tier(tier));
        future_to_promise(async move {
            let switched = switched.map_err(|error| Error::new(&error.to_string()))?;
            switched
                .await
                .map_err(|error| Error::new(&error.to_string()))?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Measures the round trip to the worker, in milliseconds.
    pub fn ping(&self) -> Promise {
        let ping = self.manager.ping();
        future_to_promise(async move {
            let trip = ping.await.map_err(|error| Error::new(&error.to_string()))?;
            Ok((trip.as_secs_f64() * 1_000.0).into())
        })
    }

    /// Makes the worker fail, if it is of a test build and so is this.
    #[cfg_attr(
        not(feature = "faults"),
        expect(unused_variables, reason = "nothing fails")
    )]
    pub fn fault(&self, fault: &str) {
        #[cfg(feature = "faults")]
        self.manager.fault(match fault {
            "end" => onesocket_protocol::Fault::End,
            "trap" => onesocket_protocol::Fault::Trap,
            "panic" => onesocket_protocol::Fault::Panic,
            "hang" => onesocket_protocol::Fault::Hang(onesocket_protocol::Millis(HANG_MILLIS)),
            "mute" => onesocket_protocol::Fault::Mute,
            _ => onesocket_protocol::Fault::DropSockets,
        });
    }
}

fn sight_of(word: &str) -> Sight {
    match word {
        "messages" => Sight::Messages,
        "payloads" => Sight::Payloads,
        "recording" => Sight::Recording,
        _ => Sight::Off,
    }
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in fields {
        // A plain object takes every property.
        let _ = Reflect::set(&object, &JsValue::from_str(key), value);
    }
    object
}

/// Long enough for the tabs to give it up.
#[cfg(feature = "faults")]
const HANG_MILLIS: u32 = 15_000;
