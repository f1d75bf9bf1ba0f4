// Loads the app's own worker as tools do that know nothing of the prelude: ports that come before the wasm is up are lost.
importScripts("own-worker.glue.js");
wasm_bindgen({ module_or_path: "own-worker_bg.wasm" });
