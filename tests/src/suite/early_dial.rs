//! A socket that is dialled while the worker's wasm is on its way.

use std::time::Duration;

use anyhow::{Result, ensure};
use onesocket_server::HttpFault;
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    early_worker::EARLY_OR_DEDICATED,
    site::{Page, SOON, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let tiers = &[Tier::Shared, Tier::Dedicated];
    vec![
        Scenario {
            name: "a_socket_is_dialled_before_the_wasm_is_there_and_loses_nothing",
            tiers,
            run: |ctx| Box::pin(before_the_wasm(ctx)),
        },
        Scenario {
            name: "an_early_socket_that_ends_early_is_dialled_again",
            tiers,
            run: |ctx| Box::pin(ends_early(ctx)),
        },
        Scenario {
            name: "an_early_socket_on_which_too_much_comes_is_given_up",
            tiers,
            run: |ctx| Box::pin(too_much(ctx)),
        },
        Scenario {
            name: "an_early_socket_that_nobody_wants_is_closed",
            tiers,
            run: |ctx| Box::pin(unwanted(ctx)),
        },
    ]
}

/// The script of the book's chapter on the start.
const HEAD: &str = include_str!("early_dial.js");

/// The prebuilt worker, told which socket will be wanted.
fn config(site: &Site<'_>, path: &str, dialled: &str) -> Value {
    let mut config = site.config(path);
    // As `encodeURIComponent` has it, because the script is the same then.
    let dialled = url::form_urlencoded::byte_serialize(dialled.as_bytes()).collect::<String>();
    config["worker"]["script"] = json!(format!("onesocket-worker.js#dial={dialled}"));
    config
}

async fn before_the_wasm(ctx: &Context) -> Result<()> {
    const COUNT: u64 = 300;
    let site = Site::start(ctx).await?;
    let late = HttpFault::default().delay(Duration::from_secs(3));
    site.server()?
        .faults()
        .http("/onesocket-worker_bg.wasm", late)?;
    let feed = format!("/feed?rate=0&size=64&count={COUNT}");
    let mut config = config(&site, &feed, &feed);
    config["counts"] = json!(true);
    let page = early_page(ctx, &site, &feed, &config).await?;
    page.open("c", config.clone()).await?;
    site.wait_for_sockets(1).await?;
    ensure!(
        page.status().await?["state"] != "connected",
        "the wasm was there before the socket"
    );
    let is_all = format!(
        "const tally = JSON.parse(api.tally('c')); return tally.messages === {COUNT} && tally"
    );
    let tally = page.tab.wait_for(&is_all, SOON).await?;
    ensure!(tally["misplaced"] == 0 && tally["missed"] == 0, "{tally}");
    // It starts no worker, so it has no socket of its own.
    let next = early_page(ctx, &site, &feed, &config).await?;
    next.open("c", config).await?;
    next.wait_for_state("connected").await?;
    ensure!(dials(&site)? == 1, "{} sockets", dials(&site)?);
    Ok(())
}

/// The wasm is so late that nobody reads: what the prelude keeps is bounded in messages and in bytes.
async fn too_much(ctx: &Context) -> Result<()> {
    for (size, count) in [(64, 1_100), (1024 * 1024, 18)] {
        let site = Site::start(ctx).await?;
        let late = HttpFault::default().delay(Duration::from_secs(4));
        let faults = site.server()?.faults();
        faults.http("/onesocket-worker_bg.wasm", late)?;
        let feed = format!("/feed?rate=0&size={size}&count={count}");
        let mut config = config(&site, &feed, &feed);
        config["counts"] = json!(true);
        let page = early_page(ctx, &site, &feed, &config).await?;
        page.open("c", config).await?;
        let is_all = format!(
            "const tally = JSON.parse(api.tally('c')); return tally.messages === {count} && tally"
        );
        let tally = page.tab.wait_for(&is_all, SOON).await?;
        ensure!(tally["misplaced"] == 0 && tally["missed"] == 0, "{tally}");
        ensure!(dials(&site)? == 2, "{} sockets", dials(&site)?);
    }
    Ok(())
}

/// A page that has started its worker early; those that the dedicated tier is for have no SharedWorkers.
async fn early_page(ctx: &Context, site: &Site<'_>, feed: &str, config: &Value) -> Result<Page> {
    let is_shared = ctx.tier == Some(Tier::Shared);
    let (query, head) = match is_shared {
        true => ("", HEAD.replace("wss://example.org/live", feed)),
        false => {
            let script = config["worker"]["script"].to_string();
            let head = EARLY_OR_DEDICATED.replace("\"onesocket-worker.js\"", &script);
            ("?break=no-shared", head)
        }
    };
    let page = site.page_with(query).await?;
    page.tab.eval(&head, vec![]).await?;
    Ok(page)
}

async fn ends_early(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let faults = site.server()?.faults();
    faults.refuse(1, 503)?;
    let late = HttpFault::default().delay(Duration::from_secs(1));
    faults.http("/onesocket-worker_bg.wasm", late)?;
    let page = site.page().await?;
    page.open("c", config(&site, "/echo", "/echo")).await?;
    page.wait_for_event("that the early socket was lost", 0, |event| {
        event["type"] == "reconnecting"
    })
    .await?;
    echoes(&page).await?;
    ensure!(page.status().await?["dials"] == 2);
    Ok(())
}

async fn unwanted(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let page = site.page().await?;
    page.open("c", config(&site, "/echo", "/echo?of=another"))
        .await?;
    echoes(&page).await?;
    ensure!(dials(&site)? == 2, "{} sockets", dials(&site)?);
    site.wait_for_sockets(1).await?;
    echoes(&page).await
}

async fn echoes(page: &Page) -> Result<()> {
    page.wait_for_state("connected").await?;
    let before = page.messages("c").await?.len();
    page.send_ok("there").await?;
    page.wait_for_messages("c", before + 1).await?;
    Ok(())
}

fn dials(site: &Site<'_>) -> Result<u64> {
    Ok(site.server()?.stats().total.sockets_ever)
}
