// A WebSocket in a dedicated worker, behind Comlink. Buffers are transferred, not copied.
import { proxy, transfer, wrap } from "../peers/comlink/dist/esm/comlink.min.mjs";
import { app } from "./socket.js";

export const load = async () => {
  const remote = wrap(new Worker("paths/comlink-worker.js", { type: "module" }));
  return app(async (url) => {
    const socket = {
      send(data) {
        const buffer = data.buffer ?? data;
        return remote.send(transfer(buffer, [buffer]));
      },
    };
    const message = (data) => socket.onmessage({ data });
    await remote.open(url, proxy(message));
    return socket;
  });
};
