// What is done with a socket, case by case. `t` is a Trial of conformance.js.

const BAD_CODES = [0, 1, 999, 1001, 1002, 1003, 1005, 1006, 1015, 2999, 5000, 65536, -1, NaN, Infinity, "x", null, 3000.5, 1000.4];

export const CASES = {
  "constructor: URLs that are refused"(t) {
    for (const url of ["ftp://x/", "ws://", "ws://[", "http:// x", "ws://x/#", "ws://x/#a", "mailto:a@b", "javascript:1", "ws://x:99999/"]) {
      t.see(url, t.thrown(() => new t.Socket(url)));
    }
  },
  "constructor: URLs that are taken"(t) {
    const base = `${location.host}/echo`;
    for (const url of [`ws://${base}?a=b`, `http://${base}`, "/echo", "echo?x", `WS://${base}/../echo`, `//${base}`, new URL("/echo", location.href)]) {
      t.see(url, t.keep(new t.Socket(url)).url);
    }
  },
  "constructor: arguments"(t) {
    t.see(t.thrown(() => new t.Socket()));
    t.see(t.thrown(() => t.Socket(t.url("/echo"))));
    t.see(t.thrown(() => new t.Socket(undefined, ["a", "a"])));
    t.see(t.thrown(() => new t.Socket(Symbol("x"))));
    t.see(t.Socket.length);
  },
  "constructor: subprotocols that are refused"(t) {
    for (const protocols of ["", " ", "a b", "a,b", "ä", "a/b", "\u0000", [""], ["a", "a"], ["a", "b c"], ["a", ""], "a\n", '"a"']) {
      t.see(protocols, t.thrown(() => new t.Socket(t.url("/echo"), protocols)));
    }
  },
  "constants"(t) {
    const socket = t.make();
    for (const name of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"]) {
      t.see(name, t.Socket[name], socket[name], descriptor(t.Socket, name), descriptor(t.Socket.prototype, name));
    }
  },
  "attributes before it is open"(t) {
    const socket = t.make();
    const { readyState, bufferedAmount, extensions, protocol, binaryType, onopen, onmessage, onerror, onclose } = socket;
    t.see(readyState, bufferedAmount, extensions, protocol, binaryType, onopen, onmessage, onerror, onclose);
    t.see(socket instanceof EventTarget, socket instanceof t.Socket);
  },
  async "attributes when it is open"(t) {
    const socket = await t.open();
    const { readyState, bufferedAmount, extensions, protocol, binaryType } = socket;
    t.see(readyState, bufferedAmount, extensions, protocol, binaryType, socket.url === t.url("/echo"));
  },
  async "attributes can't be assigned"(t) {
    const socket = t.make();
    for (const name of ["readyState", "bufferedAmount", "extensions", "protocol", "url"]) {
      t.see(name, t.thrown(() => (socket[name] = 7)));
    }
  },
  "names"(t) {
    t.see(Object.prototype.toString.call(t.make()));
    t.see(t.make() instanceof WebSocket);
  },
  async "text"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    for (const text of ["", "hello", "ä€😀", "\u0000", "x\ud800y", 7, null, undefined, { toString: () => "an object" }, [1, 2]]) {
      socket.send(text);
      await t.until(socket, "message");
    }
    t.see(t.thrown(() => socket.send()));
    t.see(t.thrown(() => socket.send(Symbol("x"))));
  },
  async "the message event"(t) {
    const socket = await t.open();
    socket.send("x");
    const event = await t.until(socket, "message");
    const { type, data, origin, lastEventId, source, bubbles, cancelable, composed } = event;
    t.see(event.constructor.name, type, data, origin, lastEventId, source, event.ports.length, bubbles, cancelable, composed);
    t.see(event.target === socket);
  },
  async "the close event"(t) {
    const socket = await t.open();
    socket.close(3000, "x");
    const event = await t.until(socket, "close");
    const { type, code, reason, wasClean, bubbles, cancelable } = event;
    t.see(event.constructor.name, type, code, reason, wasClean, bubbles, cancelable);
  },
  async "events are trusted"(t) {
    const socket = t.make();
    t.see((await t.until(socket, "open")).isTrusted);
  },
  async "binaryType"(t) {
    const socket = await t.open();
    const bytes = new Uint8Array([9, 1, 2, 255, 9]);
    for (const type of ["blob", "arraybuffer", "BLOB", "", null, "blob"]) {
      t.see(t.thrown(() => (socket.binaryType = type)), socket.binaryType);
      for (const data of [bytes.buffer, bytes.subarray(1, 4), new DataView(bytes.buffer, 1, 2), new Blob([bytes]), new Uint16Array([1, 2])]) {
        socket.send(data);
        const event = await t.until(socket, "message");
        const isBlob = event.data instanceof Blob;
        const got = isBlob ? await event.data.arrayBuffer() : event.data;
        t.see(event.data.constructor.name, isBlob ? event.data.type : "", [...new Uint8Array(got)]);
      }
    }
    socket.send(new ArrayBuffer(0));
    t.see((await t.until(socket, "message")).data.size);
  },
  async "binary of another realm"(t) {
    const frame = document.body.appendChild(document.createElement("iframe"));
    const { ArrayBuffer, Blob, Uint8Array: Bytes } = frame.contentWindow;
    const socket = await t.open();
    socket.binaryType = "arraybuffer";
    for (const data of [new ArrayBuffer(3), new Blob(["abcd"]), new Bytes(5)]) {
      socket.send(data);
      t.see((await t.until(socket, "message")).data.byteLength);
    }
    frame.remove();
  },
  async "buffers that were transferred away"(t) {
    const socket = await t.open();
    socket.binaryType = "arraybuffer";
    const buffers = [new ArrayBuffer(3), new Uint8Array(4), new DataView(new ArrayBuffer(5))];
    structuredClone(null, { transfer: buffers.map((data) => data.buffer ?? data) });
    for (const data of buffers) {
      socket.send(data);
      t.see((await t.until(socket, "message")).data.byteLength);
    }
  },
  async "buffers that can be resized, and shared memory"(t) {
    const socket = await t.open();
    const buffer = new ArrayBuffer(3, { maxByteLength: 9 });
    t.see(t.thrown(() => socket.send(buffer)), t.thrown(() => socket.send(new Uint8Array(buffer))));
    // A page that is not isolated makes shared memory by this way alone.
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    t.see(t.thrown(() => socket.send(new Uint8Array(shared, 0, 3))), t.thrown(() => socket.send(shared)));
  },
  async "order of blobs and texts"(t) {
    const socket = await t.open();
    socket.binaryType = "arraybuffer";
    const got = [];
    const all = new Promise((resolve) => {
      socket.onmessage = ({ data }) => got.push(typeof data === "string" ? data : data.byteLength) === 6 && resolve();
    });
    const reused = new Uint8Array([1, 2]);
    socket.send("1");
    socket.send(new Blob(["x".repeat(100_000)]));
    socket.send(reused);
    reused.fill(0);
    socket.send("2");
    socket.send(new Blob(["abc"]));
    socket.send("3");
    await all;
    t.see(got);
  },
  async "what was sent is not changed by the sender afterwards"(t) {
    const socket = await t.open();
    socket.binaryType = "arraybuffer";
    const bytes = new Uint8Array([1, 2, 3]);
    socket.send(bytes);
    bytes.fill(0);
    t.see([...new Uint8Array((await t.until(socket, "message")).data)]);
  },
  async "a megabyte there and back"(t) {
    const socket = await t.open();
    socket.send("x".repeat(1 << 20));
    t.see((await t.until(socket, "message")).data.length);
  },
  "send before it is open"(t) {
    const socket = t.make();
    t.see(t.thrown(() => socket.send("x")), t.thrown(() => socket.send()), socket.bufferedAmount);
  },
  async "bufferedAmount"(t) {
    const socket = await t.open();
    socket.send("ä€");
    socket.send(new Uint8Array(10));
    socket.send(new Blob(["abc"]));
    t.see(socket.bufferedAmount);
    await t.until(socket, "message");
    await t.until(socket, "message");
    await t.until(socket, "message");
    await t.pause(50);
    t.see(socket.bufferedAmount);
  },
  async "send while it closes, and when it is closed"(t) {
    const socket = await t.open();
    socket.close();
    t.see(socket.readyState, t.thrown(() => socket.send("abc")), socket.bufferedAmount);
    await t.until(socket, "close");
    t.see(socket.readyState, t.thrown(() => socket.send(new Uint8Array(4))), socket.bufferedAmount);
    t.see(t.thrown(() => socket.send(new Blob(["12345"]))), socket.bufferedAmount);
  },
  async "close: codes that are refused"(t) {
    const socket = await t.open();
    for (const code of BAD_CODES) t.see(String(code), t.thrown(() => socket.close(code)), socket.readyState);
  },
  async "close: reasons that are too long"(t) {
    const socket = await t.open();
    for (const reason of ["x".repeat(124), "ä".repeat(62), "😀".repeat(31), `\ufeff${"x".repeat(121)}`]) t.see(t.thrown(() => socket.close(3000, reason)));
    t.see(t.thrown(() => socket.close(999, "x".repeat(124))), socket.readyState);
  },
  async "close: arguments are looked at in every state"(t) {
    const socket = t.make();
    t.see(t.thrown(() => socket.close(1)), socket.readyState);
    await t.until(socket, "open");
    socket.close();
    t.see(t.thrown(() => socket.close(1)), t.thrown(() => socket.close(1000, "x".repeat(124))));
    await t.until(socket, "close");
    t.see(t.thrown(() => socket.close(1)), t.thrown(() => socket.close(3000)));
  },
  ...each("close with", [[], [1000], [1000, ""], [3000], [3000, "done"], [4999, "x".repeat(123)], [3500, "ä".repeat(61)], [3000, "\ufeffx"], ["3001"], [3000.6], [4000, 7]], async (t, args) => {
    const socket = t.watched();
    await t.until(socket, "open");
    t.see(t.thrown(() => socket.close(...args)), socket.readyState);
    await t.until(socket, "close");
  }),
  async "close without a code, with a reason"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    const thrown = t.thrown(() => socket.close(undefined, "x"));
    t.see(thrown);
    if (thrown === "nothing") await t.until(socket, "close");
  },
  async "the first close counts"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    socket.close(3000, "first");
    socket.close(4000, "second");
    await t.until(socket, "close");
    socket.close();
    t.see(socket.readyState);
  },
  async "what was sent before the close arrives"(t) {
    const before = await frames();
    const socket = await t.open("/sink");
    for (let n = 0; n < 50; n += 1) socket.send(new Uint8Array(8));
    socket.send(new Blob(["12345678"]));
    socket.close(3000);
    t.see((await t.until(socket, "close")).code);
    t.see((await frames()) - before);
  },
  async "nothing is received after close"(t) {
    const socket = t.watched("/feed?rate=1000&size=8");
    await t.until(socket, "message");
    socket.onmessage = () => t.see("late");
    t.seen = [];
    socket.close(1000);
    await t.until(socket, "close");
  },
  ...each("the server closes with", [[1000, ""], [1000, "bye"], [1001, "away"], [1008, "policy"], [1011, "error"], [3000, ""], [4000, "ä"], [4401, "token"], [4999, "x".repeat(123)]], async (t, [code, reason]) => {
    const socket = t.watched();
    await t.until(socket, "open");
    const closed = t.until(socket, "close");
    await t.fault(`close?code=${code}&reason=${encodeURIComponent(reason)}&path=/echo`);
    await closed;
    t.see(socket.readyState, t.thrown(() => socket.send("x")));
  }),
  async "the server closes and does not hang up"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    const closed = t.until(socket, "close");
    await t.fault("inject?text=last&path=/echo");
    await t.fault("close?code=4401&reason=token&hold=1&path=/echo");
    // Chromium takes nothing any more, and waits for the server.
    socket.send("too late");
    await closed;
  },
  async "what was received is heard though it is answered behind the end"(t) {
    const socket = t.make("/feed?count=30&rate=100&size=8");
    const closed = t.until(socket, "close");
    let heard = 0;
    socket.onmessage = () => {
      heard += 1;
      socket.send("an answer");
      if (heard !== 10) return;
      // All that follows is there when the page looks next.
      const until = performance.now() + 500;
      while (performance.now() < until);
      const fault = new XMLHttpRequest();
      fault.open("POST", "/fault/close?code=4000&path=/feed", false);
      fault.send();
      if (fault.status !== 200) throw new Error(fault.responseText);
      while (performance.now() < until + 200);
    };
    t.see((await closed).code, heard);
  },
  async "the server drops the connection"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    const closed = t.until(socket, "close");
    await t.fault("drop?path=/echo");
    await closed;
  },
  async "the server drops the connection while it closes"(t) {
    const socket = t.watched();
    await t.until(socket, "open");
    await t.fault("half-open?path=/echo");
    const closed = t.until(socket, "close");
    socket.close(3000);
    await t.fault("drop?path=/echo");
    await closed;
    await t.fault("clear");
  },
  async "subprotocols: the server takes one"(t) {
    const socket = t.watched("/echo?protocols=b", ["a", "b"]);
    t.see(socket.protocol);
    await t.until(socket, "open");
    t.see(socket.protocol);
    socket.close();
    await t.until(socket, "close");
    t.see(socket.protocol);
  },
  async "subprotocols: as a string"(t) {
    const socket = await t.open("/echo?protocols=b", "b");
    t.see(socket.protocol);
  },
  async "subprotocols: the server takes none"(t) {
    const socket = t.watched("/echo", ["a"]);
    await t.until(socket, "open");
    t.see(socket.protocol);
  },
  "handlers: what may be set"(t) {
    const socket = t.make();
    const handler = () => {};
    const object = { handleEvent: () => {} };
    for (const value of [handler, null, object, undefined, handler, 7, "x"]) {
      socket.onmessage = value;
      t.see(socket.onmessage === value, socket.onmessage === null);
    }
  },
  async "handlers: order"(t) {
    const socket = t.make();
    socket.addEventListener("open", () => t.see("first"));
    socket.onopen = () => t.see("never");
    socket.addEventListener("open", () => t.see("third"));
    socket.onopen = function (event) {
      t.see("second", this === socket, event.currentTarget === socket);
    };
    socket.addEventListener("open", { handleEvent: () => t.see("fourth") });
    await t.until(socket, "open");
    t.seen.push("");
    socket.onclose = () => t.see("never");
    socket.addEventListener("close", () => t.see("first"));
    socket.onclose = null;
    socket.onclose = () => t.see("second");
    socket.close();
    await t.until(socket, "close");
  },
  async "handlers: one that throws stops nobody"(t) {
    const socket = t.make();
    const seen = new Promise((resolve) => addEventListener("error", (event) => (event.preventDefault(), resolve(event.message)), { once: true }));
    socket.onopen = () => {
      throw new Error("on purpose");
    };
    socket.addEventListener("open", () => t.see("second"));
    await t.until(socket, "open");
    t.see((await seen).includes("on purpose"));
  },
  async "listeners: once, signal, removed"(t) {
    const socket = await t.open();
    const abort = new AbortController();
    const removed = () => t.see("removed");
    socket.addEventListener("message", () => t.see("once"), { once: true });
    socket.addEventListener("message", () => t.see("aborted"), { signal: abort.signal });
    socket.addEventListener("message", removed);
    socket.removeEventListener("message", removed);
    for (const text of ["1", "2", "3"]) {
      socket.send(text);
      await t.until(socket, "message");
      abort.abort();
    }
  },
  async "what waits for an event goes on before the next one"(t) {
    const socket = t.make("/feed?count=3&size=8");
    await new Promise((resolve) => (socket.onopen = resolve));
    await null;
    await null;
    for (let n = 0; n < 3; n += 1) {
      const { data } = await new Promise((resolve) => (socket.onmessage = resolve));
      t.see(data.size);
    }
  },
  async "what waits for a listener goes on before the next listener"(t) {
    const socket = t.make();
    socket.addEventListener("open", () => Promise.resolve().then(() => t.see("between")));
    socket.addEventListener("open", () => t.see("second"));
    await t.until(socket, "open");
  },
  async "the constructor returns before anything happens"(t) {
    const socket = t.make();
    socket.onopen = () => t.see("open");
    await null;
    t.see("later", socket.readyState);
    await t.until(socket, "open");
  },
  async "many sockets of one URL are many"(t) {
    const before = await sockets();
    const all = await Promise.all(Array.from({ length: 5 }, () => t.open()));
    t.see((await sockets()) - before);
    all[0].close(3000);
    await t.until(all[0], "close");
    t.see(all.map((socket) => socket.readyState));
  },
  async "the handshake fails: no such path"(t) {
    const socket = t.watched("/nothing");
    t.see(socket.readyState);
    await t.until(socket, "close");
  },
  async "the handshake fails: refused"(t) {
    await t.fault("refuse?next=1&status=503");
    const socket = t.watched();
    await t.until(socket, "close");
    await t.fault("clear");
  },
  async "the handshake fails: with subprotocols it is tried once"(t) {
    const before = await rejected();
    await t.fault("refuse?next=9&status=503");
    const socket = t.watched("/echo", ["a"]);
    await t.until(socket, "close");
    await t.fault("clear");
    t.see((await rejected()) - before);
  },
  async "close while it connects"(t) {
    const socket = t.watched();
    socket.close(3000, "x");
    t.see(socket.readyState);
    await t.until(socket, "close");
  },
  // The last: the server counts a handshake when its delay is over, whoever is still there.
  async "close while it connects for a while"(t) {
    await t.fault("handshake-delay?ms=5000");
    const socket = t.watched();
    await t.pause(50);
    socket.close();
    t.see(socket.readyState);
    await t.until(socket, "close");
    await t.fault("clear");
  },
};

// Of the class or of what it inherits from.
function descriptor(object, name) {
  return Object.getOwnPropertyDescriptor(object, name) ?? descriptor(Object.getPrototypeOf(object), name);
}

function each(name, inputs, run) {
  return Object.fromEntries(inputs.map((input) => [`${name} ${JSON.stringify(input).slice(1, -1).slice(0, 30) || "nothing"}`, (t) => run(t, input)]));
}

async function statistic(name, path) {
  const all = await (await fetch("/stats")).json();
  const count = (path ? all.paths[path] : all)[name];
  if (typeof count !== "number") throw new Error(`no statistic ${name}`);
  return count;
}

const frames = () => statistic("frames_in", "/sink");
const sockets = () => statistic("sockets_ever");
const rejected = () => statistic("rejected");
