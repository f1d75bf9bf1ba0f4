// What a user writes after `npm install onesocket`.
import { OneSocket, configure, connect } from "onesocket";

configure({ helloTimeout: 20_000 });
const byId = (id) => document.getElementById(id);

const client = connect("/echo");
client.addEventListener("status", ({ status }) => {
  byId("status").textContent = `${status.state}, ${status.tier}`;
});
client.addEventListener("message", ({ data }) => {
  byId("said").append(Object.assign(document.createElement("li"), { textContent: data.text }));
});
byId("send").onclick = () => client.send({ text: byId("text").value });

const socket = new OneSocket("/echo", [], { share: true });
socket.onmessage = ({ data }) => (document.title = data);
byId("text").onchange = () => socket.send(`${byId("text").value}?`);
