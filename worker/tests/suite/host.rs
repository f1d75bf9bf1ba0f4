use bytes::Bytes;
use js_sys::{Function, Promise};
use onesocket_protocol::{
    BatchReader, ChannelId, Connect, DebugLevel, Epoch, Hello, LinkKey, LinkPolicy, LinkState,
    Outbox, Preface, Replay, StopReason, TabToken, ToTab, ToWorker, Version,
};
use onesocket_worker::{Host, scope};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use super::{Tab, turn};

fn start() -> Host {
    Host::start(scope().unwrap(), DebugLevel::Off)
}

fn connect(host: &Host) -> Tab {
    let channel = MessageChannel::new().unwrap();
    host.accept(channel.port2());
    Tab::new(channel.port1())
}

async fn welcomed(host: &Host) -> (Tab, Epoch) {
    let mut tab = connect(host);
    tab.post(&Hello::new(TabToken(1), false).encode());
    match Preface::decode(&tab.frame().await) {
        Ok(Preface::Welcome(welcome)) => (tab, welcome.epoch),
        other => panic!("{other:?}"),
    }
}

/// Connects a channel and returns the state in which its connection ends up at once.
async fn dial(host: &Host, url: &str, subprotocols: &[&str]) -> LinkState {
    let (mut tab, epoch) = welcomed(host).await;
    let mut outbox = Outbox::new(epoch, Version::V1);
    outbox.push(&ToWorker::Connect(Box::new(Connect {
        channel: ChannelId(1),
        key: LinkKey {
            url: url.to_owned(),
            subprotocols: subprotocols.iter().map(ToString::to_string).collect(),
            account: String::new(),
        },
        policy: LinkPolicy::default().into(),
        replay: Replay::None,
    })));
    tab.post(outbox.poll_frame().unwrap());
    loop {
        let frame = Bytes::from(tab.frame().await);
        let batch = BatchReader::new(&frame).unwrap();
        outbox.on_batch(batch.header()).unwrap();
        for raw in batch {
            match ToTab::decode(Version::V1, &raw.unwrap()).unwrap() {
                ToTab::Disconnected { reason, .. } => return LinkState::Stopped(reason),
                ToTab::Reconnecting {
                    attempt,
                    delay,
                    cause,
                    ..
                } => {
                    return LinkState::Reconnecting {
                        attempt,
                        delay: delay.unwrap(),
                        cause,
                    };
                }
                _ => {}
            }
        }
        while let Some(frame) = outbox.poll_frame() {
            tab.post(frame);
        }
    }
}

#[wasm_bindgen_test]
fn every_run_has_its_own_epoch() {
    assert_ne!(start().epoch(), start().epoch());
}

#[wasm_bindgen_test]
async fn a_port_goes_round_a_real_channel() {
    let host = start();
    let (_tab, epoch) = welcomed(&host).await;
    assert_eq!(epoch, host.epoch());
}

#[wasm_bindgen_test]
async fn what_is_no_buffer_harms_nobody() {
    let host = start();
    let (mut tab, _) = welcomed(&host).await;
    for foreign in [
        JsValue::NULL,
        JsValue::from_str("[object Object]"),
        js_sys::Uint8Array::new_with_length(3).into(),
    ] {
        tab.port.post_message(&foreign).unwrap();
    }
    tab.post(&Hello::new(TabToken(1), false).encode());
    loop {
        if let Ok(Preface::Welcome(_)) = Preface::decode(&tab.frame().await) {
            return;
        }
    }
}

#[wasm_bindgen_test]
async fn a_bad_url_and_a_bad_subprotocol_are_told_apart() {
    let host = start();
    // A relative URL would do: it is resolved against the script.
    let invalid = LinkState::Stopped(StopReason::InvalidUrl);
    for url in ["ws://", "ws://[::1", "ftp://x.org", "ws://127.0.0.1:99999/"] {
        assert_eq!(dial(&host, url, &["ok"]).await, invalid, "{url}");
    }
    let invalid = LinkState::Stopped(StopReason::InvalidSubprotocol);
    for subprotocols in [&["a b"][..], &[""], &["a", "b", "a"], &["\u{e4}"]] {
        assert_eq!(
            dial(&host, "ws://127.0.0.1:9/", subprotocols).await,
            invalid,
            "{subprotocols:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_one_close() {
    let host = start();
    let state = dial(&host, "ws://127.0.0.1:9/", &[]).await;
    assert!(matches!(state, LinkState::Reconnecting { .. }), "{state:?}");
}

#[wasm_bindgen_test]
async fn a_stopped_host_is_silent() {
    let host = start();
    let (mut tab, _) = welcomed(&host).await;
    rounds().await;
    while tab.received.try_recv().is_ok() {}
    host.stop();
    let mut late = connect(&host);
    for tab in [&tab, &late] {
        tab.post(&Hello::new(TabToken(1), false).encode());
    }
    rounds().await;
    for tab in [&mut tab, &mut late] {
        assert!(tab.received.try_recv().is_err());
    }
}

/// Other ports have gone there and back.
async fn rounds() {
    for _ in 0..ROUNDS {
        welcomed(&start()).await;
    }
}

/// What was posted on one port may come behind what was posted later on another, but not behind so much.
const ROUNDS: u32 = 3;

#[wasm_bindgen_test]
async fn a_tab_that_lets_go_of_its_lock_is_gone() {
    let token = TabToken((js_sys::Math::random() * 1e9) as u64);
    let hold = "return new Promise((held) => navigator.locks.request(name, () => new Promise((release) => held(release))))";
    let held =
        Function::new_with_args("name", hold).call1(&JsValue::NULL, &token.lock_name().into());
    let release: Function = JsFuture::from(Promise::from(held.unwrap()))
        .await
        .unwrap()
        .unchecked_into();
    let host = start();
    let mut tab = connect(&host);
    let hello = Hello::new(token, true).encode();
    tab.post(&hello);
    tab.frame().await;
    turn().await;
    tab.post(&hello);
    while !matches!(Preface::decode(&tab.frame().await), Ok(Preface::Welcome(_))) {}
    turn().await;
    while tab.received.try_recv().is_ok() {}

    release.call0(&JsValue::NULL).unwrap();
    // The lock goes through the browser's main process.
    let mut silent = 0;
    for _ in 0..200 {
        while tab.received.try_recv().is_ok() {}
        tab.post(&hello);
        // What comes later is answered.
        welcomed(&host).await;
        silent = match tab.received.try_recv() {
            Ok(_) => 0,
            Err(_) => silent + 1,
        };
        if silent == ROUNDS {
            return;
        }
    }
    panic!("somebody still answers");
}
