// The library, in the tier that `?tier=` names.
import { wasm } from "./wasm.js";

const query = new URLSearchParams(location.search);
const tier = query.get("tier");

// Its socket is dialled while its wasm is compiled, where the page knows the URL: docs/start-up.md.
const script = (url) => (url ? `onesocket-worker.js#dial=${encodeURIComponent(url)}` : "onesocket-worker.js");

export async function load() {
  const url = query.get("first");
  // The worker starts while the page's own wasm is loaded; a dedicated one for all tabs, so not where one leads already.
  const early = { script: script(url), name: "onesocket", failed: false };
  const start = (Kind) => {
    if ("worker" in early) return;
    early.worker = new Kind(early.script, early);
    early.worker.onerror = () => (early.failed = true);
  };
  const leader = `onesocket-leader ${early.name} ${new URL(early.script, document.baseURI)}`;
  if (tier !== "main") self.onesocketWorker = early;
  if (tier === "shared") start(SharedWorker);
  if (tier === "dedicated") navigator.locks.request(leader, { ifAvailable: true, mode: "shared" }, (free) => free && start(Worker));
  const loaded = page("bench-onesocket");
  if (tier === "main" && url) await dialled(url);
  const api = await loaded;
  return { ...api, first: (url) => api.first(url, tier, script(url)) };
}

// As a script in the head does: the wasm is fetched beside it, and connects behind it.
function dialled(url) {
  const element = document.createElement("script");
  element.src = "onesocket-dial.js";
  element.dataset.url = url;
  return new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${element.src} is not there`));
    document.head.append(element);
  });
}

export async function page(name) {
  const api = await wasm(name);
  return {
    ...api,
    connect: (kind, url) => api.connect(kind, url, tier),
    receive: async (count) => JSON.parse(await api.receive(count)),
  };
}
