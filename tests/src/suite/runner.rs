//! Runs the scenarios side by side, each in a browser without tabs, and survives what they break.

#![expect(
    clippy::print_stdout,
    reason = "whoever waits for the suite wants to see where it is"
)]

use std::{
    collections::VecDeque,
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
use futures::future::join_all;
use tokio::time::timeout;

use super::{Context, Report, Scenario, Tier};
use crate::browser::{Browser, BrowserOptions, Engine};

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In these engines.
    pub engines: Vec<Engine>,
    /// Only scenarios with this in their full name, `<engine>/<tier>/<name>`.
    pub filter: Option<String>,
    /// The folder of the built test pages.
    pub dist: PathBuf,
    /// How many browsers run at a time, each with one scenario: most scenarios wait most of the time.
    pub lanes: NonZeroUsize,
}

/// Runs the scenarios of the plan.
pub async fn run(plan: &Plan, scenarios: &[Scenario]) -> Report {
    let queues = Mutex::new(Queues::new(plan, scenarios));
    let report = Mutex::default();
    let lane = || Lane {
        plan,
        queues: &queues,
        report: &report,
        context: None,
    };
    join_all((0..plan.lanes.get()).map(|_| lane().run())).await;
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One scenario in one tier of one engine.
#[derive(Debug)]
struct Job {
    scenario: Scenario,
    engine: Engine,
    tier: Option<Tier>,
}

impl Job {
    fn full_name(&self) -> String {
        let tier = self.tier.map_or("any", Tier::name);
        format!("{}/{tier}/{}", self.engine, self.scenario.name)
    }
}

/// What is left to do, by engine.
struct Queues(Vec<(Engine, VecDeque<Job>)>);

impl Queues {
    fn new(plan: &Plan, scenarios: &[Scenario]) -> Self {
        let jobs_of = |engine| {
            let jobs = scenarios.iter().flat_map(|scenario| {
                let tiers: Vec<_> = match scenario.tiers {
                    [] => vec![None],
                    tiers => tiers.iter().copied().map(Some).collect(),
                };
                tiers.into_iter().map(move |tier| Job {
                    scenario: *scenario,
                    engine,
                    tier,
                })
            });
            let is_wanted = |job: &Job| match &plan.filter {
                Some(filter) => job.full_name().contains(filter),
                None => true,
            };
            (engine, jobs.filter(is_wanted).collect())
        };
        Self(plan.engines.iter().copied().map(jobs_of).collect())
    }

    /// Takes the next job for a lane with a browser of this engine. When there is none, the lane helps where the most is left.
    fn take(&mut self, engine: Option<Engine>) -> Option<Job> {
        let of_engine = self
            .0
            .iter_mut()
            .find(|(of, jobs)| Some(*of) == engine && !jobs.is_empty());
        let (_, jobs) = match of_engine {
            Some(found) => found,
            // The last of equals: a lane that begins finds an engine that no other has begun with.
            None => self.0.iter_mut().max_by_key(|(_, jobs)| jobs.len())?,
        };
        jobs.pop_front()
    }
}

/// Runs one scenario at a time, in one browser.
struct Lane<'a> {
    plan: &'a Plan,
    queues: &'a Mutex<Queues>,
    report: &'a Mutex<Report>,
    /// Its browser is shared by the scenarios and replaced when one has broken it.
    context: Option<Context>,
}

/// The server of the `https:` scenarios signs for itself.
fn options() -> BrowserOptions {
    BrowserOptions::default().accept_insecure_certs(true)
}

/// What a lane holds is whole whatever another one does.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane<'_> {
    async fn run(mut self) {
        let mut engine = None;
        loop {
            let job = lock(self.queues).take(engine);
            let Some(job) = job else { break };
            if engine.replace(job.engine) != Some(job.engine) {
                self.quit().await;
            }
            self.run_one(&job).await;
        }
        self.quit().await;
    }

    async fn quit(&mut self) {
        if let Some(context) = self.context.take() {
            // A browser that does not close in order is killed.
            let _ = context.browser.quit().await;
        }
    }

    async fn run_one(&mut self, job: &Job) {
        let name = job.full_name();
        let start = Instant::now();
        let result = self.attempt(job).await;
        let seconds = start.elapsed().as_secs_f64();
        let notes = self.context.as_ref().map(Context::take_notes);
        // Printed in one piece: other lanes print too.
        let mut outcome = match result {
            Ok(()) => {
                lock(self.report).passed(job.engine, job.tier);
                format!("ok     {name} ({seconds:.1} s)")
            }
            Err(error) => {
                let evidence = self.evidence(&name).await;
                lock(self.report).failed(job.engine, job.tier, name.clone(), &error, evidence);
                // Nobody knows what state it left the browser in.
                self.context = None;
                format!("FAILED {name} ({seconds:.1} s)\n       {error:#}")
            }
        };
        for note in notes.unwrap_or_default() {
            outcome.push_str("\n       ");
            outcome.push_str(&note);
        }
        println!("{outcome}");
        if let Some(context) = &self.context
            && (context.is_spent.load(Ordering::Relaxed)
                || context.browser.close_tabs().await.is_err())
        {
            self.context = None;
        }
    }

    async fn attempt(&mut self, job: &Job) -> Result<()> {
        let mut context = match self.context.take() {
            Some(context) => context,
            None => Context {
                browser: Browser::launch(job.engine, options()).await?,
                tier: job.tier,
                dist: self.plan.dist.clone(),
                notes: Mutex::default(),
                is_spent: AtomicBool::default(),
            },
        };
        context.tier = job.tier;
        let context = self.context.insert(context);
        timeout(SCENARIO_LIMIT, (job.scenario.run)(context))
            .await
            .map_err(|_| anyhow!("not done within {SCENARIO_LIMIT:?}"))?
    }

    /// Pictures and logs of the tabs that a failed scenario left open.
    async fn evidence(&self, name: &str) -> String {
        let Some(context) = &self.context else {
            return String::new();
        };
        let mut text = format!("\n  driver's log: {}", context.browser.log().display());
        for (index, tab) in context
            .browser
            .tabs()
            .await
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let log = tab.page_log().await.unwrap_or_default();
            let from = log.len().saturating_sub(LOG_LINES);
            text.push_str(&format!(
                "\n  tab {index}:\n    {}",
                log[from..].join("\n    ")
            ));
            if let Ok(png) = tab.screenshot().await {
                let file = format!("{}-{index}.png", name.replace('/', "-"));
                let path = context.browser.log().with_file_name(file);
                let written = fs::write(&path, png).context("writing the screenshot");
                text.push_str(&match written {
                    Ok(()) => format!("\n    {}", path.display()),
                    Err(error) => format!("\n    {error:#}"),
                });
            }
        }
        text
    }
}

/// The longest scenario takes some tens of seconds; this bounds what has gone wrong.
const SCENARIO_LIMIT: Duration = Duration::from_secs(120);

const LOG_LINES: usize = 30;
