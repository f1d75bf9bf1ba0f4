// Loads what `?path=` names: each module in paths/ exports the same functions.
import { frames } from "./frames.js";

const name = new URLSearchParams(location.search).get("path");
window.path = await (await import(`./paths/${name}.js`)).load();
window.frames_of_page = frames;
document.querySelector("#ready").textContent = "ready";
