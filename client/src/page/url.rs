//! Which URLs a page may open.

#![cfg_attr(
    not(any(test, target_family = "wasm")),
    expect(dead_code, reason = "there is no page to judge by")
)]

use onesocket_protocol::redact_url;

use crate::BuildError;

/// A parsed URL, as the browser's URL parser gives it.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// With its colon: `wss:`.
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    /// The URL without scheme and fragment: `//host/path?query`.
    pub(crate) rest: &'a str,
}

/// Makes the `ws:` or `wss:` URL that the WebSocket constructor would make, or says why it would not.
///
/// `http:` and `https:` stand for `ws:` and `wss:`, and a fragment is dropped: [WHATWG
/// WebSockets](https://websockets.spec.whatwg.org/#dom-websocket-websocket); done here so that older browsers agree, and so
/// that two spellings of one URL share a connection.
pub(crate) fn to_websocket_url(
    parts: &Parts<'_>,
    page_is_secure: bool,
) -> Result<String, BuildError> {
    let scheme = match parts.scheme {
        "ws:" | "http:" => "ws:",
        "wss:" | "https:" => "wss:",
        other => {
            return Err(BuildError::UnsupportedScheme {
                scheme: other.trim_end_matches(':').to_owned(),
            });
        }
    };
    let url = format!("{scheme}{}", parts.rest);
    if scheme == "ws:" && page_is_secure && !is_loopback(parts.host) {
        return Err(BuildError::InsecureUrl {
            url: redact_url(&url),
        });
    }
    Ok(url)
}

/// Loopback is trusted even without encryption by Chromium and Firefox:
/// [Secure Contexts](https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy). Safari refuses it, in its own
/// constructor.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.starts_with("127.")
        || host == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scheme: &str, host: &str, secure: bool, expect: Result<&str, &str>) {
        let rest = format!("//{host}/a?token=secret");
        let result = to_websocket_url(
            &Parts {
                scheme,
                host,
                rest: &rest,
            },
            secure,
        )
        .map_err(|e| e.to_string());
        assert_eq!(result.as_deref().map_err(String::as_str), expect);
    }

    #[test]
    fn http_schemes_stand_for_websocket_schemes() {
        check("ws:", "h", false, Ok("ws://h/a?token=secret"));
        check("http:", "h", false, Ok("ws://h/a?token=secret"));
        check("https:", "h", true, Ok("wss://h/a?token=secret"));
        check(
            "ftp:",
            "h",
            false,
            Err("not a websocket url, its scheme is ftp"),
        );
    }

    #[test]
    fn a_secure_page_opens_no_insecure_url_but_of_its_own_machine() {
        check(
            "ws:",
            "h",
            true,
            Err("an https page may not open ws://h/a?token=***"),
        );
        check(
            "ws:",
            "localhost",
            true,
            Ok("ws://localhost/a?token=secret"),
        );
        check(
            "ws:",
            "127.0.0.1",
            true,
            Ok("ws://127.0.0.1/a?token=secret"),
        );
        check("wss:", "h", true, Ok("wss://h/a?token=secret"));
    }
}
