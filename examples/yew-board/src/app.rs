//! The page: how the connection is doing, and the board.

use onesocket_yew::prelude::*;
use yew::prelude::*;

use crate::{
    board::Board,
    message::{self, Card, Cursor},
};

#[component]
pub(crate) fn App() -> Html {
    html! {
        <OneSocketProvider<Card, Card> config={message::cards()}>
            <OneSocketProvider<Cursor, Cursor> config={message::cursors()}>
                <Bar />
                <Board />
            </OneSocketProvider<Cursor, Cursor>>
        </OneSocketProvider<Card, Card>>
    }
}

#[component]
fn Bar() -> Html {
    let client = use_client::<Card, Card>();
    let status = use_status(&client);
    let tier = use_tier(&client);
    let (word, text) = match &status.state {
        LinkState::Connecting { .. } => ("waiting", "connecting".to_owned()),
        LinkState::Connected { .. } => ("connected", "connected".to_owned()),
        LinkState::Reconnecting { attempt, .. } => {
            ("waiting", format!("reconnecting, attempt {attempt}"))
        }
        LinkState::Offline { .. } => ("stopped", "offline".to_owned()),
        LinkState::NeedsAuth { .. } => ("stopped", "log-in needed".to_owned()),
        LinkState::Stopped(reason) => ("stopped", reason.to_string()),
    };
    let place = tier.map_or_else(|| "starting".to_owned(), |tier| format!("{tier} tier"));
    let tabs = match status.tabs {
        0 | 1 => "one tab".to_owned(),
        tabs => format!("{tabs} tabs, one socket"),
    };
    let reconnect = move |_| client.reconnect();
    html! {
        <header class="bar">
            <h1>{ "Board" }</h1>
            <p class="place"><span id="tier">{ place }</span>{ " · " }<span id="tabs">{ tabs }</span></p>
            <p class={classes!("pill", word)} id="status" role="status">{ text }</p>
            <button class="plain" onclick={reconnect}>{ "Reconnect" }</button>
            <a class="plain" href="" target="_blank" rel="noopener">{ "New tab" }</a>
        </header>
    }
}
