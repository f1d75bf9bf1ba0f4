//! Finding the key of a message of which only the latest counts.

use bytes::Bytes;
use onesocket_protocol::{LatestBy, Payload};

/// Returns the key, or `None` when there is none in it. It shares the payload's bytes.
#[inline(never)]
pub(crate) fn key_of(rule: &LatestBy, payload: &Payload) -> Option<Bytes> {
    let bytes = payload.bytes();
    match rule {
        LatestBy::Any => Some(Bytes::new()),
        LatestBy::Bytes { start, len } => {
            let start = *start as usize;
            let end = start.checked_add(*len as usize)?;
            (end <= bytes.len()).then(|| bytes.slice(start..end))
        }
        LatestBy::JsonMember(name) => {
            let (start, end) = json_member(bytes, name.as_bytes())?;
            Some(bytes.slice(start..end))
        }
    }
}

/// Returns where the value of a member of the outermost object stands. What is no JSON has none, or a harmless one: it is only
/// compared.
fn json_member(bytes: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    let mut scan = Scan { bytes, at: 0 };
    scan.skip_space();
    scan.take(b'{')?;
    loop {
        scan.skip_space();
        let (start, end) = scan.string()?;
        scan.skip_space();
        scan.take(b':')?;
        scan.skip_space();
        let is_it = bytes.get(start + 1..end - 1) == Some(name);
        let value = scan.value()?;
        if is_it {
            return Some(value);
        }
        scan.skip_space();
        scan.take(b',')?;
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// With its quotes.
    fn string(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some((start, self.at));
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Up to the comma or the bracket behind it that is not within it, without the space before that.
    fn value(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        let mut end = start;
        let mut depth = 0_u32;
        loop {
            match self.peek()? {
                b',' | b'}' | b']' if depth == 0 => {
                    return (end > start).then_some((start, end));
                }
                b'"' => {
                    end = self.string()?.1;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b' ' | b'\t' | b'\n' | b'\r' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            end = self.at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        let (start, end) = json_member(text.as_bytes(), name.as_bytes())?;
        text.get(start..end)
    }

    #[test]
    fn a_member_is_found_where_it_stands() {
        let cases = [
            (r#"{"s":"ABC","p":1}"#, "s", Some(r#""ABC""#)),
            (r#" { "p" : 1.5e3 , "s" : "x" } "#, "p", Some("1.5e3")),
            (r#"{"a":{"s":1},"s":2}"#, "s", Some("2")),
            (
                r#"{"a":["s",{"s":[1]}],"s":[1, {"b": 2}] }"#,
                "s",
                Some(r#"[1, {"b": 2}]"#),
            ),
            (r#"{"a":"}\",\"s\":9","s":3}"#, "s", Some("3")),
            (r#"{"s":null}"#, "s", Some("null")),
            (r#"{"s":"}"}"#, "s", Some(r#""}""#)),
            (r#"{"s":1,"s":2}"#, "s", Some("1")),
            (r#"{"":1}"#, "", Some("1")),
            (r#"{"t":1}"#, "s", None),
            (r#"{}"#, "s", None),
            (r#"[{"s":1}]"#, "s", None),
            (r#""s""#, "s", None),
            ("", "s", None),
            (r#"{"s":}"#, "s", None),
            (r#"{"s":1"#, "s", None),
            (r#"{"s"#, "s", None),
            (r#"{"s\"#, "s", None),
            (r#"{"s":"\"#, "s", None),
        ];
        for (text, name, expect) in cases {
            assert_eq!(member(text, name), expect, "{text}");
        }
    }

    #[test]
    fn any_bytes_are_no_panic() {
        let mut rng = fastrand::Rng::with_seed(3);
        let alphabet = br#"{}[]",:\s1 "#;
        for _ in 0..200_000 {
            let len = rng.usize(0..24);
            let text: Vec<u8> = (0..len)
                .map(|_| alphabet[rng.usize(0..alphabet.len())])
                .collect();
            if let Some((start, end)) = json_member(&text, b"s") {
                assert!(start < end && end <= text.len());
            }
        }
    }

    #[test]
    fn a_range_outside_of_the_message_is_no_key() {
        let key =
            |start, len, text: &str| key_of(&LatestBy::Bytes { start, len }, &Payload::text(text));
        assert_eq!(key(1, 2, "abcd"), Some(Bytes::from_static(b"bc")));
        assert_eq!(key(0, 4, "abcd"), Some(Bytes::from_static(b"abcd")));
        assert_eq!(key(4, 0, "abcd"), Some(Bytes::new()));
        assert_eq!(key(3, 2, "abcd"), None);
        assert_eq!(key(u32::MAX, u32::MAX, "abcd"), None);
    }
}
