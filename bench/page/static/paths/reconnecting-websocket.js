import ReconnectingWebSocket from "../peers/reconnecting-websocket/dist/reconnecting-websocket-mjs.js";
import { app } from "./socket.js";

export const load = async () =>
  app(
    (url) =>
      new Promise((resolve) => {
        const socket = new ReconnectingWebSocket(url);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => resolve(socket);
      }),
  );
