//! A tab of the protocol over a bridge of gloo-worker.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

use bytes::Bytes;
use futures::{StreamExt, channel::mpsc};
use gloo_worker::Spawnable;
use onesocket::{DebugLevel, LinkPolicy, Payload, Replay};
use onesocket_engine::{ChannelConfig, ChannelEvent, Delivery, TabOutput, TabSession};
use onesocket_protocol::{LinkKey, TabToken};
use onesocket_worker::gloo::{OneSocketWorker, Postcard};
use wasm_bindgen::prelude::wasm_bindgen;

/// Sends a text to a server that echoes, and returns what comes back.
#[wasm_bindgen]
pub async fn gloo_echo(script: String, url: String, text: String) -> Result<String, String> {
    let (sender, mut frames) = mpsc::unbounded::<Bytes>();
    let bridge = OneSocketWorker::spawner()
        .encoding::<Postcard>()
        // Without it gloo makes a `blob:` script, which the policy of this page refuses.
        .with_loader(true)
        .as_module(false)
        .callback(move |frame| drop(sender.unbounded_send(frame)))
        .spawn(&script);
    let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
    let key = LinkKey {
        url,
        subprotocols: Vec::new(),
        account: String::new(),
    };
    let channel = tab.open(ChannelConfig {
        key,
        policy: LinkPolicy::default(),
        replay: Replay::None,
    });
    tab.attach(false);
    tab.send(channel, Payload::text(text), Delivery::AtMostOnce)
        .map_err(|error| error.to_string())?;
    loop {
        while let Some(output) = tab.poll_output() {
            match output {
                TabOutput::Post(frame) => bridge.send(Bytes::copy_from_slice(frame)),
                TabOutput::Event {
                    event: ChannelEvent::Message { payload, .. },
                    ..
                } => return Ok(payload.as_text().unwrap_or_default().to_owned()),
                _ => {}
            }
        }
        let frame = frames.next().await.ok_or("the bridge is gone")?;
        tab.handle_frame(&frame);
    }
}
