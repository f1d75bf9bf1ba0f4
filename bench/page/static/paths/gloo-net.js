// A page in Rust.
export async function load() {
  const { default: init, ...api } = await import("../bench-gloo-net.js");
  await init();
  return { ...api, receive: async (count) => JSON.parse(await api.receive(count)) };
}
