//! What is compared: the library in its tiers, and its peers.

use std::fmt;

use onesocket_tests::suite::Tier;
use serde_json::{Value, json};

use crate::load::Load;

/// One way from the server to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Contender {
    /// A WebSocket in the page, in JavaScript: what the others are compared with.
    Raw,
    /// gloo-net in the page, in Rust.
    GlooNet,
    /// reconnecting-websocket in the page.
    ReconnectingWebsocket,
    /// partysocket in the page.
    Partysocket,
    /// gloo-net in a dedicated worker of gloo-worker, in Rust.
    GlooWorker,
    /// A WebSocket in a dedicated worker, behind Comlink.
    Comlink,
    /// A WebSocket in a SharedWorker, shared by tab-election.
    TabElection,
    /// A WebSocket in a worker that does nothing but pass on, in batches as the library's.
    Bare(Kind),
    /// The library.
    Tier(Tier),
}

/// A kind of worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Shared,
    Dedicated,
}

impl Contender {
    /// All of them, in the order of reports.
    pub(crate) const ALL: [Self; 12] = [
        Self::Raw,
        Self::GlooNet,
        Self::Tier(Tier::Shared),
        Self::Tier(Tier::Dedicated),
        Self::Tier(Tier::Main),
        Self::ReconnectingWebsocket,
        Self::Partysocket,
        Self::GlooWorker,
        Self::Comlink,
        Self::TabElection,
        Self::Bare(Kind::Shared),
        Self::Bare(Kind::Dedicated),
    ];

    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::GlooNet => "gloo-net",
            Self::ReconnectingWebsocket => "reconnecting-websocket",
            Self::Partysocket => "partysocket",
            Self::GlooWorker => "gloo-worker",
            Self::Comlink => "comlink",
            Self::TabElection => "tab-election",
            Self::Bare(Kind::Shared) => "bare-shared",
            Self::Bare(Kind::Dedicated) => "bare-dedicated",
            Self::Tier(Tier::Shared) => "shared",
            Self::Tier(Tier::Dedicated) => "dedicated",
            Self::Tier(Tier::Main) => "main",
        }
    }

    /// The relay that does nothing else in a worker like a tier's; none for the tier without one.
    pub(crate) fn bare_of(tier: Tier) -> Option<Self> {
        match tier {
            Tier::Shared => Some(Self::Bare(Kind::Shared)),
            Tier::Dedicated => Some(Self::Bare(Kind::Dedicated)),
            Tier::Main => None,
        }
    }

    /// Whether it is one of several peers that no floor names: it is measured less often in a quick run.
    pub(crate) fn is_extra(self) -> bool {
        !matches!(
            self,
            Self::Raw | Self::GlooNet | Self::Bare(_) | Self::Tier(_)
        )
    }

    /// The query of its page for a load.
    pub(crate) fn query(self, load: Load) -> String {
        let path = match (self, load) {
            (Self::Tier(_), Load::Json | Load::Transcoded) => "onesocket-json",
            (Self::Tier(_), _) => "onesocket",
            (Self::Bare(Kind::Shared), _) => return "path=bare&tier=shared".to_owned(),
            (Self::Bare(Kind::Dedicated), _) => return "path=bare&tier=dedicated".to_owned(),
            _ => return format!("path={}", self.name()),
        };
        format!("path={path}&tier={}", self.name())
    }

    /// How it is named in JSON.
    pub(crate) fn key(self) -> (&'static str, Value) {
        match self {
            Self::Tier(_) => ("tier", json!(self.name())),
            _ => ("peer", json!(self.name())),
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
