//! What the address of the page says.

use core::fmt;

use onesocket::{DebugLevel, TierPolicy};

/// The query string, read.
#[derive(Debug, PartialEq)]
pub(crate) struct Parameters {
    /// Absolute, or relative to the page.
    pub(crate) url: String,
    /// Shown instead of the URL; `None` when the URL was given.
    pub(crate) room: Option<String>,
    pub(crate) name: String,
    pub(crate) tiers: TierPolicy,
    pub(crate) debug: DebugLevel,
    /// Whether the inspector is open from the start.
    pub(crate) inspector: Option<Inspector>,
    /// A text that the server answers or repeats, as a heartbeat.
    pub(crate) ping: Option<String>,
}

impl Parameters {
    /// Reads pairs of a query string. Unknown names are left alone, unknown values are not: who asks for a tier that does not
    /// exist must not get another one in silence.
    pub(crate) fn parse(
        pairs: Vec<(String, String)>,
        default_name: impl FnOnce() -> String,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let find = |name: &str| {
            let pair = pairs.iter().rfind(|(key, _)| key == name);
            pair.map(|(_, value)| value.trim())
                .filter(|value| !value.is_empty())
        };
        let tiers = find("tier").unwrap_or("auto");
        let policy = match tiers {
            "auto" => Ok(TierPolicy::default()),
            tier => tier.parse().map(TierPolicy::Forced),
        };
        let tiers = policy.unwrap_or_else(|_| {
            problems.push(format!(
                "tier={tiers} is unknown: use auto, shared, dedicated or main."
            ));
            TierPolicy::default()
        });
        let debug = find("debug").unwrap_or("0");
        let debug = debug_level(debug).unwrap_or_else(|| {
            problems.push(format!(
                "debug={debug} is unknown: use 0, 1 (the same as messages), messages or payloads."
            ));
            DebugLevel::Off
        });
        let asked = pairs.iter().rfind(|(key, _)| key == "inspector");
        let inspector = asked.map(|(_, how)| match how.as_str() {
            "record" => Inspector::Recording,
            "page" => Inspector::Page,
            _ => Inspector::Open,
        });
        let room = find("room").unwrap_or("lobby");
        if room.len() > MAX_ROOM_BYTES {
            problems.push(format!("room is longer than {MAX_ROOM_BYTES} bytes."));
        }
        let name = find("name").map_or_else(default_name, str::to_owned);
        if name.chars().count() > MAX_NAME_CHARS {
            problems.push(format!("name is longer than {MAX_NAME_CHARS} characters."));
        }
        let given_url = find("url").map(str::to_owned);
        let parameters = Self {
            room: given_url.is_none().then(|| room.to_owned()),
            url: given_url.unwrap_or_else(|| format!("/chat?room={}", percent_encode(room))),
            name,
            tiers,
            debug,
            inspector,
            ping: find("ping").map(str::to_owned),
        };
        if problems.is_empty() {
            Ok(parameters)
        } else {
            Err(Problems(problems))
        }
    }
}

/// How the inspector is open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Inspector {
    Open,
    /// And records what can be replayed.
    Recording,
    /// There is nothing else in the page.
    Page,
}

/// What is wrong with the address, a sentence each.
#[derive(Debug, PartialEq)]
pub(crate) struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Not connected, because of the page's address:\n{}",
            self.0.join("\n")
        )
    }
}

fn debug_level(word: &str) -> Option<DebugLevel> {
    match word {
        "0" | "off" => Some(DebugLevel::Off),
        "1" | "messages" => Some(DebugLevel::Messages),
        "payloads" => Some(DebugLevel::Payloads),
        _ => None,
    }
}

/// Encodes what is not unreserved: RFC 3986, section 2.3.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The server's own limit.
const MAX_ROOM_BYTES: usize = 128;

/// Beyond it a name is a message.
const MAX_NAME_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use onesocket::Tier;

    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Parameters, Problems> {
        let pairs = pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Parameters::parse(pairs.collect(), || "Calm Heron".to_owned())
    }

    #[test]
    fn an_empty_query_is_the_lobby_on_the_best_tier() {
        let expect = Parameters {
            url: "/chat?room=lobby".to_owned(),
            room: Some("lobby".to_owned()),
            name: "Calm Heron".to_owned(),
            tiers: TierPolicy::default(),
            debug: DebugLevel::Off,
            inspector: None,
            ping: None,
        };
        assert_eq!(parse(&[]), Ok(expect));
    }

    #[test]
    fn values_are_taken() {
        let parameters = parse(&[
            ("tier", "main"),
            ("room", "a b&c"),
            ("name", "ann"),
            ("debug", "payloads"),
            ("inspector", "record"),
        ])
        .expect("valid");
        assert_eq!(parameters.url, "/chat?room=a%20b%26c");
        assert_eq!(parameters.tiers, TierPolicy::Forced(Tier::Main));
        assert_eq!(parameters.inspector, Some(Inspector::Recording));
        assert_eq!(
            (parameters.name.as_str(), parameters.debug),
            ("ann", DebugLevel::Payloads)
        );
        let parameters = parse(&[("url", "wss://example.org/echo"), ("room", "x")]).expect("valid");
        assert_eq!(
            (parameters.url.as_str(), parameters.room),
            ("wss://example.org/echo", None)
        );
    }

    #[test]
    fn unknown_values_are_all_named() {
        let problems = parse(&[("tier", "fast"), ("debug", "yes")])
            .expect_err("invalid")
            .to_string();
        assert!(
            problems.contains("tier=fast") && problems.contains("debug=yes"),
            "{problems}"
        );
    }
}
