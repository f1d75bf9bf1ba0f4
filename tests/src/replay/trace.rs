//! The file that the inspector exports; docs/inspector.md describes it.

use bytes::Bytes;
use onesocket_protocol::{
    Epoch, LogEntry, WorkerScope, inspect::Beginning, log::kind, message::tag,
};
use serde::Deserialize;

/// A recording, read.
#[derive(Debug, Clone)]
pub struct Trace {
    pub(super) epoch: Epoch,
    pub(super) scope: WorkerScope,
    pub(super) beginning: Beginning,
    pub(super) seed: u64,
    /// What the recording tab posted before the worker began to record.
    pub(super) opening: Vec<Bytes>,
    /// The first is the beginning.
    pub(super) entries: Vec<LogEntry>,
}

/// What a replay lacks.
#[derive(Debug, thiserror::Error)]
pub enum NotReplayable {
    /// It is no trace of this version.
    #[error("this is no trace of the inspector's, of version {VERSION}")]
    NoTrace,
    /// A line can't be read.
    #[error("line {line} can't be read: {why}")]
    Malformed {
        /// Which.
        line: usize,
        /// Why.
        why: &'static str,
    },
    /// It was not recorded.
    #[error("it shows {level} and was not recorded.\n{HOW}")]
    NotRecorded {
        /// What it shows.
        level: String,
    },
    /// The worker had done something before, or does what no other engine knows.
    #[error(
        "the worker had other tabs or connections before it was recorded, or it transcodes by code of the app's.\n{HOW}"
    )]
    BeginsInTheMiddle,
    /// The tab was too slow for its worker.
    #[error("line {line}: {entries} entries are missing, because the page did not keep up")]
    Dropped {
        /// Which line says so.
        line: usize,
        /// How many.
        entries: u32,
    },
    /// It lacks the content of an input.
    #[error(
        "line {line} has {shown} of {bytes} bytes: an entry has 8 KiB at most, and what other tabs say, or hear on connections \
         of their own, is not recorded"
    )]
    Withheld {
        /// Which.
        line: usize,
        /// How many it was.
        bytes: u32,
        /// How many are there.
        shown: usize,
    },
    /// The app logs in its worker.
    #[error("line {line}: the app's own worker logs lines of its own, which no replay can place")]
    OwnLines {
        /// Which.
        line: usize,
    },
}

const HOW: &str = "Record a worker from its first moment on: call `onesocket::inspector::record` (in the demo: ?inspector=record) with no \
                   other tab of the page open; or press Record, and change the tier. Then Export.";

const VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    onesocket: String,
    version: u32,
    level: String,
    tier: Option<String>,
    epoch: Option<String>,
    recorded: usize,
    opening: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Line {
    kind: u8,
    id: u32,
    code: u32,
    len: u32,
    content: String,
}

impl Trace {
    /// Reads a file, and checks that it can be replayed.
    ///
    /// # Errors
    ///
    /// When it can't.
    pub fn parse(text: &str) -> Result<Self, NotReplayable> {
        let mut lines = text.lines();
        let head = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        let Some(Head {
            level,
            tier,
            epoch,
            recorded,
            opening,
            ..
        }) = head.filter(|head: &Head| head.onesocket == "trace" && head.version == VERSION)
        else {
            return Err(NotReplayable::NoTrace);
        };
        if level != "recording" {
            return Err(NotReplayable::NotRecorded { level });
        }
        let lines = lines.take(recorded).enumerate();
        let entries = lines.map(|(at, line)| entry(line, at + FIRST_LINE));
        let mut entries: Vec<LogEntry> = entries.collect::<Result<_, _>>()?;
        leave_out_a_half(&mut entries);
        let beginning = entries.first().and_then(Beginning::of);
        let beginning = beginning.ok_or(NotReplayable::BeginsInTheMiddle)?;
        let malformed = |why| NotReplayable::Malformed { line: 1, why };
        let opening = opening.ok_or(NotReplayable::BeginsInTheMiddle)?;
        let opening = opening.iter().map(|frame| base64(frame).map(Bytes::from));
        let opening: Option<Vec<Bytes>> = opening.collect();
        let opening = opening.filter(|frames| !frames.is_empty());
        let epoch = epoch.and_then(|epoch| u64::from_str_radix(&epoch, 16).ok());
        Ok(Self {
            epoch: Epoch(epoch.ok_or_else(|| malformed("the worker's epoch"))?),
            scope: match tier.as_deref() {
                Some("shared") => WorkerScope::Shared,
                Some("dedicated") => WorkerScope::Dedicated,
                Some("main") => WorkerScope::Main,
                _ => return Err(malformed("the tier")),
            },
            beginning,
            seed: beginning.seed.ok_or(NotReplayable::BeginsInTheMiddle)?,
            opening: opening.ok_or_else(|| malformed("the opening"))?,
            entries,
        })
    }

    /// The line of the file in which an entry is.
    pub(super) fn line_of(&self, entry: usize) -> usize {
        entry + FIRST_LINE
    }
}

/// Leaves out an input at the end of which not all is there: a recording ends with whatever batch had arrived. A survey is told in front
/// of the input that asks for it, and the moment of an input in front of the input.
fn leave_out_a_half(entries: &mut Vec<LogEntry>) {
    let mut survey = None;
    let mut is_beginning = true;
    for (at, entry) in entries.iter().enumerate() {
        match entry.kind {
            // What the recording tab asked for when it began is in the opening.
            kind::PORT | kind::LINK if !is_beginning => survey = survey.or(Some(at)),
            kind::MESSAGE_IN if entry.code == u32::from(tag::INSPECT) => survey = None,
            kind::MOMENT => is_beginning = false,
            _ => {}
        }
    }
    if let Some(survey) = survey {
        entries.truncate(survey);
    }
    if entries.last().is_some_and(|last| last.kind == kind::MOMENT) {
        entries.pop();
    }
}

fn entry(text: &str, line: usize) -> Result<LogEntry, NotReplayable> {
    let malformed = |why| NotReplayable::Malformed { line, why };
    let read: Line = serde_json::from_str(text).map_err(|_| malformed("no entry"))?;
    match read.kind {
        kind::DROPPED => Err(NotReplayable::Dropped {
            line,
            entries: read.len,
        }),
        kind::LINE => Err(NotReplayable::OwnLines { line }),
        kind => Ok(LogEntry {
            id: read.id,
            code: read.code,
            len: read.len,
            content: base64(&read.content)
                .ok_or_else(|| malformed("no base64"))?
                .into(),
            ..LogEntry::new(kind)
        }),
    }
}

/// Reads base64 as browsers write it.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().map(|digit| {
        Some(u32::from(match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    });
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let number = group.iter().fold(0, |number, digit| number << 6 | digit);
        let shifted = number << (6 * (4 - group.len()));
        let [_, whole @ ..] = shifted.to_be_bytes();
        bytes.extend_from_slice(&whole[..group.len() * 6 / 8]);
    }
    Some(bytes)
}

/// Behind the head.
const FIRST_LINE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (text, expect) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(expect.as_bytes()));
        }
        assert_eq!(base64("*"), None);
    }

    #[test]
    fn an_input_that_is_cut_off_is_left_out() {
        let entries = |kinds: &[u8]| kinds.iter().copied().map(LogEntry::new).collect::<Vec<_>>();
        // The survey of the beginning, an input, and a survey with the input that asks for it.
        let mut whole = entries(&[
            kind::BEGINNING,
            kind::PORT,
            kind::MOMENT,
            kind::NETWORK,
            kind::PORT,
            kind::MOMENT,
            kind::FRAME_IN,
        ]);
        whole.push(LogEntry {
            code: u32::from(tag::INSPECT),
            ..LogEntry::new(kind::MESSAGE_IN)
        });
        for half in [
            &[][..],
            &[kind::MOMENT],
            &[kind::PORT],
            &[kind::PORT, kind::LINK, kind::MOMENT],
            &[kind::PORT, kind::MOMENT, kind::FRAME_IN],
        ] {
            let mut cut_off = whole.clone();
            cut_off.extend(entries(half));
            leave_out_a_half(&mut cut_off);
            assert_eq!(cut_off, whole, "{half:?}");
        }
    }

    #[test]
    fn what_can_not_be_replayed_says_how_to_record() {
        let check = |text: &str, expect: &str| {
            let error = Trace::parse(text).expect_err("refused").to_string();
            assert!(error.contains(expect), "{error}");
        };
        check("<!doctype html>", "no trace");
        let head = |level: &str, opening: &str| {
            format!(
                r#"{{"onesocket":"trace","version":1,"level":"{level}","tier":"main","epoch":"1f","recorded":1,"opening":{opening}}}"#
            )
        };
        check(&head("payloads", "null"), "?inspector=record");
        check(&head("recording", "null"), "before it was recorded");
        let beginning = |seed| {
            let line =
                format!(r#"{{"at":1,"kind":22,"id":1,"code":3,"len":5,"content":"{seed}"}}"#);
            format!("{}\n{line}\n", head("recording", r#"["MXNrdAE="]"#))
        };
        let whole = beginning("AQAAAAAAAAA=");
        assert!(Trace::parse(&whole).is_ok());
        check(&beginning(""), "before it was recorded");
        check(
            &whole.replace("\"kind\":22", "\"kind\":1"),
            "5 entries are missing",
        );
    }
}
