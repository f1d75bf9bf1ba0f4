// The TypeScript of the book in docs: it has to be what the compiler expects.
import { OneSocket, configure, connect } from "onesocket";

declare function show(text: string): void;
declare function createClient(options: { url: string; webSocketImpl: typeof WebSocket }): unknown;

// ANCHOR: outcome
const client = connect<{ text: string }>("/chat");
try {
  await client.send({ text: "hello" }); // Handed to an open socket, now or after a reconnect.
} catch (error) {
  const { name } = error as Error;
  show(name === "MaybeSent" ? "perhaps: ask the server before it is sent again" : "not sent");
}
// ANCHOR_END: outcome

// ANCHOR: class
createClient({ url: "wss://example.org/live", webSocketImpl: OneSocket });
createClient({ url: "wss://example.org/live", webSocketImpl: OneSocket.with({ share: true }) });
// ANCHOR_END: class

// ANCHOR: events
client.addEventListener("reconnecting", ({ attempt, delay }) => show(`attempt ${attempt} in ${delay} ms`));
client.addEventListener("close", ({ text }) => show(text)); // Dialling again is pointless.
for await (const { text } of client) show(text);
// ANCHOR_END: events

// ANCHOR: request
interface Answer {
  answers?: number;
  text: string;
}
const asked = connect<Answer, { id: number; what: string }>("/live", { replyTo: ({ answers }) => answers });
const { text } = await asked.request((id) => ({ id, what: "weather" }), { timeout: 5_000 });
// ANCHOR_END: request
show(text);

// ANCHOR: configure
configure({ script: "/onesocket-worker.js", build: 1_763_700_000 });
client.addEventListener("update", ({ build }) => show(`build ${build} is out: reload when it suits you`));
// ANCHOR_END: configure

// ANCHOR: forced
connect("/chat", { tier: "dedicated" });
// ANCHOR_END: forced

// ANCHOR: ladder
show(client.ladder);
// ANCHOR_END: ladder
