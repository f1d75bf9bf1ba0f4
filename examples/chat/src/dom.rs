//! The few things that the page asks of the browser.

use js_sys::{Date, Math};
use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, UrlSearchParams, Window};

pub(crate) fn window() -> Option<Window> {
    web_sys::window()
}

pub(crate) fn document() -> Option<Document> {
    window()?.document()
}

pub(crate) fn by_id<T: wasm_bindgen::JsCast>(id: &str) -> Option<T> {
    document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Makes an element with a class and a text, both may be empty.
pub(crate) fn element(tag: &str, class: &str, text: &str) -> Option<HtmlElement> {
    let element: HtmlElement = document()?.create_element(tag).ok()?.dyn_into().ok()?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    Some(element)
}

/// Sets a text, unless it is there: a live region repeats what is set again.
pub(crate) fn set_text(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

pub(crate) fn set_attribute(element: &Element, name: &str, value: &str) {
    // It fails for names that are none, and these are ours.
    let _ = element.set_attribute(name, value);
}

/// Listens for as long as the page lives.
pub(crate) fn listen(target: &EventTarget, event: &str, listener: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(listener);
    let listening =
        target.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    if listening.is_ok() {
        listener.forget();
    }
}

/// The pairs of the page's query string.
pub(crate) fn query() -> Vec<(String, String)> {
    let parse = || {
        let search = window()?.location().search().ok()?;
        UrlSearchParams::new_with_str(&search).ok()
    };
    let Some(parameters) = parse() else {
        return Vec::new();
    };
    let pairs = parameters.entries().into_iter().flatten();
    let pair = |entry| {
        let entry = js_sys::Array::from(&entry);
        Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
    };
    pairs.filter_map(pair).collect()
}

/// This page's address with one parameter changed, or without it.
pub(crate) fn address_with(name: &str, value: Option<&str>) -> Option<String> {
    let search = window()?.location().search().ok()?;
    let parameters = UrlSearchParams::new_with_str(&search).ok()?;
    match value {
        Some(value) => parameters.set(name, value),
        None => parameters.delete(name),
    }
    Some(format!("?{}", String::from(parameters.to_string())))
}

/// Milliseconds of a clock that never goes back.
pub(crate) fn now() -> f64 {
    window()
        .and_then(|window| window.performance())
        .map_or_else(Date::now, |performance| performance.now())
}

pub(crate) fn is_visible() -> bool {
    document()
        .is_none_or(|document| document.visibility_state() == web_sys::VisibilityState::Visible)
}

/// `14:05`, and `14:05:09` with seconds.
pub(crate) fn clock_time(at: f64, with_seconds: bool) -> String {
    let date = Date::new(&at.into());
    let minutes = format!("{:02}:{:02}", date.get_hours(), date.get_minutes());
    if with_seconds {
        format!("{minutes}:{:02}", date.get_seconds())
    } else {
        minutes
    }
}

/// A word that no other page has.
pub(crate) fn random_word() -> String {
    let digit = |_| char::from_digit((Math::random() * 36.0) as u32, 36).unwrap_or('0');
    (0..10).map(digit).collect()
}

/// The name that this tab had before, or a new one: each tab is somebody, and stays so over a reload.
pub(crate) fn remembered_name() -> String {
    // Refused in a sandboxed frame, and where the user wants it so.
    let storage = window().and_then(|window| window.session_storage().ok().flatten());
    let remembered = storage
        .as_ref()
        .and_then(|storage| storage.get_item(NAME_ITEM).ok().flatten());
    remembered.unwrap_or_else(|| {
        let pick = |words: &[&str]| {
            words[(Math::random() * words.len() as f64) as usize % words.len()].to_owned()
        };
        let name = format!("{} {}", pick(&MOODS), pick(&ANIMALS));
        if let Some(storage) = storage {
            // A full or refused storage only forgets the name.
            let _ = storage.set_item(NAME_ITEM, &name);
        }
        name
    })
}

/// Says on the console and in the page that something is broken for good.
pub(crate) fn complain(text: &str) {
    web_sys::console::error_1(&text.into());
    if let Some(notice) = by_id::<HtmlElement>("notice") {
        notice.set_text_content(Some(text));
        notice.set_hidden(false);
    }
}

const NAME_ITEM: &str = "onesocket-chat-name";
const MOODS: [&str; 12] = [
    "Calm", "Brisk", "Bright", "Gentle", "Quick", "Quiet", "Merry", "Keen", "Lucky", "Sunny",
    "Bold", "Mellow",
];
const ANIMALS: [&str; 16] = [
    "Heron", "Otter", "Lynx", "Wren", "Badger", "Finch", "Marten", "Seal", "Hare", "Owl", "Robin",
    "Fox", "Crane", "Newt", "Swift", "Elk",
];
