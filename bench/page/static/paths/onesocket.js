// The library, in the tier that `?tier=` names.
export async function load() {
  const { default: init, ...api } = await import("../bench-onesocket.js");
  await init();
  const tier = new URLSearchParams(location.search).get("tier");
  return {
    ...api,
    connect: (kind, url) => api.connect(kind, url, tier),
    first: (url) => api.first(url, tier),
    receive: async (count) => JSON.parse(await api.receive(count)),
  };
}
