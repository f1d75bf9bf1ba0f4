//! What the suite calls. Every function takes the name of a client and answers in JSON.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use futures::StreamExt;
use onesocket::{
    Client, ClientBuilder, Delivery, Event, EventGuard, Events, Fault, GreetingGuard, LogOut,
    Millis, Payload, RequestId, SendError, Sending, Tier, codec,
};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{js_sys::Date, spawn_local};

use crate::{
    config,
    config::{CodecName, Hears},
    quote::QUOTES,
    report,
    seen::Seen,
};

thread_local! {
    static CLIENTS: RefCell<BTreeMap<String, Rc<Entry>>> = const { RefCell::new(BTreeMap::new()) };
}

struct Entry {
    client: AnyClient,
    events: Rc<RefCell<Vec<Value>>>,
    tally: Rc<RefCell<Tally>>,
    uploaded: Cell<u32>,
    unread: RefCell<Option<Events<Payload>>>,
    greetings: RefCell<BTreeMap<String, Guard>>,
    _listening: Option<EventGuard<Payload>>,
}

/// What has come of a feed, for runs that are too long to keep it all.
#[derive(Default)]
struct Tally {
    messages: u64,
    misplaced: u64,
    missed: u64,
}

impl Tally {
    fn take(&mut self, event: &Event<Payload>) {
        match event {
            Event::Message(payload) => {
                let number = payload.bytes().first_chunk().copied();
                let expected = self.messages + self.missed;
                self.misplaced += u64::from(number.map(u64::from_le_bytes) != Some(expected));
                self.messages += 1;
            }
            Event::Lagged { missed } => self.missed += missed,
            _ => {}
        }
    }
}

enum AnyClient {
    Raw(Client<Payload, Payload>),
    Json(Client<Value, Value>),
}

#[expect(dead_code, reason = "held for their drop")]
enum Guard {
    Raw(GreetingGuard<Payload>),
    Json(GreetingGuard<Value>),
}

/// Runs `$body` with the typed client, whichever it is.
macro_rules! with {
    ($entry:expr, $client:ident => $body:expr) => {
        match &$entry.client {
            AnyClient::Raw($client) => $body,
            AnyClient::Json($client) => $body,
        }
    };
}

#[wasm_bindgen]
pub fn open(name: &str, config: &str) -> Result<(), String> {
    let config: config::Config = serde_json::from_str(config).map_err(|error| error.to_string())?;
    let events = Rc::new(RefCell::new(Vec::new()));
    let tally = Rc::new(RefCell::new(Tally::default()));
    let mut guard = None;
    let client = match config.codec {
        CodecName::Raw => {
            let mut builder = config.builder(codec::Raw)?;
            if config.hears == Hears::Answers {
                builder = builder.replies(|_| None);
            }
            let client = builder.build().map_err(|error| report::chain(&error))?;
            let stream = client.events();
            if matches!(config.hears, Hears::Listener | Hears::Both) {
                let log = events.clone();
                let busy_ms = config.busy_ms;
                guard = Some(client.on_event(move |event| {
                    be_busy(busy_ms, &event);
                    let event = report::event(event, |payload| report::payload(&payload));
                    log.borrow_mut().push(event);
                }));
            }
            let log = match config.hears {
                Hears::Listener => {
                    drop(stream);
                    None
                }
                Hears::Both => Some((stream, Rc::default())),
                Hears::Stream | Hears::Answers => Some((stream, events.clone())),
            };
            if let Some((stream, log)) = log {
                let tally = config.counts.then(|| tally.clone());
                spawn_local(write_down(stream, config.busy_ms, log, tally));
            }
            AnyClient::Raw(client)
        }
        CodecName::Json => {
            let acked = codec::acks(
                codec::Json,
                |message: &Value| message["ack"].as_u64(),
                |message: &Value| message["acked"].as_u64(),
            );
            let builder = config.builder::<Value, Value>(acked)?;
            let builder =
                builder.replies(|message: &Value| message["answers"].as_u64().map(RequestId));
            open_json(builder, &events)?
        }
        CodecName::Transcoded => {
            let builder = config.builder(Seen)?;
            let builder = match config.account.as_str() {
                "" => builder.account(QUOTES),
                _ => builder,
            };
            open_json(builder, &events)?
        }
    };
    let entry = Entry {
        client,
        events,
        tally,
        uploaded: Cell::new(0),
        unread: RefCell::default(),
        greetings: RefCell::default(),
        _listening: guard,
    };
    CLIENTS.with_borrow_mut(|clients| clients.insert(name.to_owned(), Rc::new(entry)));
    Ok(())
}

/// Reads a stream to its end.
async fn write_down(
    mut stream: Events<Payload>,
    busy_ms: f64,
    log: Rc<RefCell<Vec<Value>>>,
    tally: Option<Rc<RefCell<Tally>>>,
) {
    while let Some(event) = stream.next().await {
        be_busy(busy_ms, &event);
        match &tally {
            Some(tally) => tally.borrow_mut().take(&event),
            None => {
                let event = report::event(event, |payload| report::payload(&payload));
                log.borrow_mut().push(event);
            }
        }
    }
    log.borrow_mut().push(json!({ "type": "end" }));
}

fn be_busy<T>(millis: f64, event: &Event<T>) {
    let until = Date::now() + millis;
    while millis > 0.0 && matches!(event, Event::Message(_)) && Date::now() < until {}
}

/// How many events a client has heard.
#[wasm_bindgen]
pub fn heard(name: &str) -> Result<usize, String> {
    Ok(entry(name)?.events.borrow().len())
}

fn open_json(
    builder: ClientBuilder<Value, Value>,
    events: &Rc<RefCell<Vec<Value>>>,
) -> Result<AnyClient, String> {
    let client = builder.build().map_err(|error| report::chain(&error))?;
    let mut stream = client.events();
    let log = events.clone();
    spawn_local(async move {
        while let Some(event) = stream.next().await {
            log.borrow_mut().push(report::event(event, |value| value));
        }
        log.borrow_mut().push(json!({ "type": "end" }));
    });
    Ok(AnyClient::Json(client))
}

/// Opens one more stream of a client, which nobody reads before [`read_hoard`].
#[wasm_bindgen]
pub fn hoard(name: &str) -> Result<(), String> {
    let entry = entry(name)?;
    let AnyClient::Raw(client) = &entry.client else {
        return Err("its messages are not bytes".to_owned());
    };
    entry.unread.replace(Some(client.events()));
    Ok(())
}

/// Reads so many messages of the stream of [`hoard`]: each payload's length and its number.
#[wasm_bindgen]
pub async fn read_hoard(name: String, count: usize) -> Result<String, String> {
    let unread = entry(&name)?.unread.take();
    let mut events = unread.ok_or("nothing is hoarded")?;
    let mut read = Vec::new();
    while read.len() < count
        && let Some(event) = events.next().await
    {
        if let Event::Message(payload) = event {
            let number = payload.bytes().first_chunk().copied();
            read.push(json!([payload.len(), number.map(u64::from_le_bytes)]));
        }
    }
    entry(&name)?.unread.replace(Some(events));
    Ok(Value::from(read).to_string())
}

#[wasm_bindgen]
pub fn drop_client(name: &str) {
    let entry = CLIENTS.with_borrow_mut(|clients| clients.remove(name));
    drop(entry);
}

/// Makes the worker fail.
#[wasm_bindgen]
pub fn fault(name: &str, what: &str, millis: u32) -> Result<(), String> {
    let fault = match what {
        "end" => Fault::End,
        "trap" => Fault::Trap,
        "panic" => Fault::Panic,
        "hang" => Fault::Hang(Millis(millis)),
        "mute" => Fault::Mute,
        "drop-sockets" => Fault::DropSockets,
        other => return Err(format!("no fault {other:?}")),
    };
    with!(entry(name)?, client => client.fault(fault));
    Ok(())
}

/// Ends as `sent`, or as the words of the error.
#[wasm_bindgen]
pub async fn send(name: String, text: String) -> Result<String, String> {
    Ok(outcome(send_now(&name, &text)?.await))
}

/// As [`send`], by a delivery of its own.
#[wasm_bindgen]
pub async fn deliver(name: String, text: String, delivery: String) -> Result<String, String> {
    let delivery = match delivery.as_str() {
        "once" => Delivery::AtMostOnce,
        "at-least-once" => Delivery::AtLeastOnce,
        "until-acknowledged" => Delivery::UntilAcknowledged,
        other => return Err(format!("no delivery {other:?}")),
    };
    let sending = match &entry(&name)?.client {
        AnyClient::Raw(client) => client.deliver(&Payload::text(text), delivery),
        AnyClient::Json(client) => {
            let message = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            client.deliver(&message, delivery)
        }
    };
    Ok(outcome(sending.await))
}

/// Sends `count` messages `<prefix><n>` in one go and returns at once.
#[wasm_bindgen]
pub fn send_many(name: &str, prefix: &str, count: u32) -> Result<(), String> {
    for n in 0..count {
        drop(send_now(name, &format!("{prefix}{n}"))?);
    }
    Ok(())
}

/// Sends `count` messages in one go and waits for all; returns how many ended how.
#[wasm_bindgen]
pub async fn send_all(name: String, prefix: String, count: u32) -> Result<String, String> {
    let sends: Result<Vec<Sending>, String> = (0..count)
        .map(|n| send_now(&name, &format!("{prefix}{n}")))
        .collect();
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for send in sends? {
        *outcomes.entry(outcome(send.await)).or_default() += 1;
    }
    Ok(json!(outcomes).to_string())
}

#[wasm_bindgen]
pub async fn send_bytes(name: String, len: usize, seed: u8) -> Result<String, String> {
    let bytes: Vec<u8> = (0..len)
        .map(|at| (at as u8).wrapping_mul(31) ^ (at >> 8) as u8 ^ seed)
        .collect();
    let sum = report::checksum(&bytes);
    let entry = entry(&name)?;
    let AnyClient::Raw(client) = &entry.client else {
        return Err("not a raw client".into());
    };
    let outcome = outcome(client.send(&Payload::binary(bytes)).await);
    Ok(json!({ "outcome": outcome, "sum": sum }).to_string())
}

/// Sends numbered frames, as `/sink` checks them, each as soon as the client is ready for it. Returns when the last one is sent.
#[wasm_bindgen]
pub async fn upload(name: String, frames: u32, len: usize) -> Result<String, String> {
    let entry = entry(&name)?;
    let AnyClient::Raw(client) = &entry.client else {
        return Err("not a raw client".into());
    };
    let mut last = None;
    for number in 0..frames {
        if let Err(error) = client.ready().await {
            return Ok(report::chain(&error));
        }
        let mut frame = u64::from(number).to_le_bytes().to_vec();
        let fill = (8..len).map(|at| (u64::from(number) + at as u64) as u8);
        frame.extend(fill);
        last = Some(client.send(&Payload::binary(frame)));
        entry.uploaded.set(number + 1);
    }
    match last {
        Some(last) => Ok(outcome(last.await)),
        None => Ok("nothing".to_owned()),
    }
}

/// How many frames an upload has sent, and what is on its way.
#[wasm_bindgen]
pub fn uploaded(name: &str) -> Result<String, String> {
    let entry = entry(name)?;
    let (all, socket) =
        with!(entry, client => (client.buffered_amount(), client.socket_buffered_amount()));
    Ok(json!({ "frames": entry.uploaded.get(), "buffered": all, "in_socket": socket }).to_string())
}

/// Ends as `ready`, or as the words of the error.
#[wasm_bindgen]
pub async fn ready(name: String) -> Result<String, String> {
    let entry = entry(&name)?;
    let ready = with!(entry, client => client.ready());
    Ok(ready
        .await
        .map_or_else(|error| report::chain(&error), |()| "ready".to_owned()))
}

/// Sends `{asks: id, answers: id, text}`, to a server that echoes, and returns the text of the answer.
#[wasm_bindgen]
pub async fn request(
    name: String,
    text: String,
    timeout_ms: u32,
    answered: bool,
) -> Result<String, String> {
    let entry = entry(&name)?;
    let AnyClient::Json(client) = &entry.client else {
        return Err("not a json client".into());
    };
    let request = client.request(|RequestId(id)| match answered {
        true => json!({ "asks": id, "answers": id, "text": text }),
        false => json!({ "asks": id, "text": text }),
    });
    match request
        .timeout(Duration::from_millis(timeout_ms.into()))
        .await
    {
        Ok(answer) => Ok(answer["text"].to_string()),
        Err(error) => Ok(report::chain(&error)),
    }
}

#[wasm_bindgen]
pub fn greet(name: &str, text: &str, farewell: Option<String>) -> Result<(), String> {
    let entry = entry(name)?;
    let guard = match &entry.client {
        AnyClient::Raw(client) => {
            let farewell = farewell.map(Payload::text);
            client
                .greet(&Payload::text(text), farewell.as_ref())
                .map(Guard::Raw)
        }
        AnyClient::Json(client) => {
            let farewell = farewell.map(Value::from);
            client
                .greet(&Value::from(text), farewell.as_ref())
                .map(Guard::Json)
        }
    };
    let guard = guard.map_err(|error| report::chain(&error))?;
    entry.greetings.borrow_mut().insert(text.to_owned(), guard);
    Ok(())
}

#[wasm_bindgen]
pub fn ungreet(name: &str, text: &str) -> Result<(), String> {
    let guard = entry(name)?.greetings.borrow_mut().remove(text);
    drop(guard);
    Ok(())
}

#[wasm_bindgen]
pub fn events(name: &str) -> Result<String, String> {
    Ok(json!(*entry(name)?.events.borrow()).to_string())
}

/// As [`events`], and forgets them: a long run would not have room for all.
#[wasm_bindgen]
pub fn take_events(name: &str) -> Result<String, String> {
    let events = core::mem::take(&mut *entry(name)?.events.borrow_mut());
    Ok(Value::Array(events).to_string())
}

#[wasm_bindgen]
pub fn feed(name: &str) -> Result<String, String> {
    Ok(report::feed(&entry(name)?.events.borrow()).to_string())
}

/// How many frames of a feed have come, and how many were out of place or dropped.
#[wasm_bindgen]
pub fn tally(name: &str) -> Result<String, String> {
    let entry = entry(name)?;
    let Tally {
        messages,
        misplaced,
        missed,
    } = *entry.tally.borrow();
    Ok(json!({ "messages": messages, "misplaced": misplaced, "missed": missed }).to_string())
}

#[wasm_bindgen]
pub fn status(name: &str) -> Result<String, String> {
    let entry = entry(name)?;
    Ok(with!(entry, client => report::status(&client.status())).to_string())
}

#[wasm_bindgen]
pub fn refresh_status(name: &str) -> Result<(), String> {
    let entry = entry(name)?;
    with!(entry, client => client.refresh_status());
    Ok(())
}

#[wasm_bindgen]
pub fn reconnect(name: &str) -> Result<(), String> {
    let entry = entry(name)?;
    with!(entry, client => client.reconnect());
    Ok(())
}

#[wasm_bindgen]
pub fn log_out(name: &str, drain_ms: Option<u32>) -> Result<(), String> {
    let entry = entry(name)?;
    let queued = drain_ms.map_or(LogOut::Drop, |ms| {
        LogOut::Drain(Duration::from_millis(ms.into()))
    });
    with!(entry, client => client.log_out(queued));
    Ok(())
}

#[wasm_bindgen]
pub fn disconnect(name: &str) -> Result<(), String> {
    let entry = entry(name)?;
    with!(entry, client => client.disconnect());
    Ok(())
}

#[wasm_bindgen]
pub fn tier(name: &str) -> Result<Option<String>, String> {
    let entry = entry(name)?;
    Ok(with!(entry, client => client.tier()).map(|tier| tier.to_string()))
}

/// Which run of a worker the page is with.
#[wasm_bindgen]
pub fn epoch(name: &str) -> Result<Option<String>, String> {
    let entry = entry(name)?;
    let epoch = with!(entry, client => client.manager().epoch());
    Ok(epoch.map(|epoch| epoch.to_string()))
}

#[wasm_bindgen]
pub fn ladder(name: &str) -> Result<String, String> {
    let entry = entry(name)?;
    let ladder = with!(entry, client => client.ladder());
    let attempts: Vec<Value> = ladder
        .attempts()
        .iter()
        .map(|attempt| json!({ "tier": attempt.tier.to_string(), "outcome": format!("{:?}", attempt.outcome) }))
        .collect();
    let role = ladder.role().map(|role| role.to_string());
    Ok(json!({ "attempts": attempts, "role": role, "text": ladder.to_string() }).to_string())
}

#[wasm_bindgen]
pub async fn switch_tier(name: String, tier: String) -> Result<String, String> {
    let entry = entry(&name)?;
    let tier: Tier = tier.parse().map_err(|error| format!("{error}"))?;
    let switch = with!(entry, client => client.manager().switch_tier(tier));
    Ok(switch
        .await
        .map_or_else(|error| report::chain(&error), |()| "switched".to_owned()))
}

#[wasm_bindgen]
pub async fn ping(name: String) -> Result<String, String> {
    let entry = entry(&name)?;
    let ping = with!(entry, client => client.manager().ping());
    Ok(ping
        .await
        .map_or_else(|error| report::chain(&error), |_| "pong".to_owned()))
}

#[wasm_bindgen]
pub fn inspect(name: &str) -> Result<(), String> {
    let entry = entry(name)?;
    with!(entry, client => onesocket::inspector::show(client.manager()));
    Ok(())
}

#[wasm_bindgen]
pub fn set_debug(name: &str, level: &str) -> Result<(), String> {
    let entry = entry(name)?;
    let level = config::debug_level(level)?;
    with!(entry, client => client.set_debug(level));
    Ok(())
}

fn send_now(name: &str, text: &str) -> Result<Sending, String> {
    Ok(match &entry(name)?.client {
        AnyClient::Raw(client) => client.send(&Payload::text(text)),
        AnyClient::Json(client) => {
            client.send(&serde_json::from_str(text).map_err(|error| error.to_string())?)
        }
    })
}

fn outcome<T>(result: Result<T, SendError>) -> String {
    match result {
        Ok(_) => "sent".to_owned(),
        Err(error) => report::chain(&error),
    }
}

fn entry(name: &str) -> Result<Rc<Entry>, String> {
    CLIENTS
        .with_borrow(|clients| clients.get(name).cloned())
        .ok_or_else(|| format!("no client {name:?}"))
}
