//! The timers of one connection: one enum, one table.

use crate::Time;

macro_rules! timers {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// What a connection waits for.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Timer {
            $($(#[$doc])* $name,)*
        }

        impl Timer {
            /// Each, at its place in the table.
            const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$name),*];
        }
    };
}

timers! {
    /// The backoff is over: dial.
    Dial
    /// A dial takes too long.
    ConnectTimeout
    /// A socket that takes nothing any more has not said why.
    Closing
    /// The socket has been open long enough for the attempts to be forgotten.
    Stable
    /// Nothing has been received or sent for a while: ping.
    Heartbeat
    /// The answer to the ping is overdue.
    Pong
    /// Nothing is to be done but to look at the socket; how late it fires tells of a sleep.
    Watch
    /// The oldest queued message has waited long enough.
    QueueTimeout
    /// The give-up policy's time is over.
    GiveUp
    /// The last tab has been gone long enough.
    Linger
    /// The tab that was asked for a credential takes too long, or the last has declined some time ago.
    Credential
    /// What was queued at the log-out has waited long enough.
    LogOut
}

#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Time>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn start(&mut self, timer: Timer, at: Time) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(crate) fn deadline(&self, timer: Timer) -> Option<Time> {
        self.0[timer as usize]
    }

    /// Stops and returns the first timer that is due.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<Timer> {
        let due = Timer::ALL
            .into_iter()
            .filter(|timer| self.deadline(*timer).is_some_and(|at| at <= now));
        let first = due.min_by_key(|timer| self.deadline(*timer))?;
        self.stop(first);
        Some(first)
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.0.iter().flatten().min().copied()
    }
}
