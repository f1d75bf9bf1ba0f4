//! The harness itself: what every other scenario relies on, shown with plain scripts.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::{Context, Scenario, StaticServer};
use crate::browser::{BrowserError, Engine, PAGE_LOG_SCRIPT, Tab};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "harness_tabs_share_a_worker",
            tiers: &[],
            run: |ctx| Box::pin(tabs_share_a_worker(ctx)),
        },
        Scenario {
            name: "harness_page_errors_are_shown",
            tiers: &[],
            run: |ctx| Box::pin(page_errors_are_shown(ctx)),
        },
        Scenario {
            name: "harness_a_page_can_be_used",
            tiers: &[],
            run: |ctx| Box::pin(a_page_can_be_used(ctx)),
        },
        Scenario {
            name: "harness_ten_tabs_open_and_close",
            tiers: &[],
            run: |ctx| Box::pin(ten_tabs_open_and_close(ctx)),
        },
    ]
}

async fn tabs_share_a_worker(ctx: &Context) -> Result<()> {
    let server = StaticServer::start(PAGES).await?;
    let first = ctx.browser.open_tab(&server.url("/")).await?;
    wait_for_tabs(&first, 1).await?;
    let second = ctx.browser.open_tab(&server.url("/")).await?;
    wait_for_tabs(&second, 2).await?;
    wait_for_tabs(&first, 2).await?;
    Ok(())
}

async fn page_errors_are_shown(ctx: &Context) -> Result<()> {
    let server = StaticServer::start(PAGES).await?;
    let tab = ctx.browser.open_tab(&server.url("/")).await?;
    expect_script_error(
        tab.eval("throw new TypeError('in eval')", vec![]).await,
        "in eval",
    )?;
    let rejected = tab
        .eval_async("await 0; throw new Error('in async')", vec![])
        .await;
    expect_script_error(rejected, "in async")?;
    let never = "await new Promise(() => {})";
    let limit = Duration::from_millis(300);
    expect_script_error(tab.eval_async_within(limit, never, vec![]).await, "300 ms")?;

    // Engines hide the errors of scripts that a driver brings: the page itself has to throw.
    tab.eval("failLater('uncaught one')", vec![]).await?;
    let seen = "return window.__log.some((line) => line.includes('uncaught one'))";
    tab.wait_for(seen, SOON).await?;
    match tab.wait_for("return false", limit).await {
        Err(error @ BrowserError::WaitTimeout { .. }) => {
            ensure!(error.to_string().contains("uncaught one"), "{error}");
        }
        other => bail!("expected a time-out: {other:?}"),
    }
    Ok(())
}

async fn a_page_can_be_used(ctx: &Context) -> Result<()> {
    let server = StaticServer::start(PAGES).await?;
    let tab = ctx.browser.open_tab(&server.url("/")).await?;
    tab.type_text("#text", "hällo").await?;
    tab.click("#send").await?;
    ensure!(tab.text("#said").await? == "hällo");
    ensure!(matches!(
        tab.click("#absent").await,
        Err(BrowserError::NoSuchElement { .. })
    ));
    let sum = tab
        .eval_async(
            "return await Promise.resolve(arguments[0] + 1)",
            vec![json!(41)],
        )
        .await?;
    ensure!(sum == 42, "{sum}");
    let png = tab.screenshot().await?;
    ensure!(png.starts_with(b"\x89PNG") && png.len() > 1000);
    tab.reload().await?;
    ensure!(tab.text("#said").await?.is_empty());

    let cdp = tab.cdp("Page.getNavigationHistory", json!({})).await;
    match ctx.engine() {
        Engine::Chromium => ensure!(cdp?["currentIndex"].is_number()),
        Engine::Firefox | Engine::WebKit => {
            ensure!(matches!(cdp, Err(BrowserError::Unsupported { .. })));
        }
    }
    Ok(())
}

async fn ten_tabs_open_and_close(ctx: &Context) -> Result<()> {
    let server = StaticServer::start(PAGES).await?;
    let mut tabs = Vec::new();
    for _ in 0..10 {
        tabs.push(ctx.browser.open_tab(&server.url("/")).await?);
    }
    for tab in &tabs {
        wait_for_tabs(tab, 10).await?;
    }
    ensure!(ctx.browser.tabs().await?.len() == 10);
    let first = tabs.remove(0);
    for tab in tabs {
        tab.close().await?;
    }
    ensure!(ctx.browser.tabs().await?.len() == 1);
    first.close().await?;
    ensure!(ctx.browser.tabs().await?.is_empty());
    Ok(())
}

async fn wait_for_tabs(tab: &Tab, count: usize) -> Result<()> {
    let script = format!("return document.querySelector('#tabs').textContent === '{count}'");
    tab.wait_for(&script, SOON).await?;
    Ok(())
}

fn expect_script_error<T>(result: Result<T, BrowserError>, part: &str) -> Result<()> {
    match result {
        Err(BrowserError::Script { message }) if message.contains(part) => Ok(()),
        Err(error) => bail!("expected a script error with {part:?}: {error:?}"),
        Ok(_) => bail!("expected a script error with {part:?}"),
    }
}

const SOON: Duration = Duration::from_secs(10);

const PAGES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", PAGE),
    ("/page_log.js", "text/javascript", PAGE_LOG_SCRIPT),
    ("/page.js", "text/javascript", PAGE_SCRIPT),
    ("/worker.js", "text/javascript", WORKER_SCRIPT),
];

const PAGE: &str = r#"<!doctype html><title>harness</title>
<script src="/page_log.js"></script>
<p>tabs: <b id="tabs"></b>, said: <b id="said"></b></p>
<input id="text"><button id="send">send</button>
<script src="/page.js"></script>"#;

const PAGE_SCRIPT: &str = r##"
const worker = new SharedWorker("/worker.js");
const show = (css, text) => (document.querySelector(css).textContent = text);
worker.port.onmessage = (event) => show("#tabs", event.data);
window.failLater = (text) => setTimeout(() => { throw new Error(text); });
document.querySelector("#send").onclick = () => show("#said", document.querySelector("#text").value);
"##;

const WORKER_SCRIPT: &str = r#"
const ports = [];
onconnect = (event) => {
  ports.push(event.ports[0]);
  for (const port of ports) port.postMessage(ports.length);
};"#;
