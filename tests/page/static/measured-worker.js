// The prebuilt worker, which says how much memory it has and how many ports are open.
let memory = null;
let ports = 0;
const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...parameters) => {
  const result = await instantiateStreaming(...parameters);
  // A release build gives it another name.
  memory = Object.values(result.instance.exports).find((one) => one instanceof WebAssembly.Memory);
  return result;
};
const { close } = MessagePort.prototype;
MessagePort.prototype.close = function () {
  ports -= 1;
  close.call(this);
};
addEventListener("connect", () => (ports += 1));
new BroadcastChannel("measure").onmessage = ({ target }) =>
  target.postMessage({ worker_bytes: memory.buffer.byteLength, ports });
importScripts("onesocket-worker.js");
self.onesocket.wasm = () => fetch("onesocket-worker_bg.wasm");
