//! The picture of the idea: tabs on the left, the socket on the right, and what is between them.

use std::{cell::RefCell, fmt::Write as _};

use onesocket::Tier;
use web_sys::Element;

use crate::dom::{by_id, set_attribute};

pub(crate) struct Diagram {
    svg: Element,
    drawn: RefCell<Option<(Option<Tier>, u32)>>,
}

impl Diagram {
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            svg: by_id("diagram")?,
            drawn: RefCell::new(None),
        })
    }

    pub(super) fn draw(&self, tier: Option<Tier>, tabs: u32) {
        if self.drawn.replace(Some((tier, tabs))) != Some((tier, tabs)) {
            self.svg.set_inner_html(&picture(tier, tabs));
        }
    }

    /// Lets a message run along the wire; `way` is `in` or `out`.
    pub(crate) fn pulse(&self, way: &str) {
        let pulse = self.svg.query_selector(".pulse").ok().flatten();
        let Some(pulse) = pulse else {
            return;
        };
        let (Some(parent), Ok(fresh)) = (pulse.parent_node(), pulse.clone_node()) else {
            return;
        };
        // A new element starts its animation from the beginning.
        if parent.replace_child(&fresh, &pulse).is_ok()
            && let Ok(Some(fresh)) = self.svg.query_selector(".pulse")
        {
            set_attribute(&fresh, "class", &format!("pulse {way}"));
        }
    }
}

/// Holds numbers and our own words only, so it may be set as markup.
fn picture(tier: Option<Tier>, tabs: u32) -> String {
    let mut svg = String::new();
    let (node_x, label) = match tier {
        Some(Tier::Shared) => (160, "SharedWorker"),
        Some(Tier::Dedicated) => (160, "Worker"),
        Some(Tier::Main) => (48, "page"),
        None => (160, "worker"),
    };
    match tier {
        Some(Tier::Main) => page(&mut svg),
        Some(Tier::Shared | Tier::Dedicated) | None => draw_tabs(&mut svg, tabs, node_x),
    }
    let wire = format!("M{} {MIDDLE}H268", node_x + 16);
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        r#"<path class="wire" d="{wire}"/><path class="pulse" pathLength="100" d="{wire}"/>
        <circle class="node" cx="{node_x}" cy="{MIDDLE}" r="15"/><circle class="hub" cx="{node_x}" cy="{MIDDLE}" r="4.5"/>
        <rect class="server" x="270" y="36" width="34" height="44" rx="6"/>
        <path class="shelf" d="M270 51H304M270 65H304"/>
        <circle class="lamp" cx="278" cy="43.5" r="2"/><circle class="lamp" cx="278" cy="58" r="2"/><circle class="lamp" cx="278" cy="72.5" r="2"/>
        <text x="{}" y="124">{label}</text><text x="287" y="124">server</text>"#,
        if tier == Some(Tier::Main) { 54 } else { node_x },
    );
    svg
}

/// A stack of tabs, this one first, and a port from each to the worker.
fn draw_tabs(svg: &mut String, tabs: u32, node_x: u32) {
    let shown = tabs.clamp(1, MOST_TABS);
    let pitch = if shown > 4 { 19 } else { 25 };
    let height = if shown > 4 { 14 } else { 19 };
    let top = MIDDLE as i32 - (pitch * (shown as i32 - 1) + height) / 2;
    for at in 0..shown as i32 {
        let own = if at == 0 { " own" } else { "" };
        let (y, middle) = (top + at * pitch, top + at * pitch + height / 2);
        let end = node_x - 15;
        let _ = write!(
            svg,
            r#"<path class="port{own}" d="M47 {middle}C90 {middle} 90 {MIDDLE} {end} {MIDDLE}"/>
            <rect class="tab{own}" x="14.5" y="{y}" width="32" height="{height}" rx="3.5"/>
            <path class="strip{own}" d="M18 {0}H30"/>"#,
            y + 4,
        );
    }
    let label = match tabs {
        0 | 1 => "this tab".to_owned(),
        tabs if tabs > MOST_TABS => format!("{shown} of {tabs}"),
        tabs => format!("{tabs} tabs"),
    };
    let _ = write!(svg, r#"<text x="31" y="124">{label}</text>"#);
}

/// One big tab, which the node stands in.
fn page(svg: &mut String) {
    svg.push_str(
        r#"<rect class="tab own" x="14.5" y="22" width="79" height="72" rx="6"/><path class="strip own" d="M21 31H45"/>"#,
    );
}

/// The height of the wire.
const MIDDLE: u32 = 58;
const MOST_TABS: u32 = 6;
