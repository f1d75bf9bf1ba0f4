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
    let url: String = url
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let (rest, fragment) = split_at_char(&url, '#');
    let (rest, query) = split_at_char(rest, '?');
    let (scheme, rest) = rest.split_at(scheme_len(rest));
    let (authority, path) = rest.split_at(rest.find(SLASHES).unwrap_or(rest.len()));
    let mut redacted = String::with_capacity(url.len());
    redacted.push_str(scheme);
    match authority.rfind('@') {
        Some(at) => {
            redacted.push_str("***");
            redacted.push_str(&authority[at..]);
        }
        None => redacted.push_str(authority),
    }
    redacted.push_str(path);
    if let Some(query) = query {
        for (index, pair) in query.split('&').enumerate() {
            redacted.push(if index == 0 { '?' } else { '&' });
            redact_pair(pair, &mut redacted);
        }
    }
    if fragment.is_some() {
        redacted.push_str("#***");
    }
    redacted
}

/// The length of the scheme, its colon and the slashes behind it. Without a slash the colon may be one of `user:password`.
fn scheme_len(url: &str) -> usize {
    let is_scheme = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let after_scheme = match url.trim_start().split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && rest.starts_with(SLASHES) => rest,
        _ => url,
    };
    url.len() - after_scheme.trim_start_matches(SLASHES).len()
}

fn redact_pair(pair: &str, redacted: &mut String) {
    match pair.split_once('=') {
        // Nothing but `=` behind the first one is the padding of a bare base64 token, and no value.
        Some((name, value)) if value.chars().any(|c| c != '=') => {
            redacted.push_str(name);
            redacted.push_str("=***");
        }
        None if pair.is_empty() => {}
        _ => redacted.push_str("***"),
    }
}

fn split_at_char(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A browser takes either for the other in the schemes that it knows.
const SLASHES: [char; 2] = ['/', '\\'];
