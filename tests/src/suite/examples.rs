//! The examples, used as a visitor would.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    Context, Scenario, Tier,
    site::{SOON, Site},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "example_yew_board_is_one_board_in_all_tabs",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(yew_board(ctx)),
        },
        Scenario {
            name: "example_plain_shows_in_all_tabs_what_is_typed_in_one",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(plain(ctx)),
        },
    ]
}

async fn yew_board(ctx: &Context) -> Result<()> {
    let site = start(ctx, "yew-board").await?;
    let first = open(ctx, &site).await?;
    let second = open(ctx, &site).await?;
    // One for the cards and one for the cursors.
    site.wait_for_sockets(2).await?;

    first.type_text("#add-0", "Write the test\u{e007}").await?;
    wait_for_text(&second, ".column:nth-of-type(1) .card p", "Write the test").await?;
    let move_right = "document.querySelector('[aria-label=\"Move right\"]').click()";
    second.eval(move_right, vec![]).await?;
    for tab in [&first, &second] {
        wait_for_text(tab, ".column:nth-of-type(2) .card p", "Write the test").await?;
    }

    let point = "const board = document.querySelector('.board'), box = board.getBoundingClientRect(); \
        board.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: box.left + box.width / 2, clientY: box.top + box.height / 4 }))";
    first.eval(point, vec![]).await?;
    let cursor = "return document.querySelector('.cursor')?.getAttribute('x') === '50.00%'";
    second.wait_for(cursor, SOON).await?;
    ensure!(first.text(".cursor").await.is_err(), "its own cursor");

    let third = open(ctx, &site).await?;
    wait_for_text(&third, ".column:nth-of-type(2) .card p", "Write the test").await?;
    wait_for_text(&third, "#tabs", "3 tabs, one socket").await?;
    ensure!(site.sockets_open()? == 2);
    Ok(())
}

async fn plain(ctx: &Context) -> Result<()> {
    let site = start(ctx, "plain").await?;
    let first = open(ctx, &site).await?;
    let second = open(ctx, &site).await?;
    first.type_text("#text", "hello\u{e007}").await?;
    for tab in [&first, &second] {
        wait_for_text(tab, "#said li", "hello").await?;
    }
    let third = open(ctx, &site).await?;
    wait_for_text(&third, "#said li", "hello").await?;
    ensure!(site.sockets_open()? == 1);
    Ok(())
}

async fn start<'a>(ctx: &'a Context, example: &str) -> Result<Site<'a>> {
    let mut site = Site::start(ctx).await?;
    site.deploy(example).await?;
    Ok(site)
}

async fn open(ctx: &Context, site: &Site<'_>) -> Result<Tab> {
    let tab = ctx.browser.open_tab(&site.url("/")).await?;
    let connected = "return document.querySelector('#status')?.textContent.startsWith('connected')";
    tab.wait_for(connected, SOON).await?;
    Ok(tab)
}

async fn wait_for_text(tab: &Tab, css: &str, text: &str) -> Result<()> {
    let script = format!(
        "return document.querySelector({})?.textContent === {}",
        json!(css),
        json!(text)
    );
    tab.wait_for(&script, SOON).await?;
    Ok(())
}
