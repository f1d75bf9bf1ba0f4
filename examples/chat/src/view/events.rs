//! What happened to the connection, the newest first.

use web_sys::Element;

use crate::dom::{self, by_id};

pub(crate) struct EventList {
    list: Element,
}

impl EventList {
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            list: by_id("events")?,
        })
    }

    pub(crate) fn add(&self, text: &str) {
        let time = dom::element("time", "", &dom::clock_time(js_sys::Date::now(), true));
        let (Some(item), Some(time), Some(text)) = (
            dom::element("li", "", ""),
            time,
            dom::element("span", "", text),
        ) else {
            return;
        };
        // Appending fails for a node that is its own ancestor, and these are new.
        let _ = item.append_with_node_2(&time, &text);
        let _ = self.list.prepend_with_node_1(&item);
        if self.list.child_element_count() > KEPT
            && let Some(oldest) = self.list.last_element_child()
        {
            oldest.remove();
        }
    }
}

const KEPT: u32 = 200;
