//! The server of the benchmark: what it sends is encoded beforehand and written in bulk, so that it is never what limits a run.
//!
//! It is no part of `onesocket-server`, which hands each frame through a queue, where faults can delay, count and cut it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures::{SinkExt as _, StreamExt as _};
use onesocket_bench_page::{FrameTally, PING, PONG, Quote, QuoteTally, Ticker};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, sleep, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    accept: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The frames of the longest feed of quotes so far.
    quotes: Mutex<Arc<Vec<u8>>>,
    sockets: AtomicU64,
    /// Bytes of live feeds.
    live_bytes: AtomicU64,
    handshake_delay_ms: AtomicU64,
    /// How many milliseconds the answers to the pings of the last page took.
    answers: Mutex<Vec<f64>>,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = state.clone();
        let accept = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    // A page that is closed cuts its socket.
                    let _ = serve(stream, &state).await;
                });
            }
        });
        Ok(Self {
            addr,
            state,
            accept,
        })
    }

    /// The address of one load.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.addr)
    }

    /// How many sockets have been opened.
    pub(crate) fn sockets(&self) -> u64 {
        self.state.sockets.load(Ordering::Relaxed)
    }

    /// How many bytes have gone to those who listen to a feed that is running.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.state.live_bytes.load(Ordering::Relaxed)
    }

    /// Waits until so many pings have been answered; how many milliseconds each took.
    pub(crate) async fn answers(&self, count: usize, patience: Duration) -> Result<Vec<f64>> {
        let until = Instant::now() + patience;
        loop {
            let answers = self.state.answers().clone();
            if answers.len() == count {
                return Ok(answers);
            }
            anyhow::ensure!(
                Instant::now() < until,
                "{} answers to {count} pings",
                answers.len()
            );
            sleep(PING_INTERVAL).await;
        }
    }

    /// Lets every handshake from now on take so long.
    pub(crate) fn delay_handshakes(&self, delay: Duration) {
        let ms = delay.as_millis() as u64;
        self.state.handshake_delay_ms.store(ms, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

type Socket = WebSocketStream<TcpStream>;

async fn serve(stream: TcpStream, state: &State) -> Result<()> {
    // Without it small frames wait for acknowledgements.
    stream.set_nodelay(true)?;
    let delay = state.handshake_delay_ms.load(Ordering::Relaxed);
    if delay > 0 {
        sleep(Duration::from_millis(delay)).await;
    }
    let mut asked = None;
    #[expect(clippy::result_large_err, reason = "the type is the library's")]
    let read = |request: &Request, response: Response| {
        asked = Some(request.uri().clone());
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, read).await?;
    state.sockets.fetch_add(1, Ordering::Relaxed);
    let uri = asked.context("a handshake without a request")?;
    let query: Vec<(String, u64)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .filter_map(|(name, value)| Some((name.into_owned(), value.parse().ok()?)))
            .collect();
    let number = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| *value)
            .with_context(|| format!("no {name}"))
    };
    match uri.path() {
        "/flood" => flood(&mut socket, state, number("count")?).await?,
        "/tickers" => tickers(&mut socket, number("count")?).await?,
        "/steady" => steady(&mut socket, state, number("count")?, number("rate")?).await?,
        "/frames" => frames(&mut socket, number("count")?, number("size")?).await?,
        "/pings" => pings(&mut socket, state, number("count")?).await?,
        "/live" => live(&mut socket, state, number("rate")?).await?,
        "/collect" => collect(&mut socket, number("count")?).await?,
        _ => {}
    }
    echo(&mut socket).await
}

/// Returns what it gets, until the end.
async fn echo(socket: &mut Socket) -> Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_binary() || message.is_text() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// Any message is the word to begin.
async fn begin(socket: &mut Socket) -> Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_binary() || message.is_text() {
            return Ok(());
        }
    }
    anyhow::bail!("closed before it began")
}

async fn flood(socket: &mut Socket, state: &State, count: u64) -> Result<()> {
    let bytes = state.quotes(count)?;
    begin(socket).await?;
    let all = &bytes[..count as usize * QUOTE_FRAME];
    Ok(socket.get_mut().write_all(all).await?)
}

/// A flood in JSON. It is encoded before anybody may ask for it.
async fn tickers(socket: &mut Socket, count: u64) -> Result<()> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let json = serde_json::to_vec(&Ticker::numbered(number))?;
        bytes.extend(header(TEXT, json.len()));
        bytes.extend(json);
    }
    begin(socket).await?;
    Ok(socket.get_mut().write_all(&bytes).await?)
}

/// Sends what is due each millisecond, which is as fine as the timer.
async fn steady(socket: &mut Socket, state: &State, count: u64, rate: u64) -> Result<()> {
    let bytes = state.quotes(count)?;
    begin(socket).await?;
    let start = Instant::now();
    let mut sent = 0;
    while sent < count {
        let due = start.elapsed().as_micros() as u64 * rate / 1_000_000 + 1;
        let due = due.min(count);
        let range = sent as usize * QUOTE_FRAME..due as usize * QUOTE_FRAME;
        socket.get_mut().write_all(&bytes[range]).await?;
        sent = due;
        sleep_until(Instant::now() + Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Pings with a message of its own, and notes how long each answer takes.
async fn pings(socket: &mut Socket, state: &State, count: u64) -> Result<()> {
    state.answers().clear();
    begin(socket).await?;
    let mut ticks = tokio::time::interval(PING_INTERVAL);
    let mut sent = VecDeque::new();
    let mut left = count;
    while left > 0 || !sent.is_empty() {
        tokio::select! {
            _ = ticks.tick(), if left > 0 => {
                left -= 1;
                sent.push_back(Instant::now());
                socket.send(Message::Binary(PING.as_slice().into())).await?;
            }
            message = socket.next() => {
                let message = message.context("closed before it had answered")??;
                anyhow::ensure!(message == Message::Binary(PONG.as_slice().into()), "{message:?}");
                let at: Instant = sent.pop_front().context("an answer to nothing")?;
                state.answers().push(at.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    Ok(())
}

/// A feed that is running when somebody connects.
async fn live(socket: &mut Socket, state: &State, rate: u64) -> Result<()> {
    let count = state.quotes(LIVE_QUOTES)?.len() / QUOTE_FRAME;
    let bytes = state.quotes(LIVE_QUOTES)?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..count {
        ticks.tick().await;
        let frame = &bytes[number * QUOTE_FRAME..(number + 1) * QUOTE_FRAME];
        socket.get_mut().write_all(frame).await?;
        let sent = QUOTE_FRAME as u64;
        state.live_bytes.fetch_add(sent, Ordering::Relaxed);
    }
    Ok(())
}

async fn frames(socket: &mut Socket, count: u64, size: u64) -> Result<()> {
    let payload = FrameTally::frame(size as usize);
    let mut frame = header(BINARY, payload.len());
    let start = frame.len();
    frame.extend(payload);
    begin(socket).await?;
    for number in 0..count {
        frame[start..start + 8].copy_from_slice(&number.to_le_bytes());
        socket.get_mut().write_all(&frame).await?;
    }
    Ok(())
}

/// Answers when it has got so many quotes, and only if they are all in order and undamaged.
async fn collect(socket: &mut Socket, count: u64) -> Result<()> {
    let mut tally = QuoteTally::default();
    while tally.count < count {
        let message = socket.next().await.context("closed before it had all")??;
        if let Message::Binary(bytes) = message {
            tally.take(&postcard::from_bytes(&bytes)?);
        }
    }
    anyhow::ensure!(
        tally == QuoteTally::expected(count),
        "what came is not what was to be sent: {tally:?}"
    );
    let done = postcard::to_allocvec(&Quote::numbered(count))?;
    Ok(socket.send(Message::Binary(done.into())).await?)
}

impl State {
    fn answers(&self) -> MutexGuard<'_, Vec<f64>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The frames of so many quotes, or of more.
    fn quotes(&self, count: u64) -> Result<Arc<Vec<u8>>> {
        let mut quotes = self.quotes.lock().unwrap_or_else(PoisonError::into_inner);
        if quotes.len() < count as usize * QUOTE_FRAME {
            let mut bytes = Vec::with_capacity(count as usize * QUOTE_FRAME);
            for number in 0..count {
                bytes.extend(header(BINARY, Quote::BYTES));
                bytes.extend(postcard::to_allocvec(&Quote::numbered(number))?);
            }
            *quotes = Arc::new(bytes);
        }
        Ok(quotes.clone())
    }
}

/// The head of an unmasked frame that is a whole message: RFC 6455, section 5.2.
fn header(opcode: u8, len: usize) -> Vec<u8> {
    let mut header = vec![0x80 | opcode];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => header.push(len),
        (_, Ok(len)) => {
            header.push(126);
            header.extend(len.to_be_bytes());
        }
        _ => {
            header.push(127);
            header.extend((len as u64).to_be_bytes());
        }
    }
    header
}

/// How often a page is pinged.
pub(crate) const PING_INTERVAL: Duration = Duration::from_millis(25);

/// More than any run reads of a live feed.
const LIVE_QUOTES: u64 = 100_000;

const QUOTE_FRAME: usize = 4 + Quote::BYTES;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
