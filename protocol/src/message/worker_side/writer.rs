//! What a worker writes.

use crate::{
    CloseInfo, LinkState, LogEntry, Millis, ReconnectCause, SendFailure, Status, StopReason, ToTab,
    WorkerError, limits, message::tag,
};

/// Appends tag, length and body.
pub(in crate::message) fn encode(message: &ToTab, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 5]);
    let body = out.len();
    let tag = Writer(out).message(message);
    let len = (out.len() - body) as u32;
    if let Some([first, head @ ..]) = out.get_mut(start..body) {
        *first = tag;
        head.copy_from_slice(&len.to_le_bytes());
    }
}

/// Appends a status as it is in a message.
pub(crate) fn write_status(status: &Status, out: &mut Vec<u8>) {
    Writer(out).status(status);
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    /// Appends a body and returns its tag.
    fn message(&mut self, message: &ToTab) -> u8 {
        if let Some(channel) = message.channel() {
            if matches!(message, ToTab::Error { .. }) {
                self.byte(1);
            }
            self.u32(channel.0);
        }
        match message {
            ToTab::Ready { scope, debug } => {
                self.byte(*scope as u8);
                self.byte(*debug as u8);
                tag::READY
            }
            ToTab::Attached { status, .. } => {
                self.status(status);
                tag::ATTACHED
            }
            ToTab::Connected { subprotocol, .. } => {
                self.slice(subprotocol.as_bytes());
                tag::CONNECTED
            }
            ToTab::Disconnected { reason, .. } => {
                self.stop_reason(reason);
                tag::DISCONNECTED
            }
            ToTab::Reconnecting {
                attempt,
                delay,
                cause,
                ..
            } => {
                self.u32(*attempt);
                self.optional_millis(*delay);
                self.cause(cause);
                tag::RECONNECTING
            }
            ToTab::Message {
                replayed, payload, ..
            } => {
                self.byte(u8::from(*replayed));
                self.byte(payload.kind() as u8);
                self.0.extend_from_slice(payload.bytes());
                tag::MESSAGE
            }
            ToTab::Status { status, .. } => {
                self.status(status);
                tag::STATUS
            }
            ToTab::Error { channel, error } => {
                if channel.is_none() {
                    self.byte(0);
                }
                self.worker_error(error);
                tag::ERROR
            }
            ToTab::Sent { through, .. } => {
                self.number(through.0);
                tag::SENT
            }
            ToTab::Failed { id, failure, .. } => {
                self.number(id.0);
                self.send_failure(failure);
                tag::FAILED
            }
            ToTab::Pong { nonce } => {
                self.u32(*nonce);
                tag::PONG
            }
            ToTab::Log(LogEntry {
                kind,
                id,
                code,
                len,
                content,
            }) => {
                self.byte(*kind);
                for number in [id, code, len] {
                    self.u32(*number);
                }
                let shown = content.len().min(limits::MAX_LOG_BYTES);
                self.0.extend(content.get(..shown).unwrap_or_default());
                tag::LOG
            }
            ToTab::Lagged { missed, .. } => {
                self.number(*missed);
                tag::LAGGED
            }
            ToTab::Detached { .. } => tag::DETACHED,
            ToTab::NeedCredential {
                request, refused, ..
            } => {
                self.u32(*request);
                self.byte(u8::from(*refused));
                tag::NEED_CREDENTIAL
            }
            ToTab::Mark { through, .. } => {
                self.number(through.0);
                tag::MARK
            }
            ToTab::UpdateAvailable { build } => {
                self.number(*build);
                tag::UPDATE_AVAILABLE
            }
            ToTab::Buffered { bytes, .. } => {
                self.u32(*bytes);
                tag::BUFFERED
            }
            ToTab::Packed { packed, .. } => {
                self.0.extend_from_slice(packed.bytes());
                tag::PACKED
            }
        }
    }

    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    #[inline(never)]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn u32(&mut self, number: u32) {
        self.number(u64::from(number));
    }

    fn optional_millis(&mut self, millis: Option<Millis>) {
        self.byte(u8::from(millis.is_some()));
        if let Some(millis) = millis {
            self.u32(millis.0);
        }
    }

    fn slice(&mut self, slice: &[u8]) {
        self.u32(slice.len() as u32);
        self.0.extend_from_slice(slice);
    }

    fn status(&mut self, status: &Status) {
        let Status {
            state,
            tabs,
            queued_messages,
            queued_bytes,
            dials,
            round_trip,
        } = status;
        match state {
            LinkState::Connecting { attempt } => {
                self.byte(0);
                self.u32(*attempt);
            }
            LinkState::Connected {
                subprotocol,
                uptime,
            } => {
                self.byte(1);
                self.slice(subprotocol.as_bytes());
                self.u32(uptime.0);
            }
            LinkState::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                self.byte(2);
                self.u32(*attempt);
                self.u32(delay.0);
                self.cause(cause);
            }
            LinkState::Offline { attempt } => {
                self.byte(3);
                self.u32(*attempt);
            }
            LinkState::Stopped(reason) => {
                self.byte(4);
                self.stop_reason(reason);
            }
            LinkState::NeedsAuth { refused } => {
                self.byte(5);
                self.byte(u8::from(*refused));
            }
        }
        for number in [tabs, queued_messages, queued_bytes, dials] {
            self.u32(*number);
        }
        self.optional_millis(*round_trip);
    }

    fn cause(&mut self, cause: &ReconnectCause) {
        self.byte(match cause {
            ReconnectCause::Unreachable => 0,
            ReconnectCause::ConnectTimeout => 1,
            ReconnectCause::Closed(close) => {
                self.byte(2);
                return self.close_info(close);
            }
            ReconnectCause::HeartbeatTimeout => 3,
            ReconnectCause::SubprotocolRefused => 4,
            ReconnectCause::Offline => 5,
            ReconnectCause::Requested => 6,
            ReconnectCause::Slept => 7,
        });
    }

    fn stop_reason(&mut self, reason: &StopReason) {
        self.byte(match reason {
            StopReason::FatalClose(close) => {
                self.byte(0);
                return self.close_info(close);
            }
            StopReason::GaveUp { attempts, cause } => {
                self.byte(1);
                self.u32(*attempts);
                return self.cause(cause);
            }
            StopReason::InvalidUrl => 2,
            StopReason::InsecureUrl => 3,
            StopReason::InvalidSubprotocol => 4,
            StopReason::NoWorker => 5,
            StopReason::Unused => 6,
            StopReason::LoggedOut => 7,
            StopReason::Closed(close) => {
                self.byte(8);
                return self.close_info(close);
            }
        });
    }

    fn close_info(&mut self, close: &CloseInfo) {
        self.u32(u32::from(close.code));
        self.slice(limits::cut(&close.reason).as_bytes());
        self.byte(u8::from(close.was_clean));
    }

    fn send_failure(&mut self, failure: &SendFailure) {
        self.byte(match failure {
            SendFailure::QueueFull { messages, bytes } => {
                self.byte(0);
                self.u32(*messages);
                return self.u32(*bytes);
            }
            SendFailure::Expired => 1,
            SendFailure::Disconnected => 2,
            SendFailure::Stopped(reason) => {
                self.byte(3);
                return self.stop_reason(reason);
            }
            SendFailure::UnknownChannel => 4,
            SendFailure::OutOfOrder => 5,
            SendFailure::NoWorker => 6,
        });
    }

    fn worker_error(&mut self, error: &WorkerError) {
        self.byte(match error {
            WorkerError::UnknownMessage { tag } => {
                self.byte(0);
                return self.byte(*tag);
            }
            WorkerError::InvalidMessage { tag } => {
                self.byte(1);
                return self.byte(*tag);
            }
            WorkerError::InvalidFrame => 2,
            WorkerError::UnknownChannel => 3,
            WorkerError::ChannelInUse => 4,
            WorkerError::TooManyChannels => 5,
            WorkerError::TooManyGreetings => 6,
            WorkerError::PolicyDiffers => 7,
            WorkerError::ReceivedTooLarge { bytes, cap } => {
                self.byte(8);
                self.u32(*bytes);
                return self.u32(*cap);
            }
            WorkerError::CredentialRefused => 9,
        });
    }
}
