// Loads a page in Rust. Its wasm is fetched beside its script and not behind it, as a preload link has it.
export async function wasm(name) {
  const fetched = fetch(new URL(`../${name}_bg.wasm`, import.meta.url));
  const { default: init, ...api } = await import(`../${name}.js`);
  await init({ module_or_path: fetched });
  return api;
}
