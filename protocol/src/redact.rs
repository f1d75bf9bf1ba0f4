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
    let mut redactor = Redactor {
        redacted: Vec::with_capacity(url.len()),
        part: Part::Host,
        start: 0,
        port: Port::OfScheme,
        ats: url.bytes().filter(|byte| *byte == b'@').count(),
    };
    // Byte by byte: nothing else in the worker's wasm needs the searches of `str`. Only ASCII is left out or split at, so what
    // comes out is UTF-8.
    for byte in url.bytes() {
        if !redactor.step(byte) {
            break;
        }
    }
    redactor.end_pair();
    redactor.redacted
}

/// A URL, as far as it is read.
struct Redactor {
    redacted: Vec<u8>,
    part: Part,
    /// Where in `redacted` that begins which may turn out to be secret.
    start: usize,
    port: Port,
    /// How many `@` follow.
    ats: usize,
}

impl Redactor {
    /// Takes the next byte. Returns whether anything behind it may be shown.
    fn step(&mut self, byte: u8) -> bool {
        self.ats -= usize::from(byte == b'@');
        match byte {
            b'\t' | b'\n' | b'\r' => return true,
            // This is no URL, but a password that is not escaped may be in it, and must not be shown where that is complained of. What is secret
            // behind it can't be told.
            b'/' | b'\\' | b'?' | b'#' if self.is_in_password() => {
                self.mask();
                return false;
            }
            b'#' => {
                self.end_pair();
                self.redacted.extend_from_slice(b"#***");
                self.part = Part::Value;
                return false;
            }
            b'?' if self.part < Part::Name => self.begin_pair(),
            b'&' if self.part > Part::Path => {
                self.end_pair();
                self.begin_pair();
            }
            b'@' if self.part == Part::Host => {
                self.mask();
                self.port = Port::None;
            }
            b']' if self.redacted.get(self.start) == Some(&b'[') => self.port = Port::None,
            b'/' | b'\\' if self.part == Part::Host => self.on_slash(),
            b'=' if self.part == Part::Name => self.part = Part::Equals,
            b'=' if self.part == Part::Equals => return true,
            _ if self.part == Part::Equals => {
                self.part = Part::Value;
                self.redacted.extend_from_slice(MASK);
                return true;
            }
            _ if self.part == Part::Value => return true,
            _ => {}
        }
        self.port = self.port.behind(byte);
        self.redacted.push(byte);
        true
    }

    fn is_in_password(&self) -> bool {
        self.part == Part::Host && self.port == Port::Password && self.ats > 0
    }

    /// A browser takes either slash for the other in the schemes that it knows, and any number of them.
    fn on_slash(&mut self) {
        // Without a slash behind it, a colon may be the one of `user:password`.
        let ends_scheme = self.start == 0 && self.redacted.last() == Some(&b':');
        if ends_scheme || self.redacted.len() == self.start {
            self.start = self.redacted.len() + 1;
            self.port = Port::None;
        } else {
            self.part = Part::Path;
        }
    }

    /// Behind the byte that is read.
    fn begin_pair(&mut self) {
        self.part = Part::Name;
        self.start = self.redacted.len() + 1;
    }

    /// What has no value is a secret itself.
    fn end_pair(&mut self) {
        if matches!(self.part, Part::Name | Part::Equals) && self.redacted.len() > self.start {
            self.mask();
        }
    }

    fn mask(&mut self) {
        self.redacted.truncate(self.start);
        self.redacted.extend_from_slice(MASK);
    }
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

impl Port {
    fn behind(self, byte: u8) -> Self {
        match self {
            Self::OfScheme if byte == b':' => Self::None,
            Self::None if byte == b':' => Self::Digits,
            Self::Digits if byte != b':' && !byte.is_ascii_digit() => Self::Password,
            port => port,
        }
    }
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

const MASK: &[u8] = b"***";
