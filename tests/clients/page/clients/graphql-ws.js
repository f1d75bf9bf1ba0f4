import { createClient } from "graphql-ws";
import { OneSocket } from "onesocket";

export async function open(url) {
  const client = createClient({
    url,
    webSocketImpl: OneSocket,
    // Else it gives up when a dial has failed, whichever WebSocket it has.
    shouldRetry: () => true,
    retryAttempts: Infinity,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 200)),
  });
  let isConnected = false;
  const notes = [];
  const hear = ({ number, text }) => (notes[number] = text);
  const ask = async (query, variables) => {
    for await (const { data } of client.iterate({ query, variables })) return data;
  };
  client.on("closed", () => (isConnected = false));
  // A subscription begins anew; what was noted meanwhile is asked for.
  client.on("connected", async () => {
    (await ask("{ notes { number text } }")).notes.forEach(hear);
    isConnected = true;
  });
  client.subscribe({ query: "subscription { noted { number text } }" }, { next: ({ data }) => hear(data.noted), error: console.error, complete() {} });
  return {
    note: (text) => ask("mutation ($text: String!) { note(text: $text) { number } }", { text }),
    notes: () => notes,
    isConnected: () => isConnected,
  };
}
