// Loads what `?path=` names: each module in paths/ exports the same functions.
const query = new URLSearchParams(location.search);
const { load } = await import(`./paths/${query.get("path")}.js`);
// Here the contender's own script begins. What is before is this benchmark's: an app's script does not ask the address which app it is.
const start = performance.now();
window.path = await load();
// How long it takes from there, and from the navigation, to the first message of a feed that is running.
const first = query.get("first");
if (first) window.first = path.first(first).then((at) => ({ script: at - start, navigation: at }));
// Keeps the page busy for so long at a time; between two of them it may do one task of each kind.
window.block = (ms) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
  setTimeout(window.block, 0, ms);
};
const { frames } = await import("./frames.js");
window.frames_of_page = frames;
document.querySelector("#ready").textContent = "ready";
