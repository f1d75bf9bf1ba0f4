//! The real server and real pages, as a scenario uses them.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_server::{ChatState, Ledger, LedgerEntry, RunningServer, Server};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Context, Tier};
use crate::browser::{Browser, Tab};

/// How long a scenario waits for something that takes no time when nothing is wrong.
pub(super) const SOON: Duration = Duration::from_secs(20);

/// The deadline of a heartbeat that must find a dead socket, and take none for dead that a machine under load is slow with: that would be
/// replaced, and what was sent into it lost.
pub(super) const PATIENCE_MS: u32 = 3_000;

/// The server with the built test page.
#[derive(Debug)]
pub(super) struct Site<'a> {
    ctx: &'a Context,
    addr: SocketAddr,
    chat: ChatState,
    ledger: Ledger,
    tls: bool,
    /// What is served.
    dist: PathBuf,
    server: Option<RunningServer>,
}

impl<'a> Site<'a> {
    pub(super) async fn start(ctx: &'a Context) -> Result<Self> {
        Self::start_with(ctx, false).await
    }

    pub(super) async fn start_with(ctx: &'a Context, tls: bool) -> Result<Self> {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut site = Self {
            ctx,
            addr,
            chat: ChatState::new(),
            ledger: Ledger::new(),
            tls,
            dist: ctx.dist.clone(),
            server: None,
        };
        site.restart().await?;
        Ok(site)
    }

    /// Starts the server, on the port it had.
    pub(super) async fn restart(&mut self) -> Result<()> {
        let server = Server::builder()
            .addr(self.addr)
            .static_dir(&self.dist)
            .chat(self.chat.clone())
            .ledger(self.ledger.clone())
            .tls(self.tls)
            .start()
            .await?;
        self.addr = server.addr();
        self.server = Some(server);
        Ok(())
    }

    /// Serves another build of page and worker from the same addresses, as after a deploy. The server restarts for it.
    pub(super) async fn deploy(&mut self, build: &str) -> Result<()> {
        let dist = self.ctx.dist.with_file_name(build);
        ensure!(
            dist.is_dir(),
            "{} is not built: `cargo xtask build --dev` does it",
            dist.display()
        );
        self.dist = dist;
        self.stop().await;
        self.restart().await
    }

    /// Stops the server: the sockets are cut off, the port is closed.
    pub(super) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    pub(super) fn server(&self) -> Result<&RunningServer> {
        self.server.as_ref().context("the server is stopped")
    }

    /// The browser of the scenario.
    pub(super) fn browser(&self) -> &'a Browser {
        &self.ctx.browser
    }

    /// What the sockets of `/ledger` have received, restarts or not.
    pub(super) fn ledger(&self) -> Vec<LedgerEntry> {
        self.ledger.entries()
    }

    pub(super) fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.addr)
    }

    /// Opens a page and waits until its wasm runs.
    pub(super) async fn page(&self) -> Result<Page> {
        self.page_with("").await
    }

    pub(super) async fn page_with(&self, query: &str) -> Result<Page> {
        let tab = self
            .ctx
            .browser
            .open_tab(&self.url(&format!("/{query}")))
            .await?;
        let page = Page { tab };
        page.wait_until_ready().await?;
        Ok(page)
    }

    /// Opens a page with a client `c` on a path, in the scenario's tier.
    pub(super) async fn client(&self, path: &str) -> Result<Page> {
        self.client_with(self.config(path)).await
    }

    pub(super) async fn client_with(&self, config: Value) -> Result<Page> {
        let page = self.page().await?;
        page.open("c", config).await?;
        Ok(page)
    }

    /// The configuration of a client with short waits, in the scenario's tier.
    pub(super) fn config(&self, path: &str) -> Value {
        json!({
            "url": path, "base_ms": 200, "cap_ms": 400, "linger_ms": 300,
            "worker": { "tier": self.ctx.tier.map(Tier::name), "hello_timeout_ms": 20_000 },
        })
    }

    pub(super) fn sockets_open(&self) -> Result<u64> {
        Ok(self.server()?.stats().total.sockets_open)
    }

    pub(super) async fn wait_for_sockets(&self, count: u64) -> Result<()> {
        let until = Instant::now() + SOON;
        loop {
            let open = self.sockets_open()?;
            if open == count {
                return Ok(());
            }
            ensure!(
                Instant::now() < until,
                "{open} sockets are open, not {count}"
            );
            sleep(POLL).await;
        }
    }

    /// Waits until the server has got as many frames, and returns how many it has by then: a send that has ended as sent may
    /// still be on its way.
    pub(super) async fn wait_for_frames(&self, least: u64) -> Result<u64> {
        let until = Instant::now() + SOON;
        loop {
            let frames = self.server()?.stats().total.frames_in;
            if frames >= least {
                return Ok(frames);
            }
            ensure!(
                Instant::now() < until,
                "the server got {frames} frames, not {least}"
            );
            sleep(POLL).await;
        }
    }

    /// How many sockets `tabs` tabs need in the scenario's tier.
    pub(super) fn sockets_for(&self, tabs: u64) -> u64 {
        match self.ctx.tier {
            Some(Tier::Shared | Tier::Dedicated) => 1,
            Some(Tier::Main) | None => tabs,
        }
    }
}

/// A tab with the test page in it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tab: Tab,
}

impl Page {
    /// Waits until the wasm of a page that was just loaded runs.
    pub(super) async fn wait_until_ready(&self) -> Result<()> {
        let ready = "return document.querySelector('#ready')?.textContent === 'ready'";
        self.tab.wait_for(ready, SOON).await?;
        Ok(())
    }

    /// Calls a function of the page's API; a `Promise` is awaited.
    pub(super) async fn call(&self, function: &str, args: &[Value]) -> Result<Value> {
        let script = format!("return await api.{function}(...arguments)");
        let answer = self.tab.eval_async(&script, args.to_vec()).await;
        answer.with_context(|| format!("{function}{args:?}"))
    }

    async fn call_json(&self, function: &str, args: &[Value]) -> Result<Value> {
        let answer = self.call(function, args).await?;
        Ok(serde_json::from_str(answer.as_str().unwrap_or_default())?)
    }

    pub(super) async fn open(&self, name: &str, config: Value) -> Result<()> {
        self.call("open", &[json!(name), json!(config.to_string())])
            .await?;
        Ok(())
    }

    /// Opens a client that must be refused; returns the words of the error.
    pub(super) async fn open_refused(&self, config: Value) -> Result<String> {
        match self
            .call("open", &[json!("refused"), json!(config.to_string())])
            .await
        {
            Ok(_) => bail!("the client was built"),
            Err(error) => Ok(format!("{error:#}")),
        }
    }

    /// Sends text; returns how it ended.
    pub(super) async fn send(&self, text: &str) -> Result<String> {
        let outcome = self.call("send", &[json!("c"), json!(text)]).await?;
        Ok(outcome.as_str().unwrap_or_default().to_owned())
    }

    pub(super) async fn send_ok(&self, text: &str) -> Result<()> {
        let outcome = self.send(text).await?;
        ensure!(outcome == "sent", "{text:?}: {outcome}");
        Ok(())
    }

    pub(super) async fn send_many(&self, prefix: &str, count: u32) -> Result<()> {
        self.call("send_many", &[json!("c"), json!(prefix), json!(count)])
            .await?;
        Ok(())
    }

    pub(super) async fn events(&self, name: &str) -> Result<Vec<Value>> {
        match self.call_json("events", &[json!(name)]).await? {
            Value::Array(events) => Ok(events),
            other => bail!("no list of events: {other}"),
        }
    }

    /// As [`events`](Self::events), of which the page forgets those that it has told.
    pub(super) async fn take_events(&self, name: &str) -> Result<Vec<Value>> {
        match self.call_json("take_events", &[json!(name)]).await? {
            Value::Array(events) => Ok(events),
            other => bail!("no list of events: {other}"),
        }
    }

    /// The contents of the messages heard, in order.
    pub(super) async fn messages(&self, name: &str) -> Result<Vec<Value>> {
        let events = self.events(name).await?;
        let messages = events
            .into_iter()
            .filter(|event| event["type"] == "message");
        Ok(messages.map(|mut event| event["content"].take()).collect())
    }

    /// Waits until so many messages were heard, and returns all.
    pub(super) async fn wait_for_messages(&self, name: &str, count: usize) -> Result<Vec<Value>> {
        let until = Instant::now() + SOON;
        loop {
            let messages = self.messages(name).await?;
            if messages.len() >= count {
                return Ok(messages);
            }
            if Instant::now() > until {
                bail!(
                    "{} messages, not {count}\n{}",
                    messages.len(),
                    self.story(name).await?
                );
            }
            sleep(POLL).await;
        }
    }

    /// Waits for an event of `c` after the first `skip`; returns it.
    pub(super) async fn wait_for_event(
        &self,
        what: &str,
        skip: usize,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let until = Instant::now() + SOON;
        loop {
            let found = self.events("c").await?.into_iter().skip(skip).find(&is_it);
            if let Some(event) = found {
                return Ok(event);
            }
            if Instant::now() > until {
                bail!("no event: {what}\n{}", self.story("c").await?);
            }
            sleep(POLL).await;
        }
    }

    /// Waits until the client's cached state is this.
    pub(super) async fn wait_for_state(&self, state: &str) -> Result<Value> {
        let until = Instant::now() + SOON;
        loop {
            let status = self.status().await?;
            if status["state"] == state {
                return Ok(status);
            }
            if Instant::now() > until {
                bail!(
                    "the state is {status}, not {state}\n{}",
                    self.story("c").await?
                );
            }
            sleep(POLL).await;
        }
    }

    pub(super) async fn status(&self) -> Result<Value> {
        self.call_json("status", &[json!("c")]).await
    }

    /// Waits until a fresh status says so.
    pub(super) async fn wait_for_status(
        &self,
        what: &str,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let until = Instant::now() + SOON;
        loop {
            self.call("refresh_status", &[json!("c")]).await?;
            sleep(POLL).await;
            let status = self.status().await?;
            if is_it(&status) {
                return Ok(status);
            }
            ensure!(Instant::now() < until, "no status: {what}, but {status}");
        }
    }

    pub(super) async fn ladder(&self) -> Result<Value> {
        self.call_json("ladder", &[json!("c")]).await
    }

    /// Waits for a tier to run; returns its name and the ladder.
    pub(super) async fn wait_for_tier(&self) -> Result<(String, Value)> {
        let until = Instant::now() + SOON;
        loop {
            let tier = self.call("tier", &[json!("c")]).await?;
            if let Some(tier) = tier.as_str() {
                return Ok((tier.to_owned(), self.ladder().await?));
            }
            if Instant::now() > until {
                bail!("no tier runs: {}", self.ladder().await?["text"]);
            }
            sleep(POLL).await;
        }
    }

    /// What happened, for a failure's report.
    async fn story(&self, name: &str) -> Result<String> {
        let events = self.events(name).await?;
        let last = &events[events.len().saturating_sub(12)..];
        let lines: Vec<String> = last.iter().map(|event| format!("  {event:.300}")).collect();
        let log = self.tab.page_log().await?;
        Ok(format!(
            "the last of {} events:\n{}\nthe page's log:\n  {}",
            events.len(),
            lines.join("\n"),
            log[log.len().saturating_sub(15)..].join("\n  ")
        ))
    }
}

pub(super) const POLL: Duration = Duration::from_millis(25);
