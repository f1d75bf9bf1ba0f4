//! The page of the Yew plugin: what a user clicks is a mount, an unmount, another property or a call; what hooks know is text.

#[cfg(target_family = "wasm")]
mod note;
#[cfg(target_family = "wasm")]
mod yew_app;

fn main() {
    #[cfg(target_family = "wasm")]
    yew::Renderer::<yew_app::App>::new().render();
}
