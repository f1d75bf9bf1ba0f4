// Loads what `?path=` names: each module in paths/ exports the same functions.
const start = performance.now();
const query = new URLSearchParams(location.search);
const { load } = await import(`./paths/${query.get("path")}.js`);
window.path = await load();
// How long it takes from here to the first message of a feed that is running.
const first = query.get("first");
if (first) window.first = path.first(first).then((at) => at - start);
const { frames } = await import("./frames.js");
window.frames_of_page = frames;
document.querySelector("#ready").textContent = "ready";
