// A page in Rust, with its socket in a worker of gloo-worker.
import { wasm } from "./wasm.js";

export async function load() {
  const api = await wasm("bench-gloo-worker");
  return { ...api, receive: async (count) => JSON.parse(await api.receive(count)) };
}
