//! One tab's port, as the engine knows it.

use std::collections::VecDeque;

use litemap::LiteMap;
use onesocket_protocol::{ChannelId, Outbox, ToTab, Version};

use crate::engine::LinkId;

#[derive(Debug, Default)]
pub(crate) struct Port {
    /// Frames outside the typed protocol: welcome, refusal, stale. They go first.
    prefaces: VecDeque<Vec<u8>>,
    posting: Vec<u8>,
    posting_preface: bool,
    session: Option<Session>,
    /// Whether its tab's lock is asked for.
    pub(crate) is_watched: bool,
    /// Whether something may have to be posted.
    pub(crate) is_dirty: bool,
}

/// What there is between a hello and a goodbye.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) version: Version,
    pub(crate) outbox: Outbox,
    pub(crate) channels: LiteMap<ChannelId, LinkId>,
}

impl Port {
    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// Begins a session; returns the one before, whose channels are to be closed.
    pub(crate) fn begin(&mut self, session: Session) -> Option<Session> {
        self.session.replace(session)
    }

    pub(crate) fn end(&mut self) -> Option<Session> {
        self.session.take()
    }

    pub(crate) fn post_preface(&mut self, frame: Vec<u8>) {
        self.prefaces.push_back(frame);
    }

    pub(crate) fn tell(&mut self, message: &ToTab) {
        if let Some(session) = &mut self.session {
            session.outbox.push_to_tab(message);
        }
    }

    /// Looks for the next frame to post, and says whether there is one.
    pub(crate) fn prepare_frame(&mut self) -> bool {
        if let Some(preface) = self.prefaces.pop_front() {
            self.posting = preface;
            self.posting_preface = true;
            return true;
        }
        self.posting_preface = false;
        self.session
            .as_mut()
            .is_some_and(|session| session.outbox.prepare_frame())
    }

    /// Returns the frame that was prepared last.
    pub(crate) fn prepared_frame(&self) -> &[u8] {
        match &self.session {
            Some(session) if !self.posting_preface => session.outbox.prepared_frame(),
            _ => &self.posting,
        }
    }
}
