//! A board of cards that everybody moves, with everybody's cursor on it: two connections, each shared by all tabs.

#[cfg(target_family = "wasm")]
mod app;
#[cfg(target_family = "wasm")]
mod board;
#[cfg(target_family = "wasm")]
mod cursors;
#[cfg(target_family = "wasm")]
mod message;

fn main() {
    #[cfg(target_family = "wasm")]
    yew::Renderer::<app::App>::new().render();
}
