//! What must hold.

use std::fmt;

use onesocket_tests::browser::Engine;

use crate::{
    contender::{Contender, Tier},
    figure::Figure,
    report::Report,
};

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
}

/// Compares everything that was measured.
pub(crate) fn missed(report: &Report) -> Vec<Missed> {
    FLOORS
        .iter()
        .flat_map(expand)
        .filter_map(|floor| check(report, floor))
        .collect()
}

fn check(report: &Report, floor: Floor) -> Option<Missed> {
    let contender = Contender::Tier(floor.tier);
    let is = floor.measure(report, contender)?;
    let holds = match floor.bound {
        Bound::AtLeast(least) => is >= least,
        Bound::AtMost(most)
        | Bound::NoMoreThan(most)
        | Bound::AtMostOfGloo(most)
        | Bound::AboveGloo(most) => is <= most,
    };
    let Floor {
        engine,
        figure,
        tier,
        ..
    } = floor;
    (!holds).then(|| Missed {
        floor,
        is,
        to_gloo: report.ratio(engine, figure, contender, Contender::GlooNet),
        bare: tier.bare().and_then(|bare| floor.measure(report, bare)),
    })
}

impl Floor {
    /// A contender's figure as this floor counts it.
    fn measure(&self, report: &Report, contender: Contender) -> Option<f64> {
        let Self { engine, figure, .. } = *self;
        let own = || Some(report.row(engine, figure, contender)?.median);
        match self.bound {
            Bound::AtMost(_) | Bound::AtLeast(_) => {
                report.ratio(engine, figure, contender, Contender::Raw)
            }
            Bound::AtMostOfGloo(_) => report.ratio(engine, figure, contender, Contender::GlooNet),
            Bound::NoMoreThan(_) => own(),
            Bound::AboveGloo(_) => {
                Some(own()? - report.row(engine, figure, Contender::GlooNet)?.median)
            }
        }
    }
}

fn expand(row: &FloorRow) -> impl Iterator<Item = Floor> {
    let (engine, figure, bounds) = *row;
    let tiers = [Tier::Shared, Tier::Dedicated, Tier::Main];
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
        match self.bare {
            Some(bare) => write!(f, "; a bare relay {bare:.3}"),
            None => Ok(()),
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

const FLOORS: [FloorRow; 20] = [
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
        [Some(Bound::AtMost(0.105)), None, None],
    ),
    (
        Engine::Chromium,
        Figure::TabMemory,
        [Some(Bound::AtMostOfGloo(1.0)), None, None],
    ),
];
