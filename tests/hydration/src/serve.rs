//! A document around the app, and the server of both.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use any_spawner::Executor;
use axum::{Router, routing::get};
use clap::Parser;
use leptos::{hydration::HydrationScripts, prelude::*};
use tokio::{io::AsyncReadExt as _, net::TcpListener};
use tower_http::services::ServeDir;

use crate::app::App;

/// Renders the page, and serves its files. Prints its address; ends when its standard input does.
#[derive(Debug, Parser)]
struct Options {
    /// The WebSocket that the page connects to.
    #[arg(long)]
    socket: String,
    /// The folder with the page's script, its wasm and the worker.
    #[arg(long)]
    files: PathBuf,
}

#[tokio::main]
pub(crate) async fn run() -> io::Result<()> {
    let Options { socket, files } = Options::parse();
    // As `generate_route_list` does it for those with a router. It fails only where one is set already.
    let _ = Executor::init_tokio();
    let options = LeptosOptions::builder()
        .output_name("hydration-page")
        .build();
    let render = leptos_axum::render_app_to_stream(move || {
        view! { <Document options=options.clone() socket=socket.clone() /> }
    });
    let router = Router::new()
        .route("/", get(render))
        .nest_service("/pkg", ServeDir::new(files));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    // Whoever has started it may be killed, and it must not stay behind.
    let (mut stdin, mut rest) = (tokio::io::stdin(), Vec::new());
    tokio::select! {
        ended = axum::serve(listener, router) => ended,
        _ = stdin.read_to_end(&mut rest) => Ok(()),
    }
}

#[component]
fn Document(options: LeptosOptions, socket: String) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-socket=socket>
            <head>
                <meta charset="utf-8" />
                <title>"onesocket in Leptos, rendered on a server"</title>
                <script src="/pkg/page_log.js"></script>
                <script type="module" src="/pkg/served.js"></script>
                <HydrationScripts options />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
