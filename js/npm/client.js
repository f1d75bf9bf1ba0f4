// The typed client: it reconnects, keeps what is sent meanwhile, and says what became of each message.
import { checkProtocols, checkUrl, ownAccount } from "./address.js";
import { Core, bytesOf, isArrayBuffer, later, utf8, whole } from "./core.js";

export const FEED = Symbol("feed");

const decoder = new TextDecoder();
// A mark at the beginning of a text is part of it.
const exactDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

const CODECS = {
  json: {
    isText: true,
    encode: (message) => {
      const text = JSON.stringify(message);
      if (text === undefined) throw new TypeError(`JSON has no form for ${typeof message}.`);
      return utf8(text);
    },
    decode: (data) => JSON.parse(asText(data)),
  },
  text: { isText: true, encode: (message) => utf8(`${message}`), decode: asText },
  bytes: {
    isText: false,
    encode: bytesOnly,
    decode: (data) => (typeof data === "string" ? utf8(data) : data),
  },
};

function asText(data) {
  return typeof data === "string" ? data : decoder.decode(data);
}

function bytesOnly(data) {
  if (isArrayBuffer(data) || ArrayBuffer.isView(data)) return bytesOf(data);
  throw new TypeError("Bytes are an ArrayBuffer or a view on one.");
}

// What goes to the socket as it is.
function raw(data) {
  return typeof data === "string" ? data : bytesOnly(data);
}

function timed({ interval, deadline, ping, pong }) {
  // What is no number is not either: the wasm would take it for 0.
  const isLong = (millis) => millis >= MIN_HEARTBEAT;
  if (!isLong(interval) || !isLong(deadline ?? MIN_HEARTBEAT)) throw new TypeError(`The times of a heartbeat are ${MIN_HEARTBEAT} ms at least.`);
  return { interval: whole(interval), deadline: whole(deadline), ping: raw(ping), pong: pong === undefined ? undefined : raw(pong) };
}

// The codes that a close frame can carry.
function closeCodes(codes) {
  if (codes === undefined || codes === null) return undefined;
  const list = [...codes];
  if (!list.every((code) => Number.isInteger(code) && code >= 1000 && code <= 4999)) throw new TypeError("A close code is a whole number from 1000 to 4999.");
  if (list.length > MAX_CLOSE_CODES) throw new TypeError(`There are more than ${MAX_CLOSE_CODES} close codes.`);
  return list;
}

const isFunction = (value) => typeof value === "function";

class ClientEvent extends Event {
  constructor(type, fields) {
    super(type);
    Object.assign(this, fields);
  }
}

export function connect(url, options) {
  return new Client(url, options);
}

export class Client extends EventTarget {
  #core;
  #codec;
  #replyTo;
  #requests = new Map();
  #isClosed = false;
  #toldState = null;
  // Why it has ended.
  #cause = null;
  // Of the message that is being told.
  #size = 0;

  constructor(url, options) {
    super();
    const { codec = "json", protocols = [], account = "", share = true, replay = 0, linger, readyAt, tier, replyTo, auth, heartbeat, answer, fatalCodes, authCodes } = options ?? {};
    this.#codec = Object.hasOwn(CODECS, codec) ? CODECS[codec] : codec;
    if (![this.#codec?.encode, this.#codec?.decode].every(isFunction)) throw new TypeError(`There is no codec '${codec}', and it has no encode and decode of its own.`);
    if (![auth || isFunction, replyTo || isFunction].every(isFunction)) throw new TypeError("auth and replyTo are functions.");
    this.#replyTo = replyTo;
    const settings = {
      url: checkUrl(`${url}`).href,
      protocols: checkProtocols(protocols),
      account: share ? `${account ?? ""}` : ownAccount(),
      replay: whole(replay),
      linger: whole(linger),
      readyAt: whole(readyAt),
      auth: auth && { supply: (refused, failed) => this.#supply(auth, { refused, failed }) },
      heartbeat: heartbeat && timed(heartbeat),
      answer: answer && { ping: raw(answer.ping), pong: raw(answer.pong) },
      fatalCodes: closeCodes(fatalCodes),
      authCodes: closeCodes(authCodes),
      tier,
    };
    const tell = (type, fields) => this.dispatchEvent(new ClientEvent(type, fields));
    this.#core = new Core(settings, {
      opened: (protocol) => tell("open", { protocol }),
      received: (data, replayed) => this.#onReceived(data, replayed),
      lost: (attempt, delay, { code, reason, text }) => tell("reconnecting", { attempt, delay, code, reason, cause: text }),
      ended: (close) => this.#onEnded(close),
      // The last comes behind the end, and is told in front of it.
      stateChanged: () => this.#isClosed || this.#tellStatus(),
      lagged: (missed) => tell("lagged", { missed }),
      updateAvailable: (build) => tell("update", { build }),
      complained: (text) => this.#complain(new Error(text)),
    });
  }

  get status() {
    return { ...this.#core.status(), cause: this.#cause };
  }

  get ladder() {
    return this.#core.ladder();
  }

  get bufferedAmount() {
    return this.#core.bufferedAmount;
  }

  ready() {
    return this.#core.ready();
  }

  async send(message) {
    return this.#core.send(this.#encode(message), this.#codec.isText);
  }

  // A codec is the app's. Of what is something else, such as a text, the wasm would make bytes that nobody has written.
  #encode(message) {
    const bytes = this.#codec.encode(message);
    return bytes instanceof Uint8Array ? bytes : bytesOnly(bytes);
  }

  async request(build, options) {
    const timeout = whole(options?.timeout) ?? 30_000;
    if (!this.#replyTo) throw new TypeError("`replyTo` has to be set: the client does not know what an answer looks like.");
    const id = Math.floor(Math.random() * 2 ** 53);
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        const late = () => reject(new DOMException(`No answer within ${timeout} ms.`, "TimeoutError"));
        if (timeout <= LONGEST_TIMER) timer = setTimeout(late, timeout);
        this.#requests.set(id, { resolve, reject });
        this.send(build(id)).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      this.#requests.delete(id);
    }
  }

  greet(greeting, farewell) {
    const encode = (message) => {
      const bytes = this.#encode(message);
      return this.#codec.isText ? exactDecoder.decode(bytes) : bytes.slice();
    };
    return this.#core.greet(encode(greeting), farewell === undefined ? undefined : encode(farewell));
  }

  logOut(options) {
    this.#core.logOut(whole(options?.drain));
  }

  // For inspector.js.
  [FEED]() {
    return this.#core.feed();
  }

  reconnect() {
    this.#core.reconnect();
  }

  close() {
    this.#core.disconnect();
    this.#onEnded({ code: 1000, reason: "", wasClean: true, text: "closed by this client" });
  }

  // Ends when the client is closed. What comes while the reader is busy waits for it.
  [Symbol.asyncIterator]() {
    const reader = { hasLeft: false, wake: null };
    const messages = this.#read(reader);
    // A generator would end behind the message for which it waits.
    const leave = messages.return.bind(messages);
    messages.return = (value) => {
      reader.hasLeft = true;
      reader.wake?.();
      return leave(value);
    };
    return messages;
  }

  async *#read(reader) {
    const arrived = [];
    // The next one is at its end: to take it from the front of a long array, V8 moves all the others.
    let waiting = [];
    let bytes = 0;
    let missed = 0;
    const onMessage = ({ data }) => {
      const size = this.#size;
      const count = arrived.length + waiting.length;
      const isFull = count >= MAX_WAITING || (count > 0 && bytes + size > MAX_WAITING_BYTES);
      if (missed > 0 || isFull) missed += 1;
      else {
        arrived.push({ data, size });
        bytes += size;
      }
      reader.wake?.();
    };
    const onClose = () => reader.wake?.();
    this.addEventListener("message", onMessage);
    this.addEventListener("close", onClose);
    let began = performance.now();
    try {
      for (;;) {
        while (arrived.length + waiting.length > 0) {
          if (waiting.length === 0) waiting = arrived.splice(0).reverse();
          const { data, size } = waiting.pop();
          bytes -= size;
          yield data;
          if (performance.now() - began >= MOST_MILLIS) {
            // A frame of the worker brings thousands, and the browser has to paint.
            await new Promise(later);
            began = performance.now();
          }
        }
        if (missed > 0) {
          this.dispatchEvent(new ClientEvent("lagged", { missed }));
          missed = 0;
        }
        if (this.#isClosed || reader.hasLeft) return;
        await new Promise((resolve) => (reader.wake = resolve));
        began = performance.now();
      }
    } finally {
      this.removeEventListener("message", onMessage);
      this.removeEventListener("close", onClose);
    }
  }

  // Another tab is asked when this one has none.
  async #supply(auth, request) {
    try {
      const credential = await auth(request);
      if (credential === undefined || credential === null) return null;
      const { query, url, subprotocol, firstMessage } = credential;
      const isPair = Array.isArray(query) && query.length === 2 && query.every((part) => typeof part === "string");
      if (isPair) return { query };
      const isNone = !url && !subprotocol && firstMessage === undefined;
      if (query || isNone) throw new TypeError("A credential has one of `query: [name, value]`, `url`, `subprotocol` and `firstMessage`.");
      if (url) return { url: `${url}` };
      if (subprotocol) return { subprotocol: `${subprotocol}` };
      return { firstMessage: raw(firstMessage) };
    } catch (error) {
      this.#complain(error);
      return null;
    }
  }

  #onReceived(data, replayed) {
    let message, id;
    this.#size = typeof data === "string" ? data.length : data.byteLength;
    try {
      message = this.#codec.decode(data);
      id = this.#replyTo?.(message);
    } catch (error) {
      return this.#complain(error);
    }
    if (id === undefined || id === null) {
      const event = new MessageEvent("message", { data: message });
      this.dispatchEvent(Object.assign(event, { replayed }));
    }
    // An answer to another tab's request is nobody's message.
    else this.#requests.get(id)?.resolve(message);
  }

  #onEnded({ code, reason, wasClean, text }) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cause = text;
    this.#core.disconnect();
    if (this.#toldState !== this.status.state) this.#tellStatus();
    for (const { reject } of this.#requests.values()) reject(new Error(text));
    const event = new CloseEvent("close", { code, reason, wasClean });
    this.dispatchEvent(Object.assign(event, { text }));
  }

  #tellStatus() {
    const { status } = this;
    this.#toldState = status.state;
    this.dispatchEvent(new ClientEvent("status", { status }));
  }

  // Whatever an app has thrown: of some things there is no text.
  #complain(error) {
    let message = "an error without a text";
    try {
      message = `${error?.message ?? error}`;
    } catch {}
    this.dispatchEvent(new ErrorEvent("error", { error, message }));
  }
}

// For how long a reader may hold its page before the browser has a turn.
const MOST_MILLIS = 8;
// Of messages that wait for a reader: enough for a page that is busy for seconds; one that has stopped must not take the page's memory.
const MAX_WAITING = 65_536;
// As they came: what a codec makes of them has no size.
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

// As the protocol has it.
const MAX_CLOSE_CODES = 256;

// In milliseconds. A way there and back may take so long: with less, each answer is followed by the next ping, or comes too late.
const MIN_HEARTBEAT = 100;

// Of a browser's timer, in milliseconds. A longer one would be over at once.
const LONGEST_TIMER = 2 ** 31 - 1;
