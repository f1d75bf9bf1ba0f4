//! The demo without people: six tabs per tier chat while the server is taken from under them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use onesocket_tests::{
    browser::{Browser, BrowserOptions, Engine},
    suite::Tier,
};
use tokio::{net::TcpStream, time::sleep, time::timeout};

use crate::{
    site::Site,
    table::{Cells, Report, Row},
    tabs::{Comparison, Tabs},
};

/// Runs the tiers one after the other, each with a browser and a server of its own.
pub(crate) async fn run(dist: &Path, tiers: &[Tier]) -> Result<Report> {
    let mut report = Report::default();
    for tier in tiers {
        println!("{}: six tabs", tier.name());
        let (cells, failure) = match run_tier(dist, *tier).await {
            Ok((cells, failure)) => (Some(cells), failure),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        report.rows.push(Row {
            tier: tier.name(),
            cells,
            failure,
        });
    }
    Ok(report)
}

async fn run_tier(dist: &Path, tier: Tier) -> Result<(Cells, Option<String>)> {
    let mut site = Site::start(dist, 0).await?;
    let browser = Browser::launch(Engine::Chromium, BrowserOptions::default()).await?;
    let ended = timeout(TIER_LIMIT, converse(&mut site, &browser, tier))
        .await
        .unwrap_or_else(|_| Err(anyhow!("not done within {TIER_LIMIT:?}")));
    let ended = match ended {
        Ok((cells, None)) => Ok((cells, None)),
        Ok((cells, Some(failure))) => {
            let evidence = Tabs::evidence(&browser, tier.name()).await;
            Ok((cells, Some(failure + &evidence)))
        }
        Err(error) => Err(anyhow!(
            "{error:#}{}",
            Tabs::evidence(&browser, tier.name()).await
        )),
    };
    // A browser that does not close in order is killed.
    let _ = browser.quit().await;
    site.stop().await;
    ended
}

async fn converse(
    site: &mut Site,
    browser: &Browser,
    tier: Tier,
) -> Result<(Cells, Option<String>)> {
    let url = format!("{}?room=check&tier={}", site.url(), tier.name());
    let expected_sockets = match tier {
        Tier::Shared | Tier::Dedicated => 1,
        Tier::Main => TABS as u64,
    };
    let mut tabs = Tabs::open(browser, &url, TABS).await?;
    let is_up = format!(
        "return document.getElementById('status').textContent === 'connected' \
         && document.getElementById('tier').textContent === '{}'",
        tier.name()
    );
    tabs.wait_for_each(&is_up, SOON)
        .await
        .context("connecting")?;

    println!("  chat");
    tabs.say_by_hand("by hand").await?;
    tabs.say_together("before", 6).await?;
    tabs.settle(SOON).await.context("chatting")?;
    let sockets = sockets(site, expected_sockets)
        .await
        .context("before the restart")?;

    println!("  the server goes down");
    site.stop().await;
    ensure!(
        TcpStream::connect(site.addr()).await.is_err(),
        "the server still listens"
    );
    let down_since = Instant::now();
    tabs.wait_for_each(RECONNECTING, SOON)
        .await
        .context("noticing that the server is down")?;
    tabs.say_together("meanwhile", 3).await?;
    tabs.wait_for_each(QUEUED, SOON).await.context("queueing")?;
    sleep(DOWN_AT_LEAST.saturating_sub(down_since.elapsed())).await;

    println!("  the server is up again");
    site.restart().await?;
    let up_since = Instant::now();
    tabs.wait_for_each(&is_up, RECOVERY_LIMIT)
        .await
        .context("recovering")?;
    let recovery_ms = up_since.elapsed().as_millis();
    tabs.settle(SOON).await.context("sending what was queued")?;
    tabs.say_together("after", 6).await?;
    // What is lost never comes: the comparison tells it better than a time-out.
    let _ = tabs.settle(SOON).await;
    let sockets_after = self::sockets(site, expected_sockets)
        .await
        .context("after the restart")?;
    let comparison = tabs.compare().await?;
    let failure = comparison.verdict(tabs.count_said());
    let Comparison {
        least,
        most,
        lost,
        duplicated,
        out_of_order,
        ..
    } = comparison;
    let cells = Cells {
        tabs: tabs.count(),
        sockets: sockets.max(sockets_after),
        sent: tabs.count_said(),
        received: (least, most),
        lost,
        duplicated,
        out_of_order,
        recovery_ms,
    };
    Ok((cells, failure))
}

/// What the server counts: as many open as expected, and none besides them since it started.
async fn sockets(site: &Site, expected: u64) -> Result<u64> {
    let total = site.stats().await?.total;
    ensure!(
        (total.sockets_open, total.sockets_ever) == (expected, expected),
        "the server has {} sockets open and had {} ever, not {expected}",
        total.sockets_open,
        total.sockets_ever
    );
    Ok(total.sockets_open)
}

const TABS: usize = 6;

/// Reconnecting, with the attempt and the delay.
const RECONNECTING: &str = r"
return document.getElementById('status').textContent === 'reconnecting'
  && /^attempt \d+, next try in \d+\.\d s$/.test(document.getElementById('attempt').textContent);";

/// All that was said since is shown, and not as sent.
const QUEUED: &str = "
return [...document.querySelectorAll('#log > .mine')].slice(-3)
  .every((item) => item.dataset.state === 'sending' && item.textContent.includes('meanwhile'));";

/// On a busy machine a page with its worker takes seconds.
const SOON: Duration = Duration::from_secs(20);

/// Long enough for several attempts.
const DOWN_AT_LEAST: Duration = Duration::from_secs(3);

/// The default backoff waits up to 30 s; after so short a time it is at 8 s at most.
const RECOVERY_LIMIT: Duration = Duration::from_secs(40);

const TIER_LIMIT: Duration = Duration::from_secs(180);
