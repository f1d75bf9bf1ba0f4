// Runs before anything else: a page that makes a socket of its own, or another kind of worker than is wanted, has none.
{
  const tier = new URLSearchParams(location.search).get("tier");
  window.workers = [];
  const forbid = (name) => {
    window[name] = class {
      constructor() {
        throw new Error(`this page makes no ${name}`);
      }
    };
  };
  const count = (name) => {
    const construct = (made, args) => {
      workers.push(name);
      return Reflect.construct(made, args);
    };
    window[name] = new Proxy(window[name], { construct });
  };
  forbid("WebSocket");
  if (tier === "shared") count("SharedWorker");
  else forbid("SharedWorker");
  if (tier === "dedicated") count("Worker");
  else forbid("Worker");
}
