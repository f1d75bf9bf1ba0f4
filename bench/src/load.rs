//! What a page is made to do, and what is measured while it does.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_bench_page::{FrameTally, QuoteTally, SAMPLED};
use onesocket_tests::browser::{Browser, Engine, Tab};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    contender::Contender,
    figure::Figure,
    inspection::Inspection,
    plan::Plan,
    server::{PING_INTERVAL, Server},
};

/// One thing that a fresh page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Flood,
    Steady,
    Echo,
    Pings,
    Upstream,
    Large64K,
    Large8M,
    Tabs,
    /// A flood, echoes and sends while the browser's developer tools watch the page's network.
    Inspected,
    /// JSON, which the page reads.
    Json,
    /// The same, which an app's own worker reads, and gives to the page as postcard.
    Transcoded,
}

impl Load {
    pub(crate) const ALL: [Self; 11] = [
        Self::Flood,
        Self::Steady,
        Self::Echo,
        Self::Pings,
        Self::Upstream,
        Self::Large64K,
        Self::Large8M,
        Self::Tabs,
        Self::Inspected,
        Self::Json,
        Self::Transcoded,
    ];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Steady => "steady",
            Self::Echo => "echo",
            Self::Pings => "pings",
            Self::Upstream => "upstream",
            Self::Large64K => "large-64k",
            Self::Large8M => "large-8m",
            Self::Tabs => "tabs",
            Self::Inspected => "inspected",
            Self::Json => "json",
            Self::Transcoded => "transcoded",
        }
    }

    /// Whether it is measured without being asked for. Two ways of one's own are compared by whoever wonders which to take.
    pub(crate) fn is_usual(self) -> bool {
        !matches!(self, Self::Json | Self::Transcoded)
    }

    /// Whether it is measured in an engine: only Chromium's driver says where its developer tools listen.
    pub(crate) fn is_in(self, engine: Engine) -> bool {
        self != Self::Inspected || engine == Engine::Chromium
    }

    /// Whether a contender takes part.
    pub(crate) fn is_for(self, contender: Contender) -> bool {
        match self {
            // Of the further peers one shares a socket.
            Self::Tabs => !contender.is_extra() || contender == Contender::TabElection,
            Self::Inspected => !contender.is_extra(),
            Self::Json => matches!(contender, Contender::Raw | Contender::Tier(_)),
            Self::Transcoded => matches!(contender, Contender::Tier(_)),
            _ => true,
        }
    }
}

/// A page that is loaded, and what it is to do.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) browser: &'a Browser,
    pub(crate) tab: &'a Tab,
    pub(crate) server: &'a Server,
    pub(crate) plan: &'a Plan,
    pub(crate) contender: Contender,
}

/// What a page says of what it has received.
#[derive(Debug, Deserialize)]
struct Received {
    ms: f64,
    count: u64,
    misplaced: u64,
    sum: f64,
    /// When each quote of [`SAMPLED`] came.
    seen: Vec<f64>,
}

type Samples = Vec<(Figure, f64)>;

impl Bench<'_> {
    pub(crate) async fn run(&self, load: Load) -> Result<Samples> {
        match load {
            Load::Flood => self.flood().await,
            Load::Steady => self.steady().await,
            Load::Echo => self.echo().await,
            Load::Pings => self.pings().await,
            Load::Upstream => self.upstream().await,
            Load::Large64K => {
                let count = self.plan.frames_64k;
                self.large(count, 64 * 1024, Figure::Large64K).await
            }
            Load::Tabs => bail!("not a load of one page"),
            Load::Inspected => self.inspected().await,
            Load::Json => self.tickers(load, Figure::JsonRate, Figure::JsonMain).await,
            Load::Transcoded => {
                self.tickers(load, Figure::TranscodedRate, Figure::TranscodedMain)
                    .await
            }
            Load::Large8M => {
                let count = self.plan.frames_8m;
                self.large(count, 8 * 1024 * 1024, Figure::Large8M).await
            }
        }
    }

    async fn flood(&self) -> Result<Samples> {
        let count = self.plan.messages_of(self.contender);
        let flood = format!("/flood?count={count}");
        self.connect("quotes", &flood).await?;
        // The frames are not watched where the main thread is: it would be busy with that.
        if self.browser.engine() == Engine::Chromium {
            let before = self.busy_ms().await?;
            let received = self.receive_quotes(count).await?;
            let main = self.busy_ms().await? - before;
            return Ok(vec![
                (Figure::FloodRate, per_second(count, received.ms)),
                (Figure::FloodMain, per_100_000(count, main)),
            ]);
        }
        self.watch_frames().await?;
        let received = self.receive_quotes(count).await?;
        let gaps = self.frame_gaps().await?;
        let longest = gaps.into_iter().fold(0.0, f64::max);
        let mut samples = vec![
            (Figure::FloodRate, per_second(count, received.ms)),
            (Figure::FloodGap, longest),
        ];
        // A first one is over before all code is compiled.
        if self.plan.has_time() && !self.contender.is_extra() {
            // Of another URL: the library would share the socket of the first one.
            self.connect("quotes", &format!("{flood}&again")).await?;
            let again = self.receive_quotes(count).await?;
            samples.push((Figure::FloodAgain, per_second(count, again.ms)));
        }
        Ok(samples)
    }

    async fn tickers(&self, load: Load, rate: Figure, main: Figure) -> Result<Samples> {
        let count = self.plan.messages_of(self.contender);
        self.connect(load.name(), &format!("/tickers?count={count}"))
            .await?;
        let before = self.busy_ms_if_told().await?;
        let received = self.receive(count).await?;
        let after = self.busy_ms_if_told().await?;
        let expected = QuoteTally::expected_tickers(count.into());
        received.check(expected.count, expected.sum)?;
        let mut samples = vec![(rate, per_second(count, received.ms))];
        if let Some((before, after)) = before.zip(after) {
            samples.push((main, per_100_000(count, after - before)));
        }
        Ok(samples)
    }

    async fn steady(&self) -> Result<Samples> {
        let Plan {
            rate, steady, idle, ..
        } = self.plan;
        let count = (f64::from(*rate) * steady.as_secs_f64()) as u32;
        let path = format!("/steady?count={count}&rate={rate}");
        self.connect("quotes", &path).await?;
        let mut samples = Vec::new();
        self.watch_frames().await?;
        let busy_when_idle = match self.browser.engine() {
            Engine::Chromium => {
                let before = self.busy_ms().await?;
                sleep(*idle).await;
                (self.busy_ms().await? - before) / idle.as_secs_f64()
            }
            Engine::Firefox | Engine::WebKit => 0.0,
        };
        self.frame_gaps().await?;
        self.watch_frames().await?;
        let before = self.busy_ms_if_told().await?;
        let received = self.receive_quotes(count).await?;
        let after = self.busy_ms_if_told().await?;
        if let Some((before, after)) = before.zip(after) {
            let main = (after - before) / (received.ms / 1000.0) - busy_when_idle;
            samples.push((Figure::SteadyMain, main));
        }
        let ages = ages(&received.seen, *rate);
        let age = percentile(&ages, 0.99).context("no quotes")?;
        samples.push((Figure::SteadyAge, age));
        let mut gaps = self.frame_gaps().await?;
        gaps.sort_by(f64::total_cmp);
        let p99 = percentile(&gaps, 0.99).context("no frames")?;
        samples.push((Figure::SteadyGap, p99 / FRAME_MS));
        Ok(samples)
    }

    async fn inspected(&self) -> Result<Samples> {
        let _inspection = Inspection::of(self.tab).await?;
        // It may take ten times as long.
        let count = self.plan.messages / 5;
        self.connect("quotes", &format!("/flood?count={count}"))
            .await?;
        let flood = self.receive_quotes(count).await?;
        self.connect("quotes", &format!("/collect?count={count}"))
            .await?;
        let upstream = self.send(count).await?;
        Ok(vec![
            (Figure::InspectedFlood, per_second(count, flood.ms)),
            (Figure::InspectedUpstream, per_second(count, upstream)),
            (Figure::InspectedEcho, self.echo_p50().await?),
        ])
    }

    async fn echo(&self) -> Result<Samples> {
        Ok(vec![(Figure::Echo, self.echo_p50().await?)])
    }

    async fn echo_p50(&self) -> Result<f64> {
        let (first, groups, each) = self.plan.echoes_of(self.contender);
        self.connect("frames", "/echo").await?;
        self.echoes(first, each).await?;
        let mut times = self.echoes(groups, each).await?;
        times.sort_by(f64::total_cmp);
        let p50 = percentile(&times, 0.5).context("no echoes")?;
        Ok(p50 / f64::from(each))
    }

    async fn echoes(&self, groups: u32, each: u32) -> Result<Vec<f64>> {
        let script = "return Array.from(await path.echo(...arguments))";
        let times = self.call(script, vec![json!(groups), json!(each)]).await?;
        Ok(serde_json::from_value(times)?)
    }

    async fn pings(&self) -> Result<Samples> {
        let count = self.plan.pings;
        self.connect("pings", &format!("/pings?count={count}"))
            .await?;
        let script = "await path.answer(); block(arguments[0])";
        let all = PING_INTERVAL * count;
        self.call(script, vec![json!(BLOCKED.as_millis() as u64)])
            .await?;
        sleep(all).await;
        let mut late = self.server.answers(count as usize, PATIENCE).await?;
        late.sort_by(f64::total_cmp);
        let p99 = percentile(&late, 0.99).context("no pings")?;
        Ok(vec![(Figure::PingAnswer, p99)])
    }

    async fn upstream(&self) -> Result<Samples> {
        let count = self.plan.sends;
        let path = format!("/collect?count={count}");
        self.connect("quotes", &path).await?;
        let before = self.busy_ms_if_told().await?;
        let ms = self.send(count).await?;
        let after = self.busy_ms_if_told().await?;
        let mut samples = vec![(Figure::UpstreamRate, per_second(count, ms))];
        if let Some((before, after)) = before.zip(after) {
            samples.push((Figure::UpstreamMain, per_100_000(count, after - before)));
        }
        Ok(samples)
    }

    /// Sends so many from the page; the time until the server's word is back, in milliseconds.
    async fn send(&self, count: u32) -> Result<f64> {
        let script = "return await path.upstream(arguments[0])";
        let ms = self.call(script, vec![json!(count)]).await?;
        ms.as_f64().context("no time")
    }

    async fn large(&self, count: u32, size: usize, figure: Figure) -> Result<Samples> {
        let path = format!("/frames?count={count}&size={size}");
        self.connect("frames", &path).await?;
        let received = self.receive(count).await?;
        let expected = FrameTally::expected(count.into(), size);
        received.check(expected.count, expected.sum)?;
        let megabytes = f64::from(count) * size as f64 / 1e6;
        Ok(vec![(figure, megabytes / (received.ms / 1000.0))])
    }

    async fn connect(&self, kind: &str, path: &str) -> Result<()> {
        let url = self.server.url(path);
        let script = "await path.connect(...arguments)";
        self.call(script, vec![json!(kind), json!(url)]).await?;
        self.settle().await
    }

    /// Waits until the browser is idle: what the end of the page before, and the start of this one and its worker, have left to do is not part
    /// of what follows. Nor is what the first questions to a page cost it.
    async fn settle(&self) -> Result<()> {
        self.busy_ms_if_told().await?;
        self.call("return 0", vec![]).await?;
        let deadline = Instant::now() + SETTLED_AT_LATEST;
        while Instant::now() < deadline {
            let before = self.browser.cpu_times();
            sleep(SETTLE).await;
            if before.until(&self.browser.cpu_times()) <= SETTLE / 10 {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn receive_quotes(&self, count: u32) -> Result<Received> {
        let received = self.receive(count).await?;
        let expected = QuoteTally::expected(count.into());
        received.check(expected.count, expected.sum)?;
        Ok(received)
    }

    async fn receive(&self, count: u32) -> Result<Received> {
        let script = "return await path.receive(arguments[0])";
        let received = self.call(script, vec![json!(count)]).await?;
        serde_json::from_value(received).context("what the page says of what it has received")
    }

    async fn watch_frames(&self) -> Result<()> {
        self.call("frames_of_page.start()", vec![]).await?;
        Ok(())
    }

    async fn frame_gaps(&self) -> Result<Vec<f64>> {
        let gaps = self.call("return frames_of_page.stop()", vec![]).await?;
        Ok(serde_json::from_value(gaps)?)
    }

    async fn busy_ms_if_told(&self) -> Result<Option<f64>> {
        match self.browser.engine() {
            Engine::Chromium => self.busy_ms().await.map(Some),
            Engine::Firefox | Engine::WebKit => Ok(None),
        }
    }

    /// How much of a processor the tasks of the page's main thread have used. By the clock of the wall they would also be charged for
    /// what other processes do meanwhile.
    async fn busy_ms(&self) -> Result<f64> {
        let own_time = json!({ "timeDomain": "threadTicks" });
        self.tab.cdp("Performance.enable", own_time).await?;
        let metrics = self.tab.cdp("Performance.getMetrics", json!({})).await?;
        let all = metrics["metrics"].as_array().context("no metrics")?;
        let busy = all.iter().find(|metric| metric["name"] == "TaskDuration");
        let seconds = busy.and_then(|metric| metric["value"].as_f64());
        Ok(seconds.context("no TaskDuration")? * 1000.0)
    }

    async fn call(&self, script: &str, args: Vec<Value>) -> Result<Value> {
        let called = self.tab.eval_async(script, args).await;
        called.with_context(|| format!("in `{script}`"))
    }
}

impl Received {
    /// Nothing may be lost, doubled, out of place or damaged.
    fn check(&self, count: u64, sum: f64) -> Result<()> {
        ensure!(
            self.count == count && self.misplaced == 0 && self.sum == sum,
            "{self:?} is not {count} messages in order with the sum {sum}"
        );
        Ok(())
    }
}

fn per_100_000(count: u32, ms: f64) -> f64 {
    ms / f64::from(count) * 100_000.0
}

fn per_second(count: u32, ms: f64) -> f64 {
    f64::from(count) / (ms / 1000.0)
}

pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// The value that a part of the sorted ones do not exceed.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[(last as f64 * part).round() as usize])
}

/// By how much each of these quotes, of which every [`SAMPLED`]th is here, was later than the soonest, by when it was due. Sorted.
fn ages(seen: &[f64], rate: u32) -> Vec<f64> {
    let between = 1000.0 * f64::from(SAMPLED) / f64::from(rate);
    let since_due = seen.iter().zip(0_u32..);
    let mut ages: Vec<_> = since_due
        .map(|(at, number)| at - f64::from(number) * between)
        .collect();
    ages.sort_by(f64::total_cmp);
    let least = ages.first().copied().unwrap_or_default();
    ages.iter_mut().for_each(|age| *age -= least);
    ages
}

/// Displays of the benchmark, headless or virtual, paint 60 times a second.
const FRAME_MS: f64 = 1000.0 / 60.0;

/// For how long the page is busy at a time while the server pings.
const BLOCKED: Duration = Duration::from_millis(200);

/// How long the last answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A browser is idle that has been busy for at most a tenth of so long.
const SETTLE: Duration = Duration::from_millis(200);

/// One that is never idle is measured all the same.
const SETTLED_AT_LATEST: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_old_as_it_comes_behind_the_soonest() {
        // Due each 5 ms at 20,000 a second. The first comes 2 ms late, the second with the third.
        let ages = ages(&[102.0, 111.0, 111.0, 116.0], 20_000);
        assert_eq!(ages, [0.0, 0.0, 1.0, 5.0]);
    }
}
