// Dials a socket, so that the handshake is under way while the wasm is compiled. The first socket that the wasm dials is this one, if it is of that URL.
// In a worker the script's URL names that of the socket, in its fragment: `#dial=URL`. In the head of a page these lines are a script of their own,
// `onesocket-dial.js`, whose attribute `data-url` names it.
self.onesocketDial = (() => {
  const MILLIS = 5000;
  // The opening, and so many messages.
  const EVENTS = 1001;
  const LENGTH = 16 * 1024 * 1024;
  const page = self.document;
  let early = null;

  const absolute = (url) => {
    try {
      const parsed = new URL(url, page ? page.baseURI : self.location.href);
      parsed.hash = "";
      return parsed.href.replace(/^http/, "ws");
    } catch {}
  };

  // Whoever wants it needs another one.
  const forgo = () => {
    early?.leave();
    early?.socket.close();
    early = null;
  };

  const dial = (named) => {
    const url = named && absolute(named);
    if (!url) return;
    const events = [];
    let socket;
    try {
      socket = new WebSocket(url);
    } catch {
      // The wasm dials it, too, and says what is wrong with it.
      return;
    }
    socket.binaryType = "arraybuffer";
    const types = ["open", "message", "error", "close"];
    let length = 0;
    const keep = (event) => {
      length += event.data?.byteLength ?? event.data?.length ?? 0;
      if (events.push(event) > EVENTS || length > LENGTH) forgo();
    };
    types.forEach((type) => socket.addEventListener(type, keep));
    const timer = self.setTimeout(() => forgo(), MILLIS);
    const leave = () => {
      self.clearTimeout(timer);
      types.forEach((type) => socket.removeEventListener(type, keep));
    };
    early = { url, socket, events, leave };
  };

  // The fragment of a page is anybody's who makes a link to it. A page that is prerendered may never be seen.
  if (!page?.prerendering) dial(page ? page.currentScript?.dataset.url : new URLSearchParams(self.location.hash.slice(1)).get("dial"));

  return {
    forgo,
    // Called by the wasm when it dials: the socket of this URL that is under way, if there is one. What it has had to say it says again, as soon as it is
    // listened to.
    dialled(url) {
      if (!early || early.url !== absolute(url)) return;
      const { socket, events, leave } = early;
      early = null;
      Promise.resolve().then(() => {
        leave();
        events.forEach((event) => socket.dispatchEvent(event));
      });
      return socket;
    },
  };
})();
// The rest is the worker's.

// Stands in front of the wasm's glue in the worker's script, because it must run first: a `connect` event that comes while
// the wasm loads is lost for ever to a listener that comes later. It keeps the ports, which keep their messages until they
// are started; hands them to the wasm; and tells every tab when the wasm can't run, so that none waits for it.
self.onesocket = (() => {
  const { forgo } = self.onesocketDial;
  const ports = new Set();
  let accept = null;
  let failure = null;

  // `FailedStart` in protocol/src/preface.rs: the magic, kind 4, the reason.
  const post = (port) => {
    const { buffer } = new TextEncoder().encode(`1skt\u0004${failure}`);
    port.postMessage(buffer, [buffer]);
  };

  const open = (port) => {
    if (failure !== null) return post(port);
    ports.add(port);
    accept?.(port);
  };

  // Held until this worker ends. Not exclusive: browsers start a second worker of a name while the first one ends.
  const hold = (lock) => {
    const held = () => new Promise(() => {});
    self.navigator?.locks?.request(lock, { mode: "shared" }, held).catch(() => {});
  };

  // Where there is no SharedWorker, the tabs share the dedicated worker of the one that leads. They find it in a hall, which is
  // a BroadcastChannel, and each meets it on another one of its own. That one stands for a port. What it lacks is a start:
  // nothing is kept for a listener that comes later, so the tab is told when it is listened to.
  let hall = null;
  const lead = (name) => {
    if (hall || typeof name !== "string") return;
    const id = self.crypto.getRandomValues(new Uint32Array(2)).join("-");
    hall = new BroadcastChannel(name);
    hall.onmessage = ({ data }) => {
      if (data === "?") return hall.postMessage(`!${id}`);
      // A page that floods the hall costs no more than this.
      if (typeof data !== "string" || !data.startsWith(`${id} `) || ports.size >= 1000) return;
      const meeting = new BroadcastChannel(`${name} ${data}`);
      meeting.start = () => meeting.postMessage("");
      open(meeting);
    };
    hold(name);
    hall.postMessage(`!${id}`);
  };

  // The page that has made this dedicated worker posts to the worker itself: in Firefox and WebKit what is posted on a port passes through another
  // process. That stands for a port, too. What it lacks is a queue until the start, and one that outlives the worker: what the page has not read when it
  // terminates the worker is gone. So there is a port beside it for what must be read even then.
  let own = null;
  const ownPort = (witness) => {
    const listeners = {};
    let waiting = [];
    const take = (event) => (waiting ? waiting.push(event) : listeners[event.type]?.(event));
    return {
      witness,
      take,
      addEventListener: (type, listener) => (listeners[type] = listener),
      removeEventListener: (type) => delete listeners[type],
      // Later, as with a port: it is called while the loop is not ready for it.
      start: () =>
        Promise.resolve().then(() => {
          const events = waiting ?? [];
          waiting = null;
          events.forEach(take);
        }),
      postMessage: (data, transfer) => self.postMessage(data, transfer),
      close() {},
    };
  };

  // The wasm's memory can't be trusted after this, so the worker must not live on; the next tab gets a fresh one.
  const fail = (reason, delay = 0) => {
    if (failure !== null) return;
    failure = `${reason}`.slice(0, 1000);
    accept = null;
    hall?.close();
    forgo();
    ports.forEach(post);
    ports.clear();
    if (delay) self.setTimeout(() => self.close(), delay);
    else self.close();
  };

  // What a socket receives while the wasm has no use for it. It is taken piece by piece: a text or a large buffer as it is; of small buffers as many as
  // have room in one array of `room` bytes, each behind its length, so that they cost the wasm one call and one copy. What is kept are payloads, not events: browsers
  // would have to collect those one by one. The array is valid until the next piece, and for all sockets.
  let packed = null;
  const gather = (large, room) => {
    const payloads = [];
    let taken = 0;
    return {
      onmessage: ({ data }) => payloads.push(data),
      next() {
        packed ??= new Uint8Array(room);
        const lengths = new DataView(packed.buffer);
        let end = 0;
        for (; taken < payloads.length; taken += 1) {
          const payload = payloads[taken];
          const length = payload.byteLength;
          if (!(length < large)) {
            if (end === 0) return payloads[taken++];
            break;
          }
          if (end + 4 + length > packed.length) break;
          lengths.setUint32(end, length, true);
          packed.set(new Uint8Array(payload), end + 4);
          end += 4 + length;
        }
        if (end > 0) return packed.subarray(0, end);
        payloads.length = taken = 0;
      },
    };
  };

  const trapped = (error) => error instanceof WebAssembly.RuntimeError;
  // An exception that went through wasm frames has left values in there that nobody will ever drop or unlock.
  const poisoned = (error) => trapped(error) || /wasm-function/.test(error?.stack);

  self.addEventListener("connect", (event) => open(event.ports[0]));
  self.addEventListener("message", (event) => {
    const { data, ports: [port] } = event;
    if (!port) return own?.take(event);
    const isOwn = !own && Array.isArray(data);
    if (isOwn) own = ownPort(port);
    lead(isOwn ? data[0] : data);
    open(isOwn ? own : port);
  });
  self.addEventListener("messageerror", (event) => own?.take(event));
  self.addEventListener("error", (event) => poisoned(event.error) && fail(event.error));
  self.addEventListener("unhandledrejection", (event) => trapped(event.reason) && fail(event.reason));

  return {
    // Called by the wasm: hands over the ports that are here, and every later one.
    serve(callback) {
      accept = callback;
      ports.forEach((port) => accept?.(port));
      if (!("onconnect" in self)) return;
      // A tab that this SharedWorker does not answer finds by this lock that it is there, and hangs.
      hold(`onesocket-place ${self.name} ${self.location.href}`);
    },
    // Called by the wasm: the tab of this port is gone.
    forget: (port) => ports.delete(port),
    // Called by the wasm for each socket, with the length from which on a buffer is left alone, and that of the array for the others, which is one for all.
    gather,
    // Called by the wasm's panic hook.
    fail: (reason) => fail(reason),
    // Starts the wasm. Tabs that come within a second of a failure still hear of it; then the worker makes room for a fresh
    // one, because what failed may have been the network.
    boot: (start) => Promise.resolve().then(start).catch((error) => fail(error, 1000)),
    // Fetches the wasm that belongs to a script: `x.js` and `x.module.js` have `x_bg.wasm` beside them. A bundler that gives both names of
    // its own is why the query may name it.
    async wasm(script) {
      let url = new URL(script);
      const named = url.searchParams.get("wasm");
      if (named) url = new URL(named, script);
      else url.pathname = url.pathname.replace(/(\.module)?\.js$/, "_bg.wasm");
      const response = await self.fetch(url);
      if (!response.ok) throw new Error(`${response.status} for ${url.pathname}`);
      return response;
    },
  };
})();
