//! The page: the client's events go to elements, and what is typed goes to the client.

use std::error::Error;

use futures::StreamExt;
use onesocket::{Client, Event, LinkState, ManagerConfig, Replay, codec::Text};
use wasm_bindgen::{JsCast, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Document, Element, HtmlInputElement};

pub(crate) fn start() -> Result<(), Box<dyn Error>> {
    let document = web_sys::window()
        .and_then(|window| window.document())
        .ok_or("no document")?;
    let root = document.document_element().ok_or("no document element")?;
    let mut worker = ManagerConfig::default();
    if let Some(script) = root.get_attribute("data-worker") {
        worker = worker.script(script);
    }
    // ANCHOR: client
    let client: Client<str, String> = Client::builder("/chat?room=plain", Text)
        .replay(Replay::Last {
            messages: 50,
            bytes: 64 * 1024,
        })
        .worker(worker)
        .build()?;
    // ANCHOR_END: client
    let (status, said) = (by_id(&document, "status")?, by_id(&document, "said")?);
    listen(client.clone(), status.clone(), said, document.clone());
    send_what_is_typed(&document, client, status)
}

fn listen(client: Client<str, String>, status: Element, said: Element, document: Document) {
    // ANCHOR: events
    let mut events = client.events();
    let mut has_joined = false;
    spawn_local(async move {
        while let Some(event) = events.next().await {
            // It joins anew, as behind the back button, and is given again what has come on this socket.
            if matches!(event, Event::Replayed(_)) && core::mem::take(&mut has_joined) {
                said.set_text_content(None);
            }
            match event {
                Event::Connected { .. } => has_joined = true,
                Event::Message(text) | Event::Replayed(text) => {
                    if let Ok(line) = document.create_element("li") {
                        line.set_text_content(Some(&text));
                        // It fails for what is no node, and this is one.
                        let _ = said.append_child(&line);
                    }
                }
                Event::Status(now) => {
                    let tier = client
                        .tier()
                        .map_or_else(String::new, |tier| tier.to_string());
                    let text = match now.state {
                        LinkState::Connected { .. } => format!("connected, {tier} tier"),
                        LinkState::Stopped(reason) => reason.to_string(),
                        _ => "connecting".to_owned(),
                    };
                    status.set_text_content(Some(&text));
                }
                _ => {}
            }
        }
    });
    // ANCHOR_END: events
}

fn send_what_is_typed(
    document: &Document,
    client: Client<str, String>,
    status: Element,
) -> Result<(), Box<dyn Error>> {
    let form = by_id(document, "form")?;
    let field: HtmlInputElement = by_id(document, "text")?
        .dyn_into()
        .map_err(|_| "#text is no field")?;
    let on_submit = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        event.prevent_default();
        // ANCHOR: send
        let sending = client.send(&field.value());
        field.set_value("");
        let status = status.clone();
        spawn_local(async move {
            // Sent, now or after a reconnect; else as a typed error.
            if let Err(error) = sending.await {
                status.set_text_content(Some(&error.to_string()));
            }
        });
        // ANCHOR_END: send
    });
    form.add_event_listener_with_callback("submit", on_submit.as_ref().unchecked_ref())
        .map_err(|_| "the form takes no listener")?;
    // The page listens for as long as it lives.
    on_submit.forget();
    Ok(())
}

fn by_id(document: &Document, id: &str) -> Result<Element, String> {
    document
        .get_element_by_id(id)
        .ok_or_else(|| format!("no #{id}"))
}
