// Starts the page that the document names.
const { default: init } = await import(`./${document.documentElement.dataset.page}.js`);
await init();
