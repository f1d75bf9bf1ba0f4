//! Runs the scenarios engine by engine, each in a browser without tabs, and survives what they break.

#![expect(
    clippy::print_stdout,
    reason = "whoever waits for the suite wants to see where it is"
)]

use std::{
    fs,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
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
}

/// Runs the scenarios of the plan.
pub async fn run(plan: &Plan, scenarios: &[Scenario]) -> Report {
    let mut report = Report::default();
    for engine in &plan.engines {
        Runner {
            plan,
            engine: *engine,
            context: None,
            report: &mut report,
        }
        .run(scenarios)
        .await;
    }
    report
}

struct Runner<'a> {
    plan: &'a Plan,
    engine: Engine,
    /// Its browser is shared by the scenarios and replaced when one has broken it.
    context: Option<Context>,
    report: &'a mut Report,
}

/// The server of the `https:` scenarios signs for itself.
fn options() -> BrowserOptions {
    BrowserOptions::default().accept_insecure_certs(true)
}

impl Runner<'_> {
    async fn run(mut self, scenarios: &[Scenario]) {
        for scenario in scenarios {
            let tiers: Vec<_> = match scenario.tiers {
                [] => vec![None],
                tiers => tiers.iter().copied().map(Some).collect(),
            };
            for tier in tiers {
                let name = self.full_name(scenario, tier);
                if self
                    .plan
                    .filter
                    .as_ref()
                    .is_none_or(|filter| name.contains(filter))
                {
                    self.run_one(scenario, tier, &name).await;
                }
            }
        }
        if let Some(context) = self.context.take() {
            // A browser that does not close in order is killed.
            let _ = context.browser.quit().await;
        }
    }

    fn full_name(&self, scenario: &Scenario, tier: Option<Tier>) -> String {
        let tier = tier.map_or("any", Tier::name);
        format!("{}/{tier}/{}", self.engine, scenario.name)
    }

    async fn run_one(&mut self, scenario: &Scenario, tier: Option<Tier>, name: &str) {
        let start = Instant::now();
        let result = self.attempt(scenario, tier).await;
        let seconds = start.elapsed().as_secs_f64();
        let notes = self.context.as_ref().map(Context::take_notes);
        match result {
            Ok(()) => {
                println!("ok     {name} ({seconds:.1} s)");
                self.report.passed(self.engine, tier);
            }
            Err(error) => {
                println!("FAILED {name} ({seconds:.1} s)");
                let evidence = self.evidence(name).await;
                self.report
                    .failed(self.engine, tier, format!("{name}: {error:#}{evidence}"));
                // Nobody knows what state it left the browser in.
                self.context = None;
            }
        }
        for note in notes.unwrap_or_default() {
            println!("       {note}");
        }
        if let Some(context) = &self.context
            && (context.is_spent.load(Ordering::Relaxed)
                || context.browser.close_tabs().await.is_err())
        {
            self.context = None;
        }
    }

    async fn attempt(&mut self, scenario: &Scenario, tier: Option<Tier>) -> Result<()> {
        let mut context = match self.context.take() {
            Some(context) => context,
            None => Context {
                browser: Browser::launch(self.engine, options()).await?,
                tier,
                dist: self.plan.dist.clone(),
                notes: Mutex::default(),
                is_spent: AtomicBool::default(),
            },
        };
        context.tier = tier;
        let context = self.context.insert(context);
        timeout(SCENARIO_LIMIT, (scenario.run)(context))
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

/// The longest scenario takes a few seconds; this bounds what has gone wrong.
const SCENARIO_LIMIT: Duration = Duration::from_secs(120);

const LOG_LINES: usize = 30;
