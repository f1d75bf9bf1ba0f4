//! The log on its way to the tabs: who wants it, who may read what, and the survey for a tab that looks into its worker.

use bytes::Bytes;
use onesocket_protocol::{LogEntry, Sight, ToTab, WorkerScope, inspect::Beginning, log::kind};

use super::Engine;
use crate::{Output, PortId, SocketId};

impl Engine {
    /// Sends an entry of the worker's log to every tab that wants it. What a server said, or is told, only those may read who
    /// share that socket: the others may be of another account. A frame is for its own tab's eyes. A subprotocol that is not the
    /// key's is a credential's, and a recording's alone.
    #[inline(never)]
    pub fn log(&mut self, entry: LogEntry) {
        let link = self.sockets.get(&SocketId(entry.id));
        let readers = link.and_then(|link| self.links.get(link));
        let mut redacted = entry.clone();
        redacted.content = Bytes::new();
        let is_own = readers.is_some_and(|link| {
            let mut own = link.key().subprotocols.iter();
            own.any(|own| own.as_bytes() == entry.content)
        });
        let discloses = match entry.kind == kind::OPENED && !is_own {
            true => Sight::Recording,
            false => Sight::Payloads,
        };
        let LogEntry {
            kind, id: about, ..
        } = entry;
        let (whole, redacted) = (ToTab::Log(entry), ToTab::Log(redacted));
        for id in self.ports.ids() {
            let sight = self.sight(id);
            let may_read = match kind {
                kind::OPENED | kind::RECEIVED | kind::TRANSMITTED => {
                    sight >= discloses && readers.is_some_and(|link| link.has_member(id))
                }
                kind::FRAME_IN => about == id.0,
                _ => true,
            };
            let wants = match kind {
                kind::MOMENT.. => Sight::Recording,
                _ => Sight::Messages,
            };
            if sight >= wants {
                self.ports
                    .tell(id, if may_read { &whole } else { &redacted });
            }
        }
    }

    /// How much a tab sees: by its own wish, or because a tab has turned the log on for all. In the page itself the latter is on
    /// the console already.
    fn sight(&self, id: PortId) -> Sight {
        let shared = match self.scope {
            WorkerScope::Main => Sight::Off,
            _ => self.debug.into(),
        };
        let own = self.ports.sight(id);
        own.map_or(Sight::Off, |own| own.max(shared))
    }

    /// Tells the host what to see, when that has changed.
    pub(super) fn update_seen(&mut self) {
        let sights = self.ports.ids().into_iter().map(|id| self.sight(id));
        let seen = sights.fold(self.debug.into(), Sight::max);
        if core::mem::replace(&mut self.seen, seen) != seen {
            self.outputs.push(Output::Debug(seen));
        }
    }

    /// Whether an engine that is given the same from here on does the same: there was nothing before, and no code of an app's own.
    fn is_replayable(&self) -> bool {
        #[cfg(feature = "transcode")]
        if self.transcode.is_some() {
            return false;
        }
        self.next_tab + self.next_link == 3
    }

    pub(super) fn on_inspect(&mut self, id: PortId, sight: Sight) {
        let Some(session) = self.ports.session(id) else {
            return;
        };
        let before = core::mem::replace(&mut session.sight, sight);
        let paced_since = session.paced_since();
        self.update_seen();
        if sight == Sight::Off {
            return;
        }
        if sight == Sight::Recording && before != sight {
            let beginning = Beginning {
                port: id.0,
                // The lower bits are enough: a replay counts on from one moment to the next.
                paced_since: self.by_host(paced_since).0 as u32,
                now: self.by_host(self.now).0 as u32,
                seed: self.is_replayable().then(|| self.rng.get_seed()),
            };
            self.tell(id, &ToTab::Log(beginning.entry()));
        }
        for port in self.ports.ids() {
            if let Some(session) = self.ports.session(port) {
                let survey = session.survey(port, port == id);
                self.tell(id, &ToTab::Log(survey.entry()));
            }
        }
        for (link, state) in self.links.iter() {
            let survey = state.survey(link.0, self.now);
            self.ports.tell(id, &ToTab::Log(survey));
        }
    }
}
