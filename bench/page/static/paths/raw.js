// A WebSocket in the page, as it is.
import { app } from "./socket.js";

export const load = async () =>
  app(
    (url) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => resolve(socket);
        socket.onclose = () => reject(new Error("the socket did not open"));
      }),
  );
