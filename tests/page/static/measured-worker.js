// The prebuilt worker, which says how much memory it has, how many objects it holds on to and how many ports are open.
importScripts("objects.js");
let exports = null;
let ports = 0;
const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...parameters) => {
  const result = await instantiateStreaming(...parameters);
  exports = result.instance.exports;
  return result;
};
const { close } = MessagePort.prototype;
MessagePort.prototype.close = function () {
  ports -= 1;
  close.call(this);
};
addEventListener("connect", () => (ports += 1));
// A release build gives it another name.
const memory = () => Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
new BroadcastChannel("measure").onmessage = ({ target }) =>
  target.postMessage({ worker_bytes: memory().buffer.byteLength, worker_objects: self.heldObjects(exports), ports });
importScripts("onesocket-worker.js");
self.onesocket.wasm = () => fetch("onesocket-worker_bg.wasm");
