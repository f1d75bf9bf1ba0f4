//! What is measured.

use std::fmt;

use crate::load::Load;

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Figure {
    /// How fast a flood is received by the app.
    FloodRate,
    /// For how long it keeps the page's main thread busy.
    FloodMain,
    /// The longest time between two frames in it.
    FloodGap,
    /// How fast the same page receives another one, its code compiled by then.
    FloodAgain,
    /// For how long a steady stream keeps the main thread busy, beyond an idle page.
    SteadyMain,
    /// The time between two frames in it: 99 % are shorter.
    SteadyGap,
    /// How much older a message of it is than the youngest when the app has it: 99 % are no older.
    SteadyAge,
    /// The round trip of a small message on an idle page.
    Echo,
    /// How late the answer to the server's own ping is while the page is busy for 200 ms at a time: 99 % are faster.
    PingAnswer,
    /// How fast many sends are with the server.
    UpstreamRate,
    /// For how long they keep the main thread busy.
    UpstreamMain,
    /// How fast frames of 64 KiB are received.
    Large64K,
    /// How fast frames of 8 MiB are received.
    Large8M,
    /// From the start of the first tab's script to its first message, with a slow handshake.
    FirstTab,
    /// The same in a tab that joins.
    NextTab,
    /// From the first tab's navigation to that message.
    FirstTabNavigation,
    /// The same in a tab that joins.
    NextTabNavigation,
    /// For how long all processes of the browser run while ten tabs listen.
    TabsCpu,
    /// How many sockets those have.
    TabsSockets,
    /// How much the server sends to them.
    TabsBytes,
    /// Memory of all processes of the browser, for each tab after the first.
    TabMemory,
    /// How fast a flood is received while the page's network is inspected.
    InspectedFlood,
    /// How fast many sends are with the server then.
    InspectedUpstream,
    /// The round trip of a small message then.
    InspectedEcho,
    /// How fast JSON is received by an app that reads it in the page.
    JsonRate,
    /// For how long it keeps the main thread busy.
    JsonMain,
    /// The same for JSON that an app's own worker turns into postcard.
    TranscodedRate,
    /// For how long that keeps the main thread busy.
    TranscodedMain,
}

impl Figure {
    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FloodRate => "flood-rate",
            Self::FloodMain => "flood-main",
            Self::FloodGap => "flood-gap",
            Self::FloodAgain => "flood-again-rate",
            Self::SteadyMain => "steady-main",
            Self::SteadyGap => "steady-gap-p99",
            Self::SteadyAge => "steady-age-p99",
            Self::Echo => "echo-p50",
            Self::PingAnswer => "ping-answer-p99",
            Self::UpstreamRate => "upstream-rate",
            Self::UpstreamMain => "upstream-main",
            Self::Large64K => "large-64k",
            Self::Large8M => "large-8m",
            Self::FirstTab => "first-tab",
            Self::NextTab => "next-tab",
            Self::FirstTabNavigation => "first-tab-from-navigation",
            Self::NextTabNavigation => "next-tab-from-navigation",
            Self::TabsCpu => "tabs-cpu",
            Self::TabsSockets => "tabs-sockets",
            Self::TabsBytes => "tabs-bytes",
            Self::TabMemory => "tab-memory",
            Self::InspectedFlood => "inspected-flood-rate",
            Self::InspectedUpstream => "inspected-upstream-rate",
            Self::InspectedEcho => "inspected-echo-p50",
            Self::JsonRate => "json-rate",
            Self::JsonMain => "json-main",
            Self::TranscodedRate => "transcoded-rate",
            Self::TranscodedMain => "transcoded-main",
        }
    }

    /// The load that it is of.
    pub(crate) fn load(self) -> Load {
        match self {
            Self::FloodRate | Self::FloodMain | Self::FloodGap | Self::FloodAgain => Load::Flood,
            Self::SteadyMain | Self::SteadyGap | Self::SteadyAge => Load::Steady,
            Self::Echo => Load::Echo,
            Self::PingAnswer => Load::Pings,
            Self::UpstreamRate | Self::UpstreamMain => Load::Upstream,
            Self::Large64K => Load::Large64K,
            Self::Large8M => Load::Large8M,
            Self::FirstTab
            | Self::NextTab
            | Self::FirstTabNavigation
            | Self::NextTabNavigation
            | Self::TabsCpu
            | Self::TabsSockets
            | Self::TabsBytes
            | Self::TabMemory => Load::Tabs,
            Self::InspectedFlood | Self::InspectedUpstream | Self::InspectedEcho => Load::Inspected,
            Self::JsonRate | Self::JsonMain => Load::Json,
            Self::TranscodedRate | Self::TranscodedMain => Load::Transcoded,
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::FloodRate
            | Self::FloodAgain
            | Self::UpstreamRate
            | Self::InspectedFlood
            | Self::InspectedUpstream
            | Self::JsonRate
            | Self::TranscodedRate => "messages/s",
            Self::FloodMain | Self::UpstreamMain | Self::JsonMain | Self::TranscodedMain => {
                "ms per 100,000 messages"
            }
            Self::FloodGap
            | Self::SteadyAge
            | Self::Echo
            | Self::InspectedEcho
            | Self::PingAnswer
            | Self::FirstTab
            | Self::NextTab
            | Self::FirstTabNavigation
            | Self::NextTabNavigation => "ms",
            Self::SteadyMain | Self::TabsCpu => "ms/s",
            Self::TabsSockets => "sockets",
            Self::TabsBytes => "bytes/s",
            Self::TabMemory => "KiB",
            Self::SteadyGap => "frames",
            Self::Large64K | Self::Large8M => "MB/s",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
