//! Pages whose browser has no Web Locks: nobody is told of an end but by who ends.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    healing::{Fault, config, epoch, inject, start, wait_for_epoch_after},
    leader::check_arrivals,
    site::{Page, Site},
    together::{self, Ended},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "without_web_locks_a_tab_that_sends_still_leaves_a_worker_that_hangs",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(hangs_without_locks(ctx)),
        },
        Scenario {
            name: "without_web_locks_a_tab_that_is_closed_is_forgotten",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(gone_without_locks(ctx)),
        },
    ]
}

async fn two_pages(site: &Site<'_>, config: Value) -> Result<[Page; 2]> {
    let pages = [
        site.page_with("?break=no-locks").await?,
        site.page_with("?break=no-locks").await?,
    ];
    for page in &pages {
        page.open("c", config.clone()).await?;
        page.wait_for_state("connected").await?;
    }
    Ok(pages)
}

/// Nothing can be announced and nobody be fenced off. The count alone brings the tabs together.
async fn hangs_without_locks(ctx: &Context) -> Result<()> {
    let site = start(ctx).await?;
    let mut config = config(&site);
    config["url"] = json!("/ledger");
    let pages = two_pages(&site, config).await?;
    let old = epoch(&pages[0]).await?.context("a run")?;
    inject(&pages[0], Fault::Hang(Duration::from_secs(8))).await?;
    // Who has had something else on its way (that it is seen again) has not given the send to that worker, and may be sure.
    let texts = ["0:0", "1:0"];
    let sends = pages
        .iter()
        .zip(texts)
        .map(|(page, text)| (page, "send", vec![json!("c"), json!(text)]));
    let sends = together::start(sends.collect()).await?;
    let mut outcomes = BTreeMap::new();
    for (text, Ended { answer, .. }) in texts.into_iter().zip(together::finish(sends).await?) {
        let outcome = answer.as_str().unwrap_or_default();
        outcomes.insert(text.to_owned(), outcome.to_owned());
    }
    let new = wait_for_epoch_after(&pages[0], &old).await?;
    ensure!(
        wait_for_epoch_after(&pages[1], &old).await? == new,
        "two successors"
    );
    for (page, text) in pages.iter().zip(["0:1", "1:1"]) {
        ensure!(page.wait_for_tier().await?.0 == "shared");
        page.send_ok(text).await?;
        outcomes.insert(text.to_owned(), "sent".to_owned());
    }
    // When it wakes up, it sends what it was given, finds the goodbyes, and lets go of its socket.
    site.wait_for_sockets(1).await?;
    check_arrivals(&site, &outcomes).await
}

/// Nothing but its goodbye tells of it.
async fn gone_without_locks(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let [stays, goes] = two_pages(&site, site.config("/echo")).await?;
    stays
        .wait_for_status("both tabs", |status| status["tabs"] == 2)
        .await?;
    goes.tab.close().await?;
    stays
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    stays.send_ok("still here").await
}
