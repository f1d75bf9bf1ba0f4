// Nothing of this runs: it has to be what the compiler expects.
import { Client, type ClientOptions, type Codec, type Credential, type Heartbeat, type ReadyError, type SendError, type Status, OneSocket, configure, connect } from "onesocket";

// Where a library asks for a WebSocket class.
const impl: { new (url: string | URL, protocols?: string | string[]): WebSocket } = OneSocket;
const socket: WebSocket = new OneSocket("/live", "v1", { share: true, tier: "shared" });
const shared: typeof OneSocket = OneSocket.with({ share: true, account: "ada" });
const states: [0, 1, 2, 3] = [OneSocket.CONNECTING, OneSocket.OPEN, OneSocket.CLOSING, socket.CLOSED];
socket.onmessage = ({ data, origin }) => console.log(data, origin.length);
new OneSocket("/bytes").send(new Uint8Array(1).subarray(1));
// @ts-expect-error It would throw.
new OneSocket("/bytes").send(new SharedArrayBuffer(1));
socket.addEventListener("close", ({ code, wasClean }) => console.log(code.toFixed(), wasClean));

configure({ script: new URL("https://example.org/onesocket-worker.js"), build: 7, helloTimeout: 5000 });

interface Said {
  from: string;
  answers?: number;
}
const client: Client<Said, { ask: number }> = connect<Said, { ask: number }>("/chat", { codec: "json", replyTo: (said) => said.answers, replay: 5 });
client.addEventListener("reconnecting", ({ attempt, delay, cause }) => console.log(attempt + (delay ?? 0), cause.length));
client.addEventListener("message", ({ data, replayed }) => console.log(data.from, replayed));
// What is received comes first, everywhere: often it is all that there is to say.
const heard: Client<Said> = connect<Said>("/chat");
heard.addEventListener("message", ({ data }) => console.log(data.from));
const status: Status = client.status;
const stop: () => void = client.greet({ ask: 1 }, { ask: 0 });

// What comes, and what can be sent, is as the codec has it.
const bytes: Client<Uint8Array, ArrayBuffer | ArrayBufferView> = connect("/bytes", { codec: "bytes", replyTo: (data) => data[0] });
bytes.addEventListener("message", ({ data }) => console.log(data.byteLength));
bytes.send(new DataView(new ArrayBuffer(1)));
// @ts-expect-error No bytes.
bytes.send("hello");
const text: Client<string, string> = connect("/text", { codec: "text", protocols: ["v1", "v2"] as const });
text.addEventListener("message", ({ data }) => console.log(data.trim()));
// @ts-expect-error No text.
text.send({ ask: 1 });
// @ts-expect-error Of text come strings.
connect<Said>("/text", { codec: "text" });
// @ts-expect-error Of bytes come bytes.
new Client<string>("/bytes", { codec: "bytes" });
new Client<string, string>("/text", { codec: "text" });
const options: ClientOptions<Uint8Array> = { codec: "bytes" };
connect<Uint8Array>("/bytes", options);
const dates: Codec<Date, Date> = {
  isText: true,
  encode: (date) => new TextEncoder().encode(date.toJSON()),
  decode: (data) => new Date(`${data}`),
};
connect("/dates", { codec: dates }).addEventListener("message", ({ data }) => console.log(data.getTime()));
// @ts-expect-error No date.
connect("/dates", { codec: dates }).send("now");
// @ts-expect-error No codec.
connect("/xml", { codec: "xml" });

const heartbeat: Heartbeat = { interval: 20_000, deadline: 5_000, ping: "ping", pong: new Uint8Array(1) };
const auth = async ({ refused }: { refused: boolean }): Promise<Credential | null> => (refused ? null : { query: ["token", "t"] });
connect("/auth", { account: "ada", auth, heartbeat, answer: { ping: "2", pong: "3" } }).logOut({ drain: 1000 });
// @ts-expect-error No credential.
connect("/auth", { auth: () => "token" });

async function run(): Promise<string> {
  await client.send({ ask: 1 });
  // @ts-expect-error A message of another type.
  await client.send({ tell: 1 });
  const said = await client.request((id) => ({ ask: id }), { timeout: 100 });
  for await (const { from } of client) return from;
  return said.from;
}

const why = (error: SendError | ReadyError): "perhaps" | "not sent" | "closed" => {
  switch (error.name) {
    case "MaybeSent":
      return "perhaps";
    case "NotSent":
      return "not sent";
    case "NotReady":
      return "closed";
  }
};

export { impl, run, shared, states, status, stop, why };
