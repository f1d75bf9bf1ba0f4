import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { OneSocket } from "onesocket";

export async function open(url) {
  const websocketProvider = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: OneSocket,
    delay: 200,
    minDelay: 200,
    maxDelay: 400,
  });
  const provider = new HocuspocusProvider({ websocketProvider, name: "ours", token: "let me in" });
  provider.attach();
  const notes = provider.document.getArray("notes");
  await new Promise((resolve) => provider.on("synced", resolve));
  return {
    // In the document at once; the provider says when the server has all.
    note: (text) => {
      notes.push([text]);
      return new Promise((resolve) => provider.on("unsyncedChanges", ({ number }) => number === 0 && resolve()));
    },
    notes: () => notes.toArray(),
    isConnected: () => provider.isSynced,
  };
}
