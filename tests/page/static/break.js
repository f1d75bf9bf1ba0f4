// Takes from this page what its query string names, before anything else runs: a browser that lacks it, or a machine that sleeps
// when the suite says so (see sleepy-worker.js).
for (const what of new URLSearchParams(location.search).getAll("break")) {
  const throwing = class {
    constructor() {
      throw new DOMException("broken for the test", "SecurityError");
    }
  };
  const breaks = {
    "no-shared": () => delete window.SharedWorker,
    "no-worker": () => delete window.Worker,
    "no-locks": () => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }),
    "no-broadcast": () => delete window.BroadcastChannel,
    "throwing-shared": () => (window.SharedWorker = throwing),
    "throwing-worker": () => (window.Worker = throwing),
    "clock": () => {
      const now = Date.now;
      let slept = 0;
      Date.now = () => now() + slept;
      new BroadcastChannel("sleep").onmessage = (event) => (slept += event.data);
    },
  };
  breaks[what]();
}
