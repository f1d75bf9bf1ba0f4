// Keeps what the server has rendered: it runs when the document is read, and before the page hydrates.
const elements = [...document.querySelectorAll("main *")];
const texts = Object.fromEntries(elements.filter(({ id }) => id).map(({ id, textContent }) => [id, textContent.trim()]));
window.__served = { elements, texts };
