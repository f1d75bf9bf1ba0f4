//! Everybody's pointer on the board, at most one message per animation frame from each tab.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use onesocket_yew::{Event, onesocket::PerFrame, prelude::*};
use web_sys::Element;
use yew::prelude::*;

use crate::message::Cursor;

#[derive(Properties, PartialEq)]
pub(crate) struct CursorsProps {
    /// This tab, whose own cursor is not drawn.
    pub(crate) who: u64,
}

/// Draws the cursors of the others. SVG, because a strict policy allows no style in an attribute.
#[component]
pub(crate) fn Cursors(props: &CursorsProps) -> Html {
    let client = use_client::<Cursor, Cursor>();
    let cursors = use_fold(&client, BTreeMap::new, |cursors, event| {
        if let Event::Message(cursor) = event {
            cursors.insert(cursor.who, cursor);
        }
    });
    let draw = |cursor: &Arc<Cursor>| {
        let colour = format!("cursor colour-{}", cursor.who % 6);
        html! {
            <svg key={cursor.who} class={colour} x={percent(cursor.x)} y={percent(cursor.y)} overflow="visible">
                <path d="M0 0 L0 17 L4.5 13 L7.5 19.5 L10.5 18 L7.5 12 L13 12 Z" />
                <text x="14" y="26">{ animal(cursor.who) }</text>
            </svg>
        }
    };
    let cursors = cursors.borrow();
    let others = cursors.values().filter(|cursor| cursor.who != props.who);
    html! { <svg class="cursors" aria-hidden="true">{ for others.map(draw) }</svg> }
}

/// Returns what tells the others where the pointer is, once per frame.
#[hook]
pub(crate) fn use_pointer(board: &NodeRef, who: u64) -> Callback<PointerEvent> {
    let client = use_client::<Cursor, Cursor>();
    let pointer = use_memo((client, who), |(client, _)| Pointer::new(client.clone()));
    let board = board.clone();
    Callback::from(move |event: PointerEvent| {
        let Some(board) = board.cast::<Element>() else {
            return;
        };
        let rect = board.get_bounding_client_rect();
        pointer.latest.replace(Some(Cursor {
            who,
            x: (f64::from(event.client_x()) - rect.left()) / rect.width(),
            y: (f64::from(event.client_y()) - rect.top()) / rect.height(),
        }));
        pointer.tell.request();
    })
}

struct Pointer {
    latest: Rc<RefCell<Option<Cursor>>>,
    tell: PerFrame,
}

impl Pointer {
    fn new(client: Client<Cursor, Cursor>) -> Self {
        let latest = Rc::new(RefCell::new(None));
        let told = Rc::clone(&latest);
        let tell = PerFrame::new(move || {
            if let Some(cursor) = told.take() {
                // The next one is soon there: how this one ends does not matter.
                drop(client.send(&cursor));
            }
        });
        Self { latest, tell }
    }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

fn animal(who: u64) -> &'static str {
    ANIMALS[(who % ANIMALS.len() as u64) as usize]
}

const ANIMALS: [&str; 7] = ["badger", "crane", "fox", "heron", "lynx", "otter", "owl"];
