//! onesocket with wasm-bindgen alone: what is typed in one tab is shown in all.

#[cfg(target_family = "wasm")]
mod page;

fn main() {
    #[cfg(target_family = "wasm")]
    if let Err(error) = page::start() {
        // The one thing that can't be shown in the page is that there is none.
        wasm_bindgen::throw_str(&error.to_string());
    }
}
