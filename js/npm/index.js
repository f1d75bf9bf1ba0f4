// One WebSocket for every tab, off the main thread. The types and their docs are in index.d.ts.
export { Client, connect } from "./client.js";
export { configure } from "./core.js";
export { OneSocket } from "./socket.js";
