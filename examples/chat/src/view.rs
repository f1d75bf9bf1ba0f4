//! The page: what it shows, and what is done in it.

mod attempt;
mod diagram;
mod events;
mod ladder;
mod log;

use std::{rc::Rc, time::Duration};

use onesocket::{DebugLevel, Ladder, LinkState, ManagerState, Status, Tier, TierPolicy};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use self::{
    attempt::Countdown,
    diagram::Diagram,
    events::EventList,
    ladder::{reason, show_ladder},
    log::Log,
};
use crate::{
    connection::{Trips, word_for},
    conversation::Counts,
    dom::{self, by_id, listen, set_attribute, set_text},
    parameters::Parameters,
};

/// The elements of the page.
pub(crate) struct View {
    pub(crate) log: Log,
    pub(crate) diagram: Diagram,
    pub(crate) events: EventList,
    countdown: Rc<Countdown>,
    body: HtmlElement,
    place: Element,
    status: Element,
    notice: HtmlElement,
    banner: HtmlElement,
    detail: Element,
    headline: Element,
    explained: Element,
    tier: Element,
    tiers_hint: Element,
    sent: Element,
    received: Element,
    repeats: Element,
    queue: Element,
    trip: Element,
    dials: Element,
    ladder: Element,
    ladder_hint: Element,
    toggle: Element,
    text: HtmlInputElement,
    debug: HtmlInputElement,
}

impl View {
    /// Finds everything, or nothing.
    pub(crate) fn find() -> Option<Self> {
        let view = Self {
            log: Log::find()?,
            diagram: Diagram::find()?,
            events: EventList::find()?,
            countdown: Countdown::find()?,
            body: dom::document()?.body()?,
            place: by_id("place")?,
            status: by_id("status")?,
            notice: by_id("notice")?,
            banner: by_id("banner")?,
            detail: by_id("detail")?,
            headline: by_id("headline")?,
            explained: by_id("explained")?,
            tier: by_id("tier")?,
            tiers_hint: by_id("tiers-hint")?,
            sent: by_id("sent")?,
            received: by_id("received")?,
            repeats: by_id("repeats")?,
            queue: by_id("queue")?,
            trip: by_id("trip")?,
            dials: by_id("dials")?,
            ladder: by_id("ladder")?,
            ladder_hint: by_id("ladder-hint")?,
            toggle: by_id("toggle")?,
            text: by_id("text")?,
            debug: by_id("debug")?,
        };
        view.fold_panel();
        Some(view)
    }

    /// Shows who is where.
    pub(crate) fn introduce(&self, parameters: &Parameters) {
        let Parameters {
            url,
            room,
            name,
            tiers,
            debug,
            ..
        } = parameters;
        // Not the whole URL: its query may hold a secret, and the page may be shown around.
        let address = url.split(['?', '#']).next().unwrap_or(url);
        let place = room
            .as_ref()
            .map_or_else(|| address.to_owned(), |room| format!("#{room}"));
        self.place.set_text_content(None);
        let strong = dom::element("b", "", &place);
        if let Some(strong) = strong {
            // It fails for a node that is its own ancestor, and this one is new.
            let _ = self.place.append_child(&strong);
            if let Some(name) = dom::element("span", "as", &format!(" as {name}")) {
                let _ = self.place.append_child(&name);
            }
        }
        if let Some(document) = dom::document() {
            document.set_title(&format!("{place} · onesocket chat"));
        }
        set_attribute(&self.place, "title", &format!("{place} as {name}"));
        set_attribute(&self.text, "placeholder", &format!("Message {place}"));
        self.debug.set_checked(*debug != DebugLevel::Off);
        if let TierPolicy::Forced(tier) = tiers {
            let hint = format!("Forced by ?tier={tier}. Another choice loads the page anew.");
            self.tiers_hint.set_text_content(Some(&hint));
        }
        if let Some(address) = dom::address_with("name", None) {
            each(".another", |link| set_attribute(link, "href", &address));
        }
    }

    /// Says why there is no connection at all.
    pub(crate) fn refuse(&self, why: &str) {
        self.notice.set_text_content(Some(why));
        self.notice.set_hidden(false);
        set_text(&self.tier, "none");
        self.set_status("disconnected");
        self.headline.set_text_content(Some("Not connected"));
        self.explained
            .set_inner_html("Correct the address, or <a href=\"./\">start without it</a>.");
        let _ = self.body.class_list().add_1("refused");
        for control in ["#text", "#send"] {
            each(control, |control| set_attribute(control, "disabled", ""));
        }
    }

    pub(crate) fn show_status(&self, status: &Status, tier: Option<Tier>, trips: Trips) {
        let word = word_for(&status.state);
        self.set_status(word);
        self.countdown.show(&status.state);
        set_text(&self.queue, &status.queued_messages.to_string());
        set_text(&self.dials, &status.dials.to_string());
        set_text(&self.trip, &round_trip(status, trips));
        let sockets = if status.state.is_connected() {
            "1 socket"
        } else {
            "no socket"
        };
        let tabs = match status.tabs.max(1) {
            1 => "1 tab".to_owned(),
            tabs => format!("{tabs} tabs"),
        };
        set_text(&self.headline, &format!("{tabs} · {sockets}"));
        set_text(&self.toggle, &tabs);
        set_attribute(
            &self.toggle,
            "aria-label",
            &format!("{tabs}: show the connection"),
        );
        if let Some(tier) = tier {
            set_text(&self.explained, explanation(tier));
        }
        self.diagram.draw(tier, status.tabs.max(1));
        self.show_banner(&status.state);
    }

    fn show_banner(&self, state: &LinkState) {
        let detail = match state {
            LinkState::Connecting { .. } | LinkState::Connected { .. } => None,
            LinkState::Reconnecting { cause, .. } => Some(format!(
                "{}. What you send now waits, and goes out in order.",
                capital(&cause.to_string())
            )),
            LinkState::Offline { .. } => Some(
                "The browser says that it is offline. What you send now waits, and goes out in order."
                    .to_owned(),
            ),
            LinkState::NeedsAuth { .. } => {
                Some("The server wants to know who you are. What you send now waits.".to_owned())
            }
            LinkState::Stopped(reason) => Some(format!("{}.", capital(&reason.to_string()))),
        };
        // A dial is short: a banner that leaves for it would make the page jump.
        let is_dialling_again =
            matches!(state, LinkState::Connecting { .. }) && !self.banner.hidden();
        if let Some(detail) = &detail {
            set_text(&self.detail, detail);
        }
        self.banner
            .set_hidden(detail.is_none() && !is_dialling_again);
    }

    fn set_status(&self, word: &str) {
        set_text(&self.status, word);
        set_attribute(&self.body, "data-status", word);
    }

    pub(crate) fn show_manager(&self, tiers: &TierPolicy, state: &ManagerState, ladder: &Ladder) {
        let tier = match state {
            ManagerState::Running(tier) => tier.as_str(),
            ManagerState::Switching { .. } => "switching",
            ManagerState::Failed(_) => "none",
            _ => "starting",
        };
        set_text(&self.tier, tier);
        set_attribute(&self.body, "data-tier", tier);
        if matches!(state, ManagerState::Failed(_)) {
            set_text(
                &self.explained,
                "No place for the socket could be had. See below what was tried.",
            );
        }
        let is_busy = !matches!(state, ManagerState::Running(_) | ManagerState::Failed(_));
        each("button[data-tier]", |button| {
            let is_this = button.get_attribute("data-tier").as_deref() == Some(tier);
            set_attribute(
                button,
                "aria-pressed",
                if is_this { "true" } else { "false" },
            );
            // It fails for names that are none.
            let _ = button.toggle_attribute_with_force("disabled", is_busy);
        });
        show_ladder(&self.ladder, ladder);
        set_text(&self.ladder_hint, reason(tiers, ladder));
    }

    pub(crate) fn show_counts(&self, counts: Counts) {
        set_text(&self.sent, &counts.sent.to_string());
        set_text(&self.received, &counts.received.to_string());
        set_text(&self.repeats, &counts.repeats.to_string());
    }

    /// Loads the page with another forced tier.
    pub(crate) fn go_to_tier(&self, tier: Tier) {
        if let (Some(window), Some(address)) = (
            dom::window(),
            dom::address_with("tier", Some(tier.as_str())),
        ) {
            // It fails for an address that is none.
            let _ = window.location().assign(&address);
        }
    }

    pub(crate) fn on_say(&self, say: impl Fn(String) + 'static) {
        let Some(form) = by_id::<Element>("composer") else {
            return;
        };
        let text = self.text.clone();
        listen(&form, "submit", move |event| {
            event.prevent_default();
            let said = text.value();
            if !said.trim().is_empty() {
                text.set_value("");
                say(said);
            }
        });
    }

    pub(crate) fn on_reconnect(&self, reconnect: impl Fn() + 'static) {
        let reconnect = Rc::new(reconnect);
        for button in ["reconnect", "retry"]
            .into_iter()
            .filter_map(by_id::<Element>)
        {
            let reconnect = Rc::clone(&reconnect);
            listen(&button, "click", move |_| reconnect());
        }
    }

    pub(crate) fn on_inspect(&self, inspect: impl Fn() + 'static) {
        if let Some(button) = by_id::<Element>("inspect") {
            listen(&button, "click", move |_| inspect());
        }
    }

    pub(crate) fn on_tier(&self, choose: impl Fn(Tier) + 'static) {
        let choose = Rc::new(choose);
        each("button[data-tier]", |button| {
            let tier = button
                .get_attribute("data-tier")
                .and_then(|tier| tier.parse().ok());
            let choose = Rc::clone(&choose);
            if let Some(tier) = tier {
                listen(button, "click", move |_| choose(tier));
            }
        });
    }

    pub(crate) fn on_debug(&self, set: impl Fn(bool) + 'static) {
        let debug = self.debug.clone();
        listen(&self.debug, "change", move |_| set(debug.checked()));
    }

    /// In a narrow window the panel unfolds from a button.
    fn fold_panel(&self) {
        let Some(panel) = by_id::<Element>("panel") else {
            return;
        };
        let button = self.toggle.clone();
        listen(&self.toggle, "click", move |_| {
            // It fails for names that are none.
            let is_open = panel.class_list().toggle("open").unwrap_or_default();
            set_attribute(
                &button,
                "aria-expanded",
                if is_open { "true" } else { "false" },
            );
        });
    }
}

fn each(selector: &str, mut act: impl FnMut(&Element)) {
    let found = dom::document().and_then(|document| document.query_selector_all(selector).ok());
    let Some(found) = found else {
        return;
    };
    for at in 0..found.length() {
        if let Some(Ok(element)) = found.get(at).map(|node| node.dyn_into::<Element>()) {
            act(&element);
        }
    }
}

fn explanation(tier: Tier) -> &'static str {
    match tier {
        Tier::Shared => {
            "A SharedWorker holds the socket for every tab of this browser. Open more tabs: the server still counts one."
        }
        Tier::Dedicated => {
            "The tabs have elected one whose worker holds the socket for all of them. Without Web Locks each has its own."
        }
        Tier::Main => {
            "The page itself holds its socket, in the same loop that would run in a worker. Other tabs have their own."
        }
    }
}

fn round_trip(status: &Status, trips: Trips) -> String {
    let heartbeat = status.round_trip.map(|millis| millis.duration());
    let server = heartbeat
        .or(trips.server)
        .map(|trip| format!("{} server", millis(trip)));
    let worker = trips.worker.map(|trip| format!("{} worker", millis(trip)));
    let known: Vec<String> = server.into_iter().chain(worker).collect();
    if known.is_empty() {
        "not measured yet".to_owned()
    } else {
        known.join(" · ")
    }
}

fn millis(trip: Duration) -> String {
    match trip.as_secs_f64() * 1_000.0 {
        trip if trip < 1.0 => "under 1 ms".to_owned(),
        trip => format!("{trip:.0} ms"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
