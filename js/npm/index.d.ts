/** Where the loop runs that holds the sockets: a SharedWorker, a dedicated Worker, or the page itself. */
export type Tier = "shared" | "dedicated" | "main";

/** What is set once, for all connections of a page. */
export interface Configuration {
  /**
   * The URL of the worker's script, `onesocket-worker.js` of this package, with `onesocket-worker_bg.wasm` beside it. It has to be of the
   * page's own origin. Default: where the bundler has put it; if that is of another origin, or a `data:` URL, a console error says so, and connections that name no tier are in `main`.
   */
  script?: string | URL;
  /** The URL of `onesocket-core_bg.wasm`. Default: where the bundler has put it. */
  wasm?: string | URL;
  /** Tabs share a worker when origin, script and name are equal. 1 to 128 bytes, without `~`. Default: `onesocket`. */
  name?: string;
  /** Which build of the app this is: a number that grows with each deploy. Tabs of older builds hear `update`. Default: none. */
  build?: number;
  /**
   * How many milliseconds a worker may take from its construction to its welcome, downloads included; then the next tier is tried. 100 to
   * 60,000. Default: 3000.
   */
  helloTimeout?: number;
  /** Forces a tier for connections that do not name one: it works or is an error. Default: the best that works. */
  tier?: Tier;
}

/**
 * Sets what holds for the connections that are made from now on. Before the first: `build` and `helloTimeout` are the worker's, and count as its first connection
 * has them.
 */
export function configure(configuration: Configuration): void;

/** What the third argument of {@link OneSocket} may say. */
export interface OneSocketOptions {
  /**
   * Whether tabs, and sockets of one page, that ask for the same URL and subprotocols share one connection. Each then hears what the server sends to
   * any of them. Default: `false`, each has its own, as with `WebSocket`.
   */
  share?: boolean;
  /** Whose connection it is: those of different accounts are never shared. */
  account?: string;
  /** Forces a tier. */
  tier?: Tier;
}

/**
 * The browser's `WebSocket`, with the socket in a worker: the same constructor, constants, states, events, errors and close codes. It does not
 * reconnect. Hand it to any library that takes a WebSocket class.
 *
 * ```js
 * import { OneSocket } from "onesocket";
 *
 * const client = createClient({ url, webSocketImpl: OneSocket });
 * ```
 *
 * What differs is listed in the repository's `docs/conformance.md`.
 */
export class OneSocket extends EventTarget implements WebSocket {
  /** @throws {DOMException} A `SyntaxError`, when the URL or a subprotocol is not valid. */
  constructor(url: string | URL, protocols?: string | string[], options?: OneSocketOptions);

  /** Returns a class whose sockets have these options, for libraries that call the constructor themselves. */
  static with(options: OneSocketOptions): typeof OneSocket;

  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  readonly url: string;
  readonly readyState: 0 | 1 | 2 | 3;
  /** The subprotocol that the server chose; empty before it is open, and when it chose none. */
  readonly protocol: string;
  /** Always empty: what the worker's socket has negotiated is not told. */
  readonly extensions: string;
  /**
   * Bytes that were given to `send` and not yet handed to the worker's socket, and those that it holds: in steps of 256 KiB, as last told; of all
   * tabs, where they share it.
   */
  readonly bufferedAmount: number;
  /** What binary messages come as. Default: `blob`. */
  binaryType: BinaryType;

  onopen: ((this: WebSocket, event: Event) => any) | null;
  onmessage: ((this: WebSocket, event: MessageEvent) => any) | null;
  onerror: ((this: WebSocket, event: Event) => any) | null;
  onclose: ((this: WebSocket, event: CloseEvent) => any) | null;

  /**
   * What the network has not taken is kept, however much it is. One message of more than 64 MiB ends the socket, with 1006.
   *
   * @throws {DOMException} An `InvalidStateError`, before it is open.
   * @throws {TypeError} For a view on shared memory, and for a buffer that can be resized.
   */
  send(data: string | BufferSource | Blob): void;

  /**
   * @throws {DOMException} An `InvalidAccessError`, when the code is neither 1000 nor in 3000 to 4999; a `SyntaxError`, when the reason has
   * more than 123 bytes.
   */
  close(code?: number, reason?: string): void;

  addEventListener<K extends keyof WebSocketEventMap>(
    type: K,
    listener: (this: WebSocket, event: WebSocketEventMap[K]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof WebSocketEventMap>(
    type: K,
    listener: (this: WebSocket, event: WebSocketEventMap[K]) => any,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

/** How messages become what a WebSocket sends, and back. What throws in `decode` is told as `error`. What `encode` returns that has no bytes, such as a text or a promise, is a `TypeError` of `send`. */
export interface Codec<Rx, Tx> {
  /** Whether `encode` returns the UTF-8 of a text message. */
  isText: boolean;
  encode(message: Tx): Uint8Array;
  decode(data: string | Uint8Array): Rx;
}

/** The codecs that are there, of what a client may receive: `text` is of strings, `bytes` of `Uint8Array`s. */
export type CodecName<Rx = unknown> = "json" | (string extends Rx ? "text" : never) | (Uint8Array extends Rx ? "bytes" : never);

/** What became of a message that was not sent, or may not have been. */
export interface SendError extends Error {
  /** `NotSent`: not, and sending it again can't double it. `MaybeSent`: the worker was lost while it handed it over, and only the server can tell. */
  name: "NotSent" | "MaybeSent";
}

/** Nothing will be sent any more: the client is closed, or has stopped. */
export interface ReadyError extends Error {
  name: "NotReady";
}

/** What a dial proves itself with. */
export type Credential =
  /** A parameter that is added to the URL's query. */
  | { query: readonly [name: string, value: string] }
  /** Another URL in place of the client's, as services hand out that sign them. */
  | { url: string | URL }
  /** A subprotocol that is offered behind the client's. */
  | { subprotocol: string }
  /** A message that is sent first on the open socket. */
  | { firstMessage: string | Uint8Array };

/** A ping of the app's own protocol: browsers let no page send those of WebSocket. */
export interface Heartbeat {
  /** After how many milliseconds of the server's silence a ping is sent, 100 at least, or it is a `TypeError`; also after so many, and a second, of the client's own: many servers close a connection on which they hear nothing. */
  interval: number;
  /**
   * How many milliseconds later something must have come, 100 at least, too; else the socket is replaced. An upload in front of the ping is waited for while it goes on,
   * where the browser says what a socket holds: WebKit's workers say little or nothing. Together with `interval` it must be longer than the longest message from the server takes. Default: 10,000.
   */
  deadline?: number;
  /** What is sent, as it is. */
  ping: string | Uint8Array;
  /** What the server answers; it is no message then. Whatever else comes is a sign of life, too. Default: none, what it answers is a message like any other. */
  pong?: string | Uint8Array;
}

/** What {@link connect} may be told. */
export interface ClientOptions<Rx = unknown, Tx = unknown> {
  /**
   * `json`: anything that JSON can say. `text`: strings. `bytes`: buffers and views on them; what comes is a `Uint8Array`. Or your own. What it can't say, `send`
   * and `request` reject with what its `encode` throws, in these a `TypeError`. Default: `json`.
   */
  codec?: CodecName<Rx> | Codec<Rx, Tx>;
  /** The subprotocols to offer. */
  protocols?: string | readonly string[];
  /**
   * Whether all tabs with the same URL, subprotocols and account share one connection. `linger`, `heartbeat`, `answer`, `fatalCodes`, `authCodes`, and whether there is `auth`, are then as its first
   * client has them; a later one that differs is told so as `error`. Default: `true`.
   */
  share?: boolean;
  /** Whose connection it is: those of different accounts are never shared. */
  account?: string;
  /**
   * How many of the last messages this tab is given when it joins a connection that other tabs have opened: 10,000 and 1 MiB of them at most, and what has come on this
   * socket since a tab first asked for so many. They stand directly behind `open`; a page that joins anew, as out of the back-forward cache, may have heard some of them before. Default: 0.
   */
  replay?: number;
  /** With how many bytes on their way `ready` still lets a sender go on. Default: 1 MiB. */
  readyAt?: number;
  /** How many milliseconds the socket outlives its last tab. A reload finds it open where the worker outlives the page, as a shared one may. Default: 2000. */
  linger?: number;
  /**
   * Supplies a credential for each dial, or nothing: then another tab of the account is asked. `refused`: the server has closed the last one with one of `authCodes`, so a
   * cached one will not do. `failed`: how many dials in a row have not opened a socket, of those since this client is there; a server that refuses the handshake itself, by
   * 401 or 403, can't be told from one that is out of reach, and says by nothing else that a cached one is over. When no tab has one, the state is `needs-auth`; unless one was refused, all are asked again when the browser is online again, at a wake, and
   * at the pace of the backoff, 31 s apart at most. One that throws or rejects has none, and is told so by `error`.
   */
  auth?(request: { refused: boolean; failed: number }): Credential | null | undefined | Promise<Credential | null | undefined>;
  /** Finds sockets that are open here and dead there. Default: none. */
  heartbeat?: Heartbeat;
  /** What the worker answers when the server sends `ping`: at once, and without the page. Such a ping is no message. Default: nothing. */
  answer?: { ping: string | Uint8Array; pong: string | Uint8Array };
  /**
   * The close codes after which dialling again is pointless: the client ends with `close`. 256 at most, from 1000 to 4999; anything else is a `TypeError`. Default: 1002, 1003,
   * 1007, 1008, 1010, by which a server says that this client can't succeed. One that says so of a full room or a limit of its own does not mean it: leave its code out.
   */
  fatalCodes?: readonly number[];
  /** The close codes by which the server refuses a credential, as `fatalCodes`, and in front of them. Without `auth` such a close pauses the client. Default: 4401. */
  authCodes?: readonly number[];
  /** Forces a tier. */
  tier?: Tier;
  /** Returns the number that a message answers, as `request` has given it to its question; nothing for any other message. */
  replyTo?(message: Rx): number | null | undefined;
}

/** How a connection is doing. The tabs, and what is queued, are as of the last change of the state. */
export interface Status {
  state: "connecting" | "connected" | "reconnecting" | "offline" | "needs-auth" | "stopped";
  /** Where the loop runs; `null` while it runs nowhere. */
  tier: Tier | null;
  /** How many tabs share the connection. */
  tabs: number;
  /** What waits for an open socket, of all tabs. */
  queuedMessages: number;
  queuedBytes: number;
  /** How many sockets have been dialled. */
  dials: number;
  /** Why it has stopped, for people, as `close` says it; `null` before that. */
  cause: string | null;
}

/** There is no socket, and another one is dialled after `delay` milliseconds; without a delay when the browser is online again. */
export interface ReconnectingEvent extends Event {
  readonly attempt: number;
  readonly delay?: number;
  /** How the last socket ended; 1006 when it did without a word. */
  readonly code: number;
  readonly reason: string;
  /** The same for people. */
  readonly cause: string;
}

export interface ClientEventMap<Rx> {
  /** A socket is open. */
  open: Event & { readonly protocol: string };
  /** The server has sent a message; `replayed`: before this tab joined. A list begins anew with the first one behind an `open`. */
  message: MessageEvent<Rx> & { readonly replayed: boolean };
  reconnecting: ReconnectingEvent;
  /**
   * The state has changed. It comes behind the `reconnecting` or `open` of the same change, in which `status` is still the one before; in front of the `open` of a
   * client that joins an open connection, and of `close`.
   */
  status: Event & { readonly status: Status };
  /** Messages were dropped, because the page did not keep up. */
  lagged: Event & { readonly missed: number };
  /** A newer build of the app is out. */
  update: Event & { readonly build?: number };
  /** Something went wrong. It ends nothing, unless no tier works or the worker has 256 clients of this page already: then `close` follows. */
  error: ErrorEvent;
  /** It has ended, by `close`, or because dialling again is pointless. `text` says so for people. Its last event. */
  close: CloseEvent & { readonly text: string };
}

/**
 * A connection that reconnects, keeps what is sent meanwhile, and says what became of each message. It lives until {@link Client.close}, also when
 * nothing refers to it any more: whoever makes one closes it. Iterating over it yields the messages from then on, and ends when it is closed; of those that wait for the
 * reader, 65,536 and 64 MiB of what was received are kept, and `lagged` counts the others.
 */
export class Client<Rx = unknown, Tx = unknown> extends EventTarget implements AsyncIterable<Rx> {
  /** @throws {DOMException} A `SyntaxError`, when the URL or a subprotocol is not valid. */
  constructor(url: string | URL, options?: ClientOptions<Rx, Tx>);

  readonly status: Status;
  /** Which tiers were tried, and what became of each, for people. */
  readonly ladder: string;

  /**
   * Sends a message, now or when there is a socket. Resolved when it was handed to an open socket, once; what the server does with it, only
   * the server can tell. Else rejected with a {@link SendError}, whose name is `NotSent` or `MaybeSent`: `NotSent` at once for one of more than 64 MiB, and when 128 MiB of
   * this page have no outcome yet, which `ready` prevents.
   */
  send(message: Tx): Promise<void>;

  /**
   * How many bytes are on their way: of this client's messages that have no outcome yet, and those that the worker's socket holds: in steps of
   * 256 KiB, as last told, of all tabs.
   */
  readonly bufferedAmount: number;

  /**
   * Waits until so little is on its way that more should be sent. For whoever has more to send than the network takes at once; nothing is held back
   * from who does not ask. While there is no socket it waits, as `send` does. Rejected with a {@link ReadyError}, whose name is `NotReady`, when the
   * client is closed or has stopped.
   */
  ready(): Promise<void>;

  /**
   * Sends what `build` makes of a fresh number, and waits for the message that `replyTo` finds to answer it. Default timeout: 30 s, `Infinity` for none.
   *
   * Rejected with a `DOMException` whose name is `TimeoutError` when no answer has come in time: what still waits for a socket then is sent when there is one. As
   * `send` is, `NotSent` or `MaybeSent`, when it may not have been sent. With an `Error` when the client is closed or has ended, a `TypeError` without `replyTo` or
   * when `timeout` is no number, and what `build` or the codec's `encode` throws.
   */
  request(build: (id: number) => Tx, options?: { timeout?: number }): Promise<Rx>;

  /**
   * Has a message sent first on every new socket, before anything that waits: a log-in, a subscription. Of the same one of several tabs only one is sent. Returns
   * what drops it; `farewell` is sent when no tab holds it any more. One over 1 MiB, or beyond 1,024, is told as `error`.
   *
   * @throws What the codec's `encode` throws of either.
   */
  greet(greeting: Tx, farewell?: Tx): () => void;

  /** Ends the connection in all tabs of the account. What waits is sent if a socket is open within `drain` milliseconds; default: not at all. */
  logOut(options?: { drain?: number }): void;

  /** Asks for a new socket now, for all tabs, also where the browser says that it is offline; an open one is kept until it is online. It breaks off a dial that is under way, unless a `reconnect` has begun that less than 5 s before. */
  reconnect(): void;

  /** Leaves. The socket is closed when no other tab is left. */
  close(): void;

  [Symbol.asyncIterator](): AsyncIterableIterator<Rx>;

  addEventListener<K extends keyof ClientEventMap<Rx>>(
    type: K,
    listener: (this: this, event: ClientEventMap<Rx>[K]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof ClientEventMap<Rx>>(
    type: K,
    listener: (this: this, event: ClientEventMap<Rx>[K]) => any,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

/** {@link connect} with the codec `bytes`. */
export function connect(
  url: string | URL,
  options: ClientOptions<Uint8Array, ArrayBuffer | ArrayBufferView> & { codec: "bytes" },
): Client<Uint8Array, ArrayBuffer | ArrayBufferView>;
/** {@link connect} with the codec `text`. */
export function connect(url: string | URL, options: ClientOptions<string, string> & { codec: "text" }): Client<string, string>;
/**
 * Connects. It is usable at once. Where the package's wasm can't be loaded, `error` says so, the console once, too, and it is tried again: after a random time of up to 1 s, 2 s, 4 s … 30 s, when
 * the browser is online again, and at once by `reconnect`. What is sent meanwhile waits, as it does for a socket: 10,000 messages and 8 MiB of this client at most, for
 * 5 minutes; what is over that, or has waited for longer, is `NotSent`. A {@link OneSocket} ends then, with 1006.
 */
export function connect<Rx = unknown, Tx = unknown>(url: string | URL, options?: ClientOptions<Rx, Tx>): Client<Rx, Tx>;
