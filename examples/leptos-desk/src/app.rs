//! The page: how fast it is told and how fast it shows, and the table.

#![expect(
    unreachable_pub,
    reason = "the macro makes a public function beside each component"
)]

use leptos::prelude::*;
use onesocket_leptos::prelude::*;

use crate::{
    desk::{Desk, Row},
    feed::{self, Nothing, SYMBOLS, Trade},
    rates::use_rates,
};

#[component]
pub(crate) fn App() -> impl IntoView {
    let rate = RwSignal::new(5_000);
    view! {
        // Another rate is another address, and so another connection.
        <OneSocketProvider config=move || feed::config(rate.get())>
            <Page rate />
        </OneSocketProvider>
    }
}

#[component]
fn Page(rate: RwSignal<u32>) -> impl IntoView {
    let socket = use_client::<Nothing, Trade>();
    // Called for every trade; who reads the desk is told once per frame.
    let desk = use_fold(socket, Desk::new, |desk, event| {
        if let Event::Message(trade) = event {
            desk.take(*trade);
        }
    });
    view! {
        <Bar rate desk />
        <main>
            <table>
                <thead>
                    <tr><th>"Symbol"</th><th>"Last"</th><th>"Change"</th><th class="wide">"Volume"</th><th class="wide">"Trades"</th><th>"Lately"</th></tr>
                </thead>
                <tbody>{(0..SYMBOLS.len()).map(|index| view! { <Line desk index /> }).collect_view()}</tbody>
            </table>
        </main>
    }
}

#[component]
fn Bar(rate: RwSignal<u32>, desk: RwSignal<Desk>) -> impl IntoView {
    let socket = use_client::<Nothing, Trade>();
    let status = use_status(socket);
    let tier = use_tier(socket);
    let state = move || match &status.read().state {
        LinkState::Connecting { .. } => ("waiting", "connecting".to_owned()),
        LinkState::Connected { .. } => ("connected", "connected".to_owned()),
        LinkState::Reconnecting { attempt, .. } => {
            ("waiting", format!("reconnecting, attempt {attempt}"))
        }
        LinkState::Offline { .. } => ("stopped", "offline".to_owned()),
        LinkState::NeedsAuth { .. } => ("stopped", "log-in needed".to_owned()),
        LinkState::Stopped(reason) => ("stopped", reason.to_string()),
    };
    let place = move || {
        tier.get()
            .map_or_else(|| "starting".to_owned(), |tier| format!("{tier} tier"))
    };
    let rates = use_rates(move || desk.read_untracked().trades);
    let choice = |choice: u32| {
        view! {
            <button aria-pressed=move || (rate.get() == choice).to_string() on:click=move |_| rate.set(choice)>
                {grouped(choice.into())}
            </button>
        }
    };
    view! {
        <header class="bar">
            <h1>"Desk"</h1>
            <p class="place" id="tier">{place}</p>
            <div class="segments" role="group" aria-label="Trades a second">{[500, 5_000, 20_000].map(choice).collect_view()}</div>
            <p class=move || format!("pill {}", state().0) id="status" role="status">{move || state().1}</p>
        </header>
        <dl class="rates">
            <div><dt>"Trades"</dt><dd id="trades">{move || grouped(desk.read().trades)}</dd></div>
            <div><dt>"Missed"</dt><dd id="missed">{move || grouped(desk.read().missed)}</dd></div>
            <div><dt>"Trades a second"</dt><dd id="rate">{move || grouped(rates.read().trades)}</dd></div>
            <div><dt>"Frames a second"</dt><dd id="frames">{move || rates.read().frames}</dd></div>
            <div><dt>"Longest frame"</dt><dd id="longest">{move || rates.read().longest}" ms"</dd></div>
        </dl>
    }
}

/// One row. A cell's text is compared, and written when it has changed.
#[component]
fn Line(desk: RwSignal<Desk>, index: usize) -> impl IntoView {
    let with = move |show: fn(&Row) -> String| move || show(&desk.read().rows[index]);
    let direction = |row: &Row| if row.change() < 0 { "down" } else { "up" }.to_owned();
    let price = |row: &Row| hundredths(row.cents);
    let change = |row: &Row| {
        let sign = if row.change() < 0 { '−' } else { '+' };
        format!("{sign}{} %", hundredths(row.change().abs()))
    };
    view! {
        <tr class=with(direction)>
            <th scope="row">{SYMBOLS[index]}</th>
            <td>{with(price)}</td>
            <td class="change">{with(change)}</td>
            <td class="wide">{with(|row| grouped(row.volume))}</td>
            <td class="wide">{with(|row| grouped(row.trades))}</td>
            <td><svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><polyline points=with(|row| row.line.clone()) /></svg></td>
        </tr>
    }
}

fn hundredths(number: i64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

/// Groups the digits by three.
fn grouped(number: u64) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1_000), number % 1_000)
}
