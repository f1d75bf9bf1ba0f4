//! The herds that are looked at.

use std::time::Duration;

use super::{Outage, Report, Schedule, Server, Strategy, run};

/// What happens to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// It is restarted, and takes no handshake for ten seconds.
    Restart,
    /// It drops all sockets and is there again at once: a load balancer moves them.
    Blink,
    /// It is gone for two minutes.
    Outage,
}

impl Scenario {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Restart, Self::Blink, Self::Outage];

    /// What happens, in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Restart => "A restart: no handshakes for 10 s",
            Self::Blink => "A blink: all sockets are dropped, the server takes handshakes at once",
            Self::Outage => "An outage: no handshakes for 120 s",
        }
    }

    /// What the server can take: a small one, with the usual queue in front of it.
    #[must_use]
    pub fn server(self) -> Server {
        Server {
            handshakes_per_second: 500,
            backlog: 4096,
        }
    }

    fn down(self) -> Duration {
        Duration::from_secs(match self {
            Self::Restart => 10,
            Self::Blink => 0,
            Self::Outage => 120,
        })
    }

    /// Runs every herd through it.
    #[must_use]
    pub fn run(self, clients: usize, seed: u64) -> Vec<(&'static str, Report)> {
        let herds = ours().into_iter().chain(others());
        herds
            .map(|(name, strategy, code, reason)| {
                let outage = Outage {
                    down: self.down(),
                    code,
                    reason,
                };
                (name, run(clients, strategy, self.server(), outage, seed))
            })
            .collect()
    }
}

type Herd = (&'static str, Strategy, u16, &'static str);

fn ours() -> [Herd; 3] {
    [
        ("onesocket, no word", Strategy::Ours, 1006, ""),
        ("onesocket, closed with 1012", Strategy::Ours, 1012, ""),
        (
            "onesocket, retry-after=10 spread=20",
            Strategy::Ours,
            1012,
            "retry-after=10 spread=20",
        ),
    ]
}

/// Each by the defaults of a client that many apps use. None of them reads close codes or reasons.
fn others() -> [Herd; 4] {
    [
        ("5 s, always", FIXED),
        ("1 s, half as long again each time", EXPONENTIAL),
        ("10 ms, 50 ms, … 5 s", STEPS),
        ("1 s, doubled to 5 s, ± 50 %", HALF_JITTER),
    ]
    .map(|(name, schedule)| (name, Strategy::Other(schedule), 1006, ""))
}

/// react-use-websocket 2 and 3 (`DEFAULT_RECONNECT_INTERVAL_MS`), stomp-js (`reconnectDelay`).
pub const FIXED: Schedule = Schedule::Fixed(5_000);

/// joewalnes/reconnecting-websocket (`reconnectInterval`, `reconnectDecay`, `maxReconnectInterval`).
pub const EXPONENTIAL: Schedule = Schedule::Exponential {
    first: 1_000,
    factor: 150,
    cap: 30_000,
    jitter: 0,
};

/// phoenix.js (`reconnectAfterMs`).
pub const STEPS: Schedule =
    Schedule::Steps(&[10, 50, 100, 150, 200, 250, 500, 1_000, 2_000, 5_000]);

/// socket.io-client (`reconnectionDelay`, `reconnectionDelayMax`, `randomizationFactor`).
pub const HALF_JITTER: Schedule = Schedule::Exponential {
    first: 1_000,
    factor: 200,
    cap: 5_000,
    jitter: 50,
};
