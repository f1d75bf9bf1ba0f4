//! Tabs of two deploys side by side: real builds of different protocol versions, served one after the other from the same address.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{
    Context, Scenario, Tier,
    site::{Page, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a_tab_of_a_newer_build_shares_the_worker_of_an_older_one",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(new_tab(ctx)),
        },
        Scenario {
            name: "a_tab_of_an_older_build_shares_the_worker_of_a_newer_one",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(old_tab(ctx)),
        },
        Scenario {
            name: "a_build_without_a_common_version_has_a_worker_of_its_own",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(own_worker(ctx)),
        },
        Scenario {
            name: "a_build_without_a_common_version_does_not_follow_the_leader",
            tiers: &[Tier::Dedicated],
            run: |ctx| Box::pin(follows_nobody(ctx)),
        },
        Scenario {
            name: "a_tab_that_no_worker_speaks_with_any_more_goes_on_without_one",
            tiers: &[],
            run: |ctx| Box::pin(no_worker(ctx)),
        },
    ]
}

/// Speaks the present version of the protocol and one more.
const NEXT: &str = "tests-next";
/// Speaks that one and no other.
const NEXT_ONLY: &str = "tests-next-only";

async fn new_tab(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let old = site.client_with(of_build(&site, 1)).await?;
    site.wait_for_sockets(1).await?;
    site.deploy(NEXT).await?;
    let new = site.client_with(of_build(&site, 2)).await?;
    check_shared(&site, &old, &new).await?;
    check_version(&new, 1).await
}

async fn old_tab(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let old = site.page().await?;
    site.deploy(NEXT).await?;
    let new = site.client_with(of_build(&site, 2)).await?;
    new.wait_for_state("connected").await?;
    old.open("c", of_build(&site, 1)).await?;
    check_shared(&site, &old, &new).await?;
    check_version(&new, 2).await
}

/// Both work, on one worker and one socket, and the old one alone hears of the new one.
async fn check_shared(site: &Site<'_>, old: &Page, new: &Page) -> Result<()> {
    for page in [old, new] {
        page.wait_for_state("connected").await?;
    }
    old.wait_for_status("two tabs", |status| status["tabs"] == 2)
        .await?;
    site.wait_for_sockets(1).await?;
    old.send_ok("from old").await?;
    new.wait_for_messages("c", 1).await?;
    new.send_ok("from new").await?;
    for page in [old, new] {
        let heard = page.wait_for_messages("c", 2).await?;
        ensure!(heard == ["from old", "from new"], "{heard:?}");
    }
    check_version(old, 1).await?;
    check_update(old, json!(2)).await?;
    check_no_update(new).await
}

async fn own_worker(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let old = site.client_with(of_build(&site, 1)).await?;
    site.wait_for_sockets(1).await?;
    site.deploy(NEXT_ONLY).await?;
    let new = site.client_with(of_build(&site, 2)).await?;
    check_alone(&old, "from old").await?;
    check_alone(&new, "from new").await?;
    site.wait_for_sockets(2).await?;
    check_version(&old, 1).await?;
    check_version(&new, 2).await?;
    check_update(&old, json!(2)).await?;
    check_no_update(&new).await?;
    let (tier, ladder) = new.wait_for_tier().await?;
    let attempts = outcomes(&ladder);
    ensure!(
        tier == "shared"
            && matches!(&attempts[..], [refused, running]
                if refused.starts_with("shared Failed(VersionMismatch") && running == "shared Running"),
        "{tier}: {attempts:?}"
    );

    // All tabs of the new build meet there, and those that come later do not even ask elsewhere: they keep the old worker alive
    // no longer than its own tabs do.
    old.tab.close().await?;
    site.wait_for_sockets(1).await?;
    let newer = site.client_with(of_build(&site, 2)).await?;
    check_joined(&newer).await?;
    newer.send_ok("again").await?;
    new.wait_for_messages("c", 2).await?;

    // Now nobody is left who has asked there, and the first name is free.
    new.tab.close().await?;
    newer
        .wait_for_status("one tab", |status| status["tabs"] == 1)
        .await?;
    check_joined(&site.client_with(of_build(&site, 2)).await?).await?;
    site.wait_for_sockets(1).await
}

async fn follows_nobody(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let old = site.client_with(of_build(&site, 1)).await?;
    site.wait_for_sockets(1).await?;
    site.deploy(NEXT_ONLY).await?;
    let new = site.client_with(of_build(&site, 2)).await?;
    check_alone(&old, "from old").await?;
    check_alone(&new, "from new").await?;
    site.wait_for_sockets(2).await?;
    check_version(&old, 1).await?;
    check_version(&new, 2).await?;
    check_update(&old, json!(2)).await?;
    check_no_update(&new).await?;
    for (page, role) in [
        (&old, "leader"),
        (&new, "alone: the leader is of another version"),
    ] {
        let (tier, ladder) = page.wait_for_tier().await?;
        ensure!(tier == "dedicated" && ladder["role"] == role, "{ladder}");
    }
    Ok(())
}

/// It is the second tab of a worker, to which it went at once.
async fn check_joined(page: &Page) -> Result<()> {
    page.wait_for_status("two tabs", |status| status["tabs"] == 2)
        .await?;
    let (_, ladder) = page.wait_for_tier().await?;
    let attempts = outcomes(&ladder);
    ensure!(attempts == ["shared Running"], "{attempts:?}");
    Ok(())
}

async fn no_worker(ctx: &Context) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    let old = site.page().await?;
    site.deploy(NEXT_ONLY).await?;
    let new = site.client_with(of_build(&site, 2)).await?;
    new.wait_for_state("connected").await?;
    old.open("c", of_build(&site, 1)).await?;
    check_alone(&old, "from old").await?;
    check_alone(&new, "from new").await?;
    site.wait_for_sockets(2).await?;
    check_update(&old, json!(null)).await?;
    check_no_update(&new).await?;
    let (tier, ladder) = old.wait_for_tier().await?;
    let attempts = outcomes(&ladder);
    let is_refused = |attempt: &String| attempt.contains("Failed(VersionMismatch");
    ensure!(
        tier == "main" && attempts.len() == 4 && attempts[..3].iter().all(is_refused),
        "{tier}: {attempts:?}"
    );
    Ok(())
}

/// Nobody else hears what it sends, and it hears nobody else.
async fn check_alone(page: &Page, text: &str) -> Result<()> {
    page.wait_for_state("connected").await?;
    page.send_ok(text).await?;
    let heard = page.wait_for_messages("c", 1).await?;
    ensure!(heard == [text], "{heard:?}");
    Ok(())
}

async fn check_update(page: &Page, build: Value) -> Result<()> {
    let is_update = |event: &Value| event["type"] == "update";
    page.wait_for_event("an update", 0, is_update).await?;
    let updates = updates(page).await?;
    ensure!(updates == [build], "{updates:?}");
    Ok(())
}

async fn check_no_update(page: &Page) -> Result<()> {
    let updates = updates(page).await?;
    ensure!(updates.is_empty(), "{updates:?}");
    Ok(())
}

async fn updates(page: &Page) -> Result<Vec<Value>> {
    let events = page.events("c").await?;
    let updates = events.iter().filter(|event| event["type"] == "update");
    Ok(updates.map(|event| event["build"].clone()).collect())
}

/// The version of the messages between the tab and its worker, by what the tab has logged.
async fn check_version(page: &Page, version: u16) -> Result<()> {
    let log = page.tab.page_log().await?;
    let welcomes: Vec<_> = log
        .iter()
        .filter(|line| line.contains("welcomed"))
        .collect();
    let spoken = format!("version = v{version};");
    ensure!(
        !welcomes.is_empty() && welcomes.iter().all(|line| line.contains(&spoken)),
        "{welcomes:?}"
    );
    Ok(())
}

fn outcomes(ladder: &Value) -> Vec<String> {
    let attempts = ladder["attempts"].as_array().into_iter().flatten();
    let outcome = |attempt: &Value| {
        let text = |field: &str| attempt[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("tier"), text("outcome"))
    };
    let attempts = attempts.map(outcome);
    attempts.filter(|text| !text.contains("Skipped")).collect()
}

fn of_build(site: &Site<'_>, build: u64) -> Value {
    let mut config = site.config("/echo");
    config["worker"]["build"] = json!(build);
    config["worker"]["debug"] = json!("messages");
    config
}
