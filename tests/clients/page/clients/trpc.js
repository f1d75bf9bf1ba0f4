import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { OneSocket } from "onesocket";

export async function open(url) {
  const client = createWSClient({
    url,
    WebSocket: OneSocket,
    retryDelayMs: () => 200,
  });
  const notebook = createTRPCClient({ links: [wsLink({ client })] });
  const notes = [];
  notebook.noted.subscribe({}, { onData: ({ data }) => notes.push(data), onError: console.error });
  await notebook.count.query();
  return {
    note: (text) => notebook.note.mutate(text),
    notes: () => notes,
    isConnected: () => client.connection?.state === "open",
  };
}
