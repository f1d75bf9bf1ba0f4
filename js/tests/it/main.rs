//! What the scripts of the npm package have of their own, so as not to ask the wasm: it has to be what the crates have.

use onesocket_protocol::{Backoff, Millis, QueueLimits, limits};

#[test]
fn numbers_of_the_scripts_are_those_of_the_crates() {
    for (script, name, crates) in [
        (CORE, "MAX_PAYLOAD_BYTES", limits::MAX_PAYLOAD_BYTES as u64),
        (
            CORE,
            "MAX_WAITING_BYTES",
            constant(ENGINE, "MAX_UNSETTLED_BYTES"),
        ),
        (CLIENT, "MAX_WAITING", constant(EVENT, "MAX_WAITING")),
        (CLIENT, "MAX_WAITING_BYTES", limits::MAX_BURST_BYTES as u64),
        (CLIENT, "MAX_CLOSE_CODES", limits::MAX_FATAL_CODES as u64),
    ] {
        assert_eq!(constant(script, name), crates, "{name}");
    }
    between(
        EVENT,
        "const MAX_WAITING_BYTES: usize = limits::MAX_BURST",
        ";",
    );

    let QueueLimits {
        messages,
        bytes,
        timeout,
    } = QueueLimits::default();
    let queue = between(CORE, "const QUEUE = { sends: ", " }");
    let (sends, rest) = queue.split_once(", bytes: ").unwrap();
    let (most, millis) = rest.split_once(", millis: ").unwrap();
    assert_eq!(product(sends), u64::from(messages));
    assert_eq!(product(most), u64::from(bytes));
    assert_eq!(Some(Millis(product(millis) as u32)), timeout);

    let Backoff { base, cap, .. } = Backoff::default();
    let pause = between(CORE, "Math.random() * Math.min(", "));");
    let (first, longest) = pause.split_once(" * 2 ** (attempt - 1), ").unwrap();
    assert_eq!(product(first), u64::from(base.0));
    assert_eq!(product(longest), u64::from(cap.0));

    let seconds = between(
        REQUEST,
        "const DEFAULT_TIMEOUT: Duration = Duration::from_secs(",
        ")",
    );
    let millis = between(CLIENT, "async request(build, { timeout = ", " }");
    assert_eq!(product(millis), product(seconds) * 1000);
}

#[test]
fn a_subprotocol_has_the_characters_that_the_client_takes() {
    let script = between(ADDRESS, "const TOKEN = /^[", "0-9A-Za-z]+$/;");
    let client = between(
        BUILDER,
        "byte.is_ascii_alphanumeric() || b\"",
        "\".contains(&byte)",
    );
    assert_eq!(script.replace("\\-", "-"), client);
}

const ADDRESS: &str = include_str!("../../npm/address.js");
const CLIENT: &str = include_str!("../../npm/client.js");
const CORE: &str = include_str!("../../npm/core.js");

const BUILDER: &str = include_str!("../../../client/src/builder.rs");
const ENGINE: &str = include_str!("../../../engine/src/tab.rs");
const EVENT: &str = include_str!("../../../client/src/event.rs");
const REQUEST: &str = include_str!("../../../client/src/request.rs");

/// The value of a constant, in JavaScript or in Rust.
fn constant(source: &str, name: &str) -> u64 {
    let declared = [" =", ": usize ="].map(|after| format!("const {name}{after} "));
    let before = declared.iter().find(|text| source.contains(*text));
    let before = before.unwrap_or_else(|| panic!("there is no constant {name}"));
    product(between(source, before, ";"))
}

/// The value of factors, as both languages write them.
fn product(text: &str) -> u64 {
    let factor = |text: &str| text.trim().replace('_', "").parse::<u64>();
    let factors: Result<Vec<_>, _> = text.split('*').map(factor).collect();
    let factors = factors.unwrap_or_else(|error| panic!("{text}: {error}"));
    factors.iter().product()
}

fn between<'a>(source: &'a str, before: &str, after: &str) -> &'a str {
    let rest = source.split_once(before).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before}…{after}")).0
}
