// Puts the page's wasm within the reach of the suite.
import "./objects.js";
import init, * as api from "./page.js";

const exports = await init();
window.api = api;
window.memory = exports.memory;
window.objects = () => self.heldObjects(exports);
document.querySelector("#ready").textContent = "ready";
