import { createServer } from "node:http";
import { Aedes } from "aedes";
import { WebSocketServer, createWebSocketStream } from "ws";
import { serve } from "./serve.js";

const broker = await Aedes.createBroker();
const server = createServer();
new WebSocketServer({ server }).on("connection", (socket, request) => broker.handle(createWebSocketStream(socket), request));
serve(server);
