// The app's own worker on a machine that sleeps when the suite says so: afterwards the wall clock has gone on, and the clock that
// counts from the worker's start has not.
let slept = 0;
const now = Date.now;
Date.now = () => now() + slept;
new BroadcastChannel("sleep").onmessage = (event) => (slept += event.data);
importScripts("own-worker.glue.js");
wasm_bindgen({ module_or_path: "own-worker_bg.wasm" });
