// Which URLs and subprotocols a WebSocket takes: the first steps of https://websockets.spec.whatwg.org/#dom-websocket-websocket, done
// here because the constructor throws at once, and the real one is called in the worker later.

const syntaxError = (text) => new DOMException(text, "SyntaxError");

export function checkUrl(input) {
  // A server has none, nor has a worker, which would hold its own socket.
  if (typeof document === "undefined") throw new TypeError("Connections are made by pages: there is no document here.");
  let url;
  try {
    url = new URL(input, document.baseURI);
  } catch {
    throw syntaxError(`The URL '${input}' is invalid.`);
  }
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw syntaxError(`The URL's scheme must be 'ws', 'wss', 'http' or 'https'. '${url.protocol.slice(0, -1)}' is not allowed.`);
  }
  if (url.href.includes("#")) throw syntaxError(`The URL has a fragment ('${url.hash}'). It must not.`);
  return url;
}

// RFC 9110, section 5.6.2.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function checkProtocols(input) {
  const isList = typeof input === "object" && input !== null && typeof input[Symbol.iterator] === "function";
  const protocols = isList ? Array.from(input, String) : [`${input}`];
  const bad = protocols.find((protocol) => !TOKEN.test(protocol));
  if (bad !== undefined) throw syntaxError(`The subprotocol '${bad}' is invalid.`);
  if (new Set(protocols).size < protocols.length) throw syntaxError("A subprotocol comes twice.");
  return protocols;
}

// A key that nobody else has: whoever has it has its socket alone.
export function ownAccount() {
  return `own ${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
}
