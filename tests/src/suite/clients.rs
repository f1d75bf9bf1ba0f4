//! Clients that others wrote, from npm, on `OneSocket`: two tabs with a notebook that the client's own server keeps, and one of them loses
//! its connection.

use std::{net::SocketAddr, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{
    Context, Scenario, Tier,
    site::{SOON, Site},
    wire::Wire,
};
use crate::browser::Tab;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "client_graphql_ws_asks_changes_and_subscribes",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "graphql-ws")),
        },
        Scenario {
            name: "client_hocuspocus_edits_a_document",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "hocuspocus")),
        },
        Scenario {
            name: "client_mqtt_publishes_and_subscribes",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "mqtt")),
        },
        Scenario {
            name: "client_sharedb_edits_a_document",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "sharedb")),
        },
        Scenario {
            name: "client_socket_io_emits_and_hears",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "socket.io")),
        },
        Scenario {
            name: "client_trpc_calls_and_subscribes",
            tiers: &[Tier::Shared],
            run: |ctx| Box::pin(notebook(ctx, "trpc")),
        },
        Scenario {
            name: "client_y_websocket_edits_a_document",
            tiers: &[Tier::Shared, Tier::Dedicated],
            run: |ctx| Box::pin(notebook(ctx, "y-websocket")),
        },
    ]
}

/// Each note is in both tabs in the end, and once.
async fn notebook(ctx: &Context, client: &str) -> Result<()> {
    let mut site = Site::start(ctx).await?;
    site.deploy("tests-clients").await?;
    let server = Server::start(ctx, client).await?;
    let ada = Writer::open(ctx, &site, client, &server, "ada").await?;
    let ben = Writer::open(ctx, &site, client, &server, "ben").await?;

    ada.note("ada's first").await?;
    ben.note("ben's first").await?;
    let mut notes = vec!["ada's first", "ben's first"];
    for writer in [&ada, &ben] {
        writer.has(&notes).await?;
    }

    ada.wire.cut();
    ada.is_connected(false).await?;
    // Not waited for: some clients say that it is written when the server has it.
    ada.begin_note("ada's, without a connection").await?;
    ben.note("ben's, while ada is away").await?;
    ben.has(&["ada's first", "ben's first", "ben's, while ada is away"])
        .await?;
    ada.has_not("ben's, while ada is away").await?;

    ada.wire.mend();
    ada.is_connected(true).await?;
    ada.end_note().await?;
    notes.extend(["ada's, without a connection", "ben's, while ada is away"]);
    for writer in [&ada, &ben] {
        writer.has(&notes).await?;
    }

    ben.note("ben's last").await?;
    ada.note("ada's last").await?;
    notes.extend(["ben's last", "ada's last"]);
    for writer in [&ada, &ben] {
        writer.has(&notes).await?;
    }

    let workers = json!([ada.workers().await?, ben.workers().await?]);
    let expected = match ctx.tier {
        // One makes it, and the other is with it.
        Some(Tier::Dedicated) => json!([["Worker"], []]),
        _ => json!([["SharedWorker"], ["SharedWorker"]]),
    };
    ensure!(workers == expected, "{workers}, not {expected}");
    ensure!(ada.wire.connections() > 1, "ada's connection was not cut");
    ensure!(ben.wire.connections() == 1, "ben's connection was lost");
    Ok(())
}

/// Somebody with a tab, and a wire of their own.
struct Writer {
    name: String,
    tab: Tab,
    wire: Wire,
}

impl Writer {
    async fn open(
        ctx: &Context,
        site: &Site<'_>,
        client: &str,
        server: &Server,
        name: &str,
    ) -> Result<Self> {
        let wire = Wire::to(server.address).await?;
        let tier = ctx.tier.map_or("auto", Tier::name);
        let query = format!(
            "/?client={client}&name={name}&tier={tier}&url=ws://{}",
            wire.address()
        );
        let tab = ctx.browser.open_tab(&site.url(&query)).await?;
        tab.wait_for("return window.notebook", SOON).await?;
        let name = name.to_owned();
        let writer = Self { name, tab, wire };
        writer.is_connected(true).await?;
        Ok(writer)
    }

    async fn note(&self, text: &str) -> Result<()> {
        self.begin_note(text).await?;
        self.end_note().await
    }

    async fn begin_note(&self, text: &str) -> Result<()> {
        let script = "window.noting = notebook.note(arguments[0]); noting.catch(() => {})";
        self.tab.eval(script, vec![json!(text)]).await?;
        Ok(())
    }

    /// Waits until the client says that the note is written.
    async fn end_note(&self) -> Result<()> {
        self.tab.eval_async("await noting", vec![]).await?;
        Ok(())
    }

    async fn is_connected(&self, is_so: bool) -> Result<()> {
        let script = format!("return notebook.isConnected() === {is_so}");
        self.tab.wait_for(&script, SOON).await?;
        Ok(())
    }

    /// Waits for so many notes. They are these, in whatever order: some servers keep the order of each writer only.
    async fn has(&self, notes: &[&str]) -> Result<()> {
        let enough = format!("return notebook.notes().length >= {}", notes.len());
        let waited = self.tab.wait_for(&enough, SOON).await;
        let found = self.notes().await?;
        let mut expected = json!(notes);
        let mut sorted = json!(found);
        for list in [&mut expected, &mut sorted] {
            list.as_array_mut()
                .context("no list")?
                .sort_by_key(Value::to_string);
        }
        let whose = &self.name;
        ensure!(
            sorted == expected,
            "{whose}: {}, not {}",
            json!(found),
            json!(notes)
        );
        waited?;
        Ok(())
    }

    async fn has_not(&self, note: &str) -> Result<()> {
        let notes = self.notes().await?;
        ensure!(!notes.contains(&json!(note)), "it has {note:?}");
        Ok(())
    }

    async fn notes(&self) -> Result<Vec<Value>> {
        let notes = self.tab.eval("return notebook.notes()", vec![]).await?;
        Ok(notes.as_array().context("no list of notes")?.clone())
    }

    /// The kinds of worker that the page has made: one that is slow is asked for again. It can make none of other kinds, and no socket
    /// (`public/only.js`).
    async fn workers(&self) -> Result<Value> {
        let kinds = "return [...new Set(window.workers)]";
        Ok(self.tab.eval(kinds, vec![]).await?)
    }
}

/// The server that a client is for; it ends when this is dropped.
struct Server {
    address: SocketAddr,
    #[expect(dead_code, reason = "it is killed when it is dropped")]
    process: Child,
}

impl Server {
    async fn start(ctx: &Context, client: &str) -> Result<Self> {
        let folder = ctx.dist.with_file_name("tests-clients-servers");
        ensure!(
            folder.is_dir(),
            "{} is not built: `cargo xtask build --dev` does it",
            folder.display()
        );
        let mut process = Command::new("node")
            .arg(format!("{client}.js"))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node runs the servers of others; on Debian: apt-get install nodejs npm")?;
        let stdout = process.stdout.take().context("no standard output")?;
        let port = BufReader::new(stdout).lines().next_line().await?;
        let port = port.context("the server has not said where it is")?;
        Ok(Self {
            address: SocketAddr::from(([127, 0, 0, 1], port.parse()?)),
            process,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// The table in the docs: `| clients | versions | line | what else`.
    #[test]
    fn the_docs_say_what_is_tested() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let packages = read("package.json");
        let pages: Vec<_> = fs::read_dir(folder.join("page/clients"))
            .unwrap()
            .map(|page| fs::read_to_string(page.unwrap().path()).unwrap())
            .collect();

        let docs = include_str!("../../../docs/clients.md");
        let mut rows = 0;
        for row in docs.lines().filter(|line| line.starts_with("| [`")) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let code = |cell: &'static str| cell.split('`').skip(1).step_by(2);
            let names: Vec<_> = code(cells[1]).collect();
            for (name, version) in names.iter().zip(cells[2].split(", ")) {
                let pinned = format!("\"{name}\": \"{version}\"");
                assert!(packages.contains(&pinned), "not pinned: {pinned}");
            }
            let line = code(cells[3]).next().unwrap();
            let has_it = |page: &&String| {
                names.iter().all(|name| page.contains(name))
                    && page.lines().any(|other| other.trim() == line)
            };
            assert!(pages.iter().any(|page| has_it(&page)), "in no page: {row}");
            rows += 1;
        }
        assert_eq!(rows, pages.len());
    }
}
