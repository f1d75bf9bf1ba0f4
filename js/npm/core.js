// Loads the wasm, once, and lets a connection be used before that is done.
import load, { Connection } from "./onesocket-core.js";

let worker = {};

export function configure(options) {
  worker = { ...worker, ...options };
}

// Bundlers find these two files by these words, and give them other names; the worker looks for `NAME_bg.wasm` beside `NAME.js` if it is
// not told. Not before they are needed: what is no module has no URL, nor has a module on some servers. Where they put the script onto another
// origin, or into a `data:` URL, there is no worker to be had, and nothing is returned but to who asks for one.
function workerScript(tier) {
  if (worker.script) return absolute(worker.script).href;
  const script = absolute(new URL("./onesocket-worker.js", import.meta.url));
  if (script.origin !== ownOrigin() || script.protocol === "data:") {
    // Who asks for a tier with a worker is told why there is none; the main one needs no script.
    if (tier && tier !== "main") return script.href;
    if (!tier && !hasComplained) {
      hasComplained = true;
      console.error(FOREIGN);
    }
    return null;
  }
  const wasm = absolute(new URL("./onesocket-worker_bg.wasm", import.meta.url));
  const beside = script.pathname.replace(/\.js$/, "_bg.wasm");
  if (wasm.pathname !== beside) script.searchParams.set("wasm", wasm.pathname + wasm.search);
  return script.href;
}

// What Next.js writes in place of a `new URL` with a bundled file is relative to the page, and has no origin.
function absolute(url) {
  return new URL(url, document.baseURI);
}

// As the browser judges by when it is to run a worker: a page without a URL of its own goes by its base.
function ownOrigin() {
  return new URL(location.protocol === "about:" ? document.baseURI : location.href).origin;
}

let hasComplained = false;

const FOREIGN =
  "onesocket: the bundler has put the worker's script elsewhere than onto the page's own origin, so there is no worker, and the page holds its sockets itself. " +
  'Copy onesocket-worker.js and onesocket-worker_bg.wasm to this origin, and say where: configure({ script: "/onesocket-worker.js" }).';

let loading = null;
let hasMissedWasm = false;

const SET_UP = 'It is tried again. Where it never works, "Setting it up" in the package\'s README says what bundlers and a Content Security Policy need.';

function loaded() {
  loading ??= load({ module_or_path: worker.wasm }).catch((error) => {
    // It may have been the network: whoever asks next tries again.
    loading = null;
    throw error;
  });
  return loading;
}

// The first connection of a page waits for the wasm; what is asked of it meanwhile is done in that order.
export class Core {
  #connection = null;
  #waiting = [];
  #waitingSends = 0;
  #waitingBytes = 0;
  #bounds;
  #failure = null;
  // Ends the wait for the next attempt to load the wasm.
  #goOn = null;
  #listener;

  constructor(settings, listener) {
    this.#listener = guarded(listener);
    const wanted = settings.tier ?? worker.tier;
    if (wanted !== undefined && !TIERS.includes(wanted)) throw new TypeError(`There is no tier '${wanted}'.`);
    const script = workerScript(wanted);
    const tier = wanted ?? (script === null ? "main" : undefined);
    const all = {
      account: "",
      protocols: [],
      once: false,
      linger: undefined,
      readyAt: undefined,
      replay: 0,
      auth: undefined,
      heartbeat: undefined,
      answer: undefined,
      fatalCodes: undefined,
      authCodes: undefined,
      script: script ?? `${ownOrigin()}/onesocket-worker.js`,
      name: worker.name?.toString(),
      build: numeric(worker.build ?? 0),
      helloTimeout: whole(worker.helloTimeout),
      ...settings,
      tier,
    };
    this.#bounds = all.once ? { sends: Infinity, bytes: MAX_WAITING_BYTES } : QUEUE;
    this.#start(all);
  }

  async #start(settings) {
    try {
      await this.#load(settings);
      if (this.#failure !== null) return;
      this.#connection = new Connection(settings, this.#listener);
      for (const act of this.#waiting.splice(0)) act(this.#connection);
    } catch (error) {
      if (this.#failure !== null) return;
      this.#fail(error instanceof Error ? error : new Error(`${error}`));
      // Not every app listens to `close`. A OneSocket tells it itself.
      if (!settings.once) console.error(`onesocket: ${this.#failure.message}`);
      this.#listener.ended({ code: 1006, reason: "", wasClean: false, text: this.#failure.message });
    }
  }

  // What reconnects does not end because the wasm could not be fetched.
  async #load({ once }) {
    for (let attempt = 1; this.#failure === null; attempt += 1) {
      try {
        return await loaded();
      } catch (error) {
        if (once) throw error;
        if (this.#failure === null) {
          const text = `the wasm could not be loaded: ${error?.message ?? error}`;
          // Not every app listens to `error`, and a policy that forbids the wasm is on no console by itself.
          if (!hasMissedWasm) console.error(`onesocket: ${text}. ${SET_UP}`);
          hasMissedWasm = true;
          this.#listener.complained(text, false);
        }
      }
      // Whoever has heard it may have closed it.
      if (this.#failure === null) await this.#pause(attempt);
    }
  }

  // As between two dials: see docs/defaults.md.
  #pause(attempt) {
    return new Promise((resolve) => {
      this.#goOn = () => {
        clearTimeout(timer);
        removeEventListener("online", this.#goOn);
        this.#goOn = null;
        resolve();
      };
      const timer = setTimeout(this.#goOn, Math.random() * Math.min(1000 * 2 ** (attempt - 1), 30_000));
      addEventListener("online", this.#goOn);
    });
  }

  // There will be no connection: what waits for it hears so.
  #fail(error) {
    this.#failure = error;
    this.#goOn?.();
    for (const act of this.#waiting.splice(0)) act(null);
  }

  #when(act) {
    if (this.#connection !== null || this.#failure !== null) act(this.#connection);
    else this.#waiting.push(act);
  }

  // The bytes are taken by this call. It throws when they are not, which is sent nowhere: `isFull` says that there may be room later.
  send(bytes, isText) {
    // In front of the wasm, whose memory never shrinks, and ends at 4 GiB.
    if (bytes.byteLength > MAX_PAYLOAD_BYTES) {
      throw Object.assign(new Error(`the payload is over the cap of ${MAX_PAYLOAD_BYTES} bytes`), { name: "NotSent" });
    }
    if (this.#connection !== null) return this.#connection.send(bytes, isText);
    const { sends, bytes: most, millis } = this.#bounds;
    if (this.#waitingSends >= sends || this.#waitingBytes + bytes.byteLength > most) {
      const text = `${this.#waitingSends} messages with ${this.#waitingBytes} bytes wait already`;
      throw Object.assign(new Error(text), { name: "NotSent", isFull: true });
    }
    const copy = bytes.slice();
    this.#waitingSends += 1;
    this.#waitingBytes += copy.byteLength;
    return new Promise((resolve, reject) => {
      const act = (connection, why = this.#failure?.message) => {
        clearTimeout(timer);
        this.#waitingSends -= 1;
        this.#waitingBytes -= copy.byteLength;
        if (connection === null) return reject(Object.assign(new Error(why), { name: "NotSent" }));
        try {
          resolve(connection.send(copy, isText));
        } catch (error) {
          reject(error);
        }
      };
      const expire = () => {
        this.#waiting.splice(this.#waiting.indexOf(act), 1);
        act(null, "it has waited too long for the wasm");
      };
      const timer = millis && setTimeout(expire, millis);
      this.#when(act);
    });
  }

  get bufferedAmount() {
    return this.#waitingBytes + (this.#connection?.bufferedAmount ?? 0);
  }

  // What the worker's socket holds.
  get socketBufferedAmount() {
    return this.#connection?.socketBufferedAmount ?? 0;
  }

  ready() {
    return new Promise((resolve, reject) => {
      this.#when((connection) => {
        if (connection !== null) return connection.ready().then(resolve, reject);
        reject(Object.assign(new Error(this.#failure.message), { name: "NotReady" }));
      });
    });
  }

  // Returns what drops it again.
  greet(greeting, farewell) {
    let number;
    this.#when((connection) => {
      try {
        number = connection?.greet(greeting, farewell);
      } catch (error) {
        this.#listener.complained(error.message, false);
      }
    });
    return () =>
      this.#when((connection) => {
        if (number !== undefined) connection?.ungreet(number);
        // It is another one's by now.
        number = undefined;
      });
  }

  logOut(drain) {
    this.#when((connection) => connection?.logOut(drain));
  }

  closeSocket(code, reason) {
    this.#when((connection) => connection?.closeSocket(code, reason));
  }

  // What the inspector is fed with.
  feed() {
    return new Promise((resolve, reject) => {
      this.#when((connection) => (connection === null ? reject(this.#failure) : resolve(connection.feed())));
    });
  }

  reconnect() {
    this.#goOn?.();
    this.#when((connection) => connection?.reconnect());
  }

  disconnect() {
    if (this.#connection !== null) this.#connection.disconnect();
    else if (this.#failure === null) this.#fail(new Error("closed before it was connected"));
  }

  status() {
    if (this.#connection !== null) return this.#connection.status();
    const state = this.#failure === null ? "connecting" : "stopped";
    return { state, tier: null, tabs: 0, queuedMessages: 0, queuedBytes: 0, dials: 0 };
  }

  ladder() {
    return this.#connection?.ladder() ?? "";
  }
}

const TIERS = ["shared", "dedicated", "main"];

// What a listener throws would pass through the wasm, which hears nothing any more then.
function guarded(listener) {
  const guard = ([name, hear]) => [
    name,
    (...what) => {
      try {
        hear(...what);
      } catch (error) {
        reportError(error);
      }
    },
  ];
  return Object.fromEntries(Object.entries(listener).map(guard));
}

// As the wasm takes numbers, of which an infinite one would be 0.
export function whole(number) {
  return number === undefined || number === null ? undefined : Math.min(Math.max(numeric(number), 0), 2 ** 32 - 1);
}

// For the wasm what is no number is 0, too: a linger of none, a build that is older than all.
function numeric(value) {
  if (Number.isNaN(Number(value))) throw new TypeError(`'${value}' is no number.`);
  return value;
}

// As the engine has it.
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
// Of a client, while there is no wasm.
const QUEUE = { sends: 10_000, bytes: 8 * 1024 * 1024, millis: 300_000 };

const encoder = new TextEncoder();

// No text has fewer bytes than this. Of one that nobody takes they are not made: browsers can't for all that they can hold.
export function utf8(text) {
  return text.length > MAX_PAYLOAD_BYTES ? new Uint8Array(MAX_PAYLOAD_BYTES + 1) : encoder.encode(text);
}

// A view's bytes, without a copy; none when the buffer was transferred away.
export function bytesOf(data) {
  if (!ArrayBuffer.isView(data)) return data.byteLength === 0 ? new Uint8Array() : new Uint8Array(data);
  return data.buffer.byteLength === 0 ? new Uint8Array() : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

// By what the platform keeps in them: those of a frame are instances of that frame's classes.
function branded(prototype, name) {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name);
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    try {
      get.call(value);
      return true;
    } catch {
      return false;
    }
  };
}

export const isArrayBuffer = branded(ArrayBuffer.prototype, "byteLength");
export const isBlob = branded(Blob.prototype, "size");

// Each is done in a task of its own, as the browser's events are: what a handler has waiting, such as an `await` of the opening, goes on before the next one.
// A frame of the worker brings many at once.
const tasks = [];
let next = 0;
let port = null;

function run() {
  const task = tasks[next];
  tasks[next] = undefined;
  next += 1;
  // Not only when all are done: of a flood there is always one that waits.
  if (next === tasks.length || (next > 1024 && next > tasks.length / 2)) {
    tasks.splice(0, next);
    next = 0;
  }
  task();
}

export function later(task) {
  // Not before it is needed: on a server, where an app may import this too, an open port keeps the process alive.
  if (port === null) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = run;
    port = port2;
  }
  tasks.push(task);
  port.postMessage(null);
}
