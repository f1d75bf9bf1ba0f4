//! The examples, used as a visitor would.

use anyhow::{Result, ensure};
use onesocket_server::Selection;
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
        Scenario {
            name: "example_dioxus_poll_counts_one_vote_of_each_tab",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(dioxus_poll(ctx)),
        },
        Scenario {
            name: "example_leptos_desk_shows_every_trade_that_was_sent",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(leptos_desk(ctx)),
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

async fn dioxus_poll(ctx: &Context) -> Result<()> {
    let mut site = start(ctx, "dioxus-poll").await?;
    let first = open(ctx, &site).await?;
    let second = open(ctx, &site).await?;
    first.click("button:nth-of-type(1)").await?;
    second.click("button:nth-of-type(2)").await?;
    for tab in [&first, &second] {
        wait_for_votes(tab, [1, 1, 0]).await?;
    }
    first.click("button:nth-of-type(2)").await?;
    for tab in [&first, &second] {
        wait_for_votes(tab, [0, 2, 0]).await?;
    }
    let own = "button[aria-pressed=true] span";
    ensure!(first.text(own).await? == "In a Worker");

    let third = open(ctx, &site).await?;
    wait_for_votes(&third, [0, 2, 0]).await?;
    ensure!(third.text(own).await.is_err(), "it has not voted");
    ensure!(site.sockets_open()? == 1);

    // A vote waits for the connection.
    site.stop().await;
    third
        .wait_for("return document.querySelector('#status.waiting')", SOON)
        .await?;
    third.click("button:nth-of-type(3)").await?;
    site.restart().await?;
    for tab in [&first, &second, &third] {
        wait_for_votes(tab, [0, 2, 1]).await?;
    }
    Ok(())
}

async fn wait_for_votes(tab: &Tab, votes: [u32; 3]) -> Result<()> {
    let votes = votes.map(|votes| votes.to_string()).join(",");
    let script = format!(
        "return [...document.querySelectorAll('button b')].map((votes) => votes.textContent).join() === {}",
        json!(votes)
    );
    tab.wait_for(&script, SOON).await?;
    Ok(())
}

async fn leptos_desk(ctx: &Context) -> Result<()> {
    let site = start(ctx, "leptos-desk").await?;
    let first = open(ctx, &site).await?;
    wait_for_trades(&first, 10_000).await?;
    let (rate, frames) = (first.text("#rate").await?, first.text("#frames").await?);
    let gaps = first.eval_async(FRAME_GAPS, vec![]).await;
    let gaps = gaps.unwrap_or_else(|error| json!(error.to_string()));
    ctx.note(format!(
        "{rate} trades and {frames} frames in a second; ms between frames: {gaps}"
    ));

    // The second comes to a feed that has begun.
    let second = open(ctx, &site).await?;
    wait_for_trades(&second, 2_000).await?;
    ensure!(site.sockets_open()? == 1);

    // A close comes behind what was sent before it, and no other socket is opened before all is counted.
    let faults = site.server()?.faults();
    faults.refuse(u32::MAX, 503)?;
    faults.close(Selection::All, 4000, "retry-after=1 spread=0")?;
    first
        .wait_for("return document.querySelector('#status.waiting')", SOON)
        .await?;
    let sent = site.server()?.stats().total.frames_out;
    wait_for_trades(&first, sent).await?;
    let table = first.eval(TABLE, vec![]).await?;
    ensure!(table["shown"] == sent, "{sent} were sent, but {table}");
    ensure!(table["counted"] == sent, "{sent} were sent, but {table}");
    ensure!(table["still"] == 0, "rows without a trade: {table}");

    faults.clear();
    wait_for_trades(&first, sent + 2_000).await?;
    wait_for_trades(&second, 4_000).await?;
    for tab in [&first, &second] {
        ensure!(tab.text("#missed").await? == "0", "it has missed trades");
    }

    // Another rate is another connection, and the desk begins anew.
    first.click(".segments button:first-child").await?;
    let anew = format!("return {TRADES} < {sent}");
    first.wait_for(&anew, SOON).await?;
    wait_for_trades(&first, 500).await?;
    site.wait_for_sockets(2).await
}

async fn wait_for_trades(tab: &Tab, least: u64) -> Result<()> {
    let script = format!("return {TRADES} >= {least}");
    tab.wait_for(&script, SOON).await?;
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

/// How many trades the desk says it was told.
const TRADES: &str = "Number(document.querySelector('#trades').textContent.replaceAll(',', ''))";

/// What the rows say themselves.
const TABLE: &str = "const number = (cell) => Number(cell.textContent.replaceAll(',', '')); \
    const rows = [...document.querySelectorAll('tbody tr')].map((row) => number(row.cells[4])); \
    return { shown: rows.reduce((sum, row) => sum + row, 0), counted: number(document.querySelector('#trades')), still: rows.filter((row) => row === 0).length }";

const FRAME_GAPS: &str = "const gaps = []; \
    const end = performance.now() + 3000; \
    for (let last = performance.now(); last < end; ) { \
        await Promise.race([new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 1000))]); \
        const now = performance.now(); \
        gaps.push(now - last); \
        last = now; \
    } \
    gaps.sort((a, b) => a - b); \
    const at = (part) => gaps[Math.floor(part * (gaps.length - 1))].toFixed(1); \
    return `${at(0.5)} in the middle, ${at(0.99)} of 99 %, ${at(1)} at most`";
