//! Keeps secrets in URLs out of logs.

/// Returns `url` with the parts that carry secrets replaced by `***`: the user info, the values of the query, the fragment.
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
    // By bytes: nothing else in the worker's wasm needs the searches of `str`. Only ASCII is left out or split at, so what
    // comes out is UTF-8.
    let url: Vec<u8> = url
        .bytes()
        .filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r'))
        .collect();
    let (rest, fragment) = split_at_byte(&url, b'#');
    let (rest, query) = split_at_byte(rest, b'?');
    let (scheme, rest) = rest.split_at(scheme_len(rest));
    let (authority, path) = rest.split_at(rest.iter().position(is_slash).unwrap_or(rest.len()));
    let mut redacted = Vec::with_capacity(url.len());
    redacted.extend_from_slice(scheme);
    match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) => {
            redacted.extend_from_slice(b"***");
            redacted.extend_from_slice(&authority[at..]);
        }
        None => redacted.extend_from_slice(authority),
    }
    redacted.extend_from_slice(path);
    let (mut left, mut mark) = (query, b'?');
    while let Some(query) = left {
        let (pair, rest) = split_at_byte(query, b'&');
        redacted.push(mark);
        redact_pair(pair, &mut redacted);
        (left, mark) = (rest, b'&');
    }
    if fragment.is_some() {
        redacted.extend_from_slice(b"#***");
    }
    String::from_utf8(redacted).unwrap_or_default()
}

/// The length of the scheme, its colon and the slashes behind it. Without a slash the colon may be one of `user:password`.
fn scheme_len(url: &[u8]) -> usize {
    let is_scheme = |text: &[u8]| {
        text.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    // A browser skips spaces and control characters in front; whatever else can't begin a scheme does no harm here.
    let skipped = url.iter().take_while(|byte| !byte.is_ascii_graphic());
    let after_scheme = match split_at_byte(&url[skipped.count()..], b':') {
        (scheme, Some(rest)) if is_scheme(scheme) && rest.first().is_some_and(is_slash) => rest,
        _ => url,
    };
    let slashes = after_scheme.iter().take_while(|byte| is_slash(byte));
    url.len() - after_scheme.len() + slashes.count()
}

fn redact_pair(pair: &[u8], redacted: &mut Vec<u8>) {
    match split_at_byte(pair, b'=') {
        // Nothing but `=` behind the first one is the padding of a bare base64 token, and no value.
        (name, Some(value)) if value.iter().any(|byte| *byte != b'=') => {
            redacted.extend_from_slice(name);
            redacted.extend_from_slice(b"=***");
        }
        _ if pair.is_empty() => {}
        _ => redacted.extend_from_slice(b"***"),
    }
}

fn split_at_byte(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(end) => (&text[..end], Some(&text[end + 1..])),
        None => (text, None),
    }
}

/// A browser takes either for the other in the schemes that it knows.
fn is_slash(byte: &u8) -> bool {
    matches!(byte, b'/' | b'\\')
}
