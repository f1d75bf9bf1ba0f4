//! A trading desk: a table that is told thousands of trades a second, and shows sixty states of it.

#[cfg(target_family = "wasm")]
mod app;
#[cfg(target_family = "wasm")]
mod desk;
#[cfg(target_family = "wasm")]
mod feed;
#[cfg(target_family = "wasm")]
mod rates;

fn main() {
    #[cfg(target_family = "wasm")]
    leptos::mount::mount_to_body(app::App);
}
