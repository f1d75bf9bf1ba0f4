//! The cards in their columns.

use std::collections::BTreeMap;

use onesocket_yew::{Event, prelude::*};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    cursors::{Cursors, use_pointer},
    message::{self, COLUMNS, Card},
};

#[component]
pub(crate) fn Board() -> Html {
    let client = use_client::<Card, Card>();
    let cards = use_fold(&client, BTreeMap::new, |cards, event| {
        if let Event::Message(card) | Event::Replayed(card) = event {
            if card.text.is_empty() {
                cards.remove(&card.id);
            } else {
                cards.insert(card.id, (*card).clone());
            }
        }
    });
    let who = *use_memo((), |()| message::random());
    let board = use_node_ref();
    let onpointermove = use_pointer(&board, who);
    let send = use_send(&client);
    let change = {
        let send = send.clone();
        Callback::from(move |card: Card| drop(send.send(&card)))
    };
    let column = |(column, title): (usize, &&'static str)| {
        let cards = cards.borrow();
        let cards: Vec<Card> = cards
            .values()
            .filter(|card| card.column == column)
            .cloned()
            .collect();
        html! { <Column {column} title={*title} {cards} change={change.clone()} /> }
    };
    html! {
        <main class="board" ref={board} {onpointermove}>
            { for COLUMNS.iter().enumerate().map(column) }
            <Cursors {who} />
            if send.in_flight() > 0 { <p class="notice" role="status">{ format!("{} waiting for the connection", send.in_flight()) }</p> }
            if let Some(error) = send.error() { <p class="notice bad" role="alert">{ error.to_string() }</p> }
        </main>
    }
}

#[derive(Properties, PartialEq)]
struct ColumnProps {
    column: usize,
    title: &'static str,
    cards: Vec<Card>,
    change: Callback<Card>,
}

#[component]
fn Column(props: &ColumnProps) -> Html {
    let input = use_node_ref();
    let onsubmit = {
        let (input, change, column) = (input.clone(), props.change.clone(), props.column);
        move |event: SubmitEvent| {
            event.prevent_default();
            let Some(field) = input.cast::<HtmlInputElement>() else {
                return;
            };
            let text = field.value().trim().to_owned();
            if !text.is_empty() {
                change.emit(Card {
                    id: message::random(),
                    column,
                    text,
                });
                field.set_value("");
            }
        }
    };
    let cards = props.cards.iter();
    html! {
        <section class="column" aria-label={props.title}>
            <h2>{ props.title }<span>{ props.cards.len() }</span></h2>
            <ul>
                { for cards.map(|card| html! { <CardView key={card.id} card={card.clone()} change={props.change.clone()} /> }) }
            </ul>
            <form {onsubmit}>
                <input ref={input} id={format!("add-{}", props.column)} placeholder="Add a card" aria-label="Add a card" maxlength="200" autocomplete="off" />
            </form>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CardProps {
    card: Card,
    change: Callback<Card>,
}

#[component]
fn CardView(props: &CardProps) -> Html {
    let to = |change: fn(&mut Card)| {
        let (mut card, tell) = (props.card.clone(), props.change.clone());
        change(&mut card);
        move |_| tell.emit(card.clone())
    };
    let is_first = props.card.column == 0;
    let is_last = props.card.column + 1 == COLUMNS.len();
    html! {
        <li class="card">
            <p>{ &props.card.text }</p>
            <div class="moves">
                <button onclick={to(|card| card.column = card.column.saturating_sub(1))} disabled={is_first} aria-label="Move left">{ "←" }</button>
                <button onclick={to(|card| card.column += 1)} disabled={is_last} aria-label="Move right">{ "→" }</button>
                <button onclick={to(|card| card.text.clear())} aria-label="Throw away">{ "×" }</button>
            </div>
        </li>
    }
}
