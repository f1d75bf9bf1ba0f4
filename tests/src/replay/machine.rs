//! The engine with a host around it that has no browser.

use std::collections::VecDeque;

use bytes::Bytes;
use onesocket_engine::{Engine, EngineConfig, Input, LogSink, Output, PortId, Time, describe};
use onesocket_protocol::{
    BatchHeader, BatchReader, DebugLevel, LogEntry, Outbox, Sight, ToTab, Version, inspect,
    log::kind,
};

use super::Trace;

/// Does what the host of the crate `onesocket-worker` does, in the same order, as far as it shows in the log.
#[derive(Debug)]
pub(super) struct Machine {
    engine: Engine,
    sink: LogSink,
    seen: Sight,
    port: PortId,
    /// When the last input was given.
    now: Time,
    /// What the recording tab was told of the log.
    pub(super) told: VecDeque<LogEntry>,
    /// The last batch that was posted to it.
    posted: Option<BatchHeader>,
}

impl Machine {
    /// Begins as the recorded engine did: with a tab that says hello, and wants to record.
    pub(super) fn start(trace: &Trace) -> Self {
        let beginning = trace.beginning;
        let engine = Engine::new(EngineConfig {
            epoch: trace.epoch,
            scope: trace.scope,
            seed: trace.seed,
            online: true,
            debug: DebugLevel::Off,
        });
        let port = PortId(beginning.port);
        let mut machine = Self {
            engine,
            sink: LogSink::default(),
            seen: Sight::Off,
            port,
            now: Time(beginning.paced_since.into()),
            told: VecDeque::new(),
            posted: None,
        };
        machine.input(beginning.paced_since, Input::PortOpened(port));
        let last = trace.opening.len() - 1;
        for (at, frame) in trace.opening.iter().enumerate() {
            let now = if at == last {
                beginning.now
            } else {
                beginning.paced_since
            };
            let frame = frame.clone();
            machine.input(now, Input::Frame { port, frame });
        }
        machine
    }

    /// Gives it an input, and takes what comes of it.
    pub(super) fn input(&mut self, now: u32, input: Input) {
        if self.seen == Sight::Recording {
            self.sink.push(inspect::moment(now));
            if let Input::Frame { port, frame } = &input {
                self.sink.push(inspect::frame(port.0, frame));
            }
        }
        if self.seen != Sight::Off {
            let sink = &self.sink;
            describe::input(&input, self.seen, &|entry| sink.push(entry));
        }
        self.now = following(self.now, now);
        self.engine.handle_input(self.now, input);
        self.drain();
        self.tell();
    }

    fn tell(&mut self) {
        loop {
            let entries = self.sink.take();
            if entries.is_empty() {
                return;
            }
            for entry in entries {
                self.engine.log(entry);
            }
            self.drain();
        }
    }

    /// Acknowledges until nothing waits for the tab any more: what the end of a recording has told is in no input of it.
    pub(super) fn finish(&mut self, mut now: u32) {
        self.seen = Sight::Off;
        // Company for what has waited for some in the sink.
        self.sink.push(LogEntry::new(kind::LINE));
        self.tell();
        while let Some(header) = self.posted.take() {
            let Some(version) = Version::from_number(header.version) else {
                return;
            };
            now = now.wrapping_add(PACE_MILLIS);
            let mut outbox = Outbox::new(header.epoch, version);
            // Whatever the batch before it was: it is only to be acknowledged.
            if outbox.on_batch(BatchHeader { seq: 1, ..header }).is_err() {
                return;
            }
            let Some(frame) = outbox.poll_frame() else {
                return;
            };
            let mut frame = frame.to_vec();
            frame[ACK].copy_from_slice(&header.seq.to_le_bytes());
            let (port, frame) = (self.port, Bytes::from(frame));
            self.input(now, Input::Frame { port, frame });
        }
    }

    fn drain(&mut self) {
        let is_seen = self.seen != Sight::Off;
        let sink = &self.sink;
        let see = |entry| {
            if is_seen {
                sink.push(entry);
            }
        };
        loop {
            match self.engine.poll_output() {
                Output::Dial {
                    socket,
                    subprotocols,
                    key,
                    ..
                } => see(describe::dial(socket, &key, subprotocols.len())),
                Output::Transmit {
                    socket,
                    payload,
                    is_credential,
                } => see(describe::transmit(
                    socket,
                    &payload,
                    is_credential,
                    self.seen,
                )),
                Output::Close {
                    socket,
                    code,
                    reason,
                } => see(describe::close(socket, code, reason)),
                Output::Shut {
                    socket,
                    code,
                    reason,
                } => see(describe::close(socket, code, &reason)),
                Output::Post { port, frame, .. } => {
                    let frame = Bytes::copy_from_slice(frame);
                    if is_seen {
                        describe::frame_out(port, &frame, &see);
                    }
                    if port == self.port {
                        read(&frame, &mut self.told, &mut self.posted);
                    }
                }
                Output::Debug(seen) => {
                    self.seen = seen;
                    return self.drain();
                }
                Output::WatchTab { .. } | Output::ClosePort(_) => {}
                Output::Timeout(_) => return,
            }
        }
    }
}

/// Reads what a tab is posted, as far as it is of the log.
fn read(frame: &Bytes, told: &mut VecDeque<LogEntry>, posted: &mut Option<BatchHeader>) {
    let Ok(reader) = BatchReader::new(frame) else {
        return;
    };
    let header = reader.header();
    if header.seq != 0 {
        *posted = Some(header);
    }
    let Some(version) = Version::from_number(header.version) else {
        return;
    };
    for raw in reader.flatten() {
        if let Ok(ToTab::Log(entry)) = ToTab::decode(version, &raw) {
            told.push_back(entry);
        }
    }
}

/// A recording has the lower half of a time. Nothing waits for half of the 49.7 days in which that begins anew.
fn following(last: Time, lower: u32) -> Time {
    let passed = lower.wrapping_sub(last.0 as u32).cast_signed();
    Time(last.0.saturating_add_signed(passed.into()))
}

/// Where the acknowledgement is in a batch: PROTOCOL.md, section 4.
const ACK: core::ops::Range<usize> = 24..32;

/// Longer than any pace of a tab that is seen.
const PACE_MILLIS: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_over_49_days_went_back_in_time() {
        let last = Time(u64::from(u32::MAX));
        assert_eq!(following(last, 4), Time(last.0 + 5));
        assert_eq!(following(last, u32::MAX), last);
        assert_eq!(following(Time(7), 1_000), Time(1_000));
    }
}
