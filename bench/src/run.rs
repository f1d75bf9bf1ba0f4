//! Measures: round by round, load by load, and in each all contenders in an order of its own.

use std::time::Duration;

use anyhow::{Context as _, Result};
use onesocket_tests::browser::{Browser, BrowserOptions, Engine};

use crate::{
    contender::Contender,
    figure::Figure,
    load::{Bench, Load},
    plan::Plan,
    server::Server,
    tabs,
};

/// One figure of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) engine: Engine,
    pub(crate) contender: Contender,
    pub(crate) figure: Figure,
    pub(crate) value: f64,
}

/// Measures what the plan says.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Sample>> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut engines = plan.engines.clone();
    random.shuffle(&mut engines);
    let mut samples = Vec::new();
    for engine in engines {
        samples.extend(
            run_in(engine, plan, &mut random)
                .await
                .with_context(|| engine.name())?,
        );
    }
    Ok(samples)
}

async fn run_in(engine: Engine, plan: &Plan, random: &mut fastrand::Rng) -> Result<Vec<Sample>> {
    let site = onesocket_server::Server::builder()
        .static_dir(&plan.dist)
        .start()
        .await?;
    let server = Server::start().await?;
    let options = BrowserOptions::default().script_timeout(Duration::from_secs(120));
    let browser = Browser::launch(engine, options).await?;
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        for load in Load::ALL {
            if !plan.has(load) {
                continue;
            }
            let mut contenders: Vec<_> = Contender::ALL
                .into_iter()
                .filter(|contender| plan.compares(*contender))
                .filter(|contender| round == 1 || !plan.quick || !contender.is_extra())
                .collect();
            random.shuffle(&mut contenders);
            for contender in contenders {
                let about = || format!("{contender}, {}, round {round}", load.name());
                let values = match load {
                    Load::Tabs if contender.is_extra() => continue,
                    Load::Tabs if round > 1 && plan.quick => continue,
                    Load::Tabs => tabs::run(&browser, &site.url(), &server, contender, plan).await,
                    _ => in_a_page(&browser, &site.url(), &server, contender, load, plan).await,
                };
                for (figure, value) in values.with_context(about)? {
                    samples.push(Sample {
                        engine,
                        contender,
                        figure,
                        value,
                    });
                }
            }
        }
        println!("{engine}: round {round} of {}", plan.rounds);
    }
    browser.quit().await?;
    Ok(samples)
}

async fn in_a_page(
    browser: &Browser,
    site: &str,
    server: &Server,
    contender: Contender,
    load: Load,
    plan: &Plan,
) -> Result<Vec<(Figure, f64)>> {
    let page = format!("{site}/?{}", contender.query());
    let tab = browser.open_tab(&page).await?;
    let ready = "return document.querySelector('#ready').textContent === 'ready'";
    tab.wait_for(ready, READY).await?;
    let bench = Bench {
        engine: browser.engine(),
        tab: &tab,
        server,
        plan,
        messages: plan.messages_of(contender),
    };
    let values = bench.run(load).await?;
    tab.close().await?;
    Ok(values)
}

const READY: Duration = Duration::from_secs(20);
