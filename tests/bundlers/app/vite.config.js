// Vite's development server moves packages away from their files: this one is to stay beside its wasm.
export default { optimizeDeps: { exclude: ["onesocket"] } };
