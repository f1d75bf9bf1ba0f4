//! A look into the worker, for whoever draws it.

use core::{
    cell::{Cell, RefCell},
    fmt,
};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use litemap::LiteMap;
use onesocket_protocol::{BatchReader, LogEntry, Preface, Sight, message::tag};

use crate::core::Core;

/// Something that an observer sees.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Observation {
    /// An entry of the worker's log, or of a survey.
    Entry(LogEntry),
    /// What this tab has posted from its hello to the moment at which the worker begins to record: it is in no log. Comes at
    /// [`Sight::Recording`] alone.
    Opening(Vec<Bytes>),
}

/// Keeps an observer of [`WorkerManager::inspect`](crate::WorkerManager::inspect) informed. A drop ends it, and with the last one
/// the worker says nothing any more.
#[must_use = "an inspection ends when its guard is dropped"]
pub struct Inspection {
    core: Weak<Core>,
    id: u64,
}

impl Inspection {
    pub(crate) fn begin(
        core: &Rc<Core>,
        sight: Sight,
        observer: impl FnMut(&Observation) + 'static,
    ) -> Self {
        let id = core.wiring.observers().add(sight, observer);
        let inspection = Self {
            core: Rc::downgrade(core),
            id,
        };
        inspection.survey();
        inspection
    }

    /// Asks the worker for a survey: an entry for each tab and each connection.
    pub fn survey(&self) {
        if let Some(core) = self.core.upgrade() {
            let sight = core.wiring.observers().sight();
            core.with_session(|session| session.inspect(sight));
        }
    }

    /// Changes how much is seen.
    pub fn set_sight(&self, sight: Sight) {
        if let Some(core) = self.core.upgrade() {
            core.wiring.observers().set_sight(self.id, sight);
        }
        self.survey();
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.wiring.observers().remove(self.id);
        }
        self.survey();
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

type Observer = Rc<RefCell<dyn FnMut(&Observation)>>;

/// Who looks into the worker from this page.
#[derive(Default)]
pub(crate) struct Observers {
    by_id: RefCell<LiteMap<u64, (Sight, Observer)>>,
    next: Cell<u64>,
    /// What was posted since the hello, while it is not known to the worker that it is recorded.
    opening: RefCell<Option<Vec<Bytes>>>,
}

impl Observers {
    fn add(&self, sight: Sight, observer: impl FnMut(&Observation) + 'static) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        let observer: Observer = Rc::new(RefCell::new(observer));
        self.by_id.borrow_mut().insert(id, (sight, observer));
        id
    }

    fn remove(&self, id: u64) {
        // Dropped outside of the borrow: what it owns may drop another one.
        let observer = self.by_id.borrow_mut().remove(&id);
        drop(observer);
    }

    fn set_sight(&self, id: u64, sight: Sight) {
        if let Some((own, _)) = self.by_id.borrow_mut().get_mut(&id) {
            *own = sight;
        }
    }

    /// How much any of them sees.
    pub(crate) fn sight(&self) -> Sight {
        let by_id = self.by_id.borrow();
        by_id
            .values()
            .map(|(sight, _)| *sight)
            .max()
            .unwrap_or_default()
    }

    /// Tells all of them. Each is called outside of any borrow.
    pub(crate) fn tell(&self, what: &Observation) {
        let ids: Vec<u64> = self.by_id.borrow().keys().copied().collect();
        for id in ids {
            let observer = self.by_id.borrow().get(&id).map(|(_, it)| Rc::clone(it));
            if let Some(observer) = observer {
                (*observer.borrow_mut())(what);
            }
        }
    }

    /// Takes note of a frame that is posted. Returns the opening, with the frame that ends it.
    pub(crate) fn note_posted(&self, frame: &[u8]) -> Option<Observation> {
        if self.sight() != Sight::Recording {
            return None;
        }
        let frame = Bytes::copy_from_slice(frame);
        let mut opening = self.opening.borrow_mut();
        if matches!(Preface::decode(&frame), Ok(Preface::Hello(_))) {
            *opening = Some(Vec::new());
        }
        let frames = opening.as_mut()?;
        let ends = inspects(&frame);
        frames.push(frame);
        if ends {
            return opening.take().map(Observation::Opening);
        }
        None
    }
}

fn inspects(frame: &Bytes) -> bool {
    let mut messages = BatchReader::new(frame).into_iter().flatten();
    messages.any(|message| message.is_ok_and(|raw| raw.tag == tag::INSPECT))
}
