import ReconnectingWebSocket from "../peers/partysocket/dist/ws.js";
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
