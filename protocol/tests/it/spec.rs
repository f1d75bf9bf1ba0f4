//! The numbers in PROTOCOL.md are those of the code.

use std::{collections::BTreeSet, fs, path::Path};

use onesocket_protocol::{Epoch, Pace, limits, message::tag};

#[test]
fn the_specification_has_every_tag_and_no_other() {
    let spec = spec();
    let (_, section) = spec.split_once("### 5.1 The tags").expect("a section");
    let (section, _) = section.split_once("### 5.2").expect("a next section");
    let cells = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('|'));
    let numbers: BTreeSet<u8> = cells.filter_map(|cell| cell.trim().parse().ok()).collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), tag::ALL);
}

#[test]
fn the_specification_has_every_cap() {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    let spec = spec();
    let (_, section) = spec.split_once("### 6.1 Caps").expect("a section");
    for (cap, value, text) in [
        (
            "frame",
            limits::MAX_FRAME_BYTES,
            "68,222,976 bytes".to_owned(),
        ),
        (
            "messages in a frame",
            limits::MAX_BATCH_MESSAGES as usize,
            "65,536".to_owned(),
        ),
        (
            "payload of SEND",
            limits::MAX_PAYLOAD_BYTES,
            format!("{} MiB", limits::MAX_PAYLOAD_BYTES / MIB),
        ),
        (
            "body of every",
            limits::MAX_BODY_BYTES,
            format!("{} MiB", limits::MAX_BODY_BYTES / MIB),
        ),
        (
            "greeting, farewell",
            limits::MAX_GREETING_BYTES,
            format!("{} MiB", limits::MAX_GREETING_BYTES / MIB),
        ),
        (
            "url, account",
            limits::MAX_TEXT_BYTES,
            format!("{} KiB", limits::MAX_TEXT_BYTES / KIB),
        ),
        (
            "subprotocols",
            limits::MAX_SUBPROTOCOLS,
            limits::MAX_SUBPROTOCOLS.to_string(),
        ),
        (
            "fatal_codes",
            limits::MAX_FATAL_CODES,
            limits::MAX_FATAL_CODES.to_string(),
        ),
        (
            "failed's reason",
            limits::MAX_REASON_BYTES,
            format!("{} KiB", limits::MAX_REASON_BYTES / KIB),
        ),
        (
            "content of LOG",
            limits::MAX_LOG_BYTES,
            format!("{} KiB", limits::MAX_LOG_BYTES / KIB),
        ),
        (
            "reason of CLOSE",
            limits::MAX_CLOSE_REASON_BYTES,
            format!("{} bytes", limits::MAX_CLOSE_REASON_BYTES),
        ),
        (
            "channels of a tab",
            limits::MAX_CHANNELS_PER_TAB,
            limits::MAX_CHANNELS_PER_TAB.to_string(),
        ),
        (
            "greetings of a channel",
            limits::MAX_GREETINGS,
            limits::MAX_GREETINGS.to_string(),
        ),
        (
            "replay kept",
            limits::MAX_REPLAY_MESSAGES as usize,
            "10,000 messages, 16 MiB".to_owned(),
        ),
        (
            "backlog of a tab",
            limits::MAX_BACKLOG_BYTES,
            format!("{} MiB", limits::MAX_BACKLOG_BYTES / MIB),
        ),
        (
            &format!(
                "the same within {} s of a batch",
                limits::MAX_BURST_MILLIS / 1000
            ),
            limits::MAX_BURST_BYTES,
            format!("{} MiB", limits::MAX_BURST_BYTES / MIB),
        ),
        (
            "what waits for the pace of a tab",
            limits::MAX_PACED_BYTES,
            format!("{} KiB", limits::MAX_PACED_BYTES / KIB),
        ),
    ] {
        let row = section
            .lines()
            .find(|line| line.starts_with(&format!("| {cap}")));
        let row = row.unwrap_or_else(|| panic!("no row for {cap}"));
        assert!(
            row.contains(&format!("| {text}")),
            "{cap} is {value}: {row}"
        );
    }
    assert_eq!(
        (limits::MAX_FRAME_BYTES, limits::MAX_BATCH_MESSAGES),
        (68_222_976, 65_536)
    );
    assert_eq!(
        (
            limits::MAX_REPLAY_MESSAGES,
            limits::MAX_REPLAY_BYTES as usize
        ),
        (10_000, 16 * MIB)
    );
}

/// Where it is no row of the table.
#[test]
fn the_specification_says_every_other_number() {
    let spec = flowing(&spec());
    let minutes = |millis: u32| words(millis / 60_000);
    let seconds = |millis: u32| format!("{} s", millis / 1000);
    let silence = limits::SILENCE_MILLIS;
    for sentence in [
        format!(
            "on which no hello has come for {} minutes",
            minutes(silence)
        ),
        format!(
            "on which no batch has come for {} minutes since its hello",
            minutes(silence)
        ),
        format!(
            "reads its welcome later than {} behind its hello",
            seconds(limits::LATE_WELCOME_MILLIS)
        ),
        format!(
            "A worker MAY post the first {} of a session without waiting",
            words(limits::OPENING_BATCHES)
        ),
        format!(
            "everything that was posted until {} ago",
            seconds(limits::MAX_BURST_MILLIS)
        ),
        format!(
            "in steps of {} KiB, rounded down",
            limits::BUFFERED_STEP_BYTES / 1024
        ),
        format!(
            "until then they are {} ms and {}",
            Pace::SHOWN.interval.0,
            Pace::SHOWN.burst
        ),
        format!("no more than {} ms before", Epoch::LEASE_MILLIS),
        format!("waits {} ms, in which it still reads", Epoch::LEASE_MILLIS),
    ] {
        assert!(spec.contains(&sentence), "nowhere: {sentence}");
    }
}

/// Small numbers are written out.
fn words(number: u32) -> &'static str {
    match number {
        2 => "two",
        4 => "four",
        _ => panic!("no word for {number}"),
    }
}

/// Without its line breaks.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn spec() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    fs::read_to_string(path).expect("the specification")
}
