// Starts the page's wasm. What is said before it is up is kept and said then.
import init from "./chat.js";

const form = document.getElementById("composer");
const text = document.getElementById("text");
const early = [];
const keep = (event) => {
  event.preventDefault();
  if (text.value.trim() === "") return;
  early.push(text.value);
  text.value = "";
};
form.addEventListener("submit", keep);

try {
  await init();
  form.removeEventListener("submit", keep);
  const draft = text.value;
  for (const said of early) {
    text.value = said;
    form.requestSubmit();
  }
  text.value = draft;
} catch (error) {
  document.body.dataset.status = "disconnected";
  document.getElementById("status").textContent = "disconnected";
  const notice = document.getElementById("notice");
  notice.textContent = `The page's WebAssembly could not be started. ${error}`;
  notice.hidden = false;
  throw error;
}
