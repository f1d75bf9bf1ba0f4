// The TypeScript of the book in docs: it has to be what the compiler expects.
import { type SendError, OneSocket, configure, connect } from "onesocket";

declare function show(text: string): void;
declare function freshToken(): Promise<string>;
declare let cachedToken: string | undefined;
declare function createClient(options: { url: string; webSocketImpl: typeof WebSocket }): unknown;

// ANCHOR: outcome
const client = connect<{ text: string }>("/chat");
try {
  // Ends when it is handed to an open socket, now or after a reconnect.
  await client.send({ text: "hello" });
} catch (error) {
  const { name } = error as SendError;
  show(name === "MaybeSent" ? "perhaps: ask the server" : "not sent");
}
// ANCHOR_END: outcome

declare const file: { stream(): AsyncIterable<Uint8Array> };
declare function report(error: unknown): void;
// ANCHOR: upload
const upload = connect("/upload", { codec: "bytes" });
for await (const chunk of file.stream()) {
  await upload.ready();
  upload.send(chunk).catch(report);
}
// ANCHOR_END: upload

// ANCHOR: class
const url = "wss://example.org/live";
createClient({ url, webSocketImpl: OneSocket });
const Shared = OneSocket.with({ share: true });
// ANCHOR_END: class

// ANCHOR: events
client.addEventListener("reconnecting", ({ attempt, delay }) => {
  show(`attempt ${attempt} in ${delay} ms`);
});
// Dialling again is pointless.
client.addEventListener("close", ({ text }) => show(text));
for await (const { text } of client) show(text);
// ANCHOR_END: events

// ANCHOR: request
interface Answer {
  answers?: number;
  text: string;
}
interface Question {
  id: number;
  what: string;
}
const replyTo = ({ answers }: Answer) => answers;
const asked = connect<Answer, Question>("/live", { replyTo });
const { text } = await asked.request((id) => ({ id, what: "weather" }));
// ANCHOR_END: request
show(text);

// ANCHOR: auth
const feed = connect("/feed", {
  account: "alice",
  async auth({ refused, failed }) {
    if (refused || failed > 0 || !cachedToken) cachedToken = await freshToken();
    return { query: ["token", cachedToken] };
  },
});
// In all tabs of the account; what waits has a second.
document.querySelector("#leave")?.addEventListener("click", () => feed.logOut({ drain: 1000 }));
// ANCHOR_END: auth

// ANCHOR: greet
const prices = connect("/prices", { heartbeat: { interval: 20_000, ping: "ping", pong: "pong" } });
const stop = prices.greet({ subscribe: "ACME" }, { unsubscribe: "ACME" });
// ANCHOR_END: greet
stop();

declare function useEffect(effect: () => () => void, inputs: unknown[]): void;
declare global {
  interface ImportMeta {
    hot?: { dispose(then: () => void): void };
  }
}
export const Prices = (room: string) => {
  // ANCHOR: effect
  useEffect(() => {
    const client = connect(`/rooms/${room}`);
    client.addEventListener("message", ({ data }) => show(`${data}`));
    return () => client.close();
  }, [room]);
  // ANCHOR_END: effect
};

// ANCHOR: hot
import.meta.hot?.dispose(() => client.close());
// ANCHOR_END: hot

// ANCHOR: configure
// In front of the first connection.
configure({ script: "/onesocket-worker.js", build: 1_763_700_000 });
const chat = connect("/chat");
chat.addEventListener("update", ({ build }) => {
  show(`build ${build} is out: reload when it suits you`);
});
// ANCHOR_END: configure

// ANCHOR: forced
connect("/chat", { tier: "dedicated" });
// ANCHOR_END: forced

// ANCHOR: ladder
show(client.ladder);
// ANCHOR_END: ladder
