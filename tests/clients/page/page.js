// A notebook by the client that the address names. What it has of it is `notebook`: `note(text)` resolves when the client says that it is
// written, `notes()` are those that were heard of, and `isConnected()` is what the client thinks.
import { configure } from "onesocket";

configure({ helloTimeout: 20_000 });
const { client, name, url } = Object.fromEntries(new URLSearchParams(location.search));
const clients = import.meta.glob("./clients/*.js");
const { open } = await clients[`./clients/${client}.js`]();
window.notebook = await open(url, name);
