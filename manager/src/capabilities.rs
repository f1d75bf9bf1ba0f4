//! What this browser offers to this page.

use core::fmt;

/// What this browser offers to this page. "Has it" means that the name is there: a policy may still refuse its use, which
/// the [`Ladder`](crate::Ladder) tells.
///
/// On native targets nothing is there.
///
/// ```
/// use onesocket_manager::Capabilities;
///
/// # #[cfg(not(target_family = "wasm"))]
/// assert!(!Capabilities::detect().shared_worker);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`SharedWorker`](https://developer.mozilla.org/en-US/docs/Web/API/SharedWorker).
    pub shared_worker: bool,
    /// [`Worker`](https://developer.mozilla.org/en-US/docs/Web/API/Worker).
    pub worker: bool,
    /// Workers may be [ECMAScript modules](https://developer.mozilla.org/en-US/docs/Web/API/Worker/Worker#type). Asked
    /// without spawning one: the constructor reads the option `type` only where it knows it.
    pub module_workers: bool,
    /// [Web Locks](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API), by which a worker learns that a tab is
    /// gone. Only there in secure contexts.
    pub web_locks: bool,
    /// [`BroadcastChannel`](https://developer.mozilla.org/en-US/docs/Web/API/BroadcastChannel).
    pub broadcast_channel: bool,
    /// The page is a [secure context](https://developer.mozilla.org/en-US/docs/Web/Security/Secure_Contexts).
    pub secure_context: bool,
    /// The page is in an iframe.
    pub in_iframe: bool,
    /// Whether the page's storage, and with it its SharedWorkers, are apart from those of its origin's own tabs.
    pub storage: StoragePartition,
    /// What [`navigator.onLine`](https://developer.mozilla.org/en-US/docs/Web/API/Navigator/onLine) says; `true` where it
    /// says nothing.
    pub online: bool,
}

impl Capabilities {
    /// Asks the browser. Takes well under a millisecond, and never throws, whatever a getter does.
    #[must_use]
    pub fn detect() -> Self {
        crate::host::detect()
    }
}

/// One line, such as `shared worker, worker, no web locks, …`.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no = |has: bool| if has { "" } else { "no " };
        write!(f, "{}shared worker, ", no(self.shared_worker))?;
        write!(f, "{}worker, ", no(self.worker))?;
        write!(f, "{}module workers, ", no(self.module_workers))?;
        write!(f, "{}web locks, ", no(self.web_locks))?;
        write!(f, "{}broadcast channel, ", no(self.broadcast_channel))?;
        write!(f, "{}secure context, ", no(self.secure_context))?;
        write!(
            f,
            "{}in an iframe, ",
            if self.in_iframe { "" } else { "not " }
        )?;
        write!(f, "storage {}, ", self.storage)?;
        f.write_str(if self.online { "online" } else { "offline" })
    }
}

/// Whether a page's storage is that of its origin, or one of its own because of the page around it
/// ([storage partitioning](https://developer.mozilla.org/en-US/docs/Web/Privacy/Guides/State_Partitioning)). A SharedWorker
/// in a partition is not the one of the origin's other tabs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum StoragePartition {
    /// That of its origin: the page is not in an iframe, or all pages around it are of its own origin.
    Whole,
    /// One of its own: a page around it is of another site, judged by
    /// [`location.ancestorOrigins`](https://developer.mozilla.org/en-US/docs/Web/API/Location/ancestorOrigins).
    Partitioned,
    /// Not to be told: an iframe in a browser without `ancestorOrigins` (Firefox lacked it for long; 153 has it), or origins
    /// that differ and may yet be of one site, which only the public suffix list could tell.
    #[default]
    Unknown,
}

impl StoragePartition {
    /// Judges by the origins of the pages around, of which `None` is "the browser does not say".
    pub(crate) fn judge(in_iframe: bool, own: &str, around: Option<&[String]>) -> Self {
        if !in_iframe {
            return Self::Whole;
        }
        let Some(around) = around else {
            return Self::Unknown;
        };
        if around.iter().all(|origin| origin == own) {
            Self::Whole
        } else if around
            .iter()
            .any(|origin| is_surely_cross_site(own, origin))
        {
            Self::Partitioned
        } else {
            Self::Unknown
        }
    }
}

impl fmt::Display for StoragePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole",
            Self::Partitioned => "partitioned",
            Self::Unknown => "perhaps partitioned",
        })
    }
}

/// A site is a scheme and a registrable domain. Without the public suffix list: hosts that differ in their last two labels
/// are of different sites, hosts that are equal there may or may not be. An opaque origin (`null`) is of no site.
fn is_surely_cross_site(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (one.split_once("://"), other.split_once("://")) else {
        return true;
    };
    one.0 != other.0 || last_labels(one.1) != last_labels(other.1)
}

fn last_labels(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    let is_address = host.starts_with('[') || host.rsplit('.').next().is_some_and(is_port);
    if is_address {
        return host;
    }
    let second_dot = host.rmatch_indices('.').nth(1);
    second_dot.map_or(host, |(at, _)| &host[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::StoragePartition::{self, Partitioned, Unknown, Whole};

    fn check(own: &str, around: &[&str], expect: StoragePartition) {
        let origins: Vec<String> = around.iter().map(|&origin| origin.to_owned()).collect();
        let judged = StoragePartition::judge(true, own, Some(&origins));
        assert_eq!(judged, expect, "{own} in {around:?}");
    }

    #[test]
    fn a_page_of_its_own_is_never_partitioned() {
        assert_eq!(StoragePartition::judge(false, "https://a.org", None), Whole);
    }

    #[test]
    fn a_browser_that_does_not_say_leaves_it_open() {
        assert_eq!(
            StoragePartition::judge(true, "https://a.org", None),
            Unknown
        );
    }

    #[test]
    fn iframes_are_judged_by_all_pages_around() {
        check("https://a.org", &["https://a.org", "https://a.org"], Whole);
        check(
            "https://a.org",
            &["https://a.org", "https://b.org"],
            Partitioned,
        );
        check("https://a.org", &["http://a.org"], Partitioned);
        check("https://a.org", &["null"], Partitioned);
        check("https://app.a.org:8443", &["https://www.a.org"], Unknown);
        check("https://a.github.io", &["https://b.github.io"], Unknown);
        check("http://127.0.0.1:1", &["http://127.0.0.1:2"], Unknown);
        check("http://127.0.0.1:1", &["http://10.1.0.1:1"], Partitioned);
        check("http://localhost:1", &["http://[::1]:1"], Partitioned);
    }
}
