//! The dev server as a program: serves a directory, prints its URL and runs until Ctrl-C.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use onesocket_server::Server;

/// Serves files and WebSocket end points for onesocket's demo and tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen; port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// The directory with the files to serve.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// How many frames of a chat room a newcomer gets.
    #[arg(long, default_value_t = 50)]
    history: usize,
    /// Serve https and wss with a self-signed certificate.
    #[arg(long)]
    tls: bool,
    /// A source that pages may connect to, instead of 'self' ws: wss:; can be repeated.
    #[arg(long)]
    connect_src: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("onesocket-server: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                text += &format!(": {cause}");
                source = cause.source();
            }
            // There is nobody left to tell.
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Server::builder()
        .addr(options.addr)
        .history(options.history)
        .tls(options.tls);
    if let Some(dir) = options.dir {
        builder = builder.static_dir(dir);
    }
    if !options.connect_src.is_empty() {
        builder = builder.connect_sources(options.connect_src);
    }
    let server = builder.start().await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", server.url())?;
    stdout.flush()?;
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
