// A relay that does nothing else: it passes on what comes, without reconnect, receipts, liveness or a bound on what waits. Frames travel as the library's do,
// in batches whose clock is the acknowledgement of the one before. A page imports this module, a worker runs it.

const LARGE = 16 * 1024;
const BATCH = 1024 * 1024;

export class Line {
  onframe;
  #port;
  #waiting = [];
  #isInFlight = false;
  #owes = false;
  #isDue = false;

  constructor(port) {
    this.#port = port;
    port.onmessage = ({ data: { acknowledges, frames, joined } }) => {
      if (acknowledges) this.#isInFlight = false;
      this.#owes ||= frames.length > 0;
      if (joined) apart(frames, joined).forEach((frame) => this.onframe(frame));
      else frames.forEach((frame) => this.onframe(frame));
      this.#post();
    };
  }

  send(frame) {
    this.#waiting.push(frame);
    if (this.#isDue || this.#isInFlight) return;
    this.#isDue = true;
    queueMicrotask(() => this.#post());
  }

  #post() {
    this.#isDue = false;
    const frames = this.#isInFlight ? [] : this.#next();
    if (!this.#owes && frames.length === 0) return;
    this.#isInFlight ||= frames.length > 0;
    const acknowledges = this.#owes;
    this.#owes = false;
    if (frames.length === 0 || frames[0].byteLength > LARGE) return this.#port.postMessage({ acknowledges, frames }, frames);
    const joined = together(frames);
    const lengths = frames.map((frame) => frame.byteLength);
    this.#port.postMessage({ acknowledges, frames: lengths, joined }, [joined]);
  }

  // Large ones are transferred each by itself, small ones in one buffer.
  #next() {
    const isLarge = ({ byteLength }) => byteLength > LARGE;
    let bytes = 0;
    const end = this.#waiting.findIndex((frame) => {
      bytes += frame.byteLength;
      return isLarge(frame) !== isLarge(this.#waiting[0]) || (bytes > BATCH && bytes > frame.byteLength);
    });
    return this.#waiting.splice(0, end < 0 ? Infinity : end);
  }
}

function together(frames) {
  const bytes = new Uint8Array(frames.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(new Uint8Array(frame), at);
    at += frame.byteLength;
  }
  return bytes.buffer;
}

function apart(lengths, joined) {
  let at = 0;
  return lengths.map((length) => new Uint8Array(joined, (at += length) - length, length));
}

// One socket for all pages that name the same URL.
const sockets = new Map();

function serve(port) {
  port.onmessage = ({ data: url }) => {
    if (!sockets.has(url)) sockets.set(url, dial(url));
    const { socket, opened, lines } = sockets.get(url);
    opened.then(() => {
      const line = new Line(port);
      line.onframe = (frame) => socket.send(frame);
      lines.push(line);
      port.postMessage("open");
    });
  };
}

function dial(url) {
  const socket = new WebSocket(url);
  const lines = [];
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => lines.forEach((line) => line.send(data));
  return { socket, lines, opened: new Promise((resolve) => (socket.onopen = resolve)) };
}

if ("SharedWorkerGlobalScope" in self) self.onconnect = ({ ports: [port] }) => serve(port);
if ("DedicatedWorkerGlobalScope" in self) serve(self);
