//! Measures: round by round, load by load, and in each all contenders in an order of its own.

use std::time::Duration;

use anyhow::Result;
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
    for engine in engines {
        // What the others have come to must not be lost with a browser that does not start, or has crashed.
        if let Err(error) = run_in(engine, plan, &mut random, &mut outcome).await {
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
    random: &mut fastrand::Rng,
    outcome: &mut Outcome,
) -> Result<()> {
    let site = onesocket_server::Server::builder()
        .static_dir(&plan.dist)
        .start()
        .await?;
    let server = Server::start().await?;
    let options = BrowserOptions::default().script_timeout(Duration::from_secs(120));
    let browser = Browser::launch(engine, options).await?;
    for round in 1..=plan.rounds {
        for load in Load::ALL {
            let mut contenders: Vec<_> = Contender::ALL
                .into_iter()
                .filter(|contender| plan.measures(engine, load, *contender, round))
                .collect();
            random.shuffle(&mut contenders);
            for contender in contenders {
                let values = match load {
                    Load::Tabs => tabs::run(&browser, &site.url(), &server, contender, plan).await,
                    _ => in_a_page(&browser, &site.url(), &server, contender, load, plan).await,
                };
                let values = match values {
                    Ok(values) => values,
                    Err(error) => {
                        let load = load.name();
                        let failure =
                            format!("{engine}, {contender}, {load}, round {round}: {error:#}");
                        println!("failed: {failure}");
                        outcome.failures.push(failure);
                        browser.close_tabs().await?;
                        continue;
                    }
                };
                for (figure, value) in values {
                    outcome.samples.push(Sample {
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
    Ok(())
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
        messages: plan.messages_of(contender),
        is_repeated: !contender.is_extra(),
    };
    let values = bench.run(load).await?;
    tab.close().await?;
    Ok(values)
}

const READY: Duration = Duration::from_secs(20);
