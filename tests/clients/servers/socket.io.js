import { createServer } from "node:http";
import { Server } from "socket.io";
import { serve } from "./serve.js";

const server = createServer();
// With recovery it keeps for a client that comes back what was sent meanwhile.
const io = new Server(server, { transports: ["websocket"], connectionStateRecovery: {} });
io.on("connection", (socket) => {
  socket.on("note", (text, done) => {
    io.emit("noted", text);
    done();
  });
});
serve(server);
