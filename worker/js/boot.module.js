// Stands behind the glue of `wasm-bindgen --target web`, in the same module.
self.onesocket.boot(() => __wbg_init({ module_or_path: self.onesocket.wasm(import.meta.url) }));
