// A WebSocket in a hub in a SharedWorker, for the spokes in all tabs.
import { Spoke } from "../peers/tab-election/dist/hub.js";
import { app } from "./socket.js";

export const load = async () => {
  const spoke = new Spoke({ workerUrl: "paths/tab-election-hub.js", name: "bench", version: "1", useSharedWorker: true });
  const remote = spoke.client("socket");
  return app(async (url) => {
    const socket = { send: (data) => remote.send(data.buffer ?? data) };
    remote.on("message", (data) => socket.onmessage?.({ data }));
    await remote.open(url);
    return socket;
  });
};
