// How many of JavaScript's objects a wasm holds on to: what is in wasm-bindgen's table of them, and not free.
self.heldObjects = (exports) => {
  for (const table of Object.values(exports)) {
    if (!(table instanceof WebAssembly.Table)) continue;
    const all = Array.from({ length: table.length }, (_, at) => table.get(at));
    // That of functions has none of the constants.
    if (all.includes(true)) return all.filter((one) => one !== null).length;
  }
};
