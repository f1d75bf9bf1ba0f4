//! The scripts of the element, which wasm-bindgen lays beside its own.

use wasm_bindgen::prelude::*;

use crate::Feed;

#[wasm_bindgen(module = "/js/element.js")]
extern "C" {
    pub(crate) fn show(feed: Feed, is_recording: bool);

    #[wasm_bindgen(js_name = fillPage)]
    pub(crate) fn fill_page(feed: Feed);
}

// What the first one imports. They are named here so that they are laid beside it.

#[wasm_bindgen(module = "/js/trace.js")]
extern "C" {
    type Trace;
}

#[wasm_bindgen(module = "/js/model.js")]
extern "C" {
    type Model;
}

#[wasm_bindgen(module = "/js/overview.js")]
extern "C" {
    type Overview;
}

#[wasm_bindgen(module = "/js/frames.js")]
extern "C" {
    type Frames;
}

#[wasm_bindgen(module = "/js/dom.js")]
extern "C" {
    type Dom;
}

#[wasm_bindgen(module = "/js/style.js")]
extern "C" {
    type Style;
}
