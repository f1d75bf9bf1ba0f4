// A WebSocket behind a relay that does nothing else, in the kind of worker that `?tier=` names.
import { Line } from "./bare-relay.js";
import { app } from "./socket.js";

const isShared = new URLSearchParams(location.search).get("tier") === "shared";

function start() {
  const [script, options] = ["paths/bare-relay.js", { type: "module" }];
  return isShared ? new SharedWorker(script, options).port : new Worker(script, options);
}

export const load = async () => {
  const ports = [start()];
  return app(
    (url) =>
      new Promise((resolve) => {
        const port = ports.pop() ?? start();
        port.onmessage = () => {
          const line = new Line(port);
          const socket = { send: (data) => line.send(data.buffer ?? data) };
          line.onframe = (data) => socket.onmessage({ data });
          resolve(socket);
        };
        port.postMessage(url);
      }),
  );
};
