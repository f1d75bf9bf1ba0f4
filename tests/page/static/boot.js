// Puts the page's wasm within the reach of the suite.
import init, * as api from "./page.js";

const { memory } = await init();
window.api = api;
window.memory = memory;
document.querySelector("#ready").textContent = "ready";
