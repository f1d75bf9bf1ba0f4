//! How much is measured.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use onesocket_tests::{browser::Engine, suite::Tier};

use crate::{contender::Contender, floor::CHANCE, load::Load};

/// A quick run of so many rounds is one for figures that are published, and takes its time.
pub(crate) const ROUNDS_OF_TIME: u32 = 3;

/// One run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) engines: Vec<Engine>,
    /// Whether it must be over in three minutes.
    pub(crate) quick: bool,
    /// Each measures everything once.
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    /// When it has begun.
    pub(crate) start: Instant,
    /// The folder of the built pages.
    pub(crate) dist: PathBuf,
    /// Names of contenders; all if empty.
    pub(crate) only: Vec<String>,
    /// Names of loads; all if empty.
    pub(crate) figures: Vec<String>,
    /// Quotes of a flood.
    pub(crate) messages: u32,
    /// Sends upstream.
    pub(crate) sends: u32,
    /// Quotes a second of the steady stream.
    pub(crate) rate: u32,
    /// How long it lasts.
    pub(crate) steady: Duration,
    /// For how long the same page is measured that is idle.
    pub(crate) idle: Duration,
    /// Groups of echoes, and echoes in each.
    pub(crate) echoes: (u32, u32),
    /// Pings of the server to a page that is busy.
    pub(crate) pings: u32,
    /// How many large frames of 64 KiB.
    pub(crate) frames_64k: u32,
    /// How many of 8 MiB.
    pub(crate) frames_8m: u32,
}

impl Plan {
    pub(crate) fn new(
        engines: Vec<Engine>,
        quick: bool,
        rounds: Option<u32>,
        seed: u64,
        dist: PathBuf,
    ) -> Self {
        let full = Self {
            engines,
            quick,
            rounds: 5,
            seed,
            start: Instant::now(),
            dist,
            only: Vec::new(),
            figures: Vec::new(),
            messages: 100_000,
            sends: 100_000,
            rate: 20_000,
            steady: Duration::from_secs(3),
            idle: Duration::from_secs(1),
            echoes: (100, 20),
            pings: 200,
            frames_64k: 2_000,
            frames_8m: 20,
        };
        let rounds = rounds.unwrap_or(match (quick, full.engines.len()) {
            (false, _) => full.rounds,
            (true, 1) => 2,
            (true, _) => 1,
        });
        if !quick {
            return Self { rounds, ..full };
        }
        let plan = Self {
            rounds,
            steady: Duration::from_millis(1_500),
            echoes: (50, 20),
            pings: 60,
            ..full
        };
        if rounds >= ROUNDS_OF_TIME {
            return plan;
        }
        Self {
            sends: 50_000,
            idle: Duration::from_millis(500),
            ..plan
        }
    }
}

impl Plan {
    /// Whose load is measured in a round.
    pub(crate) fn contenders(&self, engine: Engine, load: Load, round: u32) -> Vec<Contender> {
        let mut all = Contender::ALL.to_vec();
        all.retain(|contender| self.measures(engine, load, *contender, round));
        all
    }

    fn measures(&self, engine: Engine, load: Load, contender: Contender, round: u32) -> bool {
        self.has(load)
            && self.compares(contender)
            && load.is_in(engine)
            && load.is_for(contender)
            && (!self.quick || self.is_quick(engine, load, contender, round))
    }

    /// What a quick run has the time for: in Chromium every figure of the tiers, in the others the flood, by which they differ, and of the
    /// further peers and the bare relays the most telling ones.
    fn is_quick(&self, engine: Engine, load: Load, contender: Contender, round: u32) -> bool {
        let is_chromium = engine == Engine::Chromium;
        let is_telling = matches!(load, Load::Flood | Load::Echo) || !self.figures.is_empty();
        if self.has_time() {
            let is_extra = contender.is_extra();
            let is_of_interest = is_telling || is_chromium && (!is_extra || load == Load::Tabs);
            return is_of_interest && (round == 1 || !is_extra);
        }
        let has_floor = match (engine, load) {
            (Engine::Chromium, Load::Pings) => contender != Contender::Tier(Tier::Main),
            (Engine::Chromium, _) => true,
            (Engine::Firefox | Engine::WebKit, _) => load == Load::Flood,
        };
        let has_limit =
            is_telling || matches!(load, Load::Upstream | Load::Large64K | Load::Large8M);
        let is_first = round == 1;
        has_floor
            && match contender {
                _ if contender.is_extra() => is_first && is_telling && is_chromium,
                // Where its tier can't hold a floor, for all that is known.
                Contender::Bare(_) => is_first && has_limit,
                // Ten tabs take long.
                _ => is_first || load != Load::Tabs,
            }
    }

    /// Whether it need not be over in three minutes: who asks for three rounds, or for a figure by its name, has the time.
    pub(crate) fn has_time(&self) -> bool {
        !self.quick || self.rounds >= ROUNDS_OF_TIME || !self.figures.is_empty()
    }

    /// What measures the same again.
    pub(crate) fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        if self.engines.len() < Engine::ALL.len() {
            for engine in &self.engines {
                command.push_str(&format!(" --engine {engine}"));
            }
        }
        if self.quick {
            command.push_str(" --quick");
        }
        command.push_str(&format!(
            " --rounds {} --shuffle-seed {}",
            self.rounds, self.seed
        ));
        if !self.only.is_empty() || !self.figures.is_empty() {
            command.push_str(" --");
        }
        for (flag, names) in [("only", &self.only), ("figure", &self.figures)] {
            if !names.is_empty() {
                command.push_str(&format!(" --{flag} {}", names.join(",")));
            }
        }
        command
    }

    /// What is put down to chance when it is judged.
    pub(crate) fn slack(&self) -> f64 {
        match self.rounds >= ROUNDS_OF_TIME {
            true => 1.0,
            false => CHANCE,
        }
    }

    /// How many tabs one contender opens. Of the main tier's no floor is about the others.
    pub(crate) fn tabs_of(&self, contender: Contender) -> usize {
        match contender == Contender::Tier(Tier::Main) && !self.has_time() {
            true => 1,
            false => 10,
        }
    }

    fn has(&self, load: Load) -> bool {
        match self.figures.is_empty() {
            true => load.is_usual() && (load != Load::Inspected || self.has_time()),
            false => self.figures.iter().any(|name| name == load.name()),
        }
    }

    /// Quotes of a flood. Some peers take so long that a run of three minutes would not be one.
    pub(crate) fn messages_of(&self, contender: Contender) -> u32 {
        match contender.is_extra() && !self.has_time() {
            true => self.messages / 5,
            false => self.messages,
        }
    }

    /// Groups of echoes that are not measured, of those that are, and echoes in each. Before, the page is not idle: the first 200 echoes of a fresh
    /// page took a raw WebSocket 0.14 ms each, those behind 2,000 0.11 (Chromium).
    pub(crate) fn echoes_of(&self, contender: Contender) -> (u32, u32, u32) {
        let (groups, each) = self.echoes;
        match contender.is_extra() && !self.has_time() {
            true => (50, groups / 2, each),
            false => (100, groups, each),
        }
    }

    /// Whether a contender takes part: who is not compared with the raw WebSocket is not compared with anything, and a tier has floors that are about
    /// gloo-net, or that a bare relay shows to be out of reach.
    fn compares(&self, contender: Contender) -> bool {
        let is_named = |it: Contender| self.only.iter().any(|name| name == it.name());
        let mut tiers = Tier::ALL
            .into_iter()
            .filter(|tier| is_named(Contender::Tier(*tier)));
        self.only.is_empty()
            || contender == Contender::Raw
            || is_named(contender)
            || tiers.any(|tier| {
                contender == Contender::GlooNet || Contender::bare_of(tier) == Some(contender)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Kind;

    fn plan(engines: &[Engine], quick: bool, rounds: Option<u32>) -> Plan {
        Plan::new(engines.to_vec(), quick, rounds, 7, PathBuf::new())
    }

    #[test]
    fn the_command_says_what_is_measured_again() {
        let published = plan(&Engine::ALL, true, Some(3));
        assert_eq!(
            published.command(),
            "cargo xtask bench --quick --rounds 3 --shuffle-seed 7"
        );
        let some = Plan {
            figures: vec!["echo".to_owned(), "tabs".to_owned()],
            ..plan(&[Engine::WebKit], false, None)
        };
        assert_eq!(
            some.command(),
            "cargo xtask bench --engine webkit --rounds 5 --shuffle-seed 7 -- --figure echo,tabs"
        );
    }

    #[test]
    fn whoever_a_floor_of_a_tier_is_about_is_measured_beside_it() {
        let only = |name: &str, load| {
            let some = Plan {
                only: vec![name.to_owned()],
                ..plan(&[Engine::Chromium], false, None)
            };
            some.contenders(Engine::Chromium, load, 1)
        };
        let [raw, gloo] = [Contender::Raw, Contender::GlooNet];
        let shared = Contender::Tier(Tier::Shared);
        for load in [Load::Tabs, Load::Flood] {
            let measured = only("shared", load);
            for contender in [raw, gloo, shared, Contender::Bare(Kind::Shared)] {
                assert!(measured.contains(&contender), "{contender}");
            }
            assert_eq!(measured.len(), 4, "{measured:?}");
        }
        assert_eq!(only("main", Load::Flood).len(), 3);
        assert_eq!(only("comlink", Load::Flood), [raw, Contender::Comlink]);
    }

    #[test]
    fn only_a_run_of_three_minutes_floods_some_peers_less() {
        let of_comlink = |plan: Plan| plan.messages_of(Contender::Comlink);
        assert_eq!(of_comlink(plan(&Engine::ALL, true, None)), 20_000);
        assert_eq!(of_comlink(plan(&Engine::ALL, true, Some(3))), 100_000);
        assert_eq!(of_comlink(plan(&Engine::ALL, false, None)), 100_000);
    }

    #[test]
    fn tabs_are_those_of_who_can_share_and_of_who_has_a_floor() {
        let published = plan(&Engine::ALL, true, Some(3));
        let of_tabs = published.contenders(Engine::Chromium, Load::Tabs, 1);
        assert!(of_tabs.contains(&Contender::TabElection));
        assert!(!of_tabs.contains(&Contender::Comlink));
        let later = published.contenders(Engine::Chromium, Load::Tabs, 2);
        assert!(!later.contains(&Contender::TabElection));
        let short = plan(&Engine::ALL, true, None);
        assert!(
            !short
                .contenders(Engine::Chromium, Load::Tabs, 1)
                .contains(&Contender::TabElection)
        );
    }
}
