//! A worker that a script of the page starts before its wasm is there.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_server::HttpFault;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    site::{Page, SOON, Site},
    tiers::{SCRIPT, expect_tier},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_worker_that_the_page_starts_early_is_the_one_it_uses",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(early(ctx)),
        },
        Scenario {
            name: "an_early_worker_of_another_name_is_left_alone",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(early_other(ctx)),
        },
        Scenario {
            name: "a_tab_that_follows_ends_its_early_worker",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(early_follower(ctx)),
        },
        Scenario {
            name: "a_worker_that_would_be_started_early_too_late_is_not",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(early_too_late(ctx)),
        },
        Scenario {
            name: "without_web_locks_each_tab_starts_a_worker_of_its_own_early",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(early_without_locks(ctx)),
        },
        Scenario {
            name: "an_early_worker_without_a_script_fails_as_a_late_one",
            tiers: &[],
            run: |ctx| Box::pin(early_not_found(ctx)),
        },
    ]
}

/// The scripts of the book's chapter on the start.
pub(super) const EARLY: &str = include_str!("early.js");
pub(super) const EARLY_OR_DEDICATED: &str = include_str!("early_dedicated.js");

/// A page that starts its worker early, and counts what it makes and ends. Those that the dedicated tier is for have no SharedWorkers.
async fn early_page(ctx: &Context, site: &Site<'_>, script: &str) -> Result<Page> {
    let query = match ctx.tier {
        Some(Tier::Dedicated) => "?break=no-shared",
        _ => "",
    };
    early_page_with(site, query, script).await
}

async fn early_page_with(site: &Site<'_>, query: &str, script: &str) -> Result<Page> {
    let page = site.page_with(query).await?;
    let counted = format!(
        "self.made = self.ended = 0;
        const counting = (Kind) => class extends Kind {{
            constructor(...args) {{
                super(...args);
                self.made += 1;
            }}
            terminate() {{
                super.terminate();
                self.ended += 1;
            }}
        }};
        if (self.SharedWorker) self.SharedWorker = counting(SharedWorker);
        self.Worker = counting(Worker);
        {script}"
    );
    page.tab.eval(&counted, vec![]).await?;
    Ok(page)
}

/// Has it choose its tier, which is the scenario's, because that is the best one there.
async fn open_best(ctx: &Context, site: &Site<'_>, page: &Page) -> Result<()> {
    let mut config = site.config("/echo");
    config["worker"]["tier"] = Value::Null;
    page.open("c", config).await?;
    expect_tier(page, ctx.tier.map_or("", Tier::name), &[]).await
}

async fn count(page: &Page, of: &str) -> Result<u64> {
    let count = page.tab.eval(&format!("return self.{of}"), vec![]).await?;
    count.as_u64().context("a number")
}

async fn early(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = early_page(ctx, &site, EARLY_OR_DEDICATED).await?;
    // A SharedWorker's place is taken when its wasm runs. The browser names who has taken it.
    let holders = "const holders = async () => {
            const { held } = await navigator.locks.query();
            const places = held.filter(({ name }) => name.startsWith('onesocket-place onesocket '));
            return places.map(({ clientId }) => clientId);
        };
        for (;;) {
            const all = await holders();
            if (all.length > 0 || !self.SharedWorker) return all;
            await new Promise((wake) => setTimeout(wake, 20));
        }";
    let before = page.tab.eval_async(holders, vec![]).await?;
    open_best(ctx, &site, &page).await?;
    let after = page.tab.eval_async(holders, vec![]).await?;
    ensure!(before == after, "{before} was early, {after} is in use");
    ensure!(count(&page, "made").await? == 1, "another one");
    Ok(())
}

/// Nobody can be asked whether somebody leads, so none waits for the answer.
async fn early_without_locks(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    for sockets in 1..=2 {
        let query = "?break=no-shared&break=no-locks";
        let page = early_page_with(&site, query, EARLY_OR_DEDICATED).await?;
        ensure!(
            count(&page, "made").await? == 1,
            "it is not started at once"
        );
        open_best(ctx, &site, &page).await?;
        page.wait_for_state("connected").await?;
        ensure!(count(&page, "made").await? == 1, "another one");
        ensure!(count(&page, "ended").await? == 0, "it is not used");
        site.wait_for_sockets(sockets).await?;
    }
    Ok(())
}

async fn early_other(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let other = EARLY_OR_DEDICATED.replace("\"onesocket\"", "\"other\"");
    let page = early_page(ctx, &site, &other).await?;
    open_best(ctx, &site, &page).await?;
    ensure!(count(&page, "made").await? == 2, "not one of its own");
    let is_there = "return onesocketWorker.worker !== null";
    ensure!(page.tab.eval(is_there, vec![]).await? == true);
    ensure!(count(&page, "ended").await? == 0, "it is the page's");
    Ok(())
}

async fn early_follower(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // Two that ask at once both find that nobody leads.
    let at_once = EARLY_OR_DEDICATED.replace("free && start(Worker)", "start(Worker)");
    ensure!(at_once != EARLY_OR_DEDICATED, "the lines have changed");
    let tabs = [
        ("leader", EARLY_OR_DEDICATED, (1, 0)),
        ("follower", EARLY_OR_DEDICATED, (0, 0)),
        ("follower", &at_once, (1, 1)),
    ];
    for (role, script, expected) in tabs {
        let page = early_page(ctx, &site, script).await?;
        // The answer of the browser.
        match expected.0 {
            0 => sleep(Duration::from_millis(100)).await,
            made => {
                let is_made = format!("return self.made === {made}");
                page.tab.wait_for(&is_made, SOON).await?;
            }
        }
        open_best(ctx, &site, &page).await?;
        let ladder = page.ladder().await?;
        ensure!(ladder["role"] == role, "{ladder}");
        let (made, ended) = (count(&page, "made").await?, count(&page, "ended").await?);
        ensure!(
            (made, ended) == expected,
            "the {role} has made {made}, ended {ended}, not {expected:?}"
        );
    }
    Ok(())
}

async fn early_too_late(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The browser answers when the client has its worker.
    let late = EARLY_OR_DEDICATED.replace(
        "else navigator.locks.request(",
        "else if (self.answer = () => start(Worker)); else navigator.locks.request(",
    );
    ensure!(late != EARLY_OR_DEDICATED, "the lines have changed");
    let page = early_page(ctx, &site, &late).await?;
    open_best(ctx, &site, &page).await?;
    page.tab.eval("self.answer()", vec![]).await?;
    ensure!(count(&page, "made").await? == 1, "one too many");
    Ok(())
}

async fn early_not_found(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let unwatched = EARLY_OR_DEDICATED
        .replace(", failed: false", "")
        .replace("(early.failed = true)", "(self.failed = true)");
    let watched = EARLY_OR_DEDICATED.replace("early.failed =", "self.failed = early.failed =");
    for script in [&unwatched, &watched] {
        for (query, shared) in [("", WORDS), ("?break=no-shared", "Unsupported")] {
            for is_back in [false, true] {
                early_failed(&site, script, (query, shared), is_back).await?;
            }
        }
    }
    Ok(())
}

/// Opens a page in which the browser has told the lines of the failure, before there is a client. Chromium tells some pages nothing of a SharedWorker
/// without a script: they are not what this is about, and nothing of the library runs in them yet.
async fn told_of_failure(site: &Site<'_>, query: &str, script: &str) -> Result<Page> {
    for _ in 0..TRIES {
        let page = site.page_with(query).await?;
        page.tab.eval(script, vec![]).await?;
        let told = page.tab.wait_for("return self.failed", TOLD).await;
        if told.is_ok() {
            return Ok(page);
        }
        page.tab.close().await?;
    }
    bail!("no page was told of the failure")
}

const TRIES: u32 = 6;
const TOLD: Duration = Duration::from_secs(4);

async fn early_failed(
    site: &Site<'_>,
    script: &str,
    (query, shared): (&str, &str),
    is_back: bool,
) -> Result<()> {
    let faults = site.server()?.faults();
    faults.http(SCRIPT, HttpFault::default().status(404))?;
    let page = told_of_failure(site, query, script).await?;
    if is_back {
        site.server()?.faults().clear();
    }
    page.open("c", site.config("/echo")).await?;
    match (is_back, query) {
        (false, _) => {
            let outcomes = [("shared", shared), ("dedicated", WORDS)];
            expect_tier(&page, "main", &outcomes).await?;
        }
        (true, "") => expect_tier(&page, "shared", &[]).await?,
        (true, _) => expect_tier(&page, "dedicated", &[("shared", shared)]).await?,
    }
    Ok(page.tab.close().await?)
}

/// How a tier fails whose script is not there.
const WORDS: &str = "ScriptNotFound|ScriptError";
