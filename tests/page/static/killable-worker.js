// The app's own worker, which ends when the suite says so, as a worker may at any time: without a word to anybody.
new BroadcastChannel("kill").onmessage = () => self.close();
importScripts("own-worker.glue.js");
wasm_bindgen({ module_or_path: "own-worker_bg.wasm" });
