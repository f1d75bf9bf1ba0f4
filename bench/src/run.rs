//! Measures: round by round, load by load, and in each all contenders in an order of its own.

use std::time::Duration;

use anyhow::Result;
use onesocket_tests::browser::{Browser, BrowserOptions, Engine};

use crate::{
    contender::Contender,
    figure::Figure,
    floor::{self, Verdict},
    load::{Bench, Load},
    plan::{Plan, ROUNDS_OF_TIME},
    report::Report,
    server::Server,
    tabs,
};

/// One figure of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) engine: Engine,
    pub(crate) contender: Contender,
    pub(crate) figure: Figure,
    /// What is of one round was measured within a few minutes; rounds differ by what else the machine does.
    pub(crate) round: u32,
    pub(crate) value: f64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) samples: Vec<Sample>,
    /// What could not be measured, and why: a contender that loses messages has no figure there, and the others have theirs.
    pub(crate) failures: Vec<String>,
}

/// Measures what the plan says.
pub(crate) async fn run(plan: &Plan) -> Outcome {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut engines = plan.engines.clone();
    random.shuffle(&mut engines);
    let mut outcome = Outcome::default();
    while let Some(engine) = engines.pop() {
        let still = engines.iter().map(|engine| length(*engine)).sum();
        // What the others have come to must not be lost with a browser that does not start, or has crashed.
        if let Err(error) = run_in(engine, plan, still, &mut random, &mut outcome).await {
            let failure = format!("{engine}: {error:#}");
            println!("failed: {failure}");
            outcome.failures.push(failure);
        }
    }
    outcome
}

async fn run_in(
    engine: Engine,
    plan: &Plan,
    still: Duration,
    random: &mut fastrand::Rng,
    outcome: &mut Outcome,
) -> Result<()> {
    let site = onesocket_server::Server::builder()
        .static_dir(&plan.dist)
        .start()
        .await?;
    let options = BrowserOptions::default().script_timeout(Duration::from_secs(120));
    let bench = Setting {
        site: site.url(),
        server: Server::start().await?,
        browser: Browser::launch(engine, options).await?,
        plan,
    };
    for round in 1..=plan.rounds {
        for load in Load::ALL {
            let contenders = plan.contenders(engine, load, round);
            bench.all(load, contenders, round, random, outcome).await?;
        }
        println!("{engine}: round {round} of {}", plan.rounds);
    }
    for round in plan.rounds + 1..=ROUNDS_OF_TIME {
        for load in lost(engine, plan, outcome) {
            if !plan.has_time() && plan.start.elapsed() + still > LATEST_REPETITION {
                break;
            }
            let mut contenders = plan.contenders(engine, load, 1);
            contenders.retain(|contender| !contender.is_extra());
            bench.all(load, contenders, round, random, outcome).await?;
            println!("{engine}: {} once more", load.name());
        }
    }
    Ok(bench.browser.quit().await?)
}

/// The loads of an engine in which a floor is lost, so far. Of few rounds it may be chance, and a few more tell.
fn lost(engine: Engine, plan: &Plan, outcome: &Outcome) -> Vec<Load> {
    let missed = floor::missed(&Report::new(&outcome.samples), plan.slack());
    let lost = missed
        .iter()
        .filter(|floor| floor.verdict() == Verdict::Lost && floor.place().0 == engine);
    let figures: Vec<_> = lost.map(|floor| floor.place().1).collect();
    let mut loads = Load::ALL.to_vec();
    loads.retain(|load| figures.iter().any(|figure| figure.load() == *load));
    loads
}

/// Where everything is measured.
struct Setting<'a> {
    site: String,
    server: Server,
    browser: Browser,
    plan: &'a Plan,
}

impl Setting<'_> {
    /// Measures one load of all these, in an order of chance.
    async fn all(
        &self,
        load: Load,
        mut contenders: Vec<Contender>,
        round: u32,
        random: &mut fastrand::Rng,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let engine = self.browser.engine();
        random.shuffle(&mut contenders);
        for contender in contenders {
            match self.one(load, contender).await {
                Ok(values) => {
                    let samples = values.into_iter().map(|(figure, value)| Sample {
                        engine,
                        contender,
                        figure,
                        round,
                        value,
                    });
                    outcome.samples.extend(samples);
                }
                Err(error) => {
                    let failure = format!("{engine}, {contender}, {}: {error:#}", load.name());
                    println!("failed: {failure}");
                    outcome.failures.push(failure);
                    self.browser.close_tabs().await?;
                }
            }
        }
        Ok(())
    }

    async fn one(&self, load: Load, contender: Contender) -> Result<Vec<(Figure, f64)>> {
        let Self {
            site,
            server,
            browser,
            plan,
        } = self;
        match load {
            Load::Tabs => tabs::run(browser, site, server, contender, plan).await,
            _ => in_a_page(browser, site, server, contender, load, plan).await,
        }
    }
}

async fn in_a_page(
    browser: &Browser,
    site: &str,
    server: &Server,
    contender: Contender,
    load: Load,
    plan: &Plan,
) -> Result<Vec<(Figure, f64)>> {
    let page = format!("{site}/?{}", contender.query(load));
    let tab = browser.open_tab(&page).await?;
    let ready = "return document.querySelector('#ready').textContent === 'ready'";
    tab.wait_for(ready, READY).await?;
    let bench = Bench {
        browser,
        tab: &tab,
        server,
        plan,
        contender,
    };
    let values = bench.run(load).await?;
    tab.close().await?;
    Ok(values)
}

/// How long an engine's round of a quick run takes.
fn length(engine: Engine) -> Duration {
    Duration::from_secs(match engine {
        Engine::Chromium => 120,
        Engine::Firefox | Engine::WebKit => 20,
    })
}

/// A quick run is over in three minutes, unless something looks lost: what is said of that must not be chance, and has a minute and a half more. On a machine that
/// is so slow that this is over, too, nothing is measured again.
const LATEST_REPETITION: Duration = Duration::from_secs(240);

const READY: Duration = Duration::from_secs(20);
