//! Why this tier: each that was tried, what came of it, and how long it took.

use onesocket::{Attempt, AttemptOutcome, Ladder, TierPolicy};
use web_sys::Element;

use crate::dom::{self, set_attribute};

/// The sentence below the ladder, when its rungs alone do not say why.
pub(super) fn reason(tiers: &TierPolicy, ladder: &Ladder) -> &'static str {
    match (tiers, ladder.attempts()) {
        (TierPolicy::Forced(_), _) => "Forced by the address of the page: no other tier is tried.",
        (
            _,
            [
                Attempt {
                    outcome: AttemptOutcome::Running,
                    ..
                },
            ],
        ) => "The best tier is tried first, and it works here.",
        _ => "",
    }
}

pub(super) fn show_ladder(list: &Element, ladder: &Ladder) {
    list.set_text_content(None);
    if ladder.attempts().is_empty() {
        list.set_text_content(Some("nothing tried yet"));
    }
    for attempt in ladder.attempts() {
        if let Some(rung) = rung(attempt) {
            // It fails for a node that is its own ancestor, and this one is new.
            let _ = list.append_child(&rung);
        }
    }
}

fn rung(attempt: &Attempt) -> Option<Element> {
    let Attempt {
        tier,
        outcome,
        duration,
    } = attempt;
    let (class, sign) = match outcome {
        AttemptOutcome::Running => ("running", "✓"),
        AttemptOutcome::Failed(_) => ("failed", "✕"),
        AttemptOutcome::Left => ("left", "–"),
        _ => ("skipped", "–"),
    };
    let item = dom::element("li", class, "")?;
    let sign = dom::element("span", "sign", sign)?;
    set_attribute(&sign, "aria-hidden", "true");
    let rung = dom::element("span", "rung", &format!("{tier} "))?;
    let why = dom::element("span", "why", &format!("{outcome} "))?;
    let took = match outcome {
        AttemptOutcome::Skipped(_) => String::new(),
        _ => format!("{} ms", duration.as_millis()),
    };
    let took = dom::element("span", "took", &took)?;
    rung.append_child(&why).ok()?;
    item.append_with_node_3(&sign, &rung, &took).ok()?;
    Some(item.into())
}
