//! A socket that a script in the head of the page dials while the page's wasm is on its way, for a loop that runs in the page. The pages are those of the npm
//! package, which receives as the pages of most apps do.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_server::HttpFault;
use serde_json::json;

use super::{
    Context, Scenario, Tier, npm,
    site::{SOON, Site},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    let tiers = &[Tier::Main];
    vec![
        Scenario {
            name: "a_page_dials_before_its_wasm_is_there_and_loses_nothing",
            tiers,
            run: |ctx| Box::pin(before_the_wasm(ctx)),
        },
        Scenario {
            name: "an_early_socket_of_a_page_that_ends_early_is_dialled_again",
            tiers,
            run: |ctx| Box::pin(ends_early(ctx)),
        },
        Scenario {
            name: "an_early_socket_of_a_page_that_nobody_wants_is_closed",
            tiers,
            run: |ctx| Box::pin(unwanted(ctx)),
        },
        Scenario {
            name: "an_early_socket_of_a_page_that_has_a_worker_is_closed",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(beside_a_worker(ctx)),
        },
        Scenario {
            name: "a_global_of_the_app_is_no_early_socket",
            tiers,
            run: |ctx| Box::pin(foreign(ctx)),
        },
    ]
}

/// The script of the book's chapter on the start.
const HEAD: &str = include_str!("early_page.html");

/// Opens a page whose head has the script. Its wasm, which the first connection asks for, is late.
async fn page(ctx: &Context, site: &Site<'_>, dialled: &str) -> Result<Tab> {
    let late = HttpFault::default().delay(Duration::from_secs(1));
    let faults = site.server()?.faults();
    faults.http("/onesocket/onesocket-core_bg.wasm", late)?;
    let tab = npm::open(ctx, site).await?;
    let head = HEAD
        .replace("onesocket-dial.js", "onesocket/onesocket-dial.js")
        .replace("wss://example.org/live", &dialled.replace('&', "&amp;"));
    let insert =
        "document.head.append(document.createRange().createContextualFragment(arguments[0]))";
    tab.eval(insert, vec![json!(head)]).await?;
    tab.wait_for("return self.onesocketDial !== undefined", SOON)
        .await?;
    Ok(tab)
}

/// Connects in the scenario's tier, and keeps the number that each message begins with.
async fn connect(ctx: &Context, tab: &Tab, path: &str) -> Result<()> {
    let script = "
        window.got = [];
        window.lost = 0;
        window.client?.close();
        window.client = onesocket.connect(arguments[0], { codec: 'bytes', share: false, tier: arguments[1] });
        client.addEventListener('reconnecting', () => (window.lost += 1));
        client.addEventListener('message', ({ data }) => got.push(new DataView(data.buffer, data.byteOffset).getUint32(0, true)));";
    let tier = ctx.tier.map(Tier::name);
    tab.eval(script, vec![json!(path), json!(tier)]).await?;
    Ok(())
}

async fn before_the_wasm(ctx: &Context) -> Result<()> {
    const COUNT: u64 = 300;
    let site = npm::start(ctx).await?;
    let feed = format!("/feed?rate=0&size=64&count={COUNT}");
    let tab = page(ctx, &site, &feed).await?;
    site.wait_for_sockets(1).await?;
    connect(ctx, &tab, &feed).await?;
    let state = tab.eval("return client.status.state", vec![]).await?;
    ensure!(state != "connected", "the wasm was there before the socket");
    let is_all = format!("return got.length >= {COUNT} && got");
    let got = tab.wait_for(&is_all, SOON).await?;
    let all: Vec<_> = (0..COUNT).collect();
    ensure!(got == json!(all), "{got}");
    ensure!(dials(&site)? == 1, "{} sockets", dials(&site)?);
    Ok(())
}

async fn ends_early(ctx: &Context) -> Result<()> {
    let site = npm::start(ctx).await?;
    site.server()?.faults().refuse(1, 503)?;
    let tab = page(ctx, &site, "/echo").await?;
    connect(ctx, &tab, "/echo").await?;
    tab.wait_for("return lost === 1", SOON).await?;
    echoes(&tab).await?;
    ensure!(dials(&site)? == 1, "{} sockets", dials(&site)?);
    Ok(())
}

async fn unwanted(ctx: &Context) -> Result<()> {
    let site = npm::start(ctx).await?;
    let tab = page(ctx, &site, "/echo?of=another").await?;
    beside(ctx, &site, &tab).await
}

async fn beside_a_worker(ctx: &Context) -> Result<()> {
    let site = npm::start(ctx).await?;
    let tab = page(ctx, &site, "/echo").await?;
    beside(ctx, &site, &tab).await
}

/// Connects, and has the early socket closed that is none of this connection's.
async fn beside(ctx: &Context, site: &Site<'_>, tab: &Tab) -> Result<()> {
    connect(ctx, tab, "/echo").await?;
    echoes(tab).await?;
    ensure!(dials(site)? == 2, "{} sockets", dials(site)?);
    site.wait_for_sockets(1).await?;
    echoes(tab).await?;
    ensure!(tab.eval("return lost", vec![]).await? == 0);
    Ok(())
}

async fn foreign(ctx: &Context) -> Result<()> {
    let site = npm::start(ctx).await?;
    let tab = npm::open(ctx, &site).await?;
    for global in [
        "null",
        "5",
        "'dialled'",
        "{}",
        "{ dialled: 5 }",
        "{ dialled() {} }",
        "{ dialled() { throw new Error('of the app') } }",
        "{ get dialled() { throw new Error('of the app') } }",
    ] {
        let set = format!("self.onesocketDial = {global}");
        tab.eval(&set, vec![]).await?;
        connect(ctx, &tab, "/echo").await?;
        echoes(&tab).await.context(set)?;
    }
    Ok(())
}

async fn echoes(tab: &Tab) -> Result<()> {
    let send = "const before = got.length; await client.send(new Uint8Array(8)); return before";
    let before = tab.eval_async(send, vec![]).await?;
    let is_more = format!("return got.length > {before}");
    tab.wait_for(&is_more, SOON).await?;
    Ok(())
}

fn dials(site: &Site<'_>) -> Result<u64> {
    Ok(site.server()?.stats().total.sockets_ever)
}
