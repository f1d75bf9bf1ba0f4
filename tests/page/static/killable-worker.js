// The app's own worker, which ends or hangs when the suite says so, as a worker may at any time: without a word to anybody.
new BroadcastChannel("kill").onmessage = () => self.close();
new BroadcastChannel("hang").onmessage = () => {
  const end = Date.now() + 8000;
  while (Date.now() < end);
};
importScripts("own-worker.glue.js");
wasm_bindgen({ module_or_path: "own-worker_bg.wasm" });
