// Every case does the same with the browser's own WebSocket and with OneSocket, and writes down what it sees. What is compared is what was
// written down.
import { OneSocket } from "./onesocket/index.js";
import { CASES } from "./cases.js";

export const names = Object.keys(CASES);

export async function compare(name, options) {
  const native = await observe(CASES[name], WebSocket);
  const ours = await observe(CASES[name], OneSocket.with(options));
  return { native, ours };
}

async function observe(run, Socket) {
  const trial = new Trial(Socket);
  try {
    await run(trial);
  } catch (error) {
    // That is the case's own: two that fail alike are not alike.
    if (Socket === WebSocket) throw error;
    trial.see(`${error.name}: ${error.message}`);
  }
  await trial.end();
  return JSON.stringify(trial.seen);
}

const TYPES = ["open", "message", "error", "close"];
const SECONDS = 10;

// One run of a case.
class Trial {
  seen = [];
  #sockets = [];

  constructor(Socket) {
    this.Socket = Socket;
  }

  see(...what) {
    this.seen.push(what.length === 1 ? what[0] : what);
  }

  url(path) {
    return `ws://${location.host}${path}`;
  }

  make(path = "/echo", ...more) {
    return this.keep(new this.Socket(this.url(path), ...more));
  }

  // It is closed when the case is over.
  keep(socket) {
    this.#sockets.push(socket);
    return socket;
  }

  // Makes one and writes down its events with the state in which they came.
  watched(path, ...more) {
    const socket = this.make(path, ...more);
    for (const type of TYPES) socket.addEventListener(type, (event) => this.see(describe(event), socket.readyState));
    return socket;
  }

  async open(path, ...more) {
    const socket = this.make(path, ...more);
    await this.until(socket, "open");
    return socket;
  }

  // The event, or null when another one has ended it.
  until(socket, type) {
    return new Promise((resolve, reject) => {
      socket.addEventListener(type, resolve, { once: true });
      if (type !== "close") socket.addEventListener("close", () => resolve(null), { once: true });
      setTimeout(() => reject(new Error(`no ${type} within ${SECONDS} s`)), SECONDS * 1000);
    });
  }

  // What a call throws, in the words of the platform.
  thrown(act) {
    try {
      act();
      return "nothing";
    } catch (error) {
      return `${error.constructor.name} ${error.name} ${error.code ?? ""}`;
    }
  }

  // Makes the server do something to the sockets of an end point.
  async fault(what) {
    const response = await fetch(`/fault/${what}`, { method: "POST" });
    if (!response.ok) throw new Error(await response.text());
  }

  pause(millis) {
    return new Promise((resolve) => setTimeout(resolve, millis));
  }

  async end() {
    for (const socket of this.#sockets) {
      // Firefox makes those wait that come after one which was given up.
      if (socket.readyState === 0) await this.until(socket, "open");
      if (socket.readyState === 3) continue;
      const closed = this.until(socket, "close");
      socket.close();
      await closed;
    }
  }
}

function describe(event) {
  switch (event.type) {
    case "message":
      return `message ${event.data}`;
    case "close":
      return `close ${event.code} '${event.reason}' ${event.wasClean ? "clean" : "unclean"}`;
    default:
      return event.type;
  }
}
