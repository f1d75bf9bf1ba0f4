// The library, in the tier that `?tier=` names.
import { wasm } from "./wasm.js";

const tier = new URLSearchParams(location.search).get("tier");

export async function load() {
  // The worker starts while the page's own wasm is loaded: docs/start-up.md.
  const Kind = { shared: self.SharedWorker, dedicated: self.Worker }[tier];
  if (Kind) {
    self.onesocketWorker = { script: "onesocket-worker.js", name: "onesocket" };
    onesocketWorker.worker = new Kind(onesocketWorker.script, onesocketWorker);
  }
  const api = await page("bench-onesocket");
  return { ...api, first: (url) => api.first(url, tier) };
}

export async function page(name) {
  const api = await wasm(name);
  return {
    ...api,
    connect: (kind, url) => api.connect(kind, url, tier),
    receive: async (count) => JSON.parse(await api.receive(count)),
  };
}
