//! A page that Leptos renders on a server: nothing is dialled there, and the browser takes over what was rendered.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{
    Context, Scenario, Tier,
    site::{SOON, Site},
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "leptos_hydrates_what_a_server_has_rendered_and_connects",
        tiers: &[Tier::Shared, Tier::Main],
        run: |ctx| Box::pin(hydration(ctx)),
    }]
}

async fn hydration(ctx: &Context) -> Result<()> {
    let site = Site::start(ctx).await?;
    let mut server = Rendering::start(ctx, &site).await?;
    let tier = ctx.tier.map_or("auto", Tier::name);
    let url = format!("{}/?tier={tier}", server.url);
    let tab = ctx.browser.open_tab(&url).await?;
    is_live(&tab, tier).await?;

    let requests = tab.eval_async(FETCH_AGAIN, vec![]).await?;
    ensure!(
        requests == 50,
        "{requests} of 50 renderings are as the first"
    );
    let sockets = site.server()?.stats().total.sockets_ever;
    ensure!(
        sockets == 1,
        "{sockets} sockets of one page: the server dials"
    );

    tab.reload().await?;
    is_live(&tab, tier).await?;
    site.wait_for_sockets(1).await?;
    let complaints = server.complaints()?;
    ensure!(complaints.is_empty(), "the server says {complaints}");
    Ok(())
}

/// What was rendered is what a browser shows first, it is still there, and it works.
async fn is_live(tab: &Tab, tier: &str) -> Result<()> {
    shows(tab, "status", "connected").await?;
    let served = tab.eval("return window.__served.texts", vec![]).await?;
    for (id, text) in SERVED {
        ensure!(served[id] == text, "#{id} was rendered as {}", served[id]);
    }
    shows(tab, "tier", tier).await?;
    shows(tab, "answer", "answered: true").await?;
    shows(tab, "texts", "join").await?;
    // Not by the pointer, which is for a page that stands still.
    tab.eval("document.querySelector('#say').click()", vec![])
        .await?;
    shows(tab, "texts", "join,hello").await?;
    shows(tab, "newest", "hello").await?;
    shows(tab, "outcome", "sent").await?;
    shows(tab, "wrong", "invalid subprotocol").await?;
    tab.wait_for("return document.querySelector('#ladder li')", SOON)
        .await?;

    let replaced = tab.eval(REPLACED, vec![]).await?;
    ensure!(replaced == Value::Array(vec![]), "replaced: {replaced}");
    let log = tab.page_log().await?;
    let is_bad = |line: &&String| {
        ["warn", "error", "un"]
            .iter()
            .any(|kind| line.starts_with(kind))
    };
    let bad: Vec<_> = log.iter().filter(is_bad).collect();
    ensure!(bad.is_empty(), "{bad:?}");
    Ok(())
}

async fn shows(tab: &Tab, id: &str, text: &str) -> Result<()> {
    let script = format!("return document.getElementById('{id}')?.textContent === '{text}'");
    if let Err(error) = tab.wait_for(&script, SOON).await {
        let shown = tab.text(&format!("#{id}")).await?;
        return Err(error).context(format!("#{id} is {shown:?}, not {text:?}"));
    }
    Ok(())
}

const SERVED: [(&str, &str); 9] = [
    ("status", "connecting"),
    ("tier", "none"),
    ("ladder", ""),
    ("newest", ""),
    ("texts", ""),
    ("answer", "answered: not yet"),
    ("say", "say"),
    ("outcome", "none"),
    ("wrong", ""),
];

/// The elements of the server's that are gone.
const REPLACED: &str = "return window.__served.elements.filter((element) => !element.isConnected).map((element) => element.outerHTML)";

/// How many of fifty renderings say the same as the one that the page has begun with.
const FETCH_AGAIN: &str = "const { texts } = window.__served; \
    const render = async () => { \
        const html = await (await fetch('/')).text(); \
        const document = new DOMParser().parseFromString(html, 'text/html'); \
        return Object.entries(texts).every(([id, text]) => document.getElementById(id)?.textContent.trim() === text); \
    }; \
    const same = await Promise.all(Array.from({ length: 50 }, render)); \
    return same.filter(Boolean).length";

/// The process that renders the page; it ends when this is dropped.
struct Rendering {
    url: String,
    stderr: File,
    #[expect(dead_code, reason = "it is killed when it is dropped")]
    process: Child,
}

impl Rendering {
    async fn start(ctx: &Context, site: &Site<'_>) -> Result<Self> {
        let files = ctx.dist.with_file_name("tests-hydration");
        let socket = site.url("/echo").replace("http", "ws");
        let stderr = tempfile::tempfile()?;
        let mut process = Command::new(files.join("hydration-server"))
            .args(["--socket", &socket, "--files"])
            .arg(&files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "{} is not built: `cargo xtask build --dev` does it",
                    files.display()
                )
            })?;
        let stdout = process.stdout.take().context("no standard output")?;
        let url = BufReader::new(stdout).lines().next_line().await?;
        Ok(Self {
            url: url.context("the server has not said where it is")?,
            stderr,
            process,
        })
    }

    /// What it has printed of panics and the like.
    fn complaints(&mut self) -> Result<String> {
        let mut text = String::new();
        self.stderr.rewind()?;
        self.stderr.read_to_string(&mut text)?;
        Ok(text)
    }
}
