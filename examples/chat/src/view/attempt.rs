//! Which attempt comes, and how long until then, counting down.

use std::{cell::Cell, rc::Rc};

use gloo_timers::future::TimeoutFuture;
use onesocket::LinkState;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::dom::{self, by_id, set_text};

pub(super) struct Countdown {
    element: Element,
    waiting: Cell<Option<Waiting>>,
}

#[derive(Clone, Copy, PartialEq)]
struct Waiting {
    attempt: u32,
    /// By the page's own clock.
    until: f64,
}

impl Countdown {
    pub(super) fn find() -> Option<Rc<Self>> {
        Some(Rc::new(Self {
            element: by_id("attempt")?,
            waiting: Cell::new(None),
        }))
    }

    pub(super) fn show(self: &Rc<Self>, state: &LinkState) {
        let waiting = match state {
            LinkState::Reconnecting { attempt, delay, .. } => Some(Waiting {
                attempt: *attempt,
                until: dom::now() + f64::from(delay.0),
            }),
            _ => None,
        };
        let was_waiting = self.waiting.replace(waiting).is_some();
        match (state, waiting) {
            (_, Some(waiting)) => {
                self.draw(waiting);
                if !was_waiting {
                    spawn_local(Rc::clone(self).count_down());
                }
            }
            (
                LinkState::Connecting {
                    attempt: attempt @ 1..,
                },
                None,
            ) => {
                set_text(&self.element, &format!("attempt {attempt}, trying now"));
            }
            (LinkState::Offline { attempt }, None) => {
                set_text(
                    &self.element,
                    &format!(
                        "attempt {attempt}, when the network is back, and now and then until then"
                    ),
                );
            }
            _ => set_text(&self.element, ""),
        }
    }

    async fn count_down(self: Rc<Self>) {
        while let Some(waiting) = self.waiting.get() {
            self.draw(waiting);
            TimeoutFuture::new(TICK_MS).await;
        }
    }

    fn draw(&self, waiting: Waiting) {
        let left = (waiting.until - dom::now()).max(0.0) / 1_000.0;
        set_text(
            &self.element,
            &format!("attempt {}, next try in {left:.1} s", waiting.attempt),
        );
    }
}

const TICK_MS: u32 = 100;
