// The interface of https://websockets.spec.whatwg.org/#the-websocket-interface. docs/conformance.md says where it differs, and why.
import { checkProtocols, checkUrl, ownAccount } from "./address.js";
import { Core, bytesOf, isArrayBuffer, isBlob, later, utf8 } from "./core.js";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const HANDLED = ["open", "message", "error", "close"];

export class OneSocket extends EventTarget {
  #core;
  #url;
  #share;
  #protocol = "";
  #readyState = CONNECTING;
  #wasOpen = false;
  // What this page knows, and may not have been told yet.
  #hasOpened = false;
  // It has ended, and what was heard before is still being told.
  #isEnding = false;
  #binaryType = "blob";
  #buffered = 0;
  // While a Blob is read, or there is no room, what comes after it waits for it.
  #waiting = null;
  #handlers = new Map();

  static #defaults = new WeakMap();

  static with(options) {
    const own = class OneSocket extends this {};
    OneSocket.#defaults.set(own, { ...OneSocket.#defaultsOf(this), ...options });
    return Object.defineProperty(own, "length", { value: 1 });
  }

  // Of the class, or of the nearest that it extends.
  static #defaultsOf(made) {
    let at = made;
    while (at !== null && !OneSocket.#defaults.has(at)) at = Object.getPrototypeOf(at);
    return OneSocket.#defaults.get(at);
  }

  constructor(url, protocols = [], options = {}) {
    if (arguments.length === 0) throw new TypeError("OneSocket needs a URL.");
    super();
    this.#url = checkUrl(`${url}`);
    const { share = false, account = "", tier } = { ...OneSocket.#defaultsOf(new.target), ...options };
    this.#share = share;
    const settings = {
      url: this.#url.href,
      protocols: checkProtocols(protocols),
      // Not with the typed clients of this URL: they reconnect.
      account: share ? `OneSocket ${account ?? ""}` : ownAccount(),
      linger: share ? undefined : 0,
      once: true,
      tier,
    };
    let complaint;
    this.#core = new Core(settings, {
      opened: (protocol) => {
        // The worker is lost, and another tab has opened the next one's socket already.
        if (this.#hasOpened) return this.#end(LOST);
        this.#hasOpened = true;
        later(() => this.#onOpened(protocol));
      },
      received: (data) => later(() => this.#onReceived(data)),
      lost: (_attempt, _delay, close) => this.#end(close),
      ended: (close) => {
        // Of a dial that fails the browser says why.
        if (this.#core.status().dials === 0) console.error(`OneSocket: ${complaint ?? close.text}`);
        this.#end(close);
      },
      // A message is missing: whoever relies on a WebSocket is better off without one.
      lagged: () => this.#end(LOST),
      complained: (text, messageIsMissing) => {
        complaint = text;
        if (messageIsMissing) this.#end(LOST);
      },
      stateChanged: () => {
        const { state } = this.#core.status();
        // Of a socket that was open: the worker is lost, and the socket with it.
        if (this.#hasOpened && WITHOUT_SOCKET.includes(state)) this.#end(LOST);
      },
      updateAvailable() {},
    });
  }

  get [Symbol.toStringTag]() {
    return "OneSocket";
  }

  get url() {
    return this.#url.href;
  }

  get readyState() {
    return this.#readyState;
  }

  get protocol() {
    return this.#protocol;
  }

  get extensions() {
    return "";
  }

  get bufferedAmount() {
    return this.#buffered + this.#core.socketBufferedAmount;
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(type) {
    // Like every enumeration of the platform, it keeps its value when given a word that it does not know.
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  send(data) {
    if (arguments.length === 0) throw new TypeError("send needs something to send.");
    const isFile = isBlob(data);
    const isBinary = isArrayBuffer(data) || ArrayBuffer.isView(data) || data?.[Symbol.toStringTag] === "SharedArrayBuffer";
    if (isBinary) checkBuffer(data.buffer ?? data);
    const bytes = isFile ? null : isBinary ? bytesOf(data) : utf8(`${data}`);
    if (this.#readyState === CONNECTING) throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    this.#buffered += isFile ? data.size : bytes.byteLength;
    if (this.#readyState !== OPEN) return;
    if (isFile) this.#inOrder(async () => this.#press(new Uint8Array(await data.arrayBuffer()), false));
    else if (this.#waiting !== null || !this.#hand(bytes, !isBinary)) {
      const copy = bytes.slice();
      this.#inOrder(() => this.#press(copy, !isBinary));
    }
  }

  // Returns whether there was room for it.
  #hand(bytes, isText) {
    const size = bytes.byteLength;
    const sent = () => (this.#buffered -= size);
    try {
      // What is not sent stays counted.
      this.#core.send(bytes, isText).then(sent, () => {});
    } catch (error) {
      if (error.isFull) return false;
      // What follows must not go in its place. Behind the end nothing does.
      if (!this.#isEnding) this.#fail();
    }
    return true;
  }

  // The page's sends without an outcome are bounded, those of a browser's socket are not: what is over the bound waits here.
  async #press(bytes, isText) {
    while (this.#readyState !== CLOSED && !this.#hand(bytes, isText)) {
      await this.#core.ready().catch(() => {});
      // It may be other sockets' sends that take the room.
      await new Promise((resolve) => setTimeout(resolve, LOOKS_FOR_ROOM_AFTER));
    }
  }

  #inOrder(act) {
    const waiting = Promise.resolve(this.#waiting)
      .then(act)
      // A Blob whose file is gone can't be sent, and what follows it must not go in its place.
      .catch(() => this.#fail())
      .finally(() => {
        if (this.#waiting === waiting) this.#waiting = null;
      });
    this.#waiting = waiting;
  }

  close(code, reason) {
    if (code !== undefined) {
      code = clamp(code);
      if (code !== 1000 && (code < 3000 || code > 4999)) {
        throw new DOMException(`The close code must be 1000, or in 3000 to 4999. ${code} is neither.`, "InvalidAccessError");
      }
    }
    if (reason !== undefined) {
      reason = decoder.decode(utf8(`${reason}`));
      if (utf8(reason).byteLength > 123) throw new DOMException("The close reason has more than 123 bytes.", "SyntaxError");
    }
    if (this.#readyState === CONNECTING) this.#fail();
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    if (this.#waiting === null) this.#close(code, reason);
    else this.#inOrder(() => this.#close(code, reason));
  }

  #close(code, reason = "") {
    if (!this.#share) return this.#core.closeSocket(code, reason);
    // Others may need the socket: this tab leaves it, and is answered as by the server.
    this.#end({ code: code ?? 1005, reason: code === undefined ? "" : reason, wasClean: true });
  }

  #onOpened(protocol) {
    if (this.#readyState !== CONNECTING) return;
    this.#readyState = OPEN;
    this.#wasOpen = true;
    this.#protocol = protocol;
    this.dispatchEvent(new Event("open"));
  }

  #onReceived(data) {
    if (this.#readyState !== OPEN) return;
    let shown = data;
    if (typeof data !== "string") shown = this.#binaryType === "blob" ? new Blob([data]) : data.buffer;
    this.dispatchEvent(new MessageEvent("message", { data: shown, origin: this.#url.origin }));
  }

  // There is no socket any more that anybody could rely on.
  #fail() {
    if (this.#readyState !== CLOSED) this.#readyState = CLOSING;
    this.#end(LOST);
  }

  #end({ code, reason, wasClean }) {
    this.#isEnding = true;
    this.#core.disconnect();
    later(() => {
      if (this.#readyState === CLOSED) return;
      this.#readyState = CLOSED;
      // Of one that was open the close says all, and there are libraries that give up at an error.
      if (!wasClean && !this.#wasOpen) this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
    });
  }

  // An event handler takes its place among the listeners when it is set, and keeps it when another one follows
  // (https://html.spec.whatwg.org/#event-handler-attributes).
  #handler(type) {
    return this.#handlers.get(type)?.value ?? null;
  }

  #handle(type, value) {
    const isCallable = (typeof value === "object" && value !== null) || typeof value === "function";
    const handler = this.#handlers.get(type);
    if (isCallable && handler) handler.value = value;
    else if (isCallable) {
      const added = { value, listener: (event) => typeof added.value === "function" && added.value.call(this, event) };
      this.#handlers.set(type, added);
      this.addEventListener(type, added.listener);
    } else if (handler) {
      this.removeEventListener(type, handler.listener);
      this.#handlers.delete(type);
    }
  }

  static {
    const constants = { CONNECTING, OPEN, CLOSING, CLOSED };
    for (const [name, value] of Object.entries(constants)) {
      Object.defineProperty(this, name, { value, enumerable: true });
      Object.defineProperty(this.prototype, name, { value, enumerable: true });
    }
    for (const type of HANDLED) {
      Object.defineProperty(this.prototype, `on${type}`, {
        get() {
          return this.#handler(type);
        },
        set(value) {
          this.#handle(type, value);
        },
        configurable: true,
        enumerable: true,
      });
    }
  }
}

const LOOKS_FOR_ROOM_AFTER = 100;

// A socket that ended without a word.
const LOST = { code: 1006, reason: "", wasClean: false };

const WITHOUT_SOCKET = ["connecting", "reconnecting", "offline", "needs-auth"];

// A mark at the beginning of a text is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// Whatever else could change it, or its length, meanwhile: https://webidl.spec.whatwg.org/#AllowShared, #AllowResizable.
function checkBuffer(buffer) {
  if (!isArrayBuffer(buffer)) throw new TypeError("A view on shared memory can't be sent.");
  if (buffer.resizable) throw new TypeError("A buffer that can be resized can't be sent.");
}

// [Clamp] unsigned short: https://webidl.spec.whatwg.org/#Clamp. Halves go to the even number.
function clamp(value) {
  const number = Math.min(Math.max(Number(value) || 0, 0), 65535);
  const floor = Math.floor(number);
  const rest = number - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
