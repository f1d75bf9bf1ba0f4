// Puts the page's wasm within the reach of the suite.
import init, * as api from "./page.js";

await init();
window.api = api;
document.querySelector("#ready").textContent = "ready";
