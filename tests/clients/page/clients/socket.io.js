import { WebSocket } from "engine.io-client";
import { OneSocket } from "onesocket";
import { io } from "socket.io-client";

// ANCHOR: class
class OneSocketTransport extends WebSocket {
  createSocket(uri, protocols) {
    return new OneSocket(uri, protocols);
  }
}
// ANCHOR_END: class

export async function open(url) {
  const socket = io(url, {
    transports: [OneSocketTransport],
    reconnectionDelay: 200,
    reconnectionDelayMax: 400,
  });
  const notes = [];
  socket.on("noted", (text) => notes.push(text));
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    note: (text) => socket.emitWithAck("note", text),
    notes: () => notes,
    isConnected: () => socket.connected,
  };
}
