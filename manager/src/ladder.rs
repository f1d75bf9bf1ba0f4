//! The report of which tiers were tried, and what came of each.

use core::{fmt, time::Duration};

use onesocket_protocol::{Millis, VersionRange};

use crate::{Role, Tier};

/// Every attempt so far, in the order in which they were made.
///
/// ```
/// use onesocket_manager::{ManagerConfig, WorkerManager};
///
/// let ladder = WorkerManager::new(ManagerConfig::default())?.ladder();
/// # #[cfg(not(target_family = "wasm"))]
/// assert_eq!(ladder.to_string(), "nothing tried yet"); // There is no browser around a doc test.
/// # Ok::<(), onesocket_manager::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ladder {
    attempts: Vec<Attempt>,
    next_climb: NextClimb,
    role: Option<Role>,
}

impl Ladder {
    /// Returns the attempts, the first one first.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns whose worker this tab is with, while one of the [dedicated tier](Tier::Dedicated) runs.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Says whose worker it is that runs.
    pub(crate) fn set_role(&mut self, role: Option<Role>) {
        self.role = role;
    }

    /// Appends an attempt. The oldest are forgotten above 64: a browser that fails for hours must not fill the memory.
    pub(crate) fn push(&mut self, attempt: Attempt) {
        if self.attempts.len() == MAX_ATTEMPTS {
            self.attempts.remove(0);
        }
        self.attempts.push(attempt);
    }

    /// Returns what is planned about the tiers above the one that runs.
    #[must_use]
    pub fn next_climb(&self) -> NextClimb {
        self.next_climb
    }

    pub(crate) fn set_next_climb(&mut self, next_climb: NextClimb) {
        self.next_climb = next_climb;
    }

    /// Returns whether a tier has failed for a reason that may have passed.
    pub(crate) fn may_work_again(&self, tier: Tier) -> bool {
        let last = self.attempts.iter().rfind(|attempt| attempt.tier == tier);
        match last.map(|attempt| &attempt.outcome) {
            Some(AttemptOutcome::Failed(failure)) => !failure.is_permanent(),
            Some(AttemptOutcome::Skipped(reason)) => *reason == SkipReason::CrashLoop,
            Some(AttemptOutcome::Running | AttemptOutcome::Left | AttemptOutcome::Climbed)
            | None => false,
        }
    }

    /// Ends the attempt that is running.
    pub(crate) fn end_running(&mut self, outcome: AttemptOutcome) {
        self.role = None;
        let running = self
            .attempts
            .iter_mut()
            .rfind(|a| a.outcome == AttemptOutcome::Running);
        if let Some(attempt) = running {
            attempt.outcome = outcome;
        }
    }

    /// Replaces a failure by a more exact one that was found out later. Returns whether it was still there.
    pub(crate) fn refine(&mut self, tier: Tier, from: &TierFailure, to: TierFailure) -> bool {
        let same = |attempt: &&mut Attempt| {
            attempt.tier == tier
                && matches!(&attempt.outcome, AttemptOutcome::Failed(f) if f == from)
        };
        match self.attempts.iter_mut().rfind(same) {
            Some(attempt) => {
                attempt.outcome = AttemptOutcome::Failed(to);
                true
            }
            None => false,
        }
    }

    /// Returns the last failure, which is the one to tell when nothing is running.
    pub(crate) fn last_failure(&self) -> Option<&TierFailure> {
        self.attempts
            .iter()
            .rev()
            .find_map(|attempt| match &attempt.outcome {
                AttemptOutcome::Failed(failure) => Some(failure),
                AttemptOutcome::Skipped(_)
                | AttemptOutcome::Running
                | AttemptOutcome::Left
                | AttemptOutcome::Climbed => None,
            })
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() {
            return f.write_str("nothing tried yet");
        }
        for (at, attempt) in self.attempts.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            attempt.fmt(f)?;
        }
        if let Some(role) = self.role {
            write!(f, " ({role})")?;
        }
        match self.next_climb {
            NextClimb::None => Ok(()),
            NextClimb::Off => f.write_str("; better tiers are not tried again"),
            NextClimb::Planned { after } => {
                write!(
                    f,
                    "; better tiers are tried again after {} s",
                    after.as_secs()
                )
            }
        }
    }
}

/// What is planned about the tiers above the one that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum NextClimb {
    /// Nothing: there is none above it, they can't work in this page, or the app has left them itself.
    #[default]
    None,
    /// Nothing, because [`ManagerConfig::climb_back`](crate::ManagerConfig::climb_back) says so.
    Off,
    /// They are visited, and the tab moves to the best one that answers.
    Planned {
        /// How long after the running tier has begun to run, or after the try before; or later, see
        /// [`ManagerConfig::climb_back`](crate::ManagerConfig::climb_back).
        after: Duration,
    },
}

/// One tier, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The tier.
    pub tier: Tier,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// How long it took from the first step to the welcome or the failure; milliseconds are exact enough.
    pub duration: Duration,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tier,
            outcome,
            duration,
        } = self;
        match outcome {
            AttemptOutcome::Skipped(_) => write!(f, "{tier}: {outcome}"),
            AttemptOutcome::Failed(_)
            | AttemptOutcome::Running
            | AttemptOutcome::Left
            | AttemptOutcome::Climbed => {
                write!(f, "{tier}: {outcome}, {} ms", Millis::from(*duration).0)
            }
        }
    }
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// It was not tried.
    Skipped(SkipReason),
    /// It did not work, or worked and then broke.
    Failed(TierFailure),
    /// It works.
    Running,
    /// It worked until the tab left it: the app switched to another tier, the page went into the back-forward cache, it followed others to a worker's successor, or the
    /// lock by which its worker knew it was taken away.
    Left,
    /// It worked until a better tier worked again.
    Climbed,
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped(reason) => write!(f, "skipped, {reason}"),
            Self::Failed(failure) => failure.fmt(f),
            Self::Running => f.write_str("running"),
            Self::Left => f.write_str("ran until it was left"),
            Self::Climbed => f.write_str("ran until a better tier worked again"),
        }
    }
}

/// Why a tier was not tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SkipReason {
    /// The configuration does not list it.
    NotAllowed,
    /// Its workers were lost three times within a minute: what kills them will kill the next one too. It is tried again later, see
    /// [`ManagerConfig::climb_back`](crate::ManagerConfig::climb_back).
    CrashLoop,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "not allowed by the configuration",
            Self::CrashLoop => "lost three times within a minute",
        })
    }
}

/// Why a tier does not work. The next one of the ladder is tried, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TierFailure {
    /// The browser does not have it, or hides it from this page. Nothing to do: it is what lower tiers are for.
    #[error("not supported by this browser")]
    Unsupported,
    /// The browser threw when the worker was constructed. `SecurityError` is an opaque origin (a sandboxed iframe, a
    /// `file:` page) or a policy (CSP `worker-src`), depending on the browser.
    #[error("the browser refused to construct it ({name}: {message})")]
    ConstructorThrew {
        /// The exception's name, such as `SecurityError`.
        name: String,
        /// The browser's words.
        message: String,
    },
    /// The worker's `error` event came before its welcome. Browsers do not say which: no script at that URL, a page of
    /// HTML instead of it, a refusal by CSP, a syntax error. A moment later it is refined to one of the five below, unless the
    /// script can't be fetched (CSP `connect-src`).
    #[error("script not found or not a script (error event{})", Detail(message))]
    ScriptError {
        /// The browser's words; often empty.
        message: String,
    },
    /// The server has no script at that URL. Check `script`, and that the file is deployed.
    #[error("the script was not found (HTTP status {status})")]
    ScriptNotFound {
        /// The HTTP status.
        status: u16,
    },
    /// The server answers with something that is not JavaScript: commonly the `index.html` of a single-page app. Check
    /// `script`, and the server's MIME types.
    #[error("the script is not JavaScript (served as {mime:?})")]
    ScriptNotJavaScript {
        /// The `Content-Type`.
        mime: String,
    },
    /// The script is there, and did not run: a syntax error, an exception, a network that failed a moment before.
    #[error("the script is there and did not run{}", InBrackets(message))]
    ScriptDidNotRun {
        /// The browser's words; often empty.
        message: String,
    },
    /// The page is [cross-origin isolated](https://developer.mozilla.org/en-US/docs/Web/API/Window/crossOriginIsolated), and so may have only such dedicated workers
    /// [as are too](https://html.spec.whatwg.org/multipage/browsers.html#check-a-global-object's-embedder-policy): serve the script with
    /// `Cross-Origin-Embedder-Policy`, as the page is. A SharedWorker runs without.
    #[error(
        "the page is cross-origin isolated, and the script is served without Cross-Origin-Embedder-Policy"
    )]
    NoEmbedderPolicy,
    /// The page's Content Security Policy refuses the worker. `docs/deploying.md` lists the directives that are needed.
    #[error("refused by the page's content security policy ({directive})")]
    BlockedByPolicy {
        /// The directive, such as `worker-src`.
        directive: String,
    },
    /// The script runs and its wasm does not: not found, refused by CSP (`'wasm-unsafe-eval'`), too old a browser, or a
    /// panic.
    #[error("its wasm failed ({reason})")]
    WasmFailed {
        /// The browser's words, or the panic's.
        reason: String,
    },
    /// The worker is of another build, with which this one has no common protocol version. A SharedWorker that serves tabs of that
    /// other build is left alone, and one of this build's own is tried next, on the same tier. When that fails in the same way, the server has
    /// the script of the other build: deploy script and page together, and let no cache keep one of them.
    #[error("the worker speaks {theirs}, this tab {ours}")]
    VersionMismatch {
        /// What this tab speaks.
        ours: VersionRange,
        /// What the worker speaks.
        theirs: VersionRange,
    },
    /// No welcome came in time. See [`ManagerConfig::hello_timeout`](crate::ManagerConfig::hello_timeout).
    #[error("no welcome within {} ms", Millis::from(*after).0)]
    HelloTimeout {
        /// How long it was waited for.
        after: Duration,
    },
    /// The worker ran, and has acknowledged nothing for too long: it hangs. See
    /// [`ManagerConfig::ack_timeout`](crate::ManagerConfig::ack_timeout).
    #[error("the worker does not answer")]
    Unresponsive,
    /// Another tab leads now, because this one's worker did not answer. Of a [`Leader`](crate::Role::Leader) only.
    #[error("another tab has taken over")]
    Deposed,
    /// The worker ran, and is gone: it was killed, has crashed or has closed itself. Noticed by the Web Lock that it held.
    #[error("the worker is gone")]
    WorkerGone,
}

impl TierFailure {
    /// Returns whether it stays like that for as long as the page lives; the tier is not tried again then.
    ///
    /// ```
    /// use onesocket_manager::TierFailure;
    ///
    /// assert!(TierFailure::Unsupported.is_permanent());
    /// // The deploy may not be finished.
    /// assert!(!TierFailure::ScriptNotFound { status: 404 }.is_permanent());
    /// ```
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Unsupported | Self::ConstructorThrew { .. } | Self::BlockedByPolicy { .. } => {
                true
            }
            Self::ScriptError { .. }
            | Self::ScriptNotFound { .. }
            | Self::ScriptNotJavaScript { .. }
            | Self::ScriptDidNotRun { .. }
            | Self::NoEmbedderPolicy
            | Self::WasmFailed { .. }
            | Self::VersionMismatch { .. }
            | Self::HelloTimeout { .. }
            | Self::Unresponsive
            | Self::Deposed
            | Self::WorkerGone => false,
        }
    }
}

/// What the browser says, when it says anything.
struct InBrackets<'a>(&'a str);

impl fmt::Display for InBrackets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.0)
        }
    }
}

/// What the browser says, in front of it a colon, when it says anything.
struct Detail<'a>(&'a str);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.0)
        }
    }
}

const MAX_ATTEMPTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(tier: Tier, outcome: AttemptOutcome, millis: u64) -> Attempt {
        Attempt {
            tier,
            outcome,
            duration: Duration::from_millis(millis),
        }
    }

    fn script_error(message: &str) -> TierFailure {
        TierFailure::ScriptError {
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_person_understands_it() {
        let mut ladder = Ladder::default();
        ladder.push(attempt(
            Tier::Main,
            AttemptOutcome::Skipped(SkipReason::NotAllowed),
            0,
        ));
        ladder.push(attempt(
            Tier::Shared,
            AttemptOutcome::Failed(script_error("")),
            12,
        ));
        ladder.push(attempt(Tier::Dedicated, AttemptOutcome::Running, 34));
        assert_eq!(
            ladder.to_string(),
            "main: skipped, not allowed by the configuration; \
             shared: script not found or not a script (error event), 12 ms; \
             dedicated: running, 34 ms"
        );
    }

    #[test]
    fn it_says_what_is_planned() {
        let mut ladder = Ladder::default();
        let skipped = AttemptOutcome::Skipped(SkipReason::CrashLoop);
        ladder.push(attempt(Tier::Shared, skipped, 0));
        ladder.push(attempt(Tier::Dedicated, AttemptOutcome::Climbed, 34));
        let after = Duration::from_secs(30);
        ladder.set_next_climb(NextClimb::Planned { after });
        assert_eq!(
            ladder.to_string(),
            "shared: skipped, lost three times within a minute; \
             dedicated: ran until a better tier worked again, 34 ms; \
             better tiers are tried again after 30 s"
        );
        ladder.set_next_climb(NextClimb::Off);
        assert!(
            ladder
                .to_string()
                .ends_with("; better tiers are not tried again")
        );
    }

    #[test]
    fn the_browsers_words_are_shown_when_there_are_any() {
        assert_eq!(
            script_error("Unexpected token '<'").to_string(),
            "script not found or not a script (error event: Unexpected token '<')"
        );
    }

    #[test]
    fn a_diagnosis_refines_the_failure_it_is_about() {
        let mut ladder = Ladder::default();
        ladder.push(attempt(
            Tier::Shared,
            AttemptOutcome::Failed(script_error("")),
            12,
        ));
        ladder.push(attempt(
            Tier::Dedicated,
            AttemptOutcome::Failed(script_error("")),
            9,
        ));
        let found = TierFailure::ScriptNotFound { status: 404 };
        assert!(ladder.refine(Tier::Shared, &script_error(""), found.clone()));
        assert!(!ladder.refine(Tier::Shared, &script_error(""), found.clone()));
        assert_eq!(ladder.attempts()[0].outcome, AttemptOutcome::Failed(found));
        assert_eq!(ladder.last_failure(), Some(&script_error("")));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut ladder = Ladder::default();
        for millis in 0..1000 {
            ladder.push(attempt(Tier::Main, AttemptOutcome::Left, millis));
        }
        assert_eq!(ladder.attempts().len(), MAX_ATTEMPTS);
        assert_eq!(
            ladder.attempts()[MAX_ATTEMPTS - 1].duration,
            Duration::from_millis(999)
        );
    }
}
