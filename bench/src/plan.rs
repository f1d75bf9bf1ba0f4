//! How much is measured.

use std::{path::PathBuf, time::Duration};

use onesocket_tests::browser::Engine;

use crate::{contender::Contender, load::Load};

/// One run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) engines: Vec<Engine>,
    /// Whether it must be over in three minutes.
    pub(crate) quick: bool,
    /// Each measures everything once.
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    /// The folder of the built pages.
    pub(crate) dist: PathBuf,
    /// Names of contenders; all if empty.
    pub(crate) only: Vec<String>,
    /// Names of loads; all if empty.
    pub(crate) figures: Vec<String>,
    /// Quotes of a flood, and sends upstream.
    pub(crate) messages: u32,
    /// Quotes a second of the steady stream.
    pub(crate) rate: u32,
    /// How long it lasts.
    pub(crate) steady: Duration,
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
    pub(crate) fn new(engines: Vec<Engine>, quick: bool, seed: u64, dist: PathBuf) -> Self {
        let full = Self {
            engines,
            quick,
            rounds: 5,
            seed,
            dist,
            only: Vec::new(),
            figures: Vec::new(),
            messages: 100_000,
            rate: 20_000,
            steady: Duration::from_secs(3),
            echoes: (100, 20),
            pings: 200,
            frames_64k: 2_000,
            frames_8m: 20,
        };
        if !quick {
            return full;
        }
        Self {
            rounds: if full.engines.len() == 1 { 2 } else { 1 },
            steady: Duration::from_millis(1_500),
            echoes: (50, 20),
            pings: 60,
            ..full
        }
    }
}

impl Plan {
    /// Whether something is measured.
    pub(crate) fn measures(
        &self,
        engine: Engine,
        load: Load,
        contender: Contender,
        round: u32,
    ) -> bool {
        self.has(load)
            && self.compares(contender)
            && load.is_in(engine)
            && load.is_for(contender)
            && (!self.quick || self.is_quick(engine, load, contender, round))
    }

    /// What a run of three minutes has the time for: in Chromium every figure of the tiers, in the others those by which they differ, of
    /// each further peer the most telling two, and of the bare relays those with a limit.
    fn is_quick(&self, engine: Engine, load: Load, contender: Contender, round: u32) -> bool {
        let has_time = self.rounds >= 3 || !self.figures.is_empty();
        let is_chromium = engine == Engine::Chromium;
        let is_telling = matches!(load, Load::Flood | Load::Echo) || !self.figures.is_empty();
        let is_wanted = match contender {
            _ if contender.is_extra() => is_telling && (is_chromium || has_time),
            // Where its tier can't hold a floor, for all that is known.
            Contender::Bare(_) if !has_time => {
                let has_limit = matches!(load, Load::Upstream | Load::Large64K | Load::Large8M);
                is_telling || (is_chromium && has_limit)
            }
            _ => is_telling || is_chromium,
        };
        // Ten tabs take long; who asks for three rounds has the time.
        let is_bare = matches!(contender, Contender::Bare(_));
        let is_rare = contender.is_extra()
            || (is_bare && !has_time)
            || (load == Load::Tabs && self.rounds < 3);
        is_wanted && (round == 1 || !is_rare)
    }

    fn has(&self, load: Load) -> bool {
        match self.figures.is_empty() {
            true => load.is_usual(),
            false => self.figures.iter().any(|name| name == load.name()),
        }
    }

    /// Quotes of a flood, and sends upstream. Some peers take so long that a quick run would not be one.
    pub(crate) fn messages_of(&self, contender: Contender) -> u32 {
        match self.quick && contender.is_extra() {
            true => self.messages / 5,
            false => self.messages,
        }
    }

    /// Whether a contender takes part; who is not compared with the raw WebSocket is not compared with anything.
    fn compares(&self, contender: Contender) -> bool {
        let is_named = self.only.iter().any(|it| it == contender.name());
        self.only.is_empty() || contender == Contender::Raw || is_named
    }
}
