//! The layouts that never change, so that two builds can tell each other who they are before they speak.
//!
//! Numbers are little-endian. Every buffer on the port starts with [`MAGIC`] and a kind byte.

use crate::{Epoch, PrefaceError, TabId, TabToken, VersionRange, limits};

/// The first four bytes of every buffer on the port.
pub const MAGIC: [u8; 4] = *b"1skt";

/// The kind byte of each layout. Numbers are never reused.
pub mod kind {
    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $number:literal)*) => {
            $($(#[$doc])* pub const $name: u8 = $number;)*
            /// Every kind, for tests.
            pub const ALL: &[u8] = &[$($number),*];
        };
    }
    kinds! {
        /// [`Hello`](super::Hello).
        HELLO = 1
        /// [`Welcome`](super::Welcome).
        WELCOME = 2
        /// [`Refusal`](super::Refusal).
        REFUSED = 3
        /// [`FailedStart`](super::FailedStart).
        FAILED = 4
        /// A [batch](crate::frame) of typed messages.
        BATCH = 5
        /// [`Preface::Stale`](super::Preface::Stale).
        STALE = 6
        /// [`Preface::Probe`](super::Preface::Probe).
        PROBE = 7
        /// [`Preface::Alive`](super::Preface::Alive).
        ALIVE = 8
    }
}

/// A buffer on the port, read as far as its layout never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preface {
    /// Tab to worker: who is there?
    Hello(Hello),
    /// Worker to tab: come in.
    Welcome(Welcome),
    /// Worker to tab: we can't speak.
    Refused(Refusal),
    /// Worker to tab: this worker will never run.
    Failed(FailedStart),
    /// Either way: a batch of typed messages; see [`BatchReader`](crate::BatchReader).
    Batch,
    /// Worker to tab: this port is not known here, or the batch was for another epoch; say hello again.
    Stale(Epoch),
    /// Tab to worker: are you there? It needs neither a session nor an acknowledged batch.
    Probe,
    /// Worker to tab: the answer to a probe.
    Alive(Epoch),
}

impl Preface {
    /// Reads the preface of a buffer. Never panics, whatever the bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are not onesocket's, end early, or hold a value that is not allowed.
    ///
    /// ```
    /// use onesocket_protocol::{Hello, Preface, TabToken, VersionRange};
    ///
    /// let hello = Hello::new(TabToken(5), true);
    /// assert_eq!(Preface::decode(&hello.encode()), Ok(Preface::Hello(hello)));
    /// assert!(Preface::decode(b"[object Object]").is_err());
    /// ```
    pub fn decode(bytes: &[u8]) -> Result<Self, PrefaceError> {
        let mut fields = Fields::begin(bytes)?;
        match fields.kind {
            kind::HELLO => Hello::read(&mut fields).map(Self::Hello),
            kind::WELCOME => Welcome::read(&mut fields).map(Self::Welcome),
            kind::REFUSED => Refusal::read(&mut fields).map(Self::Refused),
            kind::FAILED => Ok(Self::Failed(FailedStart::read(fields.rest))),
            kind::BATCH => Ok(Self::Batch),
            kind::STALE => fields.epoch().map(Self::Stale),
            kind::PROBE => Ok(Self::Probe),
            kind::ALIVE => fields.epoch().map(Self::Alive),
            kind => Err(PrefaceError::UnknownKind { kind }),
        }
    }

    /// Reads what a tab may say, a hello, a probe or a batch; the worker needs no reader of what workers say.
    ///
    /// # Errors
    ///
    /// As those of [`decode`](Self::decode), and when the bytes are a worker's.
    pub fn decode_from_tab(bytes: &[u8]) -> Result<Self, PrefaceError> {
        let mut fields = Fields::begin(bytes)?;
        match fields.kind {
            kind::HELLO => Hello::read(&mut fields).map(Self::Hello),
            kind::BATCH => Ok(Self::Batch),
            kind::PROBE => Ok(Self::Probe),
            kind => Err(PrefaceError::UnknownKind { kind }),
        }
    }

    /// Returns the bytes of [`Preface::Stale`].
    #[must_use]
    pub fn encode_stale(epoch: Epoch) -> Vec<u8> {
        with_epoch(kind::STALE, epoch)
    }

    /// Returns the bytes of [`Preface::Probe`].
    #[must_use]
    pub fn encode_probe() -> Vec<u8> {
        start(kind::PROBE)
    }

    /// Returns the bytes of [`Preface::Alive`].
    #[must_use]
    pub fn encode_alive(epoch: Epoch) -> Vec<u8> {
        with_epoch(kind::ALIVE, epoch)
    }
}

/// The first thing that a tab posts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello {
    /// Whether the tab holds the Web Lock that [`TabToken::lock_name`] names. The worker asks for the same lock and learns
    /// by it that the tab is gone.
    pub holds_lock: bool,
    /// The versions that the tab speaks.
    pub versions: VersionRange,
    /// The tab's random number.
    pub token: TabToken,
    /// Which build of the app the tab is of: a number that grows with each deploy; 0 when the app has not said.
    pub build: u64,
}

impl Hello {
    /// Makes a hello with the versions of this build; the app's build number is not given.
    #[must_use]
    pub fn new(token: TabToken, holds_lock: bool) -> Self {
        Self {
            holds_lock,
            versions: VersionRange::OURS,
            token,
            build: 0,
        }
    }

    /// Returns its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = start(kind::HELLO);
        bytes.push(u8::from(self.holds_lock));
        bytes.extend(self.versions.min.to_le_bytes());
        bytes.extend(self.versions.max.to_le_bytes());
        bytes.extend(self.token.0.to_le_bytes());
        bytes.extend(self.build.to_le_bytes());
        bytes
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, PrefaceError> {
        let [flags] = fields.take()?;
        Ok(Self {
            holds_lock: flags & 1 != 0,
            versions: fields.versions()?,
            token: TabToken(fields.u64()?),
            // Appended: a tab that ends its hello before has not said.
            build: fields.u64().unwrap_or(0),
        })
    }
}

/// The worker's answer to a hello that it can speak with. Batches may follow at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The version of all batches from now on.
    pub version: u16,
    /// The versions that the worker speaks.
    pub versions: VersionRange,
    /// Which run of the worker this is.
    pub epoch: Epoch,
    /// The tab's number in this run.
    pub tab: TabId,
}

impl Welcome {
    /// Returns its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = start(kind::WELCOME);
        bytes.push(0);
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.versions.min.to_le_bytes());
        bytes.extend(self.versions.max.to_le_bytes());
        bytes.extend(self.epoch.0.to_le_bytes());
        bytes.extend(self.tab.0.to_le_bytes());
        bytes
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, PrefaceError> {
        fields.take::<1>()?;
        let (version, versions) = (fields.u16()?, fields.versions()?);
        if version < versions.min || version > versions.max {
            return Err(PrefaceError::Invalid { field: "version" });
        }
        Ok(Self {
            version,
            versions,
            epoch: Epoch(fields.u64()?),
            tab: TabId(u32::from_le_bytes(fields.take()?)),
        })
    }
}

/// The worker's answer to a hello that it can't speak with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The versions that the worker speaks.
    pub versions: VersionRange,
}

impl Refusal {
    /// Returns its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = start(kind::REFUSED);
        bytes.push(0);
        bytes.extend(self.versions.min.to_le_bytes());
        bytes.extend(self.versions.max.to_le_bytes());
        bytes
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, PrefaceError> {
        fields.take::<1>()?;
        Ok(Self {
            versions: fields.versions()?,
        })
    }
}

/// What the script around the wasm posts when the wasm can't run, or has trapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedStart {
    /// What went wrong, in the browser's words; at most [`limits::MAX_REASON_BYTES`].
    pub reason: String,
}

impl FailedStart {
    /// Returns its bytes; a reason over [`limits::MAX_REASON_BYTES`] is cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = start(kind::FAILED);
        bytes.extend(limits::cut(&self.reason).as_bytes());
        bytes
    }

    fn read(rest: &[u8]) -> Self {
        let end = rest.len().min(limits::MAX_REASON_BYTES);
        // A byte that is not UTF-8 becomes a character of three.
        let reason = String::from_utf8_lossy(&rest[..end]);
        Self {
            reason: limits::cut(&reason).to_owned(),
        }
    }
}

fn with_epoch(kind: u8, epoch: Epoch) -> Vec<u8> {
    let mut bytes = start(kind);
    bytes.extend([0; 3]);
    bytes.extend(epoch.0.to_le_bytes());
    bytes
}

fn start(kind: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend(MAGIC);
    bytes.push(kind);
    bytes
}

/// Reads one field after the other. Bytes after the last field are ignored: a later build may add some.
struct Fields<'a> {
    kind: u8,
    len: usize,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn begin(bytes: &'a [u8]) -> Result<Self, PrefaceError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(PrefaceError::NotOurs)?;
        let (&kind, rest) = rest.split_first().ok_or(PrefaceError::NotOurs)?;
        Ok(Self {
            kind,
            len: bytes.len(),
            rest,
        })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], PrefaceError> {
        let truncated = PrefaceError::Truncated {
            kind: self.kind,
            len: self.len,
        };
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(truncated)?;
        self.rest = rest;
        Ok(*field)
    }

    fn u16(&mut self) -> Result<u16, PrefaceError> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64, PrefaceError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    /// Three reserved bytes and an epoch.
    fn epoch(&mut self) -> Result<Epoch, PrefaceError> {
        self.take::<3>()?;
        Ok(Epoch(self.u64()?))
    }

    fn versions(&mut self) -> Result<VersionRange, PrefaceError> {
        let range = VersionRange {
            min: self.u16()?,
            max: self.u16()?,
        };
        if range.min == 0 || range.min > range.max {
            return Err(PrefaceError::Invalid {
                field: "version range",
            });
        }
        Ok(range)
    }
}
