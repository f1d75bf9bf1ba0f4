//! The demo for people: a server, a URL, and a switch to take the server away.

use std::{
    io::{BufRead as _, IsTerminal as _, stdin},
    path::Path,
    thread,
};

use anyhow::Result;
use onesocket_tests::suite::Tier;
use tokio::sync::mpsc;

use crate::site::Site;

/// Serves until Ctrl-C.
pub(crate) async fn run(dist: &Path, port: u16, tier: Option<Tier>) -> Result<()> {
    let mut site = Site::start(dist, port).await?;
    if port != 0 && site.addr().port() != port {
        println!("Port {port} is taken; this is the next free one.");
    }
    let mut lines = terminal_lines();
    introduce(&site, tier, lines.is_some());
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            interrupted = &mut interrupted => {
                interrupted?;
                break;
            }
            // Without a terminal there is nobody to press Enter.
            Some(()) = next(&mut lines) => flip(&mut site).await?,
        }
    }
    println!("\nThe server stops.");
    site.stop().await;
    Ok(())
}

async fn flip(site: &mut Site) -> Result<()> {
    if site.is_up() {
        let sockets = site.stats().await.map(|stats| stats.total.sockets_open);
        site.stop().await;
        let sockets = sockets.map_or_else(|_| "every socket".to_owned(), plural);
        println!("The server is down, {sockets} cut off. Press Enter to start it again.");
    } else {
        match site.restart().await {
            Ok(()) => println!("The server is up again. Press Enter to stop it."),
            // Somebody else may have taken the port meanwhile; the next Enter tries again.
            Err(error) => println!("The server does not start: {error:#}"),
        }
    }
    Ok(())
}

fn introduce(site: &Site, tier: Option<Tier>, has_terminal: bool) {
    let url = site.url();
    let start = tier.map_or_else(|| url.clone(), |tier| format!("{url}?tier={}", tier.name()));
    println!(
        "
  onesocket chat   {start}

  Open it in six tabs: they share one socket. The server's own count: {url}stats
  Another place for the socket:  {url}?tier=dedicated   {url}?tier=main
  Another room, every message on the console:  {url}?room=garden&debug=1"
    );
    if has_terminal {
        println!(
            "
  Press Enter to stop the server under the tabs, and again to start it. What is said meanwhile is sent then."
        );
    }
    println!("  Ctrl-C ends the demo.\n");
}

fn plural(sockets: u64) -> String {
    if sockets == 1 {
        "1 socket".to_owned()
    } else {
        format!("{sockets} sockets")
    }
}

/// The next Enter; never, when there is no terminal or it was closed.
async fn next(lines: &mut Option<mpsc::Receiver<()>>) -> Option<()> {
    if let Some(receiver) = lines {
        if receiver.recv().await.is_some() {
            return Some(());
        }
        *lines = None;
    }
    std::future::pending().await
}

/// Reads in a thread of its own, which ends with the process: a read of a terminal can't be cancelled, and one of tokio's own
/// threads would hold up the end.
fn terminal_lines() -> Option<mpsc::Receiver<()>> {
    if !stdin().is_terminal() {
        return None;
    }
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        let mut line = String::new();
        while stdin()
            .lock()
            .read_line(&mut line)
            .is_ok_and(|bytes| bytes > 0)
        {
            line.clear();
            if sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    Some(receiver)
}
