//! What must hold.

use std::fmt;

use onesocket_tests::{browser::Engine, suite::Tier};

use crate::{contender::Contender, figure::Figure, report::Report};

/// What a figure of a tier must reach.
#[derive(Debug, Clone, Copy)]
struct Floor {
    engine: Engine,
    figure: Figure,
    tier: Tier,
    bound: Bound,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    /// At most so many times the raw WebSocket.
    AtMost(f64),
    /// At least so many times the raw WebSocket.
    AtLeast(f64),
    /// At most so much, by itself.
    NoMoreThan(f64),
    /// At most so many times gloo-net.
    AtMostOfGloo(f64),
    /// At most so much more than gloo-net.
    AboveGloo(f64),
}

/// A floor that does not hold.
#[derive(Debug)]
pub(crate) struct Missed {
    floor: Floor,
    is: f64,
    to_gloo: Option<f64>,
    /// What a relay that does nothing else has come to in such a worker.
    bare: Option<f64>,
    verdict: Verdict,
}

/// What a miss says, so that a run tells a loss from what this machine or its browser does not give to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing in this run says that it can't be held.
    Lost,
    /// As [`Lost`](Self::Lost), but no further away than a single round may be by chance.
    Near,
    /// Some of its rounds hold it, or are no worse than one of who does the least that can be done and has missed it in the same run.
    Open,
    /// Who does the least that can be done has missed it in the same run, and is not better by more than [`CLOSE`].
    AtLimit,
}

impl Missed {
    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns what was measured, and where.
    pub(crate) fn place(&self) -> (Engine, Figure) {
        (self.floor.engine, self.floor.figure)
    }
}

/// Compares everything that was measured. `slack` is what is put down to chance: [`CHANCE`] for few rounds, else 1.
pub(crate) fn missed(report: &Report, slack: f64) -> Vec<Missed> {
    FLOORS
        .iter()
        .flat_map(expand)
        .filter_map(|floor| check(report, floor, slack))
        .collect()
}

fn check(report: &Report, floor: Floor, slack: f64) -> Option<Missed> {
    let contender = Contender::Tier(floor.tier);
    let is = floor.measure(report, contender)?;
    let Floor {
        engine,
        figure,
        tier,
        ..
    } = floor;
    (!floor.bound.holds(is)).then(|| Missed {
        floor,
        is,
        to_gloo: report.ratio(engine, figure, contender, Contender::GlooNet),
        bare: Contender::bare_of(tier).and_then(|bare| floor.measure(report, bare)),
        verdict: floor.judge(report, is, slack),
    })
}

impl Bound {
    fn value(self) -> f64 {
        match self {
            Self::AtLeast(bound)
            | Self::AtMost(bound)
            | Self::NoMoreThan(bound)
            | Self::AtMostOfGloo(bound)
            | Self::AboveGloo(bound) => bound,
        }
    }

    fn holds(self, is: f64) -> bool {
        match self {
            Self::AtLeast(least) => is >= least,
            Self::AtMost(most)
            | Self::NoMoreThan(most)
            | Self::AtMostOfGloo(most)
            | Self::AboveGloo(most) => is <= most,
        }
    }
}

impl Floor {
    /// A contender's figure as this floor counts it.
    fn measure(&self, report: &Report, contender: Contender) -> Option<f64> {
        let Self { engine, figure, .. } = *self;
        let median = |contender| Some(report.row(engine, figure, contender)?.median);
        self.count(median(contender)?, median)
    }

    /// Whether the tier holds this floor in some round, beside what the others have come to in the same one.
    fn holds_in_some_round(&self, report: &Report) -> bool {
        let mut rounds = self.rounds(report, Contender::Tier(self.tier));
        rounds.any(|is| self.bound.holds(is))
    }

    /// A contender's figure in each round, as this floor counts it beside what the others have come to in the same one.
    fn rounds(&self, report: &Report, contender: Contender) -> impl Iterator<Item = f64> {
        let Self { engine, figure, .. } = *self;
        let rounds = report.rounds(engine, figure, contender);
        rounds.filter_map(move |(round, value)| {
            let of = |contender| report.value_in(round, engine, figure, contender);
            self.count(value, of)
        })
    }

    /// A value of this figure as this floor counts it, beside those of others.
    fn count(&self, value: f64, of: impl Fn(Contender) -> Option<f64>) -> Option<f64> {
        let ratio = |to: f64| (to != 0.0).then(|| value / to);
        match self.bound {
            Bound::AtMost(_) | Bound::AtLeast(_) => ratio(of(Contender::Raw)?),
            Bound::AtMostOfGloo(_) => ratio(of(Contender::GlooNet)?),
            Bound::NoMoreThan(_) => Some(value),
            Bound::AboveGloo(_) => Some(value - of(Contender::GlooNet)?),
        }
    }

    /// Who shows what can't be had: whoever does the least that can be done there. It is nobody where the least costs a page more: a relay
    /// that does nothing else posts without a pace, and leaves the server's pings to the page.
    fn limit(&self) -> Option<Contender> {
        match (Contender::bare_of(self.tier), self.figure) {
            (
                Some(_),
                Figure::FloodMain
                | Figure::SteadyMain
                | Figure::PingAnswer
                | Figure::TabsCpu
                | Figure::TabMemory,
            ) => None,
            (Some(bare), _) => Some(bare),
            (None, _) => Some(Contender::GlooNet),
        }
    }

    /// Judges a figure that misses this floor.
    fn judge(&self, report: &Report, is: f64, slack: f64) -> Verdict {
        let limit = self
            .limit()
            .and_then(|limit| Some((limit, self.measure(report, limit)?)));
        // One that holds the floor is none.
        match limit.filter(|(_, limit)| !self.bound.holds(*limit)) {
            Some((_, limit)) if self.is_within(is, limit, CLOSE) => Verdict::AtLimit,
            Some((limit, _)) if self.overlaps(report, limit) => Verdict::Open,
            _ if self.holds_in_some_round(report) => Verdict::Open,
            limit if self.is_near(is, limit.map(|(_, limit)| limit), slack) => Verdict::Near,
            _ => Verdict::Lost,
        }
    }

    /// Whether some round of the tier is no worse than some round of the limit. Of two contenders that are equal, three rounds of the one are all worse than three of the
    /// other once in twenty; three that overlap tell nothing.
    fn overlaps(&self, report: &Report, limit: Contender) -> bool {
        let counted = |contender| self.rounds(report, contender).collect::<Vec<_>>();
        let (own, limits) = (counted(Contender::Tier(self.tier)), counted(limit));
        own.iter()
            .any(|is| limits.iter().any(|limit| self.is_within(*is, *limit, 1.0)))
    }

    /// Whether it is so far from the floor, or from what the limit has come to, as may be chance.
    fn is_near(&self, is: f64, limit: Option<f64>, slack: f64) -> bool {
        let bound = self.bound.value();
        let mut nearest = limit.into_iter().chain([bound]);
        nearest.any(|to| self.is_within(is, to, slack))
    }

    /// Whether it is no more than so many times worse.
    fn is_within(&self, is: f64, than: f64, times: f64) -> bool {
        match self.bound {
            Bound::AtLeast(_) => is >= than / times,
            _ => is <= than * times,
        }
    }
}

/// Medians of one contender differ by as much.
const CLOSE: f64 = 1.1;

/// Single rounds of one contender differ by as much: the bare relay's upstream had 0.9, 1.2, 1.0 and 1.3 times the raw WebSocket's rate in four.
pub(crate) const CHANCE: f64 = 1.5;

fn expand(row: &FloorRow) -> impl Iterator<Item = Floor> {
    let (engine, figure, bounds) = *row;
    let tiers = Tier::ALL;
    tiers
        .into_iter()
        .zip(bounds)
        .filter_map(move |(tier, bound)| {
            Some(Floor {
                engine,
                figure,
                tier,
                bound: bound?,
            })
        })
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Floor {
            engine,
            figure,
            tier,
            bound,
        } = self.floor;
        let contender = Contender::Tier(tier);
        write!(f, "{engine} {contender} {figure}: {:.3}", self.is)?;
        match bound {
            Bound::AtMost(most) => write!(f, " x raw, at most {most}")?,
            Bound::AtLeast(least) => write!(f, " x raw, at least {least}")?,
            Bound::AtMostOfGloo(most) => write!(f, " x gloo-net, at most {most}")?,
            Bound::AboveGloo(most) => {
                write!(f, " {} above gloo-net, at most {most}", figure.unit())?;
            }
            Bound::NoMoreThan(most) => write!(f, " {}, at most {most}", figure.unit())?,
        }
        if let Some(ratio) = self.to_gloo {
            write!(f, " ({ratio:.3} x gloo-net)")?;
        }
        if let Some(bare) = self.bare {
            write!(f, "; a bare relay {bare:.3}")?;
        }
        match self.verdict {
            Verdict::Lost => f.write_str("; lost"),
            Verdict::Near => f.write_str("; near, for so few rounds"),
            Verdict::Open => f.write_str("; open, its rounds do not tell"),
            Verdict::AtLimit => f.write_str("; at its limit"),
        }
    }
}

/// The engine, the figure, and what must hold in the shared, the dedicated and the main tier.
type FloorRow = (Engine, Figure, [Option<Bound>; 3]);

const fn most(shared: f64, dedicated: f64, main: f64) -> [Option<Bound>; 3] {
    [
        Some(Bound::AtMost(shared)),
        Some(Bound::AtMost(dedicated)),
        Some(Bound::AtMost(main)),
    ]
}

const fn least(shared: f64, dedicated: f64, main: f64) -> [Option<Bound>; 3] {
    [
        Some(Bound::AtLeast(shared)),
        Some(Bound::AtLeast(dedicated)),
        Some(Bound::AtLeast(main)),
    ]
}

const fn off_main(bounds: [Option<Bound>; 3]) -> [Option<Bound>; 3] {
    [bounds[0], bounds[1], None]
}

const FLOORS: [FloorRow; 23] = [
    (Engine::Chromium, Figure::FloodMain, most(0.06, 0.1, 1.0)),
    (Engine::Chromium, Figure::SteadyMain, most(0.12, 0.2, 1.0)),
    (Engine::Chromium, Figure::FloodRate, least(2.2, 1.0, 0.95)),
    (Engine::Firefox, Figure::FloodRate, least(0.95, 0.95, 0.9)),
    (Engine::WebKit, Figure::FloodRate, least(0.8, 0.8, 0.9)),
    (
        Engine::Firefox,
        Figure::FloodGap,
        off_main(most(0.7, 0.7, 0.0)),
    ),
    (
        Engine::WebKit,
        Figure::FloodGap,
        off_main(most(0.7, 0.7, 0.0)),
    ),
    (Engine::Chromium, Figure::Echo, most(1.0, 1.3, 1.1)),
    (
        Engine::Chromium,
        Figure::PingAnswer,
        off_main(most(0.05, 0.05, 0.0)),
    ),
    (
        Engine::Chromium,
        Figure::SteadyGap,
        [
            Some(Bound::NoMoreThan(1.2)),
            Some(Bound::NoMoreThan(1.3)),
            None,
        ],
    ),
    (Engine::Chromium, Figure::Large64K, least(1.0, 1.0, 0.9)),
    (Engine::Chromium, Figure::Large8M, least(1.0, 1.0, 0.9)),
    (
        Engine::Chromium,
        Figure::UpstreamRate,
        least(1.5, 1.0, 0.95),
    ),
    (Engine::Chromium, Figure::UpstreamMain, most(1.0, 1.0, 1.1)),
    (
        Engine::Chromium,
        Figure::InspectedFlood,
        off_main(least(2.2, 1.0, 0.0)),
    ),
    (
        Engine::Chromium,
        Figure::InspectedUpstream,
        off_main(least(1.5, 1.0, 0.0)),
    ),
    (
        Engine::Chromium,
        Figure::InspectedEcho,
        off_main(most(1.0, 1.3, 0.0)),
    ),
    (
        Engine::Chromium,
        Figure::FirstTab,
        [
            Some(Bound::AboveGloo(30.0)),
            Some(Bound::AboveGloo(30.0)),
            Some(Bound::AboveGloo(10.0)),
        ],
    ),
    (
        Engine::Chromium,
        Figure::NextTab,
        [Some(Bound::AtMostOfGloo(0.5)), None, None],
    ),
    (
        Engine::Chromium,
        Figure::TabsCpu,
        [Some(Bound::AtMost(0.6)), None, None],
    ),
    (
        Engine::Chromium,
        Figure::TabsSockets,
        [
            Some(Bound::NoMoreThan(1.0)),
            Some(Bound::NoMoreThan(1.0)),
            None,
        ],
    ),
    // A tenth; the time that is measured may cut off a message.
    (
        Engine::Chromium,
        Figure::TabsBytes,
        [Some(Bound::AtMost(0.105)), Some(Bound::AtMost(0.105)), None],
    ),
    (
        Engine::Chromium,
        Figure::TabMemory,
        [Some(Bound::AtMostOfGloo(1.0)), None, None],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contender::Kind, run::Sample};

    /// Judges the shared tier's rate of a flood in Chromium, of which the floor is 2.2 times a raw WebSocket's 100.
    fn judged_with(slack: f64, shared: &[f64], bare: f64) -> Option<Verdict> {
        judged_beside(slack, &vec![100.0; shared.len()], shared, bare)
    }

    /// The same beside what the raw WebSocket had in each of the rounds.
    fn judged_beside(slack: f64, raw: &[f64], shared: &[f64], bare: f64) -> Option<Verdict> {
        judged_by_rounds(slack, raw, shared, &[bare])
    }

    /// The same beside several rounds of the bare relay.
    fn judged_by_rounds(slack: f64, raw: &[f64], shared: &[f64], bare: &[f64]) -> Option<Verdict> {
        let sample = |contender, round: usize, value| Sample {
            engine: Engine::Chromium,
            contender,
            figure: Figure::FloodRate,
            round: round as u32,
            value,
        };
        let mut samples = Vec::new();
        for (contender, values) in [
            (Contender::Bare(Kind::Shared), bare),
            (Contender::Raw, raw),
            (Contender::Tier(Tier::Shared), shared),
        ] {
            let values = values.iter().enumerate();
            samples.extend(values.map(|(round, value)| sample(contender, round, *value)));
        }
        let missed = missed(&Report::new(&samples), slack);
        assert!(missed.len() <= 1, "{missed:?}");
        missed.first().map(Missed::verdict)
    }

    /// One sample each of the raw WebSocket, the bare relay and the shared tier.
    fn judged_by(figure: Figure, raw: f64, bare: f64, shared: f64) -> Option<Verdict> {
        let sample = |contender, value| Sample {
            engine: Engine::Chromium,
            contender,
            figure,
            round: 0,
            value,
        };
        let samples = [
            sample(Contender::Raw, raw),
            sample(Contender::Bare(Kind::Shared), bare),
            sample(Contender::Tier(Tier::Shared), shared),
        ];
        missed(&Report::new(&samples), 1.0)
            .first()
            .map(Missed::verdict)
    }

    #[test]
    fn a_relay_that_costs_more_than_the_library_is_no_limit() {
        for (figure, floor) in [
            (Figure::FloodMain, 0.06),
            (Figure::SteadyMain, 0.12),
            (Figure::PingAnswer, 0.05),
            (Figure::TabsCpu, 0.6),
        ] {
            let judged = |shared| judged_by(figure, 100.0, 150.0, shared);
            assert_eq!(judged(100.0 * floor), None, "{figure:?}");
            assert_eq!(judged(101.0 * floor), Some(Verdict::Lost), "{figure:?}");
        }
    }

    fn judged(shared: &[f64], bare: f64) -> Option<Verdict> {
        judged_with(1.0, shared, bare)
    }

    #[test]
    fn of_few_rounds_a_miss_that_may_be_chance_is_near() {
        let judged = |shared, bare| judged_with(CHANCE, &[shared], bare);
        assert_eq!(judged(147.0, 300.0), Some(Verdict::Near), "the floor");
        assert_eq!(judged(146.0, 300.0), Some(Verdict::Lost));
        assert_eq!(judged(146.0, 200.0), Some(Verdict::Near), "the limit");
        assert_eq!(judged(133.0, 200.0), Some(Verdict::Lost));
        assert_eq!(judged(190.0, 200.0), Some(Verdict::AtLimit));
    }

    #[test]
    fn a_floor_that_the_bare_relay_misses_is_at_its_limit_within_a_tenth() {
        assert_eq!(judged(&[100.0], 109.0), Some(Verdict::AtLimit));
        assert_eq!(judged(&[100.0], 111.0), Some(Verdict::Lost));
        assert_eq!(
            judged(&[219.0], 221.0),
            Some(Verdict::Lost),
            "the relay holds it"
        );
    }

    #[test]
    fn a_floor_that_some_rounds_hold_is_open() {
        assert_eq!(judged(&[200.0, 210.0, 221.0], 300.0), Some(Verdict::Open));
        assert_eq!(judged(&[200.0, 210.0, 219.0], 300.0), Some(Verdict::Lost));
        assert_eq!(judged(&[220.0, 230.0], 300.0), None);
    }

    #[test]
    fn rounds_that_overlap_with_those_of_the_limit_leave_a_floor_open() {
        let raw = [100.0; 3];
        let judged = |shared: &[f64], bare: &[f64]| judged_by_rounds(1.0, &raw, shared, bare);
        let bare = [150.0, 155.0, 200.0];
        assert_eq!(judged(&[120.0, 125.0, 150.0], &bare), Some(Verdict::Open));
        assert_eq!(judged(&[120.0, 125.0, 149.0], &bare), Some(Verdict::Lost));
        let holds = [150.0, 225.0, 230.0];
        assert_eq!(judged(&[120.0, 125.0, 151.0], &holds), Some(Verdict::Lost));
    }

    #[test]
    fn a_round_that_is_fast_for_all_does_not_hold_a_floor() {
        let judged = |raw: &[f64], shared: &[f64]| judged_beside(1.0, raw, shared, 300.0);
        let shared = [200.0, 200.0, 225.0];
        assert_eq!(
            judged(&[100.0, 100.0, 130.0], &shared),
            Some(Verdict::Lost),
            "the third has 1.7 times the raw WebSocket's rate"
        );
        assert_eq!(judged(&[100.0, 100.0, 102.0], &shared), Some(Verdict::Open));
    }

    #[test]
    fn less_is_better_where_the_floor_is_a_bound_from_above() {
        let sample = |contender, value| Sample {
            engine: Engine::Chromium,
            contender,
            figure: Figure::Echo,
            round: 0,
            value,
        };
        let judged = |main: f64, gloo: f64| {
            let samples = [
                sample(Contender::Raw, 0.1),
                sample(Contender::GlooNet, gloo),
                sample(Contender::Tier(Tier::Main), main),
            ];
            missed(&Report::new(&samples), 1.0)
                .first()
                .map(Missed::verdict)
        };
        assert_eq!(judged(0.11, 0.2), None);
        assert_eq!(judged(0.12, 0.115), Some(Verdict::AtLimit));
        assert_eq!(judged(0.13, 0.115), Some(Verdict::Lost));
        assert_eq!(
            judged(0.12, 0.105),
            Some(Verdict::Lost),
            "gloo-net holds it"
        );
    }
}
