//! The page of the Leptos plugin: what a user clicks is a mount, an unmount, another property or a call; what hooks know is text.

#[cfg(target_family = "wasm")]
mod leptos_app;
#[cfg(target_family = "wasm")]
mod note;

fn main() {
    #[cfg(target_family = "wasm")]
    leptos::mount::mount_to_body(leptos_app::App);
}
