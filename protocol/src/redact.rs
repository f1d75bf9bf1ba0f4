//! Keeps secrets in URLs out of logs.

/// Returns `url` with the parts that carry secrets replaced by `***`: the user info, the values of the query, the fragment.
/// Of what is no URL, because a password in it is not escaped, that which may be the user info.
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
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'\t' | b'\n' | b'\r' => continue,
            // No URL, but a password that is not escaped; it must not be shown where that is complained of.
            b'/' | b'\\' | b'?' | b'#'
                if part == Part::Host
                    && redacted.get(start..).is_some_and(ends_in_no_port)
                    && url.bytes().skip(at).any(|byte| byte == b'@') => {}
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
            }
            // A browser takes either for the other in the schemes that it knows, and any number of them.
            b'/' | b'\\' if part == Part::Host => {
                // Without a slash behind it, a colon may be the one of `user:password`.
                let ends_scheme = start == 0 && redacted.last() == Some(&b':');
                if ends_scheme || redacted.len() == start {
                    start = redacted.len() + 1;
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
        redacted.push(byte);
    }
    end_pair(part, start, &mut redacted);
    redacted
}

/// Whether what stands behind the last colon of a host is none: `password` in `user:password`.
fn ends_in_no_port(host: &[u8]) -> bool {
    let mut parts = host.rsplit(|byte| *byte == b':');
    let port = parts.next().unwrap_or_default();
    let is_address = host.first() == Some(&b'[') && port.last() == Some(&b']');
    parts.next().is_some() && !is_address && !port.iter().all(u8::is_ascii_digit)
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
