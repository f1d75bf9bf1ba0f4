import { expose, transfer } from "../peers/comlink/dist/esm/comlink.min.mjs";

let socket;

expose({
  open: (url, message) =>
    new Promise((resolve) => {
      socket = new WebSocket(url);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => resolve();
      socket.onmessage = ({ data }) => void message(transfer(data, [data]));
    }),

  send: (data) => socket.send(data),
});
