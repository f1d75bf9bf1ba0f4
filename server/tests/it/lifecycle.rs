//! Start, stop and start again, with and without TLS.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use futures::{SinkExt, StreamExt};
use onesocket_server::{Server, ServerError};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::Command,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use tokio_tungstenite::{client_async, connect_async, tungstenite::Message};

use crate::support::{Client, start};

#[tokio::test]
async fn restarts_on_the_same_port_twenty_times_under_connected_clients() {
    let mut server = start().await;
    let addr = server.addr();
    for _ in 0..20 {
        let mut idle = Client::connect(&server, "/chat").await;
        let mut busy = Client::connect(&server, "/feed?rate=0&size=1000").await;
        let mut echo = Client::connect(&server, "/echo").await;
        let half_http = TcpStream::connect(addr).await.unwrap();
        echo.assert_echoes("alive").await;
        server.stop().await;

        assert!(
            TcpStream::connect(addr).await.is_err(),
            "something still listens"
        );
        idle.assert_reset().await;
        echo.assert_reset().await;
        busy.drain().await;
        drop(half_http);
        server = Server::builder().addr(addr).start().await.unwrap();
        assert_eq!(server.stats().total.sockets_ever, 0);
    }
}

#[tokio::test]
async fn stop_does_not_wait_for_half_open_sockets_and_slow_handshakes() {
    let server = start().await;
    let addr = server.addr();
    let mut frozen = Client::connect(&server, "/echo").await;
    server.faults().half_open(onesocket_server::Selection::All);
    server
        .faults()
        .handshake_delay(std::time::Duration::from_secs(60))
        .unwrap();
    let waiting = connect_async(format!("{}/echo", server.ws_url()));
    let stopping = async {
        // The handshake is under way when its connection is accepted.
        tokio::task::yield_now().await;
        server.stop().await;
    };
    let (refused, ()) = tokio::join!(waiting, stopping);
    assert!(refused.is_err());
    frozen.assert_reset().await;
    Server::builder().addr(addr).start().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_resets_its_sockets() {
    let server = start().await;
    let mut client = Client::connect(&server, "/echo").await;
    drop(server);
    client.assert_reset().await;
}

#[tokio::test]
async fn a_bad_configuration_is_a_typed_error() {
    let server = start().await;
    let twice = Server::builder().addr(server.addr()).start().await;
    assert!(matches!(twice, Err(ServerError::Bind { addr, .. }) if addr == server.addr()));
    let missing = Server::builder().static_dir("no/such/dir").start().await;
    assert!(matches!(missing, Err(ServerError::StaticDir { .. })));
    for source in ["ws: ; script-src *", "", "'self'\r\n", "a,b"] {
        let bad = Server::builder().connect_sources([source]).start().await;
        assert!(
            matches!(bad, Err(ServerError::ConnectSource { .. })),
            "{source:?}"
        );
    }
}

#[tokio::test]
async fn an_unspecified_address_gives_a_url_that_can_be_opened() {
    let addr: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let server = Server::builder().addr(addr).start().await.unwrap();
    assert_eq!(
        server.url(),
        format!("http://127.0.0.1:{}", server.addr().port())
    );
    Client::connect(&server, "/echo")
        .await
        .assert_echoes("hello")
        .await;
}

#[tokio::test]
async fn serves_and_resets_sockets_over_tls() {
    let server = Server::builder().tls(true).start().await.unwrap();
    assert!(
        server.url().starts_with("https://127.0.0.1:") && server.ws_url().starts_with("wss://")
    );
    let mut roots = RootCertStore::empty();
    roots
        .add(server.certificate().unwrap().to_vec().into())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    for name in ["localhost", "127.0.0.1"] {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let stream = TlsConnector::from(Arc::new(config.clone()))
            .connect(name, stream)
            .await
            .unwrap();
        let (mut socket, _) = client_async(format!("{}/echo", server.ws_url()), stream)
            .await
            .unwrap();
        socket.send(Message::text("secure")).await.unwrap();
        assert_eq!(
            socket.next().await.unwrap().unwrap(),
            Message::text("secure")
        );
        assert_eq!(
            server
                .faults()
                .drop_sockets(onesocket_server::Selection::All),
            1
        );
        assert!(matches!(socket.next().await, Some(Err(_))));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_program_prints_its_url_and_serves_there() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_onesocket-server"))
        .args(["--addr", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    let authority = url.strip_prefix("http://").unwrap();
    connect_async(format!("ws://{authority}/echo"))
        .await
        .unwrap();
    program.kill().await.unwrap();
}

#[tokio::test]
async fn the_program_says_why_it_does_not_start() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_onesocket-server"));
    let output = program
        .args(["--addr", "127.0.0.1:0", "--dir", "no/such/dir"])
        .output()
        .await
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text.trim(),
        "onesocket-server: the static directory no/such/dir is not a directory"
    );
}
