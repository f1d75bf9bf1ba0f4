//! A poll that every tab votes in, and watches: the client's events as Dioxus's signals.

#[cfg(target_family = "wasm")]
mod app;
#[cfg(target_family = "wasm")]
mod poll;

fn main() {
    #[cfg(target_family = "wasm")]
    dioxus::launch(app::App);
}
