// The app of every path that has something like a WebSocket in the page. Reads the same fields as the Rust ones do.

const STRIDE = 4093;

// Of a buffer, or of bytes in one.
function decode(data) {
  const view = new DataView(data.buffer ?? data, data.byteOffset ?? 0);
  const levels = new Array(20);
  for (let level = 0; level < 20; level += 1) levels[level] = view.getFloat64(32 + 8 * level, true);
  return {
    number: view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32,
    time: view.getFloat64(8, true),
    bid: view.getFloat64(16, true),
    ask: view.getFloat64(24, true),
    levels,
    symbol: new Uint8Array(view.buffer, view.byteOffset + 192, 8),
  };
}

// The server takes no other bytes than those that `Quote::numbered` of the Rust pages makes.
function encode(number) {
  const buffer = new ArrayBuffer(200);
  const view = new DataView(buffer);
  view.setUint32(0, number, true);
  view.setFloat64(8, number, true);
  view.setFloat64(16, number % 997, true);
  view.setFloat64(24, (number % 997) + 1, true);
  for (let level = 0; level < 20; level += 1) view.setFloat64(32 + 8 * level, (number + level) % 251, true);
  for (let place = 0; place < 8; place += 1) view.setUint8(192 + place, SYMBOL.charCodeAt(place));
  return buffer;
}

const SYMBOL = "ONESOCKT";

// The time of the first ticker. With the whole time in it the sum would have no room for cents.
const START = 1718900000000;

// When each message of so many has come is noted. `SAMPLED` in lib.rs.
const SAMPLED = 100;

class Tally {
  count = 0;
  seen = [];
  misplaced = 0;
  sum = 0;

  quote({ number, time, bid, ask, levels, symbol }) {
    if (number !== this.count) this.misplaced += 1;
    if (number % SAMPLED === 0) this.seen.push(performance.now());
    this.count += 1;
    let sum = number + time + bid + ask;
    for (let level = 0; level < 20; level += 1) sum += levels[level];
    for (let place = 0; place < 8; place += 1) sum += symbol[place];
    this.sum += sum;
  }

  ticker({ sequence, symbol, time, bid, bidSize, ask, askSize, last, volume, change }) {
    if (sequence !== this.count) this.misplaced += 1;
    this.count += 1;
    this.sum += sequence + (time - START) + symbol.length + (bid + ask + last) + (bidSize + askSize + volume) + (change ?? 0);
  }

  frame(buffer) {
    const bytes = new Uint8Array(buffer);
    const view = new DataView(buffer);
    if (view.getUint32(0, true) !== this.count) this.misplaced += 1;
    this.count += 1;
    for (let place = 8; place < bytes.length; place += STRIDE) this.sum += bytes[place];
  }
}

// `open(url)` resolves with an open socket that hands ArrayBuffers to `onmessage`.
export function app(open) {
  let socket;
  let kind;
  let last = 0;
  const lost = () => new Error("the connection was lost");
  return {
    async connect(which, url) {
      kind = which;
      socket = await open(url);
    },

    receive: (count) =>
      new Promise((resolve, reject) => {
        const tally = new Tally();
        const start = performance.now();
        socket.onclose = () => reject(lost());
        const take = {
          quotes: (data) => tally.quote(decode(data)),
          json: (data) => tally.ticker(JSON.parse(data)),
          frames: (data) => tally.frame(data),
        }[kind];
        socket.onmessage = ({ data }) => {
          take(data);
          if (tally.count === count) done();
        };
        const done = () => {
          const { misplaced, sum, seen } = tally;
          resolve({ ms: performance.now() - start, count, misplaced, sum, seen });
        };
        socket.send(new ArrayBuffer(2));
      }),

    // Of a feed that is running: the time of the first message.
    async first(url) {
      const feed = await open(url);
      return new Promise((resolve) => {
        feed.onmessage = ({ data }) => {
          last = decode(data).number;
          resolve(performance.now());
        };
      });
    },

    last: () => last,

    async echo(groups, each) {
      const times = [];
      for (let group = 0; group < groups; group += 1) {
        const start = performance.now();
        for (let number = 0; number < each; number += 1) {
          const ball = new Uint8Array(64).fill(number);
          const back = await new Promise((resolve, reject) => {
            socket.onclose = () => reject(lost());
            socket.onmessage = ({ data }) => resolve(new Uint8Array(data));
            socket.send(ball);
          });
          if (back.length !== 64 || back.some((byte) => byte !== number)) throw new Error("another message than was sent");
        }
        times.push(performance.now() - start);
      }
      return times;
    },

    // Pings of the server, each of one byte.
    answer() {
      socket.onmessage = () => socket.send(new Uint8Array([10]));
      socket.send(new ArrayBuffer(2));
    },

    upstream: (count) =>
      new Promise((resolve, reject) => {
        const start = performance.now();
        socket.onclose = () => reject(lost());
        socket.onmessage = () => resolve(performance.now() - start);
        for (let number = 0; number < count; number += 1) socket.send(encode(number));
      }),
  };
}
