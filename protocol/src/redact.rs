//! Keeps secrets in URLs out of logs.

/// Returns `url` with the parts that carry secrets replaced by `***`: the user info, the values of the query, the fragment.
/// Of what is no URL, because a password in it is not escaped, all behind the scheme.
///
/// The names of the query stay, because they are what one debugs with. Finds the parts as a browser would
/// ([WHATWG URL](https://url.spec.whatwg.org/#url-parsing)), for which `wss:/\x.org` is as good as `wss://x.org`.
///
/// ```
/// use onesocket_protocol::redact_url;
///
/// assert_eq!(redact_url("wss://bob:pw@x.org/chat?token=abc&room=1"), "wss://***@x.org/chat?token=***&room=***");
/// assert_eq!(redact_url("wss://x.org/chat"), "wss://x.org/chat");
/// assert_eq!(redact_url("wss://x.org/?justatoken"), "wss://x.org/?***");
/// ```
#[must_use]
pub fn redact_url(url: &str) -> String {
    String::from_utf8(redact_url_bytes(url)).unwrap_or_default()
}

/// Does what [`redact_url`] does, for who has no use for a `String`.
#[must_use]
pub fn redact_url_bytes(url: &str) -> Vec<u8> {
    // Byte by byte: nothing else in the worker's wasm needs the searches of `str`. Only ASCII is left out or split at, so what
    // comes out is UTF-8.
    let mut redacted = Vec::with_capacity(url.len());
    let mut part = Part::Host;
    // Where in `redacted` that begins which may turn out to be secret.
    let mut start = 0;
    let mut port = Port::OfScheme;
    let mut ats = url.bytes().filter(|byte| *byte == b'@').count();
    for byte in url.bytes() {
        ats -= usize::from(byte == b'@');
        match byte {
            b'\t' | b'\n' | b'\r' => continue,
            // This is no URL, but a password that is not escaped may be in it, and must not be shown where that is complained of. What is secret
            // behind it can't be told.
            b'/' | b'\\' | b'?' | b'#'
                if part == Part::Host && port == Port::Password && ats > 0 =>
            {
                redacted.truncate(start);
                redacted.extend_from_slice(MASK);
                break;
            }
            b'#' => {
                end_pair(part, start, &mut redacted);
                redacted.extend_from_slice(b"#***");
                part = Part::Value;
                break;
            }
            b'?' if part < Part::Name => {
                part = Part::Name;
                start = redacted.len() + 1;
            }
            b'&' if part > Part::Path => {
                end_pair(part, start, &mut redacted);
                part = Part::Name;
                start = redacted.len() + 1;
            }
            b'@' if part == Part::Host => {
                redacted.truncate(start);
                redacted.extend_from_slice(MASK);
                port = Port::None;
            }
            b']' if redacted.get(start) == Some(&b'[') => port = Port::None,
            // A browser takes either for the other in the schemes that it knows, and any number of them.
            b'/' | b'\\' if part == Part::Host => {
                // Without a slash behind it, a colon may be the one of `user:password`.
                let ends_scheme = start == 0 && redacted.last() == Some(&b':');
                if ends_scheme || redacted.len() == start {
                    start = redacted.len() + 1;
                    port = Port::None;
                } else {
                    part = Part::Path;
                }
            }
            b'=' if part == Part::Name => part = Part::Equals,
            b'=' if part == Part::Equals => continue,
            _ if part == Part::Equals => {
                part = Part::Value;
                redacted.extend_from_slice(MASK);
                continue;
            }
            _ if part == Part::Value => continue,
            _ => {}
        }
        port = match port {
            Port::OfScheme if byte == b':' => Port::None,
            Port::None if byte == b':' => Port::Digits,
            Port::Digits if byte != b':' && !byte.is_ascii_digit() => Port::Password,
            port => port,
        };
        redacted.push(byte);
    }
    end_pair(part, start, &mut redacted);
    redacted
}

/// What stands behind a colon of a host.
#[derive(Clone, Copy, PartialEq)]
enum Port {
    /// The first colon is the one of the scheme, unless slashes come before.
    OfScheme,
    None,
    Digits,
    /// None at all: it may be a password that is not escaped, if an `@` follows.
    Password,
}

/// Where in a URL a byte is.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Part {
    /// In the scheme, or the authority.
    Host,
    Path,
    /// In the name of a pair of the query.
    Name,
    /// Behind its `=`. Nothing but more of them is the padding of a bare base64 token, and no value.
    Equals,
    /// In its value, which is masked already.
    Value,
}

/// What has no value is a secret itself.
fn end_pair(part: Part, start: usize, redacted: &mut Vec<u8>) {
    if matches!(part, Part::Name | Part::Equals) && redacted.len() > start {
        redacted.truncate(start);
        redacted.extend_from_slice(MASK);
    }
}

const MASK: &[u8] = b"***";
