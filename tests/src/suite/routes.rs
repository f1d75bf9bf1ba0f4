//! An app with routes: pages whose address is not the folder in which the worker's script is.

use anyhow::{Result, ensure};
use onesocket_server::HttpFault;
use serde_json::json;

use super::{
    Context, Scenario, Tier,
    site::{Page, Site},
    tiers::SCRIPT,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    const WORKERS: &[Tier] = &[Tier::Shared, Tier::Dedicated];
    vec![
        Scenario {
            name: "a_page_below_a_route_finds_a_script_with_an_absolute_path",
            tiers: WORKERS,
            run: |ctx| Box::pin(below_a_route(ctx, "", Some(SCRIPT))),
        },
        Scenario {
            name: "a_page_below_a_route_with_a_base_finds_the_script_by_itself",
            tiers: WORKERS,
            run: |ctx| Box::pin(below_a_route(ctx, "<base href=\"/\">", None)),
        },
    ]
}

/// It shares the worker, and so the socket, of a page that is in the script's folder.
async fn below_a_route(ctx: &Context, base: &str, script: Option<&str>) -> Result<()> {
    let site = Site::start(ctx).await?;
    // As a server answers each route of such an app.
    let html = format!(
        "<!doctype html>{base}<script src=\"/page_log.js\"></script>\
         <script type=\"module\" src=\"/boot.js\"></script><p id=\"ready\"></p>"
    );
    // The server's own policy allows no base.
    let policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'self'";
    let route = HttpFault::default().body(html).mime("text/html");
    site.server()?.faults().http(ROUTE, route.csp(policy))?;
    let home = site.client("/echo").await?;
    home.wait_for_state("connected").await?;

    let tab = ctx.browser.open_tab(&site.url(ROUTE)).await?;
    let page = Page { tab };
    page.wait_until_ready().await?;
    let mut config = site.config("/echo");
    if let Some(script) = script {
        config["worker"]["script"] = json!(script);
    }
    page.open("c", config).await?;
    page.wait_for_state("connected").await?;
    let (tier, ladder) = page.wait_for_tier().await?;
    ensure!(tier == ctx.tier.map_or("", Tier::name), "{ladder}");
    home.send_ok("from home").await?;
    ensure!(page.wait_for_messages("c", 1).await? == ["from home"]);
    site.wait_for_sockets(1).await
}

const ROUTE: &str = "/rooms/42";
