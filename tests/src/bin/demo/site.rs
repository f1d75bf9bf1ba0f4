//! The server under the page: it stops and starts on the same port, and remembers what was said.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use onesocket_server::{RunningServer, Server, ServerBuilder, Stats};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A server that is up or down.
pub(crate) struct Site {
    builder: ServerBuilder,
    addr: SocketAddr,
    running: Option<RunningServer>,
}

impl Site {
    /// Starts on this port, or on the next one that is free; 0 takes any.
    pub(crate) async fn start(dist: &Path, port: u16) -> Result<Self> {
        ensure!(
            dist.join("index.html").is_file(),
            "there is no page in {}: run `cargo xtask build` first",
            dist.display()
        );
        let addr = free_addr(port)?;
        let builder = Server::builder().static_dir(dist).addr(addr);
        let running = builder.clone().start().await?;
        let addr = running.addr();
        Ok(Self {
            builder: builder.addr(addr).chat(running.chat().clone()),
            addr,
            running: Some(running),
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Closes the listener and resets every connection.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Starts again on the same port, with the same history.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        if self.running.is_none() {
            self.running = Some(self.builder.clone().start().await?);
        }
        Ok(())
    }

    /// Asks the server as anybody would, over HTTP.
    pub(crate) async fn stats(&self) -> Result<Stats> {
        timeout(PATIENCE, self.fetch_stats())
            .await
            .context("GET /stats took too long")?
    }

    async fn fetch_stats(&self) -> Result<Stats> {
        let mut stream = TcpStream::connect(self.addr).await?;
        let request = format!(
            "GET /stats HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.addr
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            bail!("GET /stats: not an answer: {answer:?}");
        };
        ensure!(head.starts_with("HTTP/1.1 200"), "GET /stats: {head}");
        serde_json::from_str(body).with_context(|| format!("GET /stats: {body:?}"))
    }
}

fn free_addr(port: u16) -> Result<SocketAddr> {
    let last = port.saturating_add(CANDIDATES);
    let mut refused = None;
    for candidate in port..=last {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, candidate));
        match TcpListener::bind(addr) {
            Ok(_) => return Ok(addr),
            Err(error) => refused = Some(error),
        }
    }
    let refused = refused.context("there is no port")?;
    Err(refused).with_context(|| format!("no port from {port} to {last} can be listened on"))
}

const CANDIDATES: u16 = 50;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
