// The library, in the tier that `?tier=` names.
import { wasm } from "./wasm.js";

const query = new URLSearchParams(location.search);
const tier = query.get("tier");

// Its socket is dialled while its wasm is compiled, where the page knows the URL: docs/start-up.md.
const script = (url) => (url ? `onesocket-worker.js#dial=${encodeURIComponent(url)}` : "onesocket-worker.js");

export async function load() {
  // The worker starts while the page's own wasm is loaded: docs/start-up.md.
  const Kind = { shared: self.SharedWorker, dedicated: self.Worker }[tier];
  if (Kind) {
    self.onesocketWorker = { script: script(query.get("first")), name: "onesocket" };
    onesocketWorker.worker = new Kind(onesocketWorker.script, onesocketWorker);
  }
  const api = await page("bench-onesocket");
  return { ...api, first: (url) => api.first(url, tier, script(url)) };
}

export async function page(name) {
  const api = await wasm(name);
  return {
    ...api,
    connect: (kind, url) => api.connect(kind, url, tier),
    receive: async (count) => JSON.parse(await api.receive(count)),
  };
}
