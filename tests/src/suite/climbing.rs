//! From tier to tier at run time: down when workers are lost, and up again when the better tier works.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use onesocket_server::HttpFault;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    healing::{self, Fault, epoch, inject, wait_for_epoch_after},
    site::{Page, SOON, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_crash_loop_goes_one_tier_down_and_later_up_again",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(crash_loop(ctx)),
        },
        Scenario {
            name: "a_deploy_without_the_script_is_climbed_back_from_with_everything_that_is_queued",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(climbs_back(ctx)),
        },
        Scenario {
            name: "what_is_one_socket_is_not_ended_by_a_better_tier_which_is_climbed_back_to_behind_it",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(behind_one_socket(ctx)),
        },
    ]
}

async fn wait_for_tier(page: &Page, tier: &str) -> Result<()> {
    let script = format!("return api.tier('c') === '{tier}'");
    let waited = page.tab.wait_for(&script, SOON).await;
    let ladder = page.ladder().await?;
    waited.with_context(|| format!("not in {tier}: {}", ladder["text"]))?;
    Ok(())
}

async fn crash_loop(ctx: &Context) -> Result<()> {
    let site = healing::start(ctx).await?;
    let mut config = healing::config(&site);
    config["worker"]["climb_back_ms"] = json!([4000, 60_000]);
    let pages = healing::open(ctx, &site, &config, 2).await?;
    let tier = ctx.tier.map_or("", Tier::name);
    let below = match ctx.tier {
        Some(Tier::Shared) => "dedicated",
        _ => "main",
    };
    for _ in 0..2 {
        let mut before = Vec::new();
        for page in &pages {
            before.push(epoch(page).await?.context("a run")?);
        }
        inject(&pages[0], Fault::Close).await?;
        for (page, before) in pages.iter().zip(&before) {
            wait_for_epoch_after(page, before).await?;
            ensure!(page.wait_for_tier().await?.0 == tier);
        }
    }
    let begun = inject(&pages[0], Fault::Close).await?;
    for page in &pages {
        wait_for_tier(page, below).await?;
        ctx.note(format!(
            "in {below} after {} ms",
            begun.elapsed().as_millis()
        ));
        let text = page.ladder().await?["text"].to_string();
        ensure!(
            text.contains("skipped, lost three times within a minute"),
            "{text}"
        );
        ensure!(
            text.contains("better tiers are tried again after"),
            "{text}"
        );
        page.send_ok("below").await?;
    }
    // In the dedicated tier they share one.
    let sockets = if below == "dedicated" { 1 } else { 2 };
    site.wait_for_sockets(sockets).await?;
    for page in &pages {
        wait_for_tier(page, tier).await?;
        ctx.note(format!(
            "in {tier} after {} ms",
            begun.elapsed().as_millis()
        ));
        let text = page.ladder().await?["text"].to_string();
        ensure!(
            text.contains("ran until a better tier worked again"),
            "{text}"
        );
        page.send_ok("above").await?;
    }
    site.wait_for_sockets(site.sockets_for(2)).await
}

async fn climbs_back(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    // The page's server stays, so that the script can come back; the sockets' server goes.
    let mut sockets = Site::start(ctx).await?;
    let mut config = site.config(&sockets.url("/echo"));
    config["worker"]["tier"] = Value::Null;
    config["worker"]["climb_back_ms"] = json!([1000, 1000]);
    let script = "/onesocket-worker.js";
    let fault = HttpFault::default().status(404);
    site.server()?.faults().http(script, fault)?;
    let page = site.page().await?;
    page.open("c", config.clone()).await?;
    config["worker"]["climb_back_ms"] = json!([0, 0]);
    config["worker"]["name"] = json!("other");
    let stays = site.page().await?;
    stays.open("c", config).await?;
    for page in [&page, &stays] {
        page.wait_for_state("connected").await?;
        ensure!(page.wait_for_tier().await?.0 == "main");
    }
    // Half of what is sent waits for a server, and some is on its way, when the tier changes.
    sockets.stop().await;
    page.wait_for_event("reconnecting", 0, |event| event["type"] == "reconnecting")
        .await?;
    page.send_many("queued ", 50).await?;
    site.server()?.faults().clear();
    let sending = "window.sending = (async () => {
        const outcomes = [];
        for (let n = 0; window.stop !== true; n++) {
            outcomes.push(api.send('c', `running ${n}`));
            await new Promise((later) => setTimeout(later, 5));
        }
        return await Promise.all(outcomes);
    })();";
    page.tab.eval(sending, vec![]).await?;
    wait_for_tier(&page, "shared").await?;
    sockets.restart().await?;
    page.wait_for_state("connected").await?;
    sleep(Duration::from_millis(200)).await;
    let outcomes = page
        .tab
        .eval_async("window.stop = true; return await window.sending", vec![])
        .await?;
    let outcomes = outcomes.as_array().context("a list")?;
    ensure!(
        outcomes.iter().all(|outcome| outcome == "sent"),
        "{outcomes:?}"
    );
    let total = 50 + outcomes.len();
    let heard = page.wait_for_messages("c", total).await?;
    let queued = (0..50).map(|n| json!(format!("queued {n}")));
    let running = (0..outcomes.len()).map(|n| json!(format!("running {n}")));
    let expect: Vec<Value> = queued.chain(running).collect();
    ensure!(heard == expect, "{heard:?}");
    ensure!(
        sockets.server()?.stats().total.frames_in == total as u64,
        "the server was sent something twice"
    );
    let text = stays.ladder().await?["text"].to_string();
    ensure!(
        stays.wait_for_tier().await?.0 == "main"
            && text.contains("better tiers are not tried again"),
        "{text}"
    );
    Ok(())
}

async fn behind_one_socket(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut config = site.config(&site.url("/echo"));
    config["worker"]["tier"] = Value::Null;
    config["worker"]["climb_back_ms"] = json!([1000, 1000]);
    let script = "/onesocket-worker.js";
    let fault = HttpFault::default().status(404);
    site.server()?.faults().http(script, fault)?;
    let page = site.page().await?;
    page.open("c", config.clone()).await?;
    // As `OneSocket` of the npm package is.
    config["account"] = json!("once");
    config["give_up_attempts"] = json!(1);
    config["queue_messages"] = json!(0);
    page.open("once", config).await?;
    wait_for_tier(&page, "main").await?;
    site.wait_for_sockets(2).await?;
    let before = site.server()?.stats().total.sockets_ever;
    site.server()?.faults().clear();
    sleep(Duration::from_secs(3)).await;
    ensure!(page.wait_for_tier().await?.0 == "main");
    ensure!(site.server()?.stats().total.sockets_ever == before);
    page.call("disconnect", &[json!("once")]).await?;
    wait_for_tier(&page, "shared").await?;
    page.send_ok("above").await
}
