//! A page whose network is inspected, as it is while developer tools are open or a driver like Playwright watches it.

use anyhow::{Context as _, Result, ensure};
use futures::{SinkExt as _, StreamExt as _};
use onesocket_tests::browser::Tab;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// Lasts until it is dropped, or the tab is closed.
#[derive(Debug)]
pub(crate) struct Inspection {
    listener: JoinHandle<()>,
}

impl Inspection {
    /// Begins to inspect a page and its dedicated workers, those that it starts later, too. A SharedWorker is a target of its own.
    pub(crate) async fn of(tab: &Tab) -> Result<Self> {
        let url = tab.devtools_url().await?;
        let (mut socket, _) = connect_async(url).await.context("the developer tools")?;
        let own = command(NETWORK, "Network.enable", json!({}), None);
        socket.send(own).await?;
        let workers =
            json!({ "autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true });
        let workers = command(WORKERS, "Target.setAutoAttach", workers, None);
        socket.send(workers).await?;
        let mut waits_for = vec![NETWORK, WORKERS];
        while !waits_for.is_empty() {
            let answer = take(&mut socket).await?.context("no answer")?;
            waits_for.retain(|id| Some(*id) != answer.id);
            ensure!(answer.error.is_none(), "{:?}", answer.error);
        }
        let listener = tokio::spawn(async move {
            // A page that is closed ends it.
            while let Ok(Some(_)) = take(&mut socket).await {}
        });
        Ok(Self { listener })
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the browser says; of events only those of a new worker are read.
#[derive(Debug, Default, Deserialize)]
struct Said {
    id: Option<u32>,
    error: Option<Value>,
    params: Option<Attached>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    session_id: String,
}

/// Takes what the browser says next, and inspects the worker if it is one; none at the end.
async fn take(socket: &mut Socket) -> Result<Option<Said>> {
    let Some(message) = socket.next().await.transpose()? else {
        return Ok(None);
    };
    let Message::Text(text) = message else {
        return Ok(Some(Said::default()));
    };
    let is_read = text.starts_with(r#"{"id""#) || text.starts_with(ATTACHED);
    if !is_read {
        return Ok(Some(Said::default()));
    }
    let said: Said = serde_json::from_str(&text)?;
    if let Some(worker) = &said.params {
        let enable = command(
            WORKER,
            "Network.enable",
            json!({}),
            Some(&worker.session_id),
        );
        socket.send(enable).await?;
    }
    Ok(Some(said))
}

fn command(id: u32, method: &str, params: Value, session: Option<&str>) -> Message {
    let mut command = json!({ "id": id, "method": method, "params": params });
    if let Some(session) = session {
        command["sessionId"] = json!(session);
    }
    Message::text(command.to_string())
}

/// How the news of a worker begin.
const ATTACHED: &str = r#"{"method":"Target.attachedToTarget""#;

/// What the answers are told apart by.
const NETWORK: u32 = 1;
const WORKERS: u32 = 2;
const WORKER: u32 = 3;
