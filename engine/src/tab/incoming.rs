//! What a worker says to a tab.

use bytes::Bytes;
use onesocket_protocol::{
    ChannelId, Epoch, FrameError, Outbox, Preface, SendFailure, SendId, Status, StopReason, ToTab,
    Version, VersionRange, Welcome, WorkerError,
    frame::{Arrived, ArrivedReader},
    message::tag,
};

use super::{ChannelEvent, HandingOver, Live, Loss, Phase, SessionFailure, TabOutput, TabSession};

impl TabSession {
    /// Takes a buffer that the worker has posted.
    pub fn handle_frame(&mut self, frame: &Bytes) {
        self.handle_arrived(frame.clone().into());
    }

    /// Takes a buffer that the worker has posted, with what belongs into it.
    pub fn handle_arrived(&mut self, arrived: Arrived) {
        match Preface::decode(arrived.frame()) {
            Ok(Preface::Welcome(welcome)) => self.on_welcome(welcome),
            // It answers a hello, or is not meant for anybody here.
            Ok(Preface::Refused(_)) if !matches!(self.phase, Phase::Greeting) => {}
            Ok(Preface::Refused(refusal)) => {
                let theirs = refusal.versions;
                if theirs.max > VersionRange::OURS.max {
                    self.on_update(0);
                }
                self.on_session_refused(SessionFailure::VersionMismatch {
                    ours: VersionRange::OURS,
                    theirs,
                });
            }
            Ok(Preface::Failed(failed)) => self.on_session_refused(SessionFailure::WorkerFailed {
                reason: failed.reason,
            }),
            Ok(Preface::Stale(epoch)) => self.on_stale(epoch),
            Ok(Preface::Batch) => self.on_batch(arrived),
            Ok(Preface::Alive(epoch)) => self.on_alive(epoch),
            Ok(Preface::Hello(_) | Preface::Probe) | Err(_) => self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame)),
        }
    }

    fn on_welcome(&mut self, welcome: Welcome) {
        if !matches!(self.phase, Phase::Greeting) {
            return;
        }
        let Some(version) = Version::from_number(welcome.version) else {
            let theirs = welcome.versions;
            return self.on_session_refused(SessionFailure::VersionMismatch {
                ours: VersionRange::OURS,
                theirs,
            });
        };
        let Welcome { epoch, tab, .. } = welcome;
        self.phase = Phase::Live(Live {
            epoch,
            version,
            outbox: Outbox::new(epoch, version),
        });
        self.outputs.push_back(TabOutput::Welcomed {
            epoch,
            version,
            tab,
        });
        self.introduce();
    }

    fn on_session_refused(&mut self, why: SessionFailure) {
        let handed_over = matches!(self.phase, Phase::HandingOver(_));
        // The script around its wasm says so, and ends it.
        self.detach(Loss::Ended);
        self.outputs.push_back(if handed_over {
            // It is being left anyway, and somebody waits for that.
            TabOutput::HandedOver
        } else {
            TabOutput::Refused(why)
        });
    }

    /// The answer to a probe. It may be of another run than the one that has welcomed this tab.
    fn on_alive(&mut self, epoch: Epoch) {
        let ours = match &self.phase {
            Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. }) => live.epoch,
            Phase::Detached | Phase::Greeting | Phase::Failed(_) => return,
        };
        if ours != epoch {
            self.on_stale(epoch);
        }
    }

    /// Safari may restart a SharedWorker on the ports of the one before; the new one asks for a hello. So does one that has taken
    /// this tab for gone, and it still sends what it has queued.
    fn on_stale(&mut self, epoch: Epoch) {
        let (Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. })) = &self.phase else {
            return;
        };
        let is_same = live.epoch == epoch;
        let is_handing_over = matches!(self.phase, Phase::HandingOver(_));
        if is_handing_over || !is_same {
            self.detach(if is_same { Loss::Unknown } else { Loss::Ended });
        }
        if is_handing_over {
            return self.outputs.push_back(TabOutput::HandedOver);
        }
        self.attach(self.holds_lock);
        self.outputs.push_back(TabOutput::Restarted { epoch });
    }

    fn on_batch(&mut self, arrived: Arrived) {
        let (Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. })) = &mut self.phase
        else {
            return;
        };
        let len = arrived.frame().len();
        let Ok(reader) = ArrivedReader::new(arrived) else {
            return self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame));
        };
        if reader.header().epoch != live.epoch {
            // A last word of a worker that is not ours any more.
            return;
        }
        if let Err(error) = live.outbox.on_batch(reader.header()) {
            // A port loses nothing, but a `BroadcastChannel` does while the page is kept for the back button. What is missing
            // will not come any more, and both sides would wait for the other.
            let has_hole =
                matches!(error, FrameError::OutOfSequence { expected, seq } if expected < seq);
            if has_hole && matches!(self.phase, Phase::Live(_)) {
                self.attach(self.holds_lock);
            }
            return self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame));
        }
        let (version, before) = (live.version, self.outputs.len());
        self.read_messages(version, reader);
        // Of one channel is almost all that is in a frame.
        if len > LONG_FRAME && self.channels.len() > 1 {
            self.detach_few(before, len);
        }
    }

    /// Gives memory of its own to what a channel is told of a frame, behind so many outputs, if it is little of that: it may wait for long for who reads it,
    /// where it counts as what it is.
    #[inline(never)]
    fn detach_few(&mut self, before: usize, frame: usize) {
        let mut told: Vec<(ChannelId, usize)> = Vec::new();
        for output in self.outputs.iter().skip(before) {
            let TabOutput::Event { channel, event } = output else {
                continue;
            };
            let bytes = match event {
                ChannelEvent::Message { payload, .. } => payload.len(),
                ChannelEvent::Packed(packed) => packed.bytes().len(),
                _ => continue,
            };
            match told.iter_mut().find(|(of, _)| of == channel) {
                Some((_, told)) => *told += bytes,
                None => told.push((*channel, bytes)),
            }
        }
        told.retain(|(_, bytes)| *bytes < frame / MUCH);
        if told.is_empty() {
            return;
        }
        for output in self.outputs.iter_mut().skip(before) {
            match output {
                TabOutput::Event { channel, event } if told.iter().any(|(of, _)| of == channel) => {
                    match event {
                        ChannelEvent::Message { payload, .. } => *payload = payload.detached(),
                        ChannelEvent::Packed(packed) => *packed = packed.detached(),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn read_messages(&mut self, version: Version, mut reader: ArrivedReader) {
        let is_numbered = reader.header().seq != 0;
        loop {
            if is_numbered && let Some((channel, parcel)) = reader.next_parcel(version) {
                if self.channels.contains_key(&channel) {
                    self.tell(channel, ChannelEvent::Parcel(parcel));
                }
                continue;
            }
            let Some(raw) = reader.next() else { return };
            let Ok(raw) = raw else {
                return self
                    .outputs
                    .push_back(TabOutput::Error(WorkerError::InvalidFrame));
            };
            match ToTab::decode(version, &raw) {
                Ok(message)
                    if !is_numbered
                        && !matches!(message, ToTab::Mark { .. } | ToTab::Sent { .. }) =>
                {
                    return self
                        .outputs
                        .push_back(TabOutput::Error(WorkerError::InvalidFrame));
                }
                Ok(message) => {
                    self.on_message(message);
                    if !matches!(self.phase, Phase::Live(_) | Phase::HandingOver(_)) {
                        // It was left in the middle of its batch.
                        return;
                    }
                }
                // A newer worker may say things that this page need not understand.
                Err(_) => self
                    .outputs
                    .push_back(TabOutput::Error(WorkerError::InvalidMessage {
                        tag: raw.tag,
                    })),
            }
        }
    }

    fn on_message(&mut self, message: ToTab) {
        match message {
            ToTab::Message {
                channel,
                replayed,
                payload,
            } => {
                if self.channels.contains_key(&channel) {
                    self.tell(channel, ChannelEvent::Message { replayed, payload });
                }
            }
            ToTab::Packed { channel, packed } => {
                if self.channels.contains_key(&channel) {
                    self.tell(channel, ChannelEvent::Packed(packed));
                }
            }
            message => self.on_rare_message(message),
        }
    }

    fn on_status(&mut self, channel: ChannelId, status: Status) {
        // A socket that is lost takes with it what it holds. Before the next one is open this is always told.
        if !status.state.is_connected() {
            self.on_buffered(channel, 0);
        }
        self.tell(channel, ChannelEvent::Status(status));
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_rare_message(&mut self, message: ToTab) {
        if message
            .channel()
            .is_some_and(|channel| !self.channels.contains_key(&channel))
        {
            // Its client has been told the last already.
            return;
        }
        match message {
            ToTab::Attached { channel, status } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.on_attached();
                }
                self.on_status(channel, status);
                self.tell_update(channel);
            }
            ToTab::Status { channel, status } => self.on_status(channel, status),
            ToTab::Connected {
                channel,
                subprotocol,
            } => self.tell(channel, ChannelEvent::Connected { subprotocol }),
            ToTab::Buffered { channel, bytes } => self.on_buffered(channel, bytes),
            ToTab::Disconnected { channel, reason } => {
                if let Some(channel) = self.channels.get_mut(&channel)
                    && reason == StopReason::LoggedOut
                {
                    channel.log_out = None;
                }
                self.tell(channel, ChannelEvent::Disconnected { reason })
            }
            ToTab::Reconnecting {
                channel,
                attempt,
                delay,
                cause,
            } => {
                self.tell(
                    channel,
                    ChannelEvent::Reconnecting {
                        attempt,
                        delay,
                        cause,
                    },
                );
            }
            // Told where it is read.
            ToTab::Message { .. } | ToTab::Packed { .. } => {}
            ToTab::Ready { .. } => {}
            ToTab::Error {
                channel: Some(channel),
                error,
            } => self.tell(channel, ChannelEvent::Error(error)),
            ToTab::Error {
                channel: None,
                error,
            } => self.on_error(error),
            ToTab::Sent { channel, through } => self.on_sent(channel, through),
            ToTab::Failed {
                channel,
                id,
                failure,
            } => self.on_failed(channel, id, failure),
            ToTab::Pong { nonce } => self.outputs.push_back(TabOutput::Pong { nonce }),
            ToTab::Log(entry) => self.outputs.push_back(TabOutput::Log(entry)),
            ToTab::Lagged { channel, missed } => {
                self.tell(channel, ChannelEvent::Lagged { missed })
            }
            ToTab::Mark { channel, through } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.mark(through);
                }
            }
            ToTab::NeedCredential {
                channel,
                request,
                refused,
            } => self.tell(channel, ChannelEvent::NeedCredential { request, refused }),
            ToTab::Detached { channel } => self.on_detached(channel),
            ToTab::UpdateAvailable { build } => self.on_update(build),
        }
    }

    /// A frame or a send that the worker could not read leaves a hole that no later receipt shows: all is settled, and said
    /// anew.
    fn on_error(&mut self, error: WorkerError) {
        let has_hole = matches!(
            error,
            WorkerError::InvalidFrame | WorkerError::InvalidMessage { tag: tag::SEND }
        );
        if has_hole && matches!(self.phase, Phase::Live(_)) {
            self.attach(self.holds_lock);
        }
        self.outputs.push_back(TabOutput::Error(error));
    }

    fn on_sent(&mut self, id: ChannelId, through: SendId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.confirm(through);
        self.tell(id, ChannelEvent::Sent { through });
    }

    fn on_failed(&mut self, id: ChannelId, send: SendId, failure: SendFailure) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let is_closing = channel.closing;
        if let Some(pending) = channel.take_unconfirmed(send) {
            match &mut self.phase {
                Phase::HandingOver(handing_over)
                    if failure == SendFailure::Disconnected && !is_closing =>
                {
                    handing_over.returned.push((id, pending));
                }
                _ => self.tell_not_sent(id, &pending, failure),
            }
        } else if let Some(pending) = channel.take_handed(send) {
            // It was handed to a socket, and the worker keeps it no longer.
            channel.settle(&pending);
            self.tell(id, ChannelEvent::MaybeSent { id: send });
        }
    }

    /// What the socket holds that has not gone to the network.
    pub(super) fn on_buffered(&mut self, id: ChannelId, bytes: u32) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if core::mem::replace(&mut channel.socket_bytes, bytes) != bytes {
            self.tell(id, ChannelEvent::Buffered { bytes });
        }
    }

    /// Every worker says so at each hello; a client is told once of each build that is newer still.
    fn on_update(&mut self, build: u64) {
        if self.update.is_some_and(|known| known >= build) {
            return;
        }
        self.update = Some(build);
        for (id, channel) in self.channels.iter_mut() {
            channel.owes_update = false;
            let event = update_event(build);
            self.outputs.push_back(TabOutput::Event {
                channel: *id,
                event,
            });
        }
    }

    /// Tells a channel of the update that was known when it was opened, once.
    pub(super) fn tell_update(&mut self, id: ChannelId) {
        if let (Some(channel), Some(build)) = (self.channels.get_mut(&id), self.update)
            && core::mem::take(&mut channel.owes_update)
        {
            self.tell(id, update_event(build));
        }
    }

    fn on_detached(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        // In a hand-over the worker may not have been told of its log-out. Else it has, in front of the close.
        let is_told = matches!(self.phase, Phase::Live(_));
        if channel.is_over() || (channel.closing && is_told) {
            self.forget(id);
        }
        if let Phase::HandingOver(handing_over) = &mut self.phase {
            handing_over.held.retain(|held| *held != id);
            self.finish_hand_over();
        }
    }
}

fn update_event(build: u64) -> ChannelEvent {
    ChannelEvent::UpdateAvailable {
        build: (build != 0).then_some(build),
    }
}

/// A shorter frame is not worth a look: as many of these as a stream of messages may wait are no more than what may wait in bytes.
const LONG_FRAME: usize = 1024;

/// From this part of a frame on a channel's messages keep it: a copy of them would cost more than it frees.
const MUCH: usize = 16;
