// Stands behind the glue of `wasm-bindgen --target no-modules`.
self.onesocket.boot(() => wasm_bindgen({ module_or_path: self.onesocket.wasm(self.location.href) }));
