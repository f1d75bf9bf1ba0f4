//! What is between a tab and a server, and can be cut.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// A port that leads to a server's. It is closed when it is dropped.
#[derive(Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    is_whole: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Wire {
    pub(super) async fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (is_whole, watch) = watch::channel(true);
        let connections = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, watch, Arc::clone(&connections)));
        Ok(Self {
            address,
            is_whole,
            connections,
            _tasks: tasks,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there have been to the server.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Ends all connections in the middle of whatever they are doing, and lets no other through.
    pub(super) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Lets connections through again.
    pub(super) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    is_whole: watch::Receiver<bool>,
    connections: Arc<AtomicUsize>,
) {
    let mut open = JoinSet::new();
    while let Ok((tab, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        if *is_whole.borrow() {
            connections.fetch_add(1, Ordering::Relaxed);
            open.spawn(carry(tab, server, is_whole.clone()));
        }
    }
}

async fn carry(mut tab: TcpStream, server: SocketAddr, mut is_whole: watch::Receiver<bool>) {
    let carried = async {
        let mut server = TcpStream::connect(server).await?;
        copy_bidirectional(&mut tab, &mut server).await
    };
    // How it ends is the business of the two ends.
    tokio::select! {
        _ = carried => {}
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
    }
}
