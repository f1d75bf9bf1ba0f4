// What a user writes after `npm install onesocket`.
// ANCHOR: import
import { OneSocket, configure, connect } from "onesocket";
// ANCHOR_END: import

configure({ helloTimeout: 20_000 });
const byId = (id) => document.getElementById(id);

// ANCHOR: client
const client = connect("/echo");
client.addEventListener("status", ({ status }) => {
  byId("status").textContent = `${status.state}, ${status.tier}`;
});
client.addEventListener("message", ({ data }) => {
  byId("said").append(Object.assign(document.createElement("li"), { textContent: data.text }));
});
byId("send").onclick = () => client.send({ text: byId("text").value });
// ANCHOR_END: client

// ANCHOR: socket
const socket = new OneSocket("/echo", [], { share: true });
socket.onmessage = ({ data }) => (document.title = data);
// ANCHOR_END: socket
byId("text").onchange = () => socket.send(`${byId("text").value}?`);
