import { OneSocket } from "onesocket";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

export async function open(url) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, "ours", doc, {
    WebSocketPolyfill: OneSocket,
    // Without the shortcut between tabs, so that all goes through the socket.
    disableBc: true,
  });
  const notes = doc.getArray("notes");
  await new Promise((resolve) => provider.once("sync", resolve));
  return {
    // In the document at once, and at the server when there is a connection; there is no news of that.
    note: async (text) => notes.push([text]),
    notes: () => notes.toArray(),
    isConnected: () => provider.synced,
  };
}
