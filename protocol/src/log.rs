//! The log of a worker, in numbers: what it saw, for a tab to put into words.
//!
//! Whoever writes text brings the machinery that formats it along, which alone is a seventh of what a worker may weigh. A tab
//! has that machinery anyway.

use core::fmt;

use bytes::Bytes;

use crate::{LogLevel, limits, message::tag, preface};

/// The register of entries. A number that was given out is never given to another kind of entry.
pub mod kind {
    /// A line that the app's own code has logged in its worker. `code` is the [`LogLevel`](crate::LogLevel), `content` the
    /// target, which is `len` bytes, and the text.
    pub const LINE: u8 = 0;
    /// So many entries (`len`) are missing: more waited than may wait.
    pub const DROPPED: u8 = 1;
    /// The port `id` is open.
    pub const PORT_OPENED: u8 = 2;
    /// The port `id` is gone.
    pub const PORT_CLOSED: u8 = 3;
    /// A message from the port `id`: `code` is its tag, `len` its body's length, `content` the [ids](super::id_bytes) in front.
    pub const MESSAGE_IN: u8 = 4;
    /// A message to the port `id`.
    pub const MESSAGE_OUT: u8 = 5;
    /// A frame from the port `id` that is no batch: `code` is its kind, as in [`preface::kind`](crate::preface::kind), `len`
    /// its length.
    pub const PREFACE_IN: u8 = 6;
    /// A frame to the port `id` that is no batch.
    pub const PREFACE_OUT: u8 = 7;
    /// A batch of `len` bytes from the port `id` that ends inside a message.
    pub const BROKEN_IN: u8 = 8;
    /// A batch to the port `id` that ends inside a message.
    pub const BROKEN_OUT: u8 = 9;
    /// The socket `id` is dialled: `content` is the redacted URL of the key, `code` the number of subprotocols.
    pub const DIALLED: u8 = 10;
    /// The browser refuses to dial the socket `id`, because of its URL (`code` 0), its subprotocols (1), or because it is insecure (2).
    pub const REFUSED: u8 = 11;
    /// The socket `id` is open; `content` is its subprotocol, if payloads were asked for, and it is the key's.
    pub const OPENED: u8 = 12;
    /// The socket `id` is in its closing handshake.
    pub const CLOSING: u8 = 13;
    /// The socket `id` is closed with `code`; `content` is the reason, `len` is 1 if it was closed cleanly.
    pub const CLOSED: u8 = 14;
    /// The worker closes the socket `id` with `code`; `content` is the reason.
    pub const CLOSED_BY_US: u8 = 15;
    /// A payload of `len` bytes from the socket `id`: `code` is 0 for text and 1 for binary or a text that is too long to be read, `content` is the payload, if
    /// payloads were asked for.
    pub const RECEIVED: u8 = 16;
    /// A payload to the socket `id`. Of a credential's first message only the length is told.
    pub const TRANSMITTED: u8 = 17;
    /// The network is up (`code` 1) or down (0).
    pub const NETWORK: u8 = 18;
    /// The machine has slept for `len` milliseconds.
    pub const SLEPT: u8 = 19;
    /// One tab, see [`PortSurvey`](crate::inspect::PortSurvey).
    pub const PORT: u8 = 20;
    /// One connection, see [`LinkSurvey`](crate::inspect::LinkSurvey).
    pub const LINK: u8 = 21;
    /// A recording begins, see [`Beginning`](crate::inspect::Beginning).
    pub const BEGINNING: u8 = 22;
    /// The next input was given to the engine at `len` milliseconds of its time. From here on, kinds are of recordings alone.
    pub const MOMENT: u8 = 23;
    /// `content` is a frame of `len` bytes from the port `id`.
    pub const FRAME_IN: u8 = 24;
    /// The socket `id` holds so many bytes (`len`), rounded down.
    pub const BUFFERED: u8 = 25;
}

/// One entry of a worker's log. Its `Display` is the line that people read.
///
/// What the numbers mean is up to the [`kind`]; who does not know the kind shows them as they are.
///
/// ```
/// use onesocket_protocol::{LogEntry, LogLevel, log::kind};
///
/// let entry = LogEntry { id: 3, code: 4001, content: "bye".into(), ..LogEntry::new(kind::CLOSED) };
/// assert_eq!(entry.to_string(), "socket 3 is closed uncleanly, code 4001, reason 'bye'");
///
/// let line = LogEntry::line(LogLevel::Info, "app::cart", "one more");
/// assert_eq!((line.target(), line.to_string()), ("app::cart", "one more".to_owned()));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Which [`kind`] of entry.
    pub kind: u8,
    /// The port or the socket.
    pub id: u32,
    /// A close code, a tag, a level.
    pub code: u32,
    /// A length in bytes.
    pub len: u32,
    /// What the [`kind`] says: text, the beginning of a payload, of a message or of a frame, a survey's status, a seed. Cut at [`limits::MAX_LOG_BYTES`].
    pub content: Bytes,
}

impl LogEntry {
    /// Returns an entry without numbers.
    #[must_use]
    pub fn new(kind: u8) -> Self {
        Self {
            kind,
            id: 0,
            code: 0,
            len: 0,
            content: Bytes::new(),
        }
    }

    /// Returns a line of the app's own. Target and text are cut at [`limits::MAX_REASON_BYTES`] each.
    #[must_use]
    pub fn line(level: LogLevel, target: &str, text: &str) -> Self {
        let (target, text) = (limits::cut(target), limits::cut(text));
        Self {
            code: level as u32,
            len: target.len() as u32,
            content: [target.as_bytes(), text.as_bytes()].concat().into(),
            ..Self::new(kind::LINE)
        }
    }

    /// Returns how grave it is.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        match (self.kind, self.code) {
            (kind::LINE, 0) => LogLevel::Error,
            (kind::LINE, 1) | (kind::DROPPED, _) => LogLevel::Warn,
            (kind::LINE, 2) => LogLevel::Info,
            (kind::LINE, 4) => LogLevel::Trace,
            _ => LogLevel::Debug,
        }
    }

    /// Returns the module that it is from; empty when that is not valid UTF-8.
    #[must_use]
    pub fn target(&self) -> &str {
        match self.kind {
            kind::LINE => core::str::from_utf8(self.split().0).unwrap_or_default(),
            _ => "onesocket",
        }
    }

    /// The target of a line and its text.
    fn split(&self) -> (&[u8], &[u8]) {
        self.content
            .split_at((self.len as usize).min(self.content.len()))
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            code,
            len,
            content,
        } = self;
        let shown = content.get(..SHOWN_BYTES).unwrap_or(content);
        let text = Text(content);
        match *kind {
            kind::LINE => Text(self.split().1).fmt(f),
            kind::DROPPED => write!(f, "{len} log lines were dropped: too many waited"),
            kind::PORT_OPENED => write!(f, "port {id} is open"),
            kind::PORT_CLOSED => write!(f, "port {id} is gone"),
            kind::MESSAGE_IN | kind::MESSAGE_OUT => {
                let shape = Shape::of(u8::try_from(*code).unwrap_or_default());
                write!(f, "port {id} {} {}", self.arrow(), shape.name)?;
                let mut rest = &content[..];
                for name in shape.ids {
                    let Some(id) = varint(&mut rest) else { break };
                    write!(f, " {name} {id}")?;
                }
                write!(f, ", {len} B")
            }
            kind::PREFACE_IN | kind::PREFACE_OUT => {
                let name = preface_name(*code);
                write!(f, "port {id} {} {name}, {len} B", self.arrow())
            }
            kind::BROKEN_IN | kind::BROKEN_OUT => {
                let arrow = self.arrow();
                write!(f, "port {id} {arrow} a frame that ends early, {len} B")
            }
            kind::DIALLED => write!(f, "socket {id} dials {text}, {code} subprotocols"),
            kind::REFUSED => write!(f, "socket {id} is refused"),
            kind::OPENED if content.is_empty() => write!(f, "socket {id} is open"),
            kind::OPENED => write!(f, "socket {id} is open, subprotocol '{text}'"),
            kind::CLOSING => write!(f, "socket {id} is closing"),
            kind::CLOSED => {
                let how = if *len == 0 { " uncleanly" } else { "" };
                write!(
                    f,
                    "socket {id} is closed{how}, code {code}, reason '{text}'"
                )
            }
            kind::CLOSED_BY_US => {
                write!(
                    f,
                    "socket {id} is closed by us, code {code}, reason '{text}'"
                )
            }
            kind::RECEIVED | kind::TRANSMITTED => {
                let arrow = self.arrow();
                match code {
                    0 => write!(f, "socket {id} {arrow} text, {len} B {}", Text(shown)),
                    _ => write!(
                        f,
                        "socket {id} {arrow} binary, {len} B {}",
                        shown.escape_ascii()
                    ),
                }
            }
            kind::NETWORK if *code == 0 => f.write_str("the network is down"),
            kind::NETWORK => f.write_str("the network is up"),
            kind::SLEPT => write!(f, "the machine has slept for {len} ms"),
            kind::PORT => write!(f, "port {id}: {len} B wait"),
            kind::LINK => write!(f, "link {id} has socket {code}"),
            kind::BEGINNING => write!(f, "port {id} records"),
            kind::MOMENT => write!(f, "at {len} ms"),
            kind::FRAME_IN => write!(f, "port {id} -> a frame, {len} B"),
            kind::BUFFERED => write!(f, "socket {id} holds {len} B"),
            kind => write!(
                f,
                "entry of the unknown kind {kind}: {id}, {code}, {len}, {} B",
                content.len()
            ),
        }
    }
}

impl LogEntry {
    /// Which way it went: `->` is to the worker.
    fn arrow(&self) -> &'static str {
        match self.kind {
            kind::MESSAGE_IN | kind::PREFACE_IN | kind::BROKEN_IN | kind::RECEIVED => "->",
            _ => "<-",
        }
    }
}

/// Returns how many numbers a message of this tag begins with that the log shows: channels, ids, counts.
///
/// They are what a worker takes out of a message for its log, so nothing secret may be among them.
#[must_use]
pub fn shown_ids(tag: u8) -> usize {
    match tag {
        tag::BYE
        | tag::WAKE
        | tag::HOLDS_LOCK
        | tag::READY
        | tag::ERROR
        | tag::LOG
        | tag::UPDATE_AVAILABLE => 0,
        tag::SEND
        | tag::GREET
        | tag::UNGREET
        | tag::DELAY
        | tag::RECONNECTING
        | tag::ACKNOWLEDGE
        | tag::PACE
        | tag::CREDENTIAL
        | tag::NEED_CREDENTIAL
        | tag::SENT
        | tag::FAILED
        | tag::MARK
        | tag::BUFFERED
        | tag::LAGGED => 2,
        tag::CONNECT
        | tag::DISCONNECT
        | tag::GET_STATUS
        | tag::PING
        | tag::SET_DEBUG
        | tag::INSPECT
        | tag::RECONNECT
        | tag::NETWORK
        | tag::LOG_OUT
        | tag::CLOSE
        | tag::ATTACHED
        | tag::CONNECTED
        | tag::DISCONNECTED
        | tag::MESSAGE
        | tag::PACKED
        | tag::STATUS
        | tag::PONG
        | tag::DETACHED => 1,
        _ => 0,
    }
}

/// Returns the bytes of the numbers that the log shows of a message: the front of its body.
#[must_use]
pub fn id_bytes(tag: u8, body: &Bytes) -> Bytes {
    let ends = body.iter().enumerate().filter(|(_, byte)| **byte < 0x80);
    let end = match shown_ids(tag) {
        0 => 0,
        // A number is ten bytes at most, and a body that never ends one is none of ours.
        ids => ends
            .map(|(at, _)| at + 1)
            .nth(ids - 1)
            .filter(|end| *end <= 20)
            .unwrap_or_default(),
    };
    body.slice(..end)
}

/// Of a payload: enough to know it by, and not so much that a console drowns.
const SHOWN_BYTES: usize = 200;

/// What a message is called, and the numbers that its body begins with.
struct Shape {
    name: &'static str,
    ids: &'static [&'static str],
}

impl Shape {
    fn of(tag: u8) -> Self {
        const CHANNEL: &[&str] = &["channel"];
        let (name, ids): (_, &[_]) = match tag {
            tag::CONNECT => ("connect", CHANNEL),
            tag::DISCONNECT => ("disconnect", CHANNEL),
            tag::SEND => ("send", &["channel", "id"]),
            tag::GET_STATUS => ("get status", CHANNEL),
            tag::PING => ("ping", &["nonce"]),
            tag::SET_DEBUG => ("set debug", &["level"]),
            tag::INSPECT => ("inspect", &["sight"]),
            tag::BYE => ("bye", &[]),
            tag::GREET => ("greet", &["channel", "greeting"]),
            tag::UNGREET => ("ungreet", &["channel", "greeting"]),
            tag::DELAY => ("delay", &["channel", "ms"]),
            tag::RECONNECT => ("reconnect", CHANNEL),
            tag::NETWORK => ("network", &["online"]),
            tag::WAKE => ("wake", &[]),
            tag::HOLDS_LOCK => ("holds lock", &[]),
            tag::PACE => ("pace", &["interval", "burst"]),
            tag::CREDENTIAL => ("credential", &["channel", "request"]),
            tag::LOG_OUT => ("log out", CHANNEL),
            tag::CLOSE => ("close", CHANNEL),
            tag::NEED_CREDENTIAL => ("need credential", &["channel", "request"]),
            tag::ACKNOWLEDGE => ("acknowledge", &["channel", "id"]),
            tag::READY => ("ready", &[]),
            tag::ATTACHED => ("attached", CHANNEL),
            tag::CONNECTED => ("connected", CHANNEL),
            tag::DISCONNECTED => ("disconnected", CHANNEL),
            tag::RECONNECTING => ("reconnecting", &["channel", "attempt"]),
            tag::MESSAGE => ("message", CHANNEL),
            tag::PACKED => ("packed", CHANNEL),
            tag::STATUS => ("status", CHANNEL),
            tag::ERROR => ("error", &[]),
            tag::SENT => ("sent", &["channel", "through"]),
            tag::FAILED => ("failed", &["channel", "id"]),
            tag::PONG => ("pong", &["nonce"]),
            tag::LOG => ("log", &[]),
            tag::LAGGED => ("lagged", &["channel", "missed"]),
            tag::DETACHED => ("detached", CHANNEL),
            tag::MARK => ("mark", &["channel", "through"]),
            tag::BUFFERED => ("buffered", &["channel", "bytes"]),
            tag::UPDATE_AVAILABLE => ("update available", &[]),
            _ => ("unknown", &[]),
        };
        Self { name, ids }
    }
}

fn preface_name(kind: u32) -> &'static str {
    match u8::try_from(kind) {
        Ok(preface::kind::HELLO) => "hello",
        Ok(preface::kind::WELCOME) => "welcome",
        Ok(preface::kind::REFUSED) => "refused",
        Ok(preface::kind::FAILED) => "failed",
        Ok(preface::kind::BATCH) => "a broken batch",
        Ok(preface::kind::STALE) => "stale",
        Ok(preface::kind::PROBE) => "probe",
        Ok(preface::kind::ALIVE) => "alive",
        _ => "foreign",
    }
}

/// Takes a number as postcard writes it: seven bits a byte, the lowest first.
fn varint(body: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = body.split_first()?;
        *body = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Text that may have been cut inside a character.
struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chunks = self.0.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            f.write_str(chunk.valid())?;
            // What is invalid at the very end is the cut.
            if !chunk.invalid().is_empty() && chunks.peek().is_some() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_a_name_for_each_number_that_is_shown() {
        for tag in tag::ALL {
            let shape = Shape::of(*tag);
            assert_ne!(shape.name, "unknown", "tag {tag}");
            assert_eq!(shape.ids.len(), shown_ids(*tag), "{}", shape.name);
        }
    }

    #[test]
    fn a_probe_and_its_answer_were_called_foreign() {
        for kind in preface::kind::ALL {
            assert_ne!(preface_name((*kind).into()), "foreign", "kind {kind}");
        }
        assert_eq!(preface_name(99), "foreign");
    }

    #[test]
    fn only_the_ids_of_a_message_are_shown() {
        let body = Bytes::from_static(b"\x81\x01\x07secret");
        let shown = |tag| id_bytes(tag, &body);
        assert_eq!(shown(tag::SEND), b"\x81\x01\x07"[..]);
        assert_eq!(shown(tag::CONNECT), b"\x81\x01"[..]);
        assert_eq!(shown(tag::BYE), b""[..]);
        assert_eq!(shown(77), b""[..]);
        let endless = Bytes::from(vec![0xff; 40]);
        assert_eq!(id_bytes(tag::SEND, &endless), b""[..]);
        let late = [&[0xff; 25][..], &[0, 0]].concat();
        assert_eq!(id_bytes(tag::SEND, &Bytes::from(late)), b""[..]);
    }

    #[test]
    fn lines_say_what_was_seen() {
        let entry = |kind, code, len, content: &'static [u8]| {
            let content = Bytes::from_static(content);
            LogEntry {
                kind,
                id: 7,
                code,
                len,
                content,
            }
            .to_string()
        };
        let send = u32::from(tag::SEND);
        assert_eq!(
            entry(kind::MESSAGE_IN, send, 9, b"\x81\x01\x05"),
            "port 7 -> send channel 129 id 5, 9 B"
        );
        assert_eq!(
            entry(kind::MESSAGE_OUT, 300, 9, b""),
            "port 7 <- unknown, 9 B"
        );
        assert_eq!(
            entry(kind::PREFACE_OUT, 2, 40, b""),
            "port 7 <- welcome, 40 B"
        );
        assert_eq!(
            entry(kind::RECEIVED, 0, 900, "gr\u{fc}".as_bytes()),
            "socket 7 -> text, 900 B gr\u{fc}"
        );
        // The beginning of a text that is cut inside a character.
        assert_eq!(
            entry(kind::RECEIVED, 0, 900, b"gr\xc3"),
            "socket 7 -> text, 900 B gr"
        );
        assert_eq!(
            entry(kind::TRANSMITTED, 1, 2, b"\xff\x00"),
            "socket 7 <- binary, 2 B \\xff\\x00"
        );
        assert_eq!(
            entry(99, 1, 2, b"abc"),
            "entry of the unknown kind 99: 7, 1, 2, 3 B"
        );
    }

    #[test]
    fn a_line_with_a_wrong_length_is_still_a_line() {
        let mut line = LogEntry::line(LogLevel::Trace, "t", "x");
        assert_eq!(line.level(), LogLevel::Trace);
        line.len = u32::MAX;
        assert_eq!((line.target(), line.to_string()), ("tx", String::new()));
    }
}
