// The provider of the page's credentials: answers with the tokens of this script's own URL, one after the other and then with the last
// for ever. What it was asked stands in the document, where every engine's driver can read it.
{
  const tokens = JSON.parse(new URL(document.currentScript.src).searchParams.get("tokens"));
  const root = document.documentElement;
  window.provider = {
    ask(refused, failed) {
      root.dataset.asked = `${root.dataset.asked ?? ""}${refused}${failed > 0 ? `:${failed}` : ""} `;
      const token = tokens.length > 1 ? tokens.shift() : tokens[0];
      return token === "hang" ? new Promise(() => {}) : Promise.resolve(token);
    },
  };
}
