//! The messages: one element each, in the order of the conversation.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use wasm_bindgen::{JsCast as _, prelude::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};

use crate::{
    conversation::{Conversation, Entry, Key, Placed, State},
    dom::{self, by_id, element, listen, set_attribute, set_text},
};

pub(crate) struct Log {
    log: HtmlElement,
    scroller: Element,
    empty: HtmlElement,
    shown: RefCell<BTreeMap<Key, HtmlElement>>,
    /// Whether new messages scroll into view: not for somebody who reads older ones.
    follows: Rc<Cell<bool>>,
}

impl Log {
    pub(super) fn find() -> Option<Self> {
        let log = Self {
            log: by_id("log")?,
            scroller: by_id("scroller")?,
            empty: by_id("empty")?,
            shown: RefCell::default(),
            follows: Rc::new(Cell::new(true)),
        };
        log.follow();
        Some(log)
    }

    /// Puts an entry where it belongs, new or moved.
    pub(crate) fn place(&self, conversation: &Conversation, placed: &Placed) {
        let Some(entry) = conversation.entry(placed.key) else {
            return;
        };
        if self.shown.borrow().is_empty() {
            self.empty.set_hidden(true);
        }
        let known = self.shown.borrow().get(&placed.key).cloned();
        let Some(item) = known.or_else(|| self.make(placed.key, entry)) else {
            return;
        };
        let before = placed
            .before
            .and_then(|key| self.shown.borrow().get(&key).cloned());
        let next = item.next_element_sibling();
        let is_in_place = item.parent_node().is_some() && next.as_ref() == before.as_deref();
        if !is_in_place {
            // It fails for a node that is its own ancestor; a message is no such thing.
            let _ = self
                .log
                .insert_before(&item, before.as_deref().map(AsRef::as_ref));
        }
        draw(&item, entry);
        self.group(&item);
        for neighbour in [next, item.next_element_sibling()].into_iter().flatten() {
            self.group(&neighbour);
        }
    }

    /// Draws an entry that has changed where it is.
    pub(crate) fn update(&self, conversation: &Conversation, key: Key) {
        if let (Some(item), Some(entry)) = (self.shown.borrow().get(&key), conversation.entry(key))
        {
            draw(item, entry);
        }
        self.settle();
    }

    /// Scrolls to the end if the reader was there.
    pub(crate) fn settle(&self) {
        if self.follows.get() {
            self.scroller.set_scroll_top(self.scroller.scroll_height());
        }
    }

    pub(crate) fn go_to_end(&self) {
        self.follows.set(true);
        self.settle();
    }

    /// Follows the reader, and the end when the room for the messages changes: a narrower window, a banner.
    fn follow(&self) {
        let (scroller, follows) = (self.scroller.clone(), Rc::clone(&self.follows));
        listen(&self.scroller, "scroll", move |_| {
            let below = scroller.scroll_height() - scroller.scroll_top() - scroller.client_height();
            follows.set(below < NEAR_END_PX);
        });
        let (scroller, follows) = (self.scroller.clone(), Rc::clone(&self.follows));
        let resized = Closure::<dyn FnMut()>::new(move || {
            if follows.get() {
                scroller.set_scroll_top(scroller.scroll_height());
            }
        });
        if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
            observer.observe(&self.scroller);
            observer.observe(&self.log);
            resized.forget();
        }
    }

    pub(crate) fn on_retry(&self, retry: impl Fn(Key) + 'static) {
        listen(&self.log, "click", move |event| {
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let button =
                target.and_then(|target| target.closest("button[data-retry]").ok().flatten());
            let key = button.and_then(|button| button.get_attribute("data-retry")?.parse().ok());
            if let Some(key) = key {
                retry(Key(key));
            }
        });
    }

    fn make(&self, key: Key, entry: &Entry) -> Option<HtmlElement> {
        let Entry {
            chat,
            is_mine,
            is_raw,
            ..
        } = entry;
        let item = element("article", "message new", "")?;
        set_attribute(&item, "data-from", &chat.from);
        set_attribute(&item, "data-id", &chat.id);
        set_attribute(&item, "data-key", &key.0.to_string());
        item.class_list().toggle_with_force("mine", *is_mine).ok()?;
        item.class_list().toggle_with_force("raw", *is_raw).ok()?;
        let hue = format!(
            "hue{}",
            chat.from
                .bytes()
                .fold(7u32, |hash, byte| hash.wrapping_mul(31) ^ u32::from(byte))
                % 8
        );
        item.class_list().add_1(&hue).ok()?;

        let name = if chat.from.is_empty() {
            "the server"
        } else {
            &chat.from
        };
        let face = element("span", "face", &initials(name))?;
        set_attribute(&face, "aria-hidden", "true");
        let head = element("span", "head", "")?;
        let at = if chat.at > 0.0 && !is_raw {
            chat.at
        } else {
            js_sys::Date::now()
        };
        let time = element("time", "", &dom::clock_time(at, false))?;
        head.append_with_node_2(&element("span", "name", name)?.into(), &time.into())
            .ok()?;
        let text = element("span", "text", &chat.text)?;
        let mark = element("span", "mark-sent", "")?;
        item.append_with_node_4(&face.into(), &head.into(), &text.into(), &mark.into())
            .ok()?;
        self.shown.borrow_mut().insert(key, item.clone());
        Some(item)
    }

    /// Several messages of one sender in a row have one head.
    fn group(&self, item: &Element) {
        let from = |item: &Element| item.get_attribute("data-from");
        let continues = item
            .previous_element_sibling()
            .is_some_and(|previous| from(&previous) == from(item));
        // It fails for names that are none.
        let _ = item.class_list().toggle_with_force("continues", continues);
    }
}

fn draw(item: &Element, entry: &Entry) {
    let (state, mark, said) = match &entry.state {
        State::Sending => ("sending", "sending…", ""),
        State::Sent { .. } => ("sent", "✓", "sent"),
        State::Failed { .. } => ("failed", "", ""),
        State::Delivered if entry.is_mine => ("delivered", "✓✓", "delivered"),
        State::Delivered => ("delivered", "", ""),
    };
    set_attribute(item, "data-state", state);
    if let Ok(Some(element)) = item.query_selector(".mark-sent") {
        set_text(&element, mark);
        if !said.is_empty() {
            set_attribute(&element, "role", "img");
            set_attribute(&element, "aria-label", said);
        }
    }
    let shown = item.query_selector(".failed").ok().flatten();
    match (&entry.state, shown) {
        (State::Failed { why }, None) => add_failure(item, why),
        (State::Failed { .. }, Some(_)) | (_, None) => {}
        (_, Some(shown)) => shown.remove(),
    }
}

fn add_failure(item: &Element, why: &str) {
    let make = || {
        let failed = element("span", "failed", "")?;
        let why = element("span", "", &format!("not sent: {why}"))?;
        let retry = element("button", "link", "Retry")?;
        set_attribute(&retry, "type", "button");
        set_attribute(&retry, "data-retry", &item.get_attribute("data-key")?);
        failed.append_with_node_2(&why, &retry).ok()?;
        item.append_child(&failed).ok()
    };
    let _ = make();
}

fn initials(name: &str) -> String {
    let words = name.split_whitespace().take(2);
    words
        .filter_map(|word| word.chars().next())
        .flat_map(char::to_uppercase)
        .collect()
}

/// Nobody who is this close to the end reads something else.
const NEAR_END_PX: i32 = 80;
