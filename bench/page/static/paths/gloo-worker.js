// A page in Rust, with its socket in a worker of gloo-worker.
export async function load() {
  const { default: init, ...api } = await import("../bench-gloo-worker.js");
  await init();
  return { ...api, receive: async (count) => JSON.parse(await api.receive(count)) };
}
