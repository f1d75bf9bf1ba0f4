import { OneSocket } from "onesocket";
import ReconnectingWebSocket from "reconnecting-websocket";
import { Connection } from "sharedb/lib/client";

export async function open(url) {
  const socket = new ReconnectingWebSocket(url, [], {
    WebSocket: OneSocket,
    minReconnectionDelay: 200,
    maxReconnectionDelay: 400,
  });
  const connection = new Connection(socket);
  const doc = connection.get("notebooks", "ours");
  const done = (act) => new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())));
  await done((end) => doc.subscribe(end));
  return {
    note: (text) => done((end) => doc.submitOp([{ p: [doc.data.length], li: text }], end)),
    notes: () => doc.data,
    isConnected: () => connection.state === "connected",
  };
}
