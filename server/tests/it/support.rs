//! A client: WebSockets through tokio-tungstenite, HTTP by hand, and waiting with a deadline.

use std::{collections::BTreeMap, fmt::Debug, net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use onesocket_server::{RunningServer, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, protocol::CloseFrame},
};

/// Starts a server on a free port.
pub(crate) async fn start() -> RunningServer {
    Server::builder().start().await.unwrap()
}

/// One client socket; every wait has a deadline.
pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(server: &RunningServer, target: &str) -> Self {
        Self::try_connect(server, target).await.unwrap()
    }

    pub(crate) async fn try_connect(
        server: &RunningServer,
        target: &str,
    ) -> Result<Self, tungstenite::Error> {
        let connecting = connect_async(format!("{}{target}", server.ws_url()));
        let (stream, _) = timeout(DEADLINE, connecting)
            .await
            .expect("the handshake hangs")?;
        Ok(Self(stream))
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).await.unwrap();
    }

    /// The next data or close frame, or the error that ended the socket; `None` after its clean end.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        timeout(DEADLINE, self.0.next())
            .await
            .expect("no frame comes")
    }

    pub(crate) async fn message(&mut self) -> Message {
        self.next()
            .await
            .expect("the socket has ended")
            .expect("the socket has failed")
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("{other:?} is no text"),
        }
    }

    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        match self.message().await {
            Message::Binary(bytes) => bytes.to_vec(),
            other => panic!("{other:?} is not binary"),
        }
    }

    pub(crate) async fn close_frame(&mut self) -> CloseFrame {
        match self.message().await {
            Message::Close(Some(frame)) => frame,
            other => panic!("{other:?} is no close frame with a code"),
        }
    }

    /// Asserts that the connection is lost without a close frame.
    pub(crate) async fn assert_reset(&mut self) {
        let end = self.next().await;
        assert!(matches!(end, Some(Err(_))), "{end:?}");
    }

    /// Reads what was under way until the connection is lost.
    pub(crate) async fn drain(&mut self) {
        let reading = async { while let Some(Ok(_)) = self.0.next().await {} };
        timeout(DEADLINE, reading)
            .await
            .expect("the frames do not end");
    }

    /// Asserts that nothing comes for a while.
    pub(crate) async fn assert_silent(&mut self, time: Duration) {
        let next = timeout(time, self.0.next()).await;
        assert!(next.is_err(), "{next:?}");
    }

    /// Asserts that an echo socket is alive.
    pub(crate) async fn assert_echoes(&mut self, text: &str) {
        self.send(text).await;
        assert_eq!(self.text().await, text);
    }
}

/// An HTTP answer; header names are in lower case.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(crate) async fn get(server: &RunningServer, target: &str) -> Reply {
    request(server.addr(), "GET", target).await
}

pub(crate) async fn post(server: &RunningServer, target: &str) -> Reply {
    request(server.addr(), "POST", target).await
}

/// Sets a fault and returns how many sockets it hit.
pub(crate) async fn fault(server: &RunningServer, target: &str) -> u64 {
    let reply = post(server, &format!("/fault/{target}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    body["sockets"].as_u64().unwrap()
}

async fn request(addr: SocketAddr, method: &str, target: &str) -> Reply {
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let head =
            format!("{method} {target} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let text = timeout(DEADLINE, exchange).await.expect("no answer comes");
    let (head, body) = text.split_once("\r\n\r\n").expect("no end of the head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("no status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    Reply {
        status: status.parse().unwrap(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// Waits until a value is as expected.
pub(crate) async fn eventually<T: PartialEq + Debug>(expect: T, mut value: impl FnMut() -> T) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let now = value();
        if now == expect {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "it is still {now:?} instead of {expect:?}"
        );
        sleep(Duration::from_millis(2)).await;
    }
}

/// Long enough for a loaded machine; no test that passes waits for it.
const DEADLINE: Duration = Duration::from_secs(10);
