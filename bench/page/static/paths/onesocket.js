// The library, in the tier that `?tier=` names.
import { wasm } from "./wasm.js";

export async function load() {
  const tier = new URLSearchParams(location.search).get("tier");
  // The worker starts while the page's own wasm is loaded: docs/start-up.md.
  if (tier === "shared") new SharedWorker("onesocket-worker.js", { name: "onesocket" });
  const api = await wasm("bench-onesocket");
  return {
    ...api,
    connect: (kind, url) => api.connect(kind, url, tier),
    first: (url) => api.first(url, tier),
    receive: async (count) => JSON.parse(await api.receive(count)),
  };
}
