//! Keeps secrets in URLs out of logs.

/// Returns `url` with the parts that carry secrets replaced by `***`: the user info, the values of the query, the fragment.
///
/// The names of the query stay, because they are what one debugs with.
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
    let (rest, fragment) = split_at_char(url, '#');
    let (rest, query) = split_at_char(rest, '?');
    let (scheme, rest) = match rest.find("://") {
        Some(at) => rest.split_at(at + 3),
        None => ("", rest),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
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
        redacted.push('?');
        let pairs = query.split('&').map(|pair| match pair.find('=') {
            Some(at) => format!("{}***", &pair[..=at]),
            None if pair.is_empty() => String::new(),
            None => "***".to_owned(),
        });
        redacted.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    if fragment.is_some() {
        redacted.push_str("#***");
    }
    redacted
}

fn split_at_char(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::redact_url;

    #[test]
    fn a_secret_never_survives() {
        for url in [
            "wss://s3cret@h/",
            "wss://u:s3cret@h",
            "wss://h/p?a=s3cret",
            "wss://h?s3cret",
            "wss://h/p?a=1&s3cret&b=s3cret=s3cret",
            "wss://h/#s3cret",
            "wss://h/?x=1#s3cret?y=s3cret",
            "wss://a@s3cret@h/",
        ] {
            let redacted = redact_url(url);
            assert!(!redacted.contains("s3cret"), "{url} -> {redacted}");
        }
    }
}
