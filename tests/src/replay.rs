//! What a worker did in a browser, once more in the native engine.
//!
//! A recording of the inspector's has all inputs of an engine and when it was given them, and its log says what came of them. The
//! engine has neither a clock nor randomness of its own: the same inputs give the same log, entry for entry, or something has changed.

mod machine;
mod trace;

pub use trace::{NotReplayable, Trace};

use std::{collections::VecDeque, fmt};

use onesocket_engine::{DialRefusal, Input, PortId, SocketId};
use onesocket_protocol::{LogEntry, Millis, Payload, PayloadKind, log::kind};

use machine::Machine;

/// What a replay came to that went as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many inputs the engine was given.
    pub inputs: usize,
    /// How many entries of the log were compared.
    pub entries: usize,
    /// How much time has passed.
    pub millis: u32,
}

/// Why a replay did not go as recorded.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The trace lacks what a replay needs.
    #[error(transparent)]
    NotReplayable(#[from] NotReplayable),
    /// The engine does something else.
    #[error("{0}")]
    Differs(Box<Difference>),
}

/// Where a replay leaves the recording.
#[derive(Debug)]
pub struct Difference {
    /// The line of the file.
    pub line: usize,
    /// What was recorded in front of it.
    pub before: Vec<String>,
    /// What was recorded there.
    pub recorded: String,
    /// What the engine does instead; `None` when nothing.
    pub replayed: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            before,
            recorded,
            replayed,
        } = self;
        writeln!(f, "the replay differs at line {line}")?;
        for before in before {
            writeln!(f, "  {before}")?;
        }
        writeln!(f, "- {recorded}")?;
        write!(f, "+ {}", replayed.as_deref().unwrap_or("nothing"))
    }
}

/// Gives the native engine what the recorded one was given, and compares what it logs.
///
/// # Errors
///
/// When the trace can't be replayed, or the engine does something else.
pub fn replay(trace: &Trace) -> Result<Replayed, ReplayError> {
    let mut machine = Machine::start(trace);
    let mut inputs = trace.opening.len() + 1;
    let (mut now, first) = (trace.beginning.now, trace.beginning.now);
    let mut entries = trace.entries.iter();
    while let Some(entry) = entries.next() {
        if entry.kind == kind::MOMENT {
            now = entry.len;
            let line = trace.entries.len() - entries.len();
            let input = entries.as_slice().first();
            machine.input(now, input_of(input, trace.line_of(line))?);
            inputs += 1;
        }
    }
    machine.finish(now);
    compare(trace, machine.told)?;
    Ok(Replayed {
        inputs,
        entries: trace.entries.len(),
        millis: now.wrapping_sub(first),
    })
}

fn compare(trace: &Trace, mut told: VecDeque<LogEntry>) -> Result<(), ReplayError> {
    for (at, recorded) in trace.entries.iter().enumerate() {
        let replayed = told.pop_front();
        if replayed.as_ref() == Some(recorded) {
            continue;
        }
        let words = |entry: &LogEntry| match entry.content.is_empty() {
            true => entry.to_string(),
            false => format!("{entry} [{}]", entry.content.escape_ascii()),
        };
        let before = trace.entries[at.saturating_sub(SHOWN_BEFORE)..at].iter();
        return Err(ReplayError::Differs(Box::new(Difference {
            line: trace.line_of(at),
            before: before.map(LogEntry::to_string).collect(),
            recorded: words(recorded),
            replayed: replayed.as_ref().map(words),
        })));
    }
    Ok(())
}

/// Reads an input from the entry behind a moment. An input without one is a tick.
fn input_of(entry: Option<&LogEntry>, line: usize) -> Result<Input, NotReplayable> {
    let Some(entry) = entry else {
        return Ok(Input::Tick);
    };
    let LogEntry {
        kind,
        id,
        code,
        len,
        content,
    } = entry;
    let (port, socket) = (PortId(*id), SocketId(*id));
    let text = || String::from_utf8_lossy(content).into_owned();
    // What is not for this tab's eyes has no content, and what is too long for an entry not all of it.
    let whole = || match content.len() == *len as usize {
        true => Ok(content.clone()),
        false => Err(NotReplayable::Withheld {
            line,
            bytes: *len,
            shown: content.len(),
        }),
    };
    Ok(match *kind {
        kind::FRAME_IN => Input::Frame {
            port,
            frame: whole()?,
        },
        kind::PORT_OPENED => Input::PortOpened(port),
        kind::PORT_CLOSED => Input::PortClosed(port),
        kind::OPENED => Input::SocketOpened {
            socket,
            subprotocol: text(),
        },
        kind::RECEIVED => {
            let kind = match code {
                0 => PayloadKind::Text,
                _ => PayloadKind::Binary,
            };
            let payload = Payload::from_parts(kind, whole()?);
            let why = "a text is no UTF-8";
            let payload = payload.ok_or(NotReplayable::Malformed { line, why })?;
            Input::Received { socket, payload }
        }
        kind::CLOSING => Input::SocketClosing(socket),
        kind::BUFFERED => Input::Buffered {
            socket,
            bytes: *len,
        },
        kind::CLOSED => Input::SocketClosed {
            socket,
            code: *code as u16,
            reason: text(),
            was_clean: *len != 0,
        },
        kind::REFUSED => Input::DialRefused {
            socket,
            refusal: match code {
                0 => DialRefusal::InvalidUrl,
                1 => DialRefusal::InvalidSubprotocol,
                _ => DialRefusal::Insecure,
            },
        },
        kind::NETWORK => Input::Network { online: *code != 0 },
        kind::SLEPT => Input::Slept(Millis(*len)),
        _ => Input::Tick,
    })
}

const SHOWN_BEFORE: usize = 6;
