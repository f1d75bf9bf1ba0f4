//! Messages of every size and kind, at every pace, to clients that hear of them in every way and come and go: each must hear
//! them as they were, in order, without a gap.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use onesocket_server::{InjectedFrame, Selection, feed_frame};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Context, Scenario, Tier,
    sharing::told,
    site::{Page, SOON, Site},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "whatever_the_server_sends_reaches_every_client_as_it_was",
        tiers: &Tier::ALL,
        run: |ctx| Box::pin(mixture(ctx)),
    }]
}

async fn mixture(ctx: &Context) -> Result<()> {
    let seed = fastrand::u64(..);
    let mut run = Run::start(ctx, seed).await?;
    run.play().await.with_context(|| format!("seed {seed}"))
}

struct Run<'a> {
    site: Site<'a>,
    rng: Rng,
    pages: Vec<Page>,
    clients: BTreeMap<String, Hearer>,
    opened: u32,
    /// What was sent, as a page tells it.
    sent: Vec<Value>,
}

/// A client.
struct Hearer {
    page: usize,
    /// How many messages were sent before it was connected.
    sent_before: usize,
    /// Where what it has heard begins in what was sent.
    start: Option<usize>,
    heard: usize,
}

impl<'a> Run<'a> {
    async fn start(ctx: &'a Context, seed: u64) -> Result<Self> {
        let mut run = Self {
            site: Site::start(ctx).await?,
            rng: Rng::with_seed(seed),
            pages: Vec::new(),
            clients: BTreeMap::new(),
            opened: 0,
            sent: Vec::new(),
        };
        for page in 0..PAGES {
            run.pages.push(run.site.page().await?);
            run.open(page).await?;
        }
        Ok(run)
    }

    async fn play(&mut self) -> Result<()> {
        for _ in 0..STEPS {
            match self.rng.u32(0..10) {
                0 | 1 => {
                    let page = self.rng.usize(0..PAGES);
                    self.open(page).await?;
                }
                2 => self.close().await?,
                _ => self.send()?,
            }
            if self.rng.bool() {
                self.settle().await?;
            } else {
                sleep(Duration::from_millis(self.rng.u64(0..40))).await;
            }
        }
        self.settle().await
    }

    /// Opens one more client, and waits until it is connected.
    async fn open(&mut self, page: usize) -> Result<()> {
        self.opened += 1;
        let name = format!("client{}", self.opened);
        let mut config = self.site.config("/echo");
        config["hears"] = json!(self.rng.choice(WAYS));
        config["replay_last"] = json!(self.rng.bool().then_some(3));
        let shown = &self.pages[page];
        shown.open(&name, config).await?;
        let connected = "return JSON.parse(api.status(arguments[0])).state === 'connected'";
        let until = Instant::now() + SOON;
        while shown.tab.eval(connected, vec![json!(name)]).await? != true {
            ensure!(Instant::now() < until, "{name} does not connect");
            sleep(Duration::from_millis(5)).await;
        }
        let hearer = Hearer {
            page,
            sent_before: self.sent.len(),
            start: None,
            heard: 0,
        };
        self.clients.insert(name, hearer);
        Ok(())
    }

    /// Drops a client, but not the last one of its page, whose socket may be its own.
    async fn close(&mut self) -> Result<()> {
        let page = self.rng.usize(0..PAGES);
        let here = self.clients.iter().filter(|(_, it)| it.page == page);
        let here: Vec<_> = here.map(|(name, _)| name.clone()).collect();
        if let [_, .., last] = &here[..] {
            self.hear(last).await?;
            self.pages[page].call("drop_client", &[json!(last)]).await?;
            self.clients.remove(last);
        }
        Ok(())
    }

    /// Sends some messages at once, of one size or of many.
    fn send(&mut self) -> Result<()> {
        let sizes = self.rng.choice(SIZES).unwrap_or(&[8]);
        let mut left = self.rng.choice([1, 2, 30, 300]).unwrap_or(1);
        let mut bytes = 0;
        while left > 0 && bytes < BURST_BYTES {
            left -= 1;
            let number = self.sent.len() as u64;
            let size = self.rng.choice(sizes).copied().unwrap_or(8);
            bytes += size;
            let frame = if self.rng.u32(0..10) == 0 {
                let text = format!("{number} {}", "ä€".repeat(size / 5));
                self.sent.push(json!(text));
                InjectedFrame::Text(text)
            } else {
                let frame = feed_frame(number, size);
                self.sent.push(told(&frame, number));
                InjectedFrame::Binary(frame)
            };
            let sockets = self.site.server()?.faults().inject(Selection::All, frame);
            let expected = self.site.sockets_for(PAGES as u64);
            ensure!(sockets as u64 == expected, "{sockets} sockets");
        }
        Ok(())
    }

    /// Waits until every client has heard what was sent since it was connected.
    async fn settle(&mut self) -> Result<()> {
        let names: Vec<_> = self.clients.keys().cloned().collect();
        for name in names {
            let until = Instant::now() + SOON;
            while !self.hear(&name).await? {
                ensure!(Instant::now() < until, "{name} does not hear all");
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    /// Checks what a client has heard since the last time; returns whether that is all.
    async fn hear(&mut self, name: &str) -> Result<bool> {
        let client = self.clients.get_mut(name).context("no such client")?;
        for event in self.pages[client.page].take_events(name).await? {
            let content = match event["type"].as_str() {
                Some("message" | "replayed") => &event["content"],
                Some("connected" | "status") => continue,
                _ => bail!("{name} was told {event}"),
            };
            let find = || self.sent.iter().position(|sent| sent == content);
            let start = client.start.or_else(find);
            let start = start.with_context(|| format!("{name} has heard {content} first"))?;
            client.start = Some(start);
            let sent = self.sent.get(start + client.heard);
            ensure!(
                sent == Some(content),
                "{name} has heard {content} where {sent:?} was sent"
            );
            client.heard += 1;
        }
        let missed = client.start.is_some_and(|start| start > client.sent_before);
        ensure!(
            !missed,
            "{name} has missed what was sent when it was connected"
        );
        let end = client
            .start
            .map_or(client.sent_before, |start| start + client.heard);
        Ok(end == self.sent.len())
    }
}

const PAGES: usize = 3;
const STEPS: u32 = 30;

const WAYS: [&str; 4] = ["stream", "answers", "listener", "both"];

/// On both sides of the size from which on a message is large.
const SIZES: [&[usize]; 6] = [
    &[8, 200],
    &[16 * 1024 - 1, 16 * 1024],
    &[8, 16 * 1024, 70_000],
    &[200, 1_000, 5_000, 20_000],
    &[300_000],
    &[8, 1_500_000],
];

/// Far less than may wait for a tab.
const BURST_BYTES: usize = 3 * 1024 * 1024;
