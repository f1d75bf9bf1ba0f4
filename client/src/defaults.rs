//! The defaults that the book and the types of the npm package state, against those that the code has.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use onesocket_manager::{ClimbBack, ManagerConfig, ScriptKind, Start};
use onesocket_protocol::{
    Answer, Backoff, DebugLevel, GiveUp, Heartbeat, LinkPolicy, Millis, Pace, Payload, QueueLimits,
    Wake, limits,
};

use crate::{
    Delivery,
    builder::{DEFAULT_AUTH_TIMEOUT, DEFAULT_READY_AT},
    request::DEFAULT_TIMEOUT,
};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// As the docs write a time.
fn time(time: impl Into<Millis>) -> String {
    let Millis(millis) = time.into();
    match (millis, millis % 60_000, millis % 1_000) {
        (0, ..) => "0".to_owned(),
        (_, 0, _) => format!("{} min", millis / 60_000),
        (_, _, 0) => format!("{} s", millis / 1_000),
        _ => format!("{millis} ms"),
    }
}

fn mebibytes(bytes: usize) -> String {
    let mebibyte = 1024 * 1024;
    assert_eq!(bytes % mebibyte, 0, "{bytes} bytes are no whole mebibytes");
    format!("{} MiB", bytes / mebibyte)
}

fn thousands(number: u32) -> String {
    match (number / 1_000, number % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}

fn codes(codes: &[u16]) -> String {
    let codes: Vec<_> = codes.iter().map(u16::to_string).collect();
    codes.join(", ")
}

/// The second column of the first table of a chapter, by what is in its first.
fn table(chapter: &str) -> BTreeMap<&str, &str> {
    let rows = chapter.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        (
            cells.next().unwrap_or_default(),
            cells.next().unwrap_or_default(),
        )
    })
    .collect()
}

#[test]
fn the_book_states_the_defaults_that_the_code_has() {
    let chapter = read("docs/defaults.md");
    let table = table(&chapter);
    let says = |what: &str, words: &[&str]| {
        let default = table.get(what);
        let default = default.unwrap_or_else(|| panic!("docs/defaults.md has no {what:?}"));
        for word in words {
            assert!(default.contains(word), "{what}: no {word:?} in {default:?}");
        }
    };

    let policy = LinkPolicy::default();
    let Backoff {
        base,
        cap,
        stable_after,
        spread,
    } = policy.backoff;
    let grows = [1, 2, 4].map(|times| time(Millis(base.0 * times)));
    let backoff = format!(
        "up to {} … {}; from {} again after {} of an open socket",
        grows.join(", "),
        time(cap),
        time(base),
        time(stable_after)
    );
    says("backoff", &[&backoff]);
    let spread = format!("up to {} at least; {} after close", time(spread), time(cap));
    says("spread after the loss of such a socket", &[&spread]);
    says("one dial", &[&time(policy.connect_timeout)]);
    let GiveUp { attempts, after } = policy.give_up;
    assert_eq!((attempts, after), (None, None));
    says("giving up", &["never"]);
    says(
        "close codes that stop the loop",
        &[&codes(&policy.fatal_codes)],
    );
    says(
        "close codes that refuse a credential",
        &[&codes(&policy.auth.codes)],
    );
    says(
        "one tab's answer with a credential",
        &[&time(DEFAULT_AUTH_TIMEOUT)],
    );
    assert_eq!(policy.heartbeat, None);
    let heartbeat = Heartbeat::every(Duration::from_secs(20), Payload::text("ping"));
    says("heartbeat", &["none"]);
    says(
        "with a heartbeat, from ping to anything received",
        &[&time(heartbeat.deadline)],
    );
    assert_eq!(policy.answer, None::<Answer>);
    says("the server's own ping", &["is a message like any other"]);
    let Wake {
        deadline,
        replace_after,
    } = policy.wake;
    let slept = replace_after.map(time).unwrap_or_default();
    says(
        "after a wake",
        &[
            &format!("{} for the answer", time(deadline)),
            &format!("after a sleep of {slept}"),
        ],
    );
    let QueueLimits {
        messages,
        bytes,
        timeout,
    } = policy.queue;
    let timeout = timeout.map(time).unwrap_or_default();
    let queue = format!(
        "{} messages, {}, {} each",
        thousands(messages),
        mebibytes(bytes as usize),
        timeout.replace("min", "minutes")
    );
    says("queue, of all tabs", &[&queue]);
    assert_eq!(Delivery::default(), Delivery::AtMostOnce);
    says("how often a send may reach the server", &["[at most once]"]);
    says(
        "on its way, up to which `ready()` ends at once",
        &[
            &mebibytes(DEFAULT_READY_AT),
            &format!("steps of {} KiB", limits::BUFFERED_STEP_BYTES / 1024),
        ],
    );
    says("linger", &[&time(policy.linger)]);
    let most = format!(
        "{} messages and {} at most",
        thousands(limits::MAX_REPLAY_MESSAGES),
        mebibytes(limits::MAX_REPLAY_BYTES as usize)
    );
    says("replay to a tab that joins", &["nothing", &most]);
    let longest = mebibytes(policy.max_received_bytes as usize);
    says("message from the server", &[&longest]);
    let worker = format!(
        "{} in the worker ({} for the first {})",
        mebibytes(limits::MAX_BACKLOG_BYTES),
        limits::MAX_BURST_BYTES / (1024 * 1024),
        time(Millis(limits::MAX_BURST_MILLIS))
    );
    says("waiting for a tab that does not read", &[&worker]);
    says("request", &[&time(DEFAULT_TIMEOUT)]);
    says_of_worker(&ManagerConfig::default(), says);
}

fn says_of_worker(config: &ManagerConfig, says: impl Fn(&str, &[&str])) {
    let Pace { interval, burst } = config.pace;
    let hidden = config.hidden_pace;
    says(
        "[pace](pace.md) of a tab",
        &[&format!("in {}, {burst} messages at once", time(interval))],
    );
    says(
        "pace of a hidden tab",
        &[&format!("{}, {},", time(hidden.interval), hidden.burst)],
    );
    assert_eq!(config.script_kind, ScriptKind::Classic);
    assert_eq!(config.start, Start::Now);
    let ClimbBack { first, cap } = config.climb_back.unwrap_or_default();
    let words = [
        format!("`{}` beside", config.script),
        format!("classic, named `{}`", config.name),
        "started at once".to_owned(),
    ];
    says("worker", &words.each_ref().map(String::as_str));
    says("its time until its welcome", &[&time(config.hello_timeout)]);
    says("until an acknowledgement", &[&time(config.ack_timeout)]);
    says(
        "until a sign of life behind that",
        &[&time(config.probe_timeout)],
    );
    says(
        "better tiers are tried again",
        &[&format!("after {} to {}", time(first), time(cap))],
    );
    assert!(config.share_dedicated);
    says("one worker for all tabs in the dedicated tier", &["yes"]);
    says("build of the app", &[&format!("{}, none", config.build)]);
    assert_eq!(config.debug, DebugLevel::Off);
    says("debug log", &["off"]);
}

#[test]
fn the_types_of_the_npm_package_state_the_defaults_that_the_code_has() {
    let types = read("js/npm/index.d.ts");
    // The words of a member's comment, in one line.
    let says = |member: &str, default: &str| {
        let before = types.split(&format!("\n  {member}")).next();
        let comment = before.and_then(|before| before.rsplit("/**").next());
        let words: Vec<_> = comment
            .unwrap_or_default()
            .split_whitespace()
            .filter(|word| *word != "*")
            .collect();
        let words = words.join(" ");
        assert!(
            words.contains(default),
            "{member}: no {default:?} in {words:?}"
        );
    };
    let (policy, config) = (LinkPolicy::default(), ManagerConfig::default());
    let millis = |time: Duration| time.as_millis().to_string();
    says("name?:", &format!("Default: `{}`.", config.name));
    says(
        "helloTimeout?:",
        &format!("Default: {}.", millis(config.hello_timeout)),
    );
    let heartbeat = Heartbeat::every(Duration::from_secs(20), Payload::text("ping"));
    says(
        "deadline?:",
        &format!("Default: {}.", thousands(heartbeat.deadline.0)),
    );
    says(
        "readyAt?:",
        &format!("Default: {}.", mebibytes(DEFAULT_READY_AT)),
    );
    says("linger?:", &format!("Default: {}.", policy.linger.0));
    says(
        "fatalCodes?:",
        &format!("Default: {},", codes(&policy.fatal_codes)),
    );
    says(
        "authCodes?:",
        &format!("Default: {}.", codes(&policy.auth.codes)),
    );
    says(
        "request(",
        &format!("Default timeout: {},", time(DEFAULT_TIMEOUT)),
    );
}
