// A page in Rust.
import { wasm } from "./wasm.js";

export async function load() {
  const api = await wasm("bench-gloo-net");
  return { ...api, receive: async (count) => JSON.parse(await api.receive(count)) };
}
